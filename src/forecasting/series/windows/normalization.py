"""How a window of history becomes numbers without a unit, and how a model's numbers become a forecast again.

Everything is computed from the window itself, so nothing that lies after its last month can enter, and a series times
1,000 gives the same numbers. Where all values are well above zero the window is taken in logarithms, else as shares of
its mean absolute value: zeros and negative values need no special case.

The window is described by a seasonal index, a line and a spread, and models learn the departure from the line in
units of the spread:

* seasonal index: that of `seasonality`, as for a single series;
* line: the Theta method on the seasonally adjusted window (Assimakopoulos and Nikolopoulos 2000), which is simple exponential
  smoothing with half the linear trend as drift (Hyndman and Billah 2003);
* spread: the mean of the mean absolute changes from month to month and from year to year.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.contracts import SEASON_LENGTH
from forecasting.series.history import DECIMALS
from forecasting.series.panels import mean
from forecasting.series.seasonality import seasonal_index

WINDOW = 10 * SEASON_LENGTH  # months that describe a window
SCALE_MONTHS = 3 * SEASON_LENGTH  # the last ones, whose mean absolute value is the unit
SPREAD_MONTHS = 5 * SEASON_LENGTH  # the last ones, whose changes are the spread
LOG_FROM = 0.01  # smallest share of the scale at which logarithms are taken
SMOOTHING = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)  # candidates; the best one month ahead within the window wins
DRIFT = 0.5  # of the linear trend, as in the Theta method
FEWEST_FOR_TREND = SEASON_LENGTH + 1
SMALLEST_SPREAD = 0.003  # of the scale: a constant series has none
NO_CHANGE = 1e-9  # of the scale: a monthly change below it is rounding
INPUT_LIMIT = 8.0  # inputs are cut at ± this many spreads
TARGET_LIMIT = 40.0  # likewise targets and forecasts
LARGEST_LOG = 8.0  # of a forecast as a share of the scale: about 3,000 times


@dataclass(frozen=True)
class Windows:
    """Normalised windows: arrays [n] unless stated; months run backwards from the origin, the last month known.

    `values` and `adjusted` [n, WINDOW] are departures from the line's level, with and without season, NaN where nothing is
    known; `season` [n, 12] is the index by months before the origin (0 … 11). `levels` and `squares` [n, constants] are what each
    constant of SMOOTHING says of the level, as a departure from `level`, and its mean squared error one month ahead.
    """

    scale: np.ndarray
    is_log: np.ndarray
    values: np.ndarray
    adjusted: np.ndarray
    season: np.ndarray
    shrinkage: np.ndarray
    noise: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    smoothing: np.ndarray
    levels: np.ndarray
    squares: np.ndarray
    spread: np.ndarray
    yearly_change: np.ndarray
    monthly_change: np.ndarray

    def line(self, horizon: int) -> np.ndarray:
        """Return the line with its season, in the window's own numbers [n, horizon]."""
        steps = np.arange(1, horizon + 1)
        return self.level[:, None] + DRIFT * self.slope[:, None] * steps + self.season[:, -steps % SEASON_LENGTH]

    def departures(self, future: np.ndarray) -> np.ndarray:
        """Return months after the origin [n, horizon], in the unit of y, as departures from the line in spreads."""
        share = future / np.where(self.scale > 0, self.scale, 1.0)[:, None]
        with np.errstate(divide="ignore"):
            number = np.where(self.is_log[:, None], np.log(np.maximum(share, LOG_FROM / 10)), share)
        found = (number - self.line(future.shape[1])) / self.spread[:, None]
        return np.clip(found, -TARGET_LIMIT, TARGET_LIMIT)

    def forecasts(self, departures: np.ndarray) -> np.ndarray:
        """Return departures [n, horizon, quantiles] in the unit of y: `departures` the other way round.

        What has only repeated its season in the months that the spread is taken from goes on with it, whatever the departures.
        """
        spread = np.where(self.monthly_change > NO_CHANGE, self.spread, 0.0)
        kept = np.clip(departures, -TARGET_LIMIT, TARGET_LIMIT) * spread[:, None, None]
        number = kept + self.line(departures.shape[1])[:, :, None]
        share = np.where(self.is_log[:, None, None], np.exp(np.minimum(number, LARGEST_LOG)), number)
        return share * self.scale[:, None, None]


