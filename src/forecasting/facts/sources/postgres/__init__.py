"""A company's tables in PostgreSQL: fetched into Parquet files of the workspace, only what is new where that can be told."""

from forecasting.facts.sources.postgres.source import SOURCE

__all__ = ["SOURCE"]
