"""How simple methods would go on from a window, for a network to choose from, mix and mend.

A network that is trained on few series, or on others, does not find these by itself; which of them a series follows it does find. The
idea of weighing simple forecasts by what a series is like is that of FFORMA (Montero-Manso et al. 2020).
"""

import numpy as np

from forecasting.series.panels import mean
from forecasting.series.windows.normalization import DRIFT, INPUT_LIMIT, Windows

MOMENTA = (1, 3, 6, 12, 24)  # months over which the pace of the last ones is measured
DAMPED = {
    3: 0.8,
    6: 0.9,
    12: 0.95,
    24: 1.0,
}  # share of its pace that a momentum keeps each month (Gardner and McKenzie 1985)
PERSISTENCE_MONTHS = 36
LARGEST_MOMENTUM = 4.0  # in mean monthly changes
LARGEST_RATIO = 3.0  # of a logarithm: about twenty times the squared error of the best


def paths(windows: Windows, horizon: int) -> np.ndarray:
    """Return where simple methods lie beside the line in each month ahead, in spreads [n, 6, horizon].

    The whole linear trend, no trend at all, and the paces of the last 3, 6 and 12 months, damped, and of the last 24.
    """
    steps, spread = np.arange(1, horizon + 1), windows.spread[:, None]
    drift = DRIFT * windows.slope[:, None] * steps
    paces = momenta(windows)
    ways = [windows.slope[:, None] * steps, np.zeros_like(drift)]
    ways += [paces[months][:, None] * np.cumsum(kept**steps) for months, kept in DAMPED.items()]
    return np.stack([np.clip((way - drift) / spread, -INPUT_LIMIT, INPUT_LIMIT) for way in ways], axis=1)


def momenta(windows: Windows) -> dict[int, np.ndarray]:
    """Return the mean monthly change of the adjusted values over the last so many months [n]; 0 where none is known."""
    changes = np.diff(windows.adjusted[:, -max(MOMENTA) - 1 :], axis=1)
    return {months: np.nan_to_num(mean(changes[:, -months:])) for months in MOMENTA}


def tendency(windows: Windows) -> np.ndarray:
    """Describe how each window moves [n, k]: momenta, persistence, and what other smoothing constants say and how well they did."""
    usual = np.maximum(windows.monthly_change, 1e-9)[:, None]
    pace = np.column_stack(list(momenta(windows).values())) / usual
    levels = windows.levels / windows.spread[:, None]
    squares = np.log(np.maximum(windows.squares, 1e-12))
    worse = squares - squares.min(axis=1, keepdims=True)
    return np.column_stack(
        [
            np.clip(pace, -LARGEST_MOMENTUM, LARGEST_MOMENTUM),
            persistence(windows),
            np.clip(levels, -INPUT_LIMIT, INPUT_LIMIT),
            np.clip(worse, 0.0, LARGEST_RATIO),
        ]
    )


def persistence(windows: Windows) -> np.ndarray:
    """Return the correlation of one monthly change with the next over the last three years [n]; unknown ones count as none."""
    changes = np.nan_to_num(np.diff(windows.adjusted[:, -PERSISTENCE_MONTHS - 1 :], axis=1))
    apart = changes - changes.mean(axis=1, keepdims=True)
    return (apart[:, 1:] * apart[:, :-1]).sum(axis=1) / np.maximum((apart**2).sum(axis=1), 1e-12)
