"""A company's own CSV files: a folder with sales.csv and what there is of the others, or one file of sales."""

from forecasting.facts.sources.csv.source import SOURCE

__all__ = ["SOURCE"]
