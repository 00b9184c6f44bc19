"""Measures of accuracy, under utilsforecast's names and definitions, in the form in which people know them.

Every measure takes one table and returns one number (float; NaN where nothing can be measured). The table has one row
per series, cutoff and month: `y`, the quantiles `q025 … q975` (the point is q500), `scale` (mean absolute
seasonal-naive error of the history up to the cutoff), `squared_scale` (the mean of their squares), `naive_error` (the
seasonal naive's absolute error on the same row) and `previous` (what was said of the same month one month before). The
rows of a table count alike, as utilsforecast does within one unique_id.
What SQL needs of them is in `dbt/macros/measures.sql`, which gives the same numbers.

A percentage of zero is not defined: such rows are left out of it and `excluded` counts them.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from forecasting.contracts import BOUNDS, POINT, QUANTILE_COLUMNS, QUANTILES


def error(frame: pd.DataFrame) -> np.ndarray:
    """Return prediction − actual [n]."""
    return _numbers(frame, POINT) - _numbers(frame, "y")


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as numbers [n]: arrays, because a report measures thousands of small groups, and tables take their time."""
    return frame[column].to_numpy(dtype=np.float64)


def _mean(values: np.ndarray) -> float:
    """Return the mean of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole [n]; NaN where whole is 0."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole != 0)


def mae(frame: pd.DataFrame) -> float:
    """Mean absolute error, in the unit of y."""
    return _mean(np.abs(error(frame)))


def rmse(frame: pd.DataFrame) -> float:
    """Root of the mean squared error, in the unit of y."""
    return float(np.sqrt(_mean(error(frame) ** 2)))


def bias(frame: pd.DataFrame) -> float:
    """Mean of prediction − actual, in the unit of y: above zero, forecasts are too high."""
    return _mean(error(frame))


def wape(frame: pd.DataFrame) -> float:
    """Sum of absolute errors / sum of absolute actuals (normalized deviation), a fraction; NaN if all actuals are 0."""
    total = np.abs(frame["y"].to_numpy()).sum()
    return float(np.abs(error(frame)).sum() / total) if total else float("nan")


def mape(frame: pd.DataFrame) -> float:
    """Mean absolute error in % of the actual; months whose actual is 0 are left out."""
    return 100.0 * _mean(_share(np.abs(error(frame)), np.abs(frame["y"].to_numpy())))


def smape(frame: pd.DataFrame) -> float:
    """Symmetric mean absolute percentage error, 0 … 200; months where actual and prediction are both 0 are left out."""
    sizes = np.abs(_numbers(frame, POINT)) + np.abs(_numbers(frame, "y"))
    return 200.0 * _mean(_share(np.abs(error(frame)), sizes))


def mase(frame: pd.DataFrame) -> float:
    """Mean absolute error / scale: below 1, better than the seasonal naive was in the history."""
    return _mean(_share(np.abs(error(frame)), frame["scale"].to_numpy()))


def rmsse(frame: pd.DataFrame) -> float:
    """Root of the mean squared error / squared scale."""
    return float(np.sqrt(_mean(_share(error(frame) ** 2, frame["squared_scale"].to_numpy()))))


def inside(frame: pd.DataFrame, level: int) -> pd.Series:
    """Return of each row whether the actual lies in the interval of this level (80 or 95), its bounds included."""
    y, low, high = (_numbers(frame, name) for name in ("y", BOUNDS[f"lo_{level}"], BOUNDS[f"hi_{level}"]))
    return pd.Series((y >= low) & (y <= high), index=frame.index)


def coverage_80(frame: pd.DataFrame) -> float:
    """Share of actuals within the 80 % interval, a fraction."""
    return _mean(inside(frame, 80).to_numpy(dtype=np.float64))


def coverage_95(frame: pd.DataFrame) -> float:
    """Share of actuals within the 95 % interval, a fraction."""
    return _mean(inside(frame, 95).to_numpy(dtype=np.float64))


def fva(frame: pd.DataFrame) -> float:
    """Forecast value added: the seasonal naive's mean absolute error − the forecast's, on the rows that both have, in the unit of y."""
    return _mean(_numbers(frame, "naive_error") - np.abs(error(frame)))


def tracking_signal(frame: pd.DataFrame) -> float:
    """Sum of the errors of one series in units of their mean absolute value; NaN where there is no error at all.

    The cumulative-sum signal of Brown (1959, Statistical Forecasting for Inventory Control), with the usual warning
    beyond ±4; Trigg (1964, Operational Research Quarterly 15) has a smoothed form. A positive signal means forecasts that
    keep being too high. It cannot exceed the number of errors.
    """
    size = mae(frame)
    return float(error(frame).sum() / size) if size else float("nan")


def quantile_losses(frame: pd.DataFrame, levels: Sequence[float] = QUANTILES) -> np.ndarray:
    """Return twice the mean quantile loss of each row over these levels [n], in the unit of y."""
    columns = [QUANTILE_COLUMNS[QUANTILES.index(level)] for level in levels]
    missed = frame["y"].to_numpy()[:, None] - frame[columns].to_numpy()
    level = np.array(levels)
    return 2.0 * np.maximum(level * missed, (level - 1.0) * missed).mean(axis=1)


def _quantile_loss(frame: pd.DataFrame, levels: Sequence[float]) -> float:
    """Return twice the mean quantile loss of these levels / mean absolute actual; NaN where all actuals are 0."""
    total = np.abs(frame["y"].to_numpy()).sum()
    return float(quantile_losses(frame, levels).sum() / total) if total else float("nan")


def scaled_crps(frame: pd.DataFrame) -> float:
    """Twice the mean quantile loss / mean absolute actual (Rangapuram et al. 2021); NaN where all actuals are 0."""
    return _quantile_loss(frame, QUANTILES)


def wql(frame: pd.DataFrame) -> float:
    """Weighted quantile loss: scaled_crps over the levels 0.1 to 0.9 alone, as forecasting benchmarks quote it."""
    return _quantile_loss(frame, QUANTILES[1:-1])


def masc(frame: pd.DataFrame) -> float:
    """Mean absolute scaled change: how far a forecast moved from what was said of the same month one month before, in scales.

    The vertical stability of Godahewa et al. (2025, International Journal of Forecasting 41), in the unit of MASE so that the two can be
    read side by side; 0 is a forecast that never moves. Rows without an earlier forecast (the longest horizon) are left out.
    """
    return _mean(_share(_moved(frame), frame["scale"].to_numpy()))


def change_share(frame: pd.DataFrame) -> float:
    """Sum of the absolute changes since the forecast one month before / sum of that forecast's sizes, a fraction; NaN if that is 0."""
    known = frame[frame["previous"].notna()]
    size = known["previous"].abs().sum()
    return float(_moved(known).sum() / size) if size else float("nan")


