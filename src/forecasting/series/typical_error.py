"""The size of a series' typical error, in its own unit: what errors are divided by so that series can be compared."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.series.panels import Panel, mean, panel


def scale(history: pd.DataFrame) -> pd.Series:
    """Return each series' typical error, in the unit of y, from its history [unique_id -> scale].

    The mean absolute change from the same month a year earlier (lag 12: MASE's scale). Where that rests on fewer than twelve
    such changes (a history under two years) one of them may be near zero by chance, and an error divided by it enormous:
    there the mean absolute change from month to month (lag 1) is used if it is larger. Where both are zero or unknown, the
    mean absolute value; else NaN: the series is left out of the pools and of MASE, and its interval has no width.
    """
    known = panel(history)
    return pd.Series(panel_scale(known), index=pd.Index(known.ids, name="unique_id"), name="scale")


def panel_scale(known: Panel) -> np.ndarray:
    """Return the `scale` of a history that is known as a panel [series]."""
    yearly, monthly = np.abs(change(known, SEASON_LENGTH)), np.abs(change(known, 1))
    few = np.isfinite(yearly).sum(axis=1) < SEASON_LENGTH
    seasonal = np.where(few, np.fmax(mean(yearly), mean(monthly)), mean(yearly))
    result = np.full(len(known.ids), np.nan)
    for candidate in (mean(np.abs(known.values)), mean(monthly), seasonal):  # the best that is above zero comes last
        result = np.where(candidate > 0, candidate, result)
    return result


def change(known: Panel, months: int) -> np.ndarray:
    """Return the change over `months` months [series, months]; NaN where either end is unknown."""
    earlier = np.full_like(known.values, np.nan)
    earlier[:, months:] = known.values[:, :-months]
    return known.values - earlier


def scales(actuals: pd.DataFrame, cutoffs: Sequence[pd.Timestamp]) -> pd.DataFrame:
    """Return the scale of every aggregation's series at each cutoff: aggregation, unique_id, cutoff, scale."""
    parts = []
    for cutoff in cutoffs:
        for level, history in actuals[actuals["ds"] <= cutoff].groupby("aggregation", sort=False):
            parts.append(scale(history).reset_index().assign(aggregation=level, cutoff=cutoff))
    if not parts:
        return pd.DataFrame(columns=["aggregation", "unique_id", "cutoff", "scale"]).astype(
            {"cutoff": "datetime64[ns]"}
        )
    return pd.concat(parts, ignore_index=True)[["aggregation", "unique_id", "cutoff", "scale"]]


def seasonal_error(window: np.ndarray) -> np.ndarray:
    """Return the mean absolute change from the same month a year earlier in each window [n]; NaN below 13 months."""
    return mean(np.abs(window[:, SEASON_LENGTH:] - window[:, :-SEASON_LENGTH]))
