"""Microsoft's sample data warehouse AdventureWorksDW, as Parquet copies of its tables."""

from forecasting.facts.sources.adventureworks.source import SOURCE

__all__ = ["SOURCE"]
