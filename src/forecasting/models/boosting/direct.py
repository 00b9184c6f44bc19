"""Rows that trees learn from where each month ahead is forecast directly: normalised windows, seen from that month.

A row is a window and a number of months ahead; its target is the departure from the window's line in spreads (`series.normalised`), as
the network's is. Its features are what describes the window, its last two years, the season of the forecast month and what that
month was in earlier years.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.contracts import MIDDLE, QUANTILES, SEASON_LENGTH
from forecasting.series import (
    BUCKETS,
    Windows,
    bucket_of,
    character,
    costs,
    cut_windows,
    in_spreads,
    mean,
    normalised,
    varying,
)

LAGS = 2 * SEASON_LENGTH  # last months that are features of their own
ROLLING = (2, 3, 6, 12, 24)  # months
YEARS = 4  # of the same calendar month
SMALLEST_MISS = 0.05  # spreads: what is missed by less counts as missed by as much, so that its logarithm stays finite


@dataclass(frozen=True)
class Rows:
    """What trees learn from: `features` of n rows, `target` in spreads, `weight`, months `ahead` and `half` (0 or 1) of the windows [n]."""

    features: pd.DataFrame
    target: np.ndarray
    weight: np.ndarray
    ahead: np.ndarray
    half: np.ndarray

    def __len__(self) -> int:
        return len(self.target)


def rows(train: pd.DataFrame, horizon: int, most: int, seed: int, fewest: int) -> Rows:
    """Return a row for every window and month ahead that is known, `most` of them by lot where there are more.

    Parameters
    ----------
    train: one row per unique_id, ds with column y.
    horizon: months ahead.
    seed: of the lot.
    fewest: known months a window needs.
    """
    known = varying(train)
    window, future, month, _ = cut_windows(known, horizon, fewest)
    windows = normalised(window)
    target = windows.departures(future)
    which, step = np.nonzero(np.isfinite(target))
    if len(which) > most:
        drawn = np.sort(np.random.default_rng(seed).choice(len(which), most, replace=False))
        which, step = which[drawn], step[drawn]
    return Rows(
        features=features(windows, month, which, step + 1),
        target=target[which, step],
        weight=costs(windows)[which],
        ahead=step + 1,
        half=halves(len(window), len(known.ids))[which],
    )


def halves(n_windows: int, n_series: int) -> np.ndarray:
    """Part windows that are ordered by series into two halves, 0 and 1 [n_windows]: every other stretch of them.

    There are as many stretches as series, so a series lies about whole in one half; a single series is cut in the middle.
    """
    return np.arange(n_windows) * max(n_series, 2) // max(n_windows, 1) % 2


def features(windows: Windows, month: np.ndarray, which: np.ndarray, ahead: np.ndarray) -> pd.DataFrame:
    """Describe the windows `which` [n] as seen from `ahead` months after them [n]; NaN where a month is not known.

    Parameters
    ----------
    month: month number of each window's origin.
    """
    adjusted, season = in_spreads(windows.adjusted, windows), in_spreads(windows.season, windows)
    lags = adjusted[which, -LAGS:]
    same = same_months(adjusted, which, ahead)
    columns = {
        "months_ahead": ahead,
        "calendar_month": (month[which] + ahead) % SEASON_LENGTH + 1,
        "season": season[which, -ahead % SEASON_LENGTH],
        **{f"level_same_month_{years}y": column for years, column in enumerate(same.T, start=1)},
        "level_same_month": mean(same),
        **{f"level_{months}m": mean(lags[:, -months:]) for months in ROLLING},
        **{name: column[which] for name, column in character(windows).items()},
        **{f"level_lag{back}": lags[:, -1 - back] for back in range(LAGS)},
    }
    return pd.DataFrame(columns, dtype=np.float32)


def same_months(adjusted: np.ndarray, which: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return the seasonally adjusted values of the forecast month's calendar month in the last YEARS years, the latest first [n, YEARS]."""
    latest = adjusted.shape[1] - 1 + ahead - SEASON_LENGTH * (1 + (ahead - 1) // SEASON_LENGTH)
    return adjusted[which[:, None], latest[:, None] - SEASON_LENGTH * np.arange(YEARS)]


def standardised(missed: np.ndarray, size: np.ndarray, seen: Rows) -> dict[str, list[float]]:
    """Return the quantiles of what was missed [n], in expected sizes [n], around their median: by bucket of months ahead, 11 each.

    They minimise the weighted quantile loss. A bucket of which nothing is known has those of the bucket before it.
    """
    bucket, found, last = bucket_of(seen.ahead), {}, np.zeros(len(QUANTILES))
    for number, name in enumerate(BUCKETS):
        inside = bucket == number
        if inside.any():
            weight = (seen.weight * size)[inside]
            last = np.quantile((missed / size)[inside], QUANTILES, weights=weight, method="inverted_cdf")
        found[name] = (last - last[MIDDLE]).tolist()
    return found
