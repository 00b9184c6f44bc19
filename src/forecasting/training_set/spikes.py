"""Single months that stand out of a history, upwards or downwards: nobody would expect them, yet forecasts build on them.

A month with a zero too many, an invoice booked twice or a month's stock that was not counted is repeated a year later by every model
that knows a season.
"""

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH

MAD_TO_SD = 1.4826  # the standard deviation of a normal distribution with a median absolute deviation of 1
FEWEST = 6  # months that say what a usual month is
LAST_MONTHS = 2 * SEASON_LENGTH  # what next year's forecast builds on most
REGULAR_SHARE = 0.75  # of the months have a value: one expects something every month
BAND = {
    "total": 0.5,
    "region": 0.5,
    "category": 0.5,
    "series": 1.0,
}  # usual months beyond everything it is compared with
FALL_BAND = {
    "total": 0.5,
    "region": 0.5,
    "category": 0.5,
    "series": 0.75,
}  # the same downwards, where nothing lies below zero
BAND_UNKNOWN = 3.0  # upwards where no other year has the month: it may be the season
DEVIATIONS = {
    "total": 4.0,
    "region": 4.0,
    "category": 4.0,
    "series": 6.0,
}  # robust standard deviations of the yearly change
MOST_TAIL = 5.0  # usual months
HUGE = 10.0  # usual months, however long ago
LEAST_FALL = 0.75  # of the least of all it is compared with
LEAST_SHARE = 0.01  # of a usual month of the total: less money than that is not worth a reader's time
SPIKE_COLUMNS = ["aggregation", "unique_id", "ds", "y", "expected", "change_pct"]


def standing_out(wide: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return what was expected of the months that stand out [months × unique_id]; NaN for all others.

    A month stands out where it lies above, or below, all that it is compared with: the medians of the three months before it and after
    it, the same month a year earlier and a year later, and that of a year earlier with the change of both medians since. By how much
    must exceed BAND, in usual months (the median absolute value of the year before or after, whichever is larger; for a fall, in what
    it fell from where that is less), and DEVIATIONS. Expected is the median of all these. So neither a season stands out nor a change
    of level that has lasted for two months; two months side by side do.

    `wide` has a column per unique_id and a row per month; `level` is the aggregation.
    """
    year, three = wide.shift(SEASON_LENGTH), wide.rolling(3).median()
    around = (three.shift(1), three.shift(-3))
    compared = [year, wide.shift(-SEASON_LENGTH), *around, *(year + now - now.shift(SEASON_LENGTH) for now in around)]
    usual = _usual(wide).to_numpy()
    change = (wide - year) / usual
    spread = MAD_TO_SD * (change - change.median()).abs().median()
    tells = (change.notna().sum() >= FEWEST).to_numpy()  # of fewer changes the month itself would be most of the spread
    tail = DEVIATIONS[level] * np.where(tells, spread.fillna(0.0).to_numpy(), 0.0) * usual
    known = (compared[0].notna() | compared[1].notna()).to_numpy() & tells
    value, found = wide.to_numpy(), np.zeros(wide.shape, dtype=bool)
    for sign, band in ((1, np.where(known, BAND[level], BAND_UNKNOWN)), (-1, FALL_BAND[level])):
        nearest = sign * np.fmax.reduce([sign * other.to_numpy() for other in compared])
        unit = usual if sign > 0 else np.minimum(usual, np.abs(nearest))
        most = (
            MOST_TAIL * usual if sign > 0 else LEAST_FALL * np.abs(nearest)
        )  # beyond it, no unrest of the past excuses a month of a sum
        reached = tail if level == "series" else np.minimum(tail, most)
        found |= sign * (value - nearest) > np.maximum(band * unit, reached)
    expected = np.full(wide.shape, np.nan)
    expected[found] = np.nanmedian([other.to_numpy()[found] for other in compared], axis=0)
    return pd.DataFrame(expected, index=wide.index, columns=wide.columns)


def _usual(wide: pd.DataFrame) -> pd.DataFrame:
    """Return the size of a usual month [months × unique_id]; NaN where nothing is regular or known."""
    size = wide.abs()
    before = size.shift(1).rolling(SEASON_LENGTH, min_periods=FEWEST).median()
    after = size[::-1].shift(1).rolling(SEASON_LENGTH, min_periods=FEWEST).median()[::-1]
    usual = np.fmax(before, after)
    return usual.where((usual > 0) & ((wide != 0).sum() >= REGULAR_SHARE * wide.notna().sum()))


def spikes_of(levels: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """List the months that stand out of the last two years, and by far of all of the total's: SPIKE_COLUMNS, the largest first.

    `levels` holds a `wide` for each aggregation, `expected` what `standing_out` says of those in which there is anything. A fall in the
    last month is not among them: it has a check of its own, which need not wait for the month after it. What is less than LEAST_SHARE of
    a usual month of the total is left out, and a node that has only one part is named once.
    """
    parts = [_spikes(levels[level], level, found) for level, found in expected.items()]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=SPIKE_COLUMNS)
    least = LEAST_SHARE * levels["total"].iloc[-LAST_MONTHS:].abs().median().sum()
    found = found[(found["y"] - found["expected"]).abs() >= least]
    return found.drop_duplicates(["ds", "y", "expected"], ignore_index=True)


def _spikes(wide: pd.DataFrame, level: str, expected: pd.DataFrame) -> pd.DataFrame:
    """List the months of one aggregation that stand out, the largest first; `expected` is of `standing_out`."""
    month, column = np.nonzero(expected.notna().to_numpy())
    y, usual = wide.to_numpy()[month, column], expected.to_numpy()[month, column]
    found = pd.DataFrame(
        {
            "aggregation": level,
            "unique_id": wide.columns.to_numpy()[column],
            "ds": wide.index.to_numpy()[month],
            "y": y,
            "expected": usual,
            "change_pct": 100 * (y - usual) / np.where(usual == 0, np.nan, np.abs(usual)),
        }
    )
    huge = (level == "total") & (np.abs(y - usual) > HUGE * np.abs(usual))
    shown = found[((len(wide) - month <= LAST_MONTHS) | huge) & ((month < len(wide) - 1) | (y > usual))]
    return shown.iloc[np.argsort(-(shown["y"] - shown["expected"]).abs(), kind="stable")]
