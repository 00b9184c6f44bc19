"""From raw forecasts to what is published: coherent points of every aggregation, with bounds from out-of-sample errors.

In: raw forecasts of series and sums, and past ones with what came. Out: calibrated rows (BACKTEST_COLUMNS, FORECAST_COLUMNS) and, for
each model, the `Calibration` that its next forecast gets. Here a bound is widened, and a point that people override moves its sums.
"""

from forecasting.intervals.calibrated import calibrate_backtest, calibrate_backtests, calibrate_forecasts
from forecasting.intervals.calibration import (
    ENTRIES,
    Calibration,
    Past,
    moved_to,
    reconciliation_table,
)
from forecasting.intervals.conformal import LEVELS, MIDDLE, naive_errors, ordered_around_point
from forecasting.intervals.overriding import PERCENT, VALUE, Change, Overridden, override
from forecasting.intervals.reconciliation import METHODS, SIMPLEST

__all__ = [
    "ENTRIES", "LEVELS", "METHODS", "MIDDLE", "PERCENT", "SIMPLEST", "VALUE", "Calibration", "Change", "Overridden", "Past",
    "calibrate_backtest", "calibrate_backtests", "calibrate_forecasts", "moved_to", "naive_errors", "ordered_around_point",
    "override", "reconciliation_table",
]  # fmt: skip