def _moved(frame: pd.DataFrame) -> np.ndarray:
    """Return by how much each forecast moved since the month before, whichever way [n]; NaN where there is none to compare with."""
    return np.abs(_numbers(frame, POINT) - _numbers(frame, "previous"))


Measure = Callable[[pd.DataFrame], float]
METRICS: dict[str, Measure] = {
    measure.__name__: measure
    for measure in (mae, rmse, wape, smape, mape, mase, rmsse, bias, coverage_80, coverage_95, scaled_crps)
}
BESIDE_OTHERS = METRICS | {"fva": fva, "masc": masc}  # with those that need another forecast of the same month


def excluded(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many rows are left out: {"mape_excluded", "smape_excluded", "mase_excluded"}."""
    zero = _numbers(frame, "y") == 0
    return {
        "mape_excluded": int(zero.sum()),
        "smape_excluded": int((zero & (_numbers(frame, POINT) == 0)).sum()),
        "mase_excluded": int((~(_numbers(frame, "scale") > 0)).sum()),
    }


def score(frame: pd.DataFrame, by: Sequence[str], measures: dict[str, Measure] = METRICS) -> pd.DataFrame:
    """Return every measure for each group: one row per `by`, with n, the measures and what they left out."""
    rows = []
    for key, group in frame.groupby(list(by), sort=True):
        measured = {name: measure(group) for name, measure in measures.items()}
        rows.append(dict(zip(by, key, strict=True)) | {"n": len(group)} | measured | excluded(group))
    columns = [*by, "n", *measures, "mape_excluded", "smape_excluded", "mase_excluded"]
    kinds = frame[list(by)].dtypes.to_dict()  # a table without rows keeps them, so that what follows works on it too
    return pd.DataFrame(rows, columns=columns).astype(kinds)
