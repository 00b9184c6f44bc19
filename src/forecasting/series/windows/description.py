"""What models that learn from normalised windows see of them, without units, and what an error costs in each of them."""

import numpy as np

from forecasting.contracts import SEASON_LENGTH
from forecasting.series.windows.normalization import INPUT_LIMIT, Windows

LARGEST_COST = 10.0  # of a window, where the mean is 1


def in_spreads(values: np.ndarray, windows: Windows) -> np.ndarray:
    """Return values [n, months] in spreads, cut at ± INPUT_LIMIT; NaN where nothing is known."""
    return np.clip(values / windows.spread[:, None], -INPUT_LIMIT, INPUT_LIMIT)


def character(windows: Windows) -> dict[str, np.ndarray]:
    """Describe each window as a whole, by name [n]: its spread, noise, season's size, trend, smoothing and length."""
    spread = windows.spread
    size = np.sqrt((windows.season**2).mean(axis=1))
    return {
        "spread": np.log(spread),
        "yearly_change": np.log(windows.yearly_change / spread),
        "monthly_change": np.log((windows.monthly_change + 1e-4) / spread),
        "noise": np.log((windows.noise + 1e-4) / spread),
        "season_size": np.log((size + 1e-3) / spread),
        "season_kept": windows.shrinkage,
        "smoothing": windows.smoothing,
        "trend": np.clip(SEASON_LENGTH * windows.slope / spread, -INPUT_LIMIT, INPUT_LIMIT),
        "is_log": windows.is_log,
        "known_share": np.isfinite(windows.values).mean(axis=1),
    }


def costs(windows: Windows) -> np.ndarray:
    """Return what an error of one spread costs in each window [n], its mean 1.

    Half of it in shares of the level, as sMAPE counts, half in seasonal-naive errors, as MASE does.
    """
    relative, scaled = windows.spread, windows.spread / windows.yearly_change
    both = relative / max(relative.mean(), 1e-9) + scaled / max(scaled.mean(), 1e-9) if len(relative) else relative
    return np.minimum(both / 2.0, LARGEST_COST)
