"""The season: a factor or an amount for each calendar month, as far as the history proves it; one estimate for every model.

Classical decomposition over the last years: each calendar month's mean departure from a centred 2 × 12 moving average, shrunk towards
no season by as much as chance alone could explain (James and Stein 1961; Miller and Williams 2003 show that it improves forecasts).
Tests that answer yes or no, such as those built into forecasting libraries, miss the season of most histories of two to four years,
where nothing matters more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.contracts import SEASON_LENGTH
from forecasting.series.panels import mean

SEASON_MONTHS = 5 * SEASON_LENGTH  # the last ones: what is older says little about the season of today
FEWEST = 2 * SEASON_LENGTH  # months; below two years a season cannot be told from a trend
SMALLEST = 0.01  # of the mean: with values below it factors mean nothing, so the season is in amounts


@dataclass(frozen=True)
class Season:
    """What each calendar month adds to the level [12], from January on; on the logarithm if it is multiplicative."""

    effects: np.ndarray
    multiplicative: bool

    def removed(self, values: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Return the values of these month numbers without their season."""
        effect = self.effects[months % SEASON_LENGTH]
        return values / np.exp(effect) if self.multiplicative else values - effect

    def restored(self, values: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Return seasonally adjusted values of these month numbers with their season put back."""
        effect = self.effects[months % SEASON_LENGTH]
        return values * np.exp(effect) if self.multiplicative else values + effect


def seasons(values: Sequence[np.ndarray], months: Sequence[np.ndarray]) -> list[Season]:
    """Estimate the season of each history without gaps [months]; none below two years.

    They are found side by side, in a fiftieth of the time, with the bits that each has by itself.
    """
    if not len(values):
        return []
    multiplicative = [bool(own.min() > SMALLEST * np.abs(own).mean()) for own in values]
    number = np.full((len(values), SEASON_MONTHS), np.nan)
    for row, own, factors in zip(number, values, multiplicative, strict=True):
        recent = own[-SEASON_MONTHS:]
        row[SEASON_MONTHS - len(recent) :] = np.log(recent) if factors else recent
    index, _, _ = seasonal_index(number)
    last = np.array([own[-1] for own in months], dtype=int)
    effects = np.take_along_axis(index, (last[:, None] - np.arange(SEASON_LENGTH)) % SEASON_LENGTH, axis=1)
    return [Season(own, factors) for own, factors in zip(effects, multiplicative, strict=True)]


def seasonal_index(number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the seasonal index [n, 12] of histories side by side [n, months], as `shrunk` does, from their last years.

    The last column is the last month known; NaN where nothing is known.
    """
    return shrunk(detrended(number[:, -SEASON_MONTHS:]))


def detrended(number: np.ndarray) -> np.ndarray:
    """Return distances from the trend [n, months]: the centred 2 × 12 moving average, continued at both ends.

    There it goes on with the mean change over a year, so that no month of a short history is lost. NaN where nothing is known, and
    throughout below 13 months.
    """
    half = SEASON_LENGTH // 2
    year = np.lib.stride_tricks.sliding_window_view(number, SEASON_LENGTH, axis=1).mean(axis=2)
    centred = np.full_like(number, np.nan)
    centred[:, half:-half] = (year[:, :-1] + year[:, 1:]) / 2.0
    change = mean(number[:, SEASON_LENGTH:] - number[:, :-SEASON_LENGTH])[:, None] / SEASON_LENGTH
    column, known = np.arange(number.shape[1]), np.isfinite(centred)
    first, last = np.argmax(known, axis=1)[:, None], number.shape[1] - half - 1
    before = np.take_along_axis(centred, first, axis=1) - (first - column) * change
    after = centred[:, [last]] + (column - last) * change
    return number - np.where(column < first, before, np.where(column > last, after, centred))


def shrunk(departure: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the shrunk seasonal index [n, 12], the share of it that was kept [n] and the noise around it [n].

    `departure` holds whole years [n, years × 12]; column k of the index is the calendar month of k months before the last one. The
    share, by the positive-part James-Stein rule, is 1 − (12 − 3) / (12 − 1) / F, F being the ratio of the variances between and within
    calendar months, times n / (n + 2) for the n degrees of freedom that estimate the variance within. Below two years there is no season
    and no noise (NaN).
    """
    years = departure.reshape(len(departure), departure.shape[1] // SEASON_LENGTH, SEASON_LENGTH)[:, :, ::-1]
    count = np.isfinite(years).sum(axis=1)
    index = np.nan_to_num(mean(years, axis=1))
    index = index - index.mean(axis=1, keepdims=True)
    within = np.nansum((years - index[:, None] - mean(years.reshape(departure.shape))[:, None, None]) ** 2, axis=(1, 2))
    freedom = count.sum(axis=1) - SEASON_LENGTH
    between = np.maximum((count * index**2).sum(axis=1), 1e-12)
    enough = freedom >= FEWEST - SEASON_LENGTH
    kept = np.clip(1.0 - (SEASON_LENGTH - 3) * within / np.maximum(freedom + 2, 1) / between, 0.0, 1.0) * enough
    noise = np.where(enough, np.sqrt(within / np.maximum(freedom, 1)), np.nan)
    return index * kept[:, None], kept, noise