def normalised(window: np.ndarray) -> Windows:
    """Describe windows [n, WINDOW] in the unit of y; the last column is the origin, NaN where nothing is known."""
    scale = mean(np.abs(window[:, -SCALE_MONTHS:]))
    share = np.round(window / np.where(scale > 0, scale, 1.0)[:, None], DECIMALS)
    is_log = np.where(np.isfinite(share), share, np.inf).min(axis=1) > LOG_FROM
    number = np.where(is_log[:, None], np.log(np.where(is_log[:, None], share, 1.0)), share)
    season, shrinkage, noise = seasonal_index(number)
    adjusted = number - season[:, months_before(window.shape[1]) % SEASON_LENGTH]
    monthly = np.nan_to_num(mean(np.abs(np.diff(adjusted))[:, -SPREAD_MONTHS:]))
    yearly = mean(np.abs(number[:, SEASON_LENGTH:] - number[:, :-SEASON_LENGTH])[:, -SPREAD_MONTHS:])
    yearly = np.where(np.isfinite(yearly), yearly, 2.0 * monthly)
    slope = trend(adjusted)
    levels, squares = smoothed(adjusted - DRIFT * slope[:, None] * -months_before(window.shape[1]))
    best = squares.argmin(axis=1)
    level = np.take_along_axis(levels, best[:, None], axis=1)[:, 0]
    return Windows(
        scale=scale,
        is_log=is_log,
        values=number - level[:, None],
        adjusted=adjusted - level[:, None],
        season=season,
        shrinkage=shrinkage,
        noise=np.where(np.isfinite(noise), noise, monthly),
        level=level,
        slope=slope,
        smoothing=np.array(SMOOTHING)[best],
        levels=levels - level[:, None],
        squares=squares,
        spread=np.maximum((yearly + monthly) / 2.0, SMALLEST_SPREAD),
        yearly_change=np.maximum(yearly, SMALLEST_SPREAD / 3),
        monthly_change=monthly,
    )


def months_before(length: int) -> np.ndarray:
    """Return how many months each column of a window lies before its origin [length]."""
    return np.arange(length - 1, -1, -1)


def trend(number: np.ndarray) -> np.ndarray:
    """Return the slope per month of the least-squares line through each window [n]; 0 below 13 known months."""
    known, time = np.isfinite(number), -months_before(number.shape[1]).astype(float)
    count = np.maximum(known.sum(axis=1), 1)
    centre = (known * time).sum(axis=1) / count
    apart = np.where(known, time - centre[:, None], 0.0)
    slope = (apart * np.where(known, number, 0.0)).sum(axis=1) / np.maximum((apart**2).sum(axis=1), 1e-9)
    return np.where(count >= FEWEST_FOR_TREND, slope, 0.0)


def smoothed(number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the level at the origin by simple exponential smoothing with each constant, and its mean squared error one month ahead.

    Both are [n, constants], in the order of SMOOTHING.
    """
    known = np.isfinite(number)
    months = np.maximum(known.sum(axis=1) - 1, 1)
    constants = np.array(SMOOTHING)[:, None]
    level, squares = (np.full((len(SMOOTHING), len(number)), start) for start in (np.nan, 0.0))
    for column in np.flatnonzero(known.any(axis=0)):  # unknown months are passed over
        value, begun = number[:, column], np.isfinite(level)
        error = np.where(begun, value - level, 0.0)
        squares += np.where(known[:, column], error, 0.0) ** 2
        level = np.where(known[:, column], np.where(begun, level, value) + constants * error, level)
    return np.nan_to_num(level.T), squares.T / months[:, None]
