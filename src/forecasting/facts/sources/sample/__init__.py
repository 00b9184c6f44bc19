"""The made-up company that comes with the project, or files as it writes them."""

from forecasting.facts.sources.sample.source import SOURCE

__all__ = ["SOURCE"]
