"""Cut histories into windows: to learn from with the months that came after them, or the last one of each series."""

from collections.abc import Sequence

import numpy as np

from forecasting.series.panels import Panel
from forecasting.series.windows.normalization import WINDOW, months_before

MOST_WINDOWS = 250_000  # beyond this, origins are taken every k-th month


def cut_windows(
    known: Panel, horizon: int, fewest: int, kept: Sequence[int] = (), most: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return windows [n, WINDOW], the months after them [n, horizon], their origins' month numbers and ages [n].

    The age is how many months of the series lie after the origin. The windows are ordered by series, then by origin.

    Parameters
    ----------
    fewest: known months a window needs.
    most: how many windows are enough; by default MOST_WINDOWS.
    kept: ages whose windows stay even where there are so many that others are left out; the last origin always stays.
    """
    series, months = known.values.shape
    unknown = np.full((series, WINDOW), np.nan), np.full((series, horizon), np.nan)
    padded = np.hstack([unknown[0], known.values, unknown[1]])
    enough = np.isfinite(known.values).cumsum(axis=1) >= fewest
    age = np.broadcast_to(months_before(months), known.values.shape)
    chosen = enough & np.isfinite(known.values) & (age > 0)
    every = -(-int(chosen.sum()) // (most or MOST_WINDOWS)) or 1
    row, column = np.nonzero(chosen & (((age - 1) % every == 0) | np.isin(age, kept)))
    stretches = np.lib.stride_tricks.sliding_window_view(padded, WINDOW + horizon, axis=1)[row, column + 1]
    return stretches[:, :WINDOW], stretches[:, WINDOW:], known.origins[row, column], age[row, column]


def last_windows(known: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the window that ends at each series' last month [series, WINDOW] and that month's number [series]."""
    missing = max(WINDOW - known.values.shape[1], 0)
    padded = np.hstack([np.full((len(known.ids), missing), np.nan), known.values])
    return padded[:, -WINDOW:], known.last
