"""The size of a series' typical error, in its own unit: what errors are divided by so that series can be compared.

A series' level never stands in for it: what never changes has an interval without width, however large it is.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.series.intermittency import intermittent, lowest
from forecasting.series.panels import Grid, Panel, mean, panel

STILL = (
    1e-3  # of the level: with typical errors below it an error that nobody would notice is many times the typical one
)
FEWEST_CHANGES = 6  # that are not zero: the mean of fewer is one series' luck, which must not decide a set's MASE
LEAST_UNREST = 0.1  # of the typical error: growth that was even so far is not relied on to stay so
SCALE_COLUMNS = ["aggregation", "unique_id", "cutoff", "scale", "typical_error", "unrest", "lowest", "intermittent"]


def scale(history: pd.DataFrame) -> pd.Series:
    """Return each series' `panel_scale`, in the unit of y, from its history [unique_id -> scale]."""
    known = panel(history)
    return pd.Series(panel_scale(known), index=pd.Index(known.ids, name="unique_id"), name="scale")


def panel_scale(known: Panel) -> np.ndarray:
    """Return what each series' errors are divided by, MASE's scale [series]: its typical error.

    NaN for a series that is `still`, where an error of a cent would be hundreds of scales, and for one of which next to no changes
    are known (`barely_known`): both are left out of the pools and of MASE.
    """
    return _scale(known, typical_error(known))


def _scale(known: Panel, typical: np.ndarray) -> np.ndarray:
    """Return the `panel_scale` of series whose typical error is known [series]."""
    return np.where(_still(known, typical) | barely_known(known), np.nan, typical)


def typical_error(known: Panel) -> np.ndarray:
    """Return each series' typical error, in its own unit [series]: what the width of its interval is a multiple of.

    The mean absolute change from the same month a year earlier (lag 12). Where that rests on fewer than twelve such changes (a
    history under two years) one of them may be near zero by chance: there the mean absolute change from month to month (lag 1) is
    used if it is larger. It is 0 for a series that never changes or only repeats its season. The mean absolute value where there is
    one month and nothing is known of changes.
    """
    yearly, monthly = np.abs(change(known, SEASON_LENGTH)), np.abs(change(known, 1))
    few = np.isfinite(yearly).sum(axis=1) < SEASON_LENGTH
    seasonal = np.where(few, np.fmax(mean(yearly), mean(monthly)), mean(yearly))
    return np.where(np.isfinite(seasonal), seasonal, mean(np.abs(known.values)))


def unrest(known: Panel) -> np.ndarray:
    """Return how restless each series is, in its own unit [series]: how far its yearly change moves from one month to the next.

    The mean absolute difference of neighbouring changes from the same month a year earlier: the error of «as last year, and as much
    above it as last month». Steady growth adds to the typical error but not to this, so the two together say how far a model that
    follows growth and season will miss. It lies between a tenth and about twice the typical error, which stands for it where there
    are fewer than twelve such differences.
    """
    return _unrest(known, typical_error(known))


def _unrest(known: Panel, typical: np.ndarray) -> np.ndarray:
    """Return the `unrest` of series whose typical error is known [series]."""
    yearly = change(known, SEASON_LENGTH)
    moved = np.abs(yearly[:, 1:] - yearly[:, :-1])
    enough = np.isfinite(moved).sum(axis=1) >= SEASON_LENGTH
    return np.where(enough, np.fmax(mean(moved), LEAST_UNREST * typical), typical)


def still(known: Panel) -> np.ndarray:
    """Say which series stay as they are, or repeat their season [series]: their typical error is next to nothing of their level."""
    return _still(known, typical_error(known))


def _still(known: Panel, typical: np.ndarray) -> np.ndarray:
    """Say which series are `still`, whose typical error is known [series]."""
    return typical <= STILL * mean(np.abs(known.values))


def barely_known(known: Panel) -> np.ndarray:
    """Say which series have changed less than FEWEST_CHANGES times, from month to month or on the year [series].

    A product of its first months, or one that was sold once or twice in years of zeros: the mean of so few changes may be any size.
    """
    counts = [np.count_nonzero(np.nan_to_num(change(known, months)), axis=1) for months in (SEASON_LENGTH, 1)]
    return np.maximum(*counts) < FEWEST_CHANGES


def varying(history: pd.DataFrame) -> Panel:
    """Return the series of a history that are not `still`: those from which something can be learned."""
    known = panel(history)
    return known.only(~still(known))


def flat(known: Panel) -> np.ndarray:
    """Say which series hardly change from month to month [series]."""
    return mean(np.abs(change(known, 1))) <= STILL * mean(np.abs(known.values))


def change(known: Panel, months: int) -> np.ndarray:
    """Return the change over `months` months [series, months]; NaN where either end is unknown."""
    earlier = np.full_like(known.values, np.nan)
    earlier[:, months:] = known.values[:, :-months]
    return known.values - earlier


def scales(actuals: pd.DataFrame, cutoffs: Sequence[pd.Timestamp]) -> pd.DataFrame:
    """Return what is known of every aggregation's series at each cutoff: SCALE_COLUMNS.

    `scale` is its `panel_scale`, `typical_error` its `typical_error`: they differ for a series that is `still` or `barely_known`.
    `unrest` is its `unrest`, `lowest` what no bound is below, `intermittent` whether a series is one that is zero now and then
    (`intermittency`).
    """
    grids = Grid.by_level(actuals) if len(cutoffs) else {}
    parts = [
        described_panel(known).assign(aggregation=level, cutoff=cutoff)
        for cutoff in cutoffs
        for level, grid in grids.items()
        if len((known := grid.until(cutoff)).ids)
    ]
    if not parts:
        return pd.DataFrame(columns=SCALE_COLUMNS).astype({"cutoff": "datetime64[ns]"})
    return pd.concat(parts, ignore_index=True)[SCALE_COLUMNS]


def described(history: pd.DataFrame) -> pd.DataFrame:
    """Return unique_id, scale, typical_error, unrest, lowest and intermittent of each series of a history."""
    return described_panel(panel(history))


def described_panel(known: Panel) -> pd.DataFrame:
    """Return what `described` does, of a history that is known as a panel."""
    typical = typical_error(known)
    found = {"scale": _scale(known, typical), "typical_error": typical, "unrest": _unrest(known, typical)}
    return pd.DataFrame(
        {"unique_id": known.ids} | found | {"lowest": lowest(known), "intermittent": intermittent(known)}
    )


def seasonal_error(window: np.ndarray) -> np.ndarray:
    """Return the mean absolute change from the same month a year earlier in each window [n]; NaN below 13 months."""
    return mean(np.abs(window[:, SEASON_LENGTH:] - window[:, :-SEASON_LENGTH]))
