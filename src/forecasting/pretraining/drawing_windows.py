"""Windows out of series, made or real: where history ends, and how much of it is known, is drawn."""

from typing import NamedTuple

import numpy as np

from forecasting.contracts import SEASON_LENGTH
from forecasting.series import WINDOW

FEWEST = SEASON_LENGTH + 1  # known months, as the model asks for
LENGTHS = (
    (FEWEST, 40),
    (24, 72),
    (48, WINDOW + 1),
)  # months of history: a young company's, a usual one's, an old one's


class Drawn(NamedTuple):
    """Windows [n, WINDOW] that end at an origin, the months after it [n, horizon] (NaN: unknown), the origin's month number [n]."""

    window: np.ndarray
    future: np.ndarray
    month: np.ndarray


def draw(rng: np.random.Generator, values: np.ndarray, first_month: np.ndarray, horizon: int) -> Drawn:
    """Draw one window of each series [n, months]; `first_month` [n] is the month number of the first column.

    History begins with the first month that is known and not 0: zeros before it are no history. It ends anywhere from 13 months on, with
    at least one month after it. A series that is too short for that is left out.
    """
    months = values.shape[1]
    lived = np.isfinite(values) & (values != 0)
    begin, after = lived.argmax(axis=1), months - np.isfinite(values)[:, ::-1].argmax(axis=1)
    long_enough = lived.any(axis=1) & (after - begin > FEWEST)
    values, begin, after, first_month = (each[long_enough] for each in (values, begin, after, first_month))
    origin = rng.integers(begin + FEWEST - 1, after - 1)
    shortest, longest = np.array(LENGTHS)[rng.integers(0, len(LENGTHS), len(origin))].T
    length = np.minimum(rng.integers(shortest, longest), origin - begin + 1)
    padded = np.pad(values, ((0, 0), (WINDOW, horizon)), constant_values=np.nan)
    found = padded[np.arange(len(origin))[:, None], origin[:, None] + np.arange(1, WINDOW + horizon + 1)]
    window, future = found[:, :WINDOW], found[:, WINDOW:]
    window[np.arange(WINDOW) < WINDOW - length[:, None]] = np.nan
    return Drawn(window, future, first_month + origin)
