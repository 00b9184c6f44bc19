"""What flows month by month: sales and costs as trend, season, calendar, noise and shocks."""

import numpy as np

from forecasting.pretraining.making.calendar_effects import calendar_factors
from forecasting.pretraining.making.drawing import coin, log_uniform, uniform
from forecasting.pretraining.making.kernels import kernels
from forecasting.pretraining.making.lives import lives
from forecasting.pretraining.making.lives import seasonal_goods as on_sale
from forecasting.pretraining.making.noise import noise, sizes, unrest
from forecasting.pretraining.making.season import effects
from forecasting.pretraining.making.shocks import shocks
from forecasting.pretraining.making.trend import capped, levels, wandering

LARGEST_NOISE = 1.6  # of a month, as a logarithm
LARGEST_STEP = (
    0.05  # the most noise, as a logarithm, that steps of the level are measured by: louder series wander no faster
)
LARGEST_SEASON = 2.0  # likewise: a peak of seven times the level


def multiplicative(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return flows [n, months] whose season and noise grow with their level; all positive."""
    n = len(first_month)
    size, season = sizes(rng, n), np.clip(effects(rng, first_month, months), -LARGEST_SEASON, LARGEST_SEASON)
    level = moving_levels(rng, size, months)
    surprise = noise(rng, n, months) * size * unrest(rng, level, season)
    return (
        level
        * np.exp(season + np.clip(surprise, -LARGEST_NOISE, LARGEST_NOISE))
        * calendar_factors(rng, first_month, months)
    )


def moving_levels(rng: np.random.Generator, size: np.ndarray, months: int) -> np.ndarray:
    """Return levels [n, months] that follow a trend and keep a part of the surprises, whose sizes are given as a column [n, 1]."""
    n = len(size)
    return np.exp(capped(np.log(levels(rng, n, months)) + wandering(rng, n, months) * np.minimum(size, LARGEST_STEP)))


def additive(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return flows [n, months] whose season stays as large as it is while their level moves; none below zero.

    The noise stays too, or grows with a power of the level.
    """
    n = len(first_month)
    size, season = sizes(rng, n), effects(rng, first_month, months)
    level = moving_levels(rng, size, months)
    grows = level ** np.where(coin(rng, 0.5, n), uniform(rng, 0.3, 1.0, n), 0.0)
    found = level + season + noise(rng, n, months) * size * grows
    return np.maximum(found * calendar_factors(rng, first_month, months), 0.0)


def disturbed(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return flows [n, months] to which something happened."""
    return multiplicative(rng, first_month, months) * shocks(rng, len(first_month), months)


def lived(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return flows [n, months] of products that start, end or pause; NaN before the first month."""
    return multiplicative(rng, first_month, months) * lives(rng, len(first_month), months)


def seasonal_goods(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return flows [n, months] of goods that are only to be had for some months of a year."""
    return multiplicative(rng, first_month, months) * on_sale(rng, first_month, months)


def gaussian(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return Gaussian process draws [n, months]: as logarithms of growth at most tenfold, or about a level, which may be zero."""
    n = len(first_month)
    drawn = kernels(rng, n, months)
    positive = np.exp(capped(drawn * log_uniform(rng, 0.05, 0.8, n)))
    around = np.where(coin(rng, 0.25, n), 0.0, 1.0) + drawn * uniform(rng, 0.05, 0.3, n)
    return np.where(coin(rng, 0.65, n), positive, around)


def expenses(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return costs [n, months], mostly booked as negative: contracts that rise once a year, with extra payments and little noise.

    In a third of them nothing but the yearly rise ever changes.
    """
    n = len(first_month)
    year = (first_month[:, None] + np.arange(months) + rng.integers(0, 12, (n, 1))) // 12
    rises = rng.normal(0.025, 0.03, (n, months // 12 + 2)).cumsum(axis=1)
    level = np.exp(np.take_along_axis(rises, year - year[:, :1], axis=1))
    busy = coin(rng, 2 / 3, n)
    extra = np.clip(effects(rng, first_month, months), -1.0, 1.5) * 0.5
    surprise = np.clip(noise(rng, n, months) * log_uniform(rng, 0.003, 0.15, n), -1.0, 1.0)
    return level * np.exp(busy * (extra + surprise)) * np.where(coin(rng, 0.7, n), -1.0, 1.0)
