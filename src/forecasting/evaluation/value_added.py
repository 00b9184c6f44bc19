"""Did overrides help? Forecast value added by people, beside the model's own forecast, with an interval.

FVA after Gilliland (2010, The Business Forecasting Deal; Gilliland, Sglavo and Tashman 2016): the mean absolute error of the forecast
before a step of the process less that after it, on the same rows; above 0 the step helped. Errors of one month share its surprise, so the
months are the observations: the interval is that of a ratio of sums over clusters (the linearised variance with the factor
M / (M − 1), Cochran 1977, Sampling Techniques, ch. 6 and 11) with Student's t for M − 1 months. Where each month has the same number
of rows it is the ordinary t-interval of the months' means.
"""

import numpy as np
import pandas as pd

LEVEL = 0.95
FEW = 6  # months below which an interval says little: t has a long tail, and one odd month decides
ADDED_COLUMNS = ["group", "n", "n_months", "mae_forecast", "mae_override", "fva", "lo", "hi"]


def value_added(rows: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Return what overrides added, for all rows or by the values of a column, the largest number of rows first.

    Parameters
    ----------
    rows: one per override of a series or sum and month that has come: ds, actual, forecast (the model's), override; in one unit.

    Returns
    -------
    One row per group (ADDED_COLUMNS): rows, months, both mean absolute errors, fva = mae_forecast − mae_override and its 95 % interval,
    in the unit of the rows; lo and hi are NaN with fewer than two months.
    """
    groups = rows.groupby(by, sort=True) if by else [("all", rows)] if len(rows) else []
    found = pd.DataFrame([_added(name, part) for name, part in groups], columns=ADDED_COLUMNS)
    return found.sort_values(["n", "group"], ascending=[False, True], ignore_index=True)


def _added(name: object, rows: pd.DataFrame) -> list[object]:
    """Return the row of a group."""
    before, after = ((rows[column] - rows["actual"]).abs() for column in ("forecast", "override"))
    gains = (before - after).groupby(rows["ds"]).agg(["sum", "size"]).to_numpy(float)
    fva, (low, high) = float((before - after).mean()), interval(gains[:, 0], gains[:, 1])
    return [name, len(rows), len(gains), float(before.mean()), float(after.mean()), fva, low, high]


def interval(sums: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of Σ sums / Σ sizes over months [month]; NaN twice with fewer than two."""
    n = len(sums)
    if n < 2:
        return float("nan"), float("nan")
    from scipy import stats  # takes half a second

    mean = sums.sum() / sizes.sum()
    residuals = sums - mean * sizes
    error = np.sqrt(n / (n - 1) * (residuals**2).sum()) / sizes.sum()
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * error
    return float(mean - reach), float(mean + reach)
