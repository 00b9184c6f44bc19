"""The season of one series: a factor or an amount for each calendar month, as far as the history proves it.

Estimated by classical decomposition over the last years and shrunk towards no season by as much as chance alone could explain
(James-Stein; Miller and Williams 2003 show that it improves forecasts). Tests that answer yes or no, such as those built into
forecasting libraries, miss the season of most histories of two to four years, where nothing matters more.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.contracts import SEASON_LENGTH

YEARS = 5  # what is older says little about the season of today
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


def season(values: np.ndarray, months: np.ndarray) -> Season:
    """Estimate the season of a history without gaps from its last years; none below two years."""
    multiplicative = bool(values.min() > SMALLEST * np.abs(values).mean())
    if len(values) < FEWEST:
        return Season(np.zeros(SEASON_LENGTH), False)
    recent = values[-YEARS * SEASON_LENGTH :]
    group = months[-len(recent) :] % SEASON_LENGTH
    return Season(shrunk_effects(detrended(np.log(recent) if multiplicative else recent), group), multiplicative)


def detrended(values: np.ndarray) -> np.ndarray:
    """Return distances from the trend [months]: the centred twelve-month mean, continued at both ends.

    There it goes on with the mean change over a year, so that no month of a short history is lost.
    """
    half = SEASON_LENGTH // 2
    centred = np.convolve(values, np.r_[0.5, np.ones(SEASON_LENGTH - 1), 0.5] / SEASON_LENGTH, mode="valid")
    steps = np.arange(1, half + 1) * (values[SEASON_LENGTH:] - values[:-SEASON_LENGTH]).mean() / SEASON_LENGTH
    return values - np.r_[centred[0] - steps[::-1], centred, centred[-1] + steps]


def shrunk_effects(departure: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return each group's mean distance from their common mean, shrunk by the positive-part James-Stein rule [12].

    The share that is kept is 1 − (12 − 3) / (12 − 1) / F, F being the ratio of the variances between and within groups,
    times n / (n + 2) for the n degrees of freedom that estimate the variance within.
    """
    count = np.bincount(group, minlength=SEASON_LENGTH)
    effects = np.bincount(group, departure, SEASON_LENGTH) / np.maximum(count, 1)
    effects = effects - effects.mean()
    freedom = len(departure) - SEASON_LENGTH
    within = ((departure - departure.mean() - effects[group]) ** 2).sum()
    between = (count * effects**2).sum()
    if between == 0:
        return effects
    chance = (SEASON_LENGTH - 3) * within / (freedom + 2)
    return effects * max(0.0, 1.0 - chance / between)
