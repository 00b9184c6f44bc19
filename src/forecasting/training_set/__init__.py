"""From facts to training sets, through dbt, and what is odd in them.

In: a workspace and its settings. Out: `train_<domain>.parquet` and `facts.json` in each domain's run folder; warnings, gaps and
outliers of a training set. Whether a month is whole, and counts, is decided by dbt (`models/monthly/domain_calendar.sql`).
"""

from forecasting.training_set.as_of import built_as_of
from forecasting.training_set.building import build, document
from forecasting.training_set.checks import (
    Unusual,
    gaps,
    outliers,
    require_forecastable,
    series_table,
    spikes,
    sudden_falls,
    warnings,
)

__all__ = [
    "Unusual", "build", "built_as_of", "document", "gaps", "outliers", "require_forecastable", "series_table", "spikes", "sudden_falls",
    "warnings",
]  # fmt: skip
