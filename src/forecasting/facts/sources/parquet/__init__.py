"""A company's own Parquet files: one file of sales, or a folder with a file, a folder or a partitioned tree per fact table."""

from forecasting.facts.sources.parquet.source import SOURCE, Parquet

__all__ = ["SOURCE", "Parquet"]
