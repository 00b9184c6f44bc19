"""The sources of facts, each a folder here and one of the same name in dbt/models/sources/. This list is the only one."""

from forecasting.facts.source import Source
from forecasting.facts.sources import adventureworks, csv, parquet, postgres, sample

ALL = (sample.SOURCE, csv.SOURCE, adventureworks.SOURCE, parquet.SOURCE, postgres.SOURCE)
SOURCES: dict[str, Source] = {source.name: source for source in ALL}
