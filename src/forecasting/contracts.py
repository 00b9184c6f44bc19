"""Names that several modules share: the domains, the quantiles, the columns of the tables that others read, and a model's back-test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # pandas takes a third of a second, and most commands find nothing to do
    import pandas as pd

DOMAINS = ("sales", "inventory", "profit")
FLOWS = ("sales", "profit")  # sums over a month; inventory is a stock, measured at the month's end

SEASON_LENGTH = 12
MAX_HORIZON = 6

QUANTILES = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
QUANTILE_COLUMNS = [f"q{round(q * 1000):03d}" for q in QUANTILES]  # q025 q100 … q900 q975
POINT = "q500"  # the point forecast is the median
MIDDLE = QUANTILE_COLUMNS.index(POINT)
BOUNDS = {"lo_80": "q100", "hi_80": "q900", "lo_95": "q025", "hi_95": "q975"}

AGGREGATIONS = (
    "series",
    "region",
    "category",
    "total",
)  # those that every company has; `levels:` in params/ adds others
ALL = "All"  # what a region or category is called where the facts do not know it, and in the sums over it
NOT_STATED = "Not stated"  # what a name is called that some facts do not say, where others do
EXPENSES = "Operating expenses"  # the category of profit that is no cost of sales

SERIES_KEY = ["unique_id", "region", "product_category"]
TRAIN_COLUMNS = ["unique_id", "ds", "y", "region", "product_category", "is_imputed"]
RAW_BACKTEST_COLUMNS = [
    "aggregation", "unique_id", "cutoff", "horizon", "ds", "model_name", *QUANTILE_COLUMNS, "is_fallback",
]  # fmt: skip
BACKTEST_COLUMNS = [
    "domain", "aggregation", *SERIES_KEY, "cutoff", "horizon", "ds", "model_name", "evaluation_set",
    "scale", *QUANTILE_COLUMNS, "interval_pool", "interval_n", "is_fallback",
]  # fmt: skip
FORECAST_COLUMNS = [
    "domain", "aggregation", *SERIES_KEY, "cutoff", "horizon", "ds", "model_name", "predicted_value", *BOUNDS,
    "scale", "interval_pool", "interval_n", "status", "is_fallback",
]  # fmt: skip
# What the champion would have forecast had published months not been restated since the run `known_by`.
RESTATED_COLUMNS = ["aggregation", *SERIES_KEY, "cutoff", "horizon", "ds", "predicted_value", "known_by"]


def level_columns(level: str) -> tuple[str, str]:
    """Return the columns of a training set that say which node of a level a series belongs to: its region and its product_category."""
    return f"{level}|{SERIES_KEY[1]}", f"{level}|{SERIES_KEY[2]}"


def level_names(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the levels of a training set by its columns, in their order."""
    return tuple(name.removesuffix(f"|{SERIES_KEY[1]}") for name in columns if name.endswith(f"|{SERIES_KEY[1]}"))


def levels_in(aggregations: Iterable[str]) -> tuple[str, ...]:
    """Return the levels that `levels:` in params/ names, of some aggregations; each once, as they are met."""
    return tuple(name for name in dict.fromkeys(aggregations) if name not in AGGREGATIONS)


def aggregations_of(found: Iterable[str]) -> tuple[str, ...]:
    """Return the aggregations of a table in their order: series, levels as they are met, region, category, total."""
    single, *sums = AGGREGATIONS
    return (single, *levels_in(found), *sums)


class BackTest(NamedTuple):
    """What one model would have said at past cutoffs, as its notebook leaves it.

    `raw` (RAW_BACKTEST_COLUMNS) is what it said, also of months still to come; `rows` (BACKTEST_COLUMNS) are those that came, coherent
    and with intervals; `cut` counts what the sign policy cut at zero of them («points», «bounds»), and `calibration` is what the next
    forecast gets, as JSON.
    """

    raw: pd.DataFrame
    rows: pd.DataFrame
    cut: dict[str, int]
    calibration: dict[str, Any]

    def renamed(self, model_name: str) -> BackTest:
        """Return the same of a model that is called otherwise."""
        raw, rows = (table.assign(model_name=model_name) for table in (self.raw, self.rows))
        return self._replace(raw=raw, rows=rows)
