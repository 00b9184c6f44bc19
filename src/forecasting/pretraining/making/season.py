"""What repeats every year: seasonal effects by calendar month, fixed or changing.

A shape [n, 12], January first, has mean 0 and deviation 1; `effects` gives it a size and lays it along the months. Applied as
logarithms (multiplicative) or as shares of the mean level (additive) by the recipes.
"""

import numpy as np

from forecasting.pretraining.making.drawing import log_uniform, portions, uniform

NONE = 0.25  # share of series without a season
SIZE = (0.02, 0.6)  # deviation of the effects, as a logarithm: from hardly seen to tourism's
YEAR = 12


def effects(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return seasonal effects [n, months] of series that begin at `first_month` [n]; zeros for those without a season."""
    n = len(first_month)
    size = log_uniform(rng, *SIZE, n) * (rng.random((n, 1)) >= NONE)
    month = first_month[:, None] + np.arange(months)
    year = month // YEAR - first_month[:, None] // YEAR
    return size * yearly(rng, n, months // YEAR + 2)[np.arange(n)[:, None], year, month % YEAR]


def yearly(rng: np.random.Generator, n: int, years: int) -> np.ndarray:
    """Return effects of every year [n, years, 12] of size 1: mostly the same each year, else changing in one of three ways."""
    found = np.empty((n, years, YEAR))
    for change, rows in portions(rng, CHANGES, n):
        found[rows] = change(rng, shapes(rng, len(rows)), years)
    return found


def shapes(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return shapes [n, 12] of all kinds, January first, each with mean 0 and deviation 1."""
    found = np.empty((n, YEAR))
    for shape, rows in portions(rng, SHAPES, n):
        found[rows] = shape(rng, len(rows))
    return standardised(found)


def standardised(shape: np.ndarray) -> np.ndarray:
    """Return shapes [n, 12] with mean 0 and deviation 1."""
    centred = shape - shape.mean(axis=1, keepdims=True)
    return centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-9)


def harmonics(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return sums of one to six waves a year whose sizes fall as 1/k (ForecastPFN, Dooley et al. 2023)."""
    wave = np.arange(1, 7)
    angle = 2 * np.pi * np.outer(wave, np.arange(YEAR)) / YEAR
    used = wave <= rng.integers(1, 7, (n, 1))
    draws = rng.standard_normal((2, n, 6)) * used / wave
    return draws[0] @ np.cos(angle) + draws[1] @ np.sin(angle)


def free(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return twelve effects that know nothing of each other."""
    return rng.standard_normal((n, YEAR))


def peak(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return one month that stands out, often December, with a smaller one before it."""
    month = np.where(rng.random(n) < 0.5, 11, rng.integers(0, YEAR, n))
    return 0.1 * free(rng, n) + bump(month) + uniform(rng, 0.0, 0.6, n) * bump(month - 1)


def two_peaks(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return two months, at least three apart, that stand out (spring and autumn collections)."""
    month = rng.integers(0, YEAR, n)
    other = month + rng.integers(3, 10, n)
    second = uniform(rng, 0.4, 1.0, n)
    return 0.12 * free(rng, n) + wide_bump(month) + second * wide_bump(other)


def holiday(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return one or two weak months: the works' holidays, mostly August."""
    month = np.where(rng.random(n) < 0.6, 7, rng.integers(0, YEAR, n))
    return 0.15 * free(rng, n) - bump(month) - uniform(rng, 0.0, 0.7, n) * bump(month - 1)


def school_year(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return a strong start in September, a plateau, weak holidays; on the southern half of the earth half a year later."""
    plan = np.array([0.3, 0.3, 0.35, 0.2, 0.2, -0.1, -1.0, -0.6, 1.0, 0.6, 0.3, -0.3])
    south = np.roll(plan, 5)  # school begins in February there
    return np.where(rng.random((n, 1)) < 0.8, plan, south) + 0.15 * free(rng, n)


def quarters(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return ends of quarters that are stronger, the year's end most: sellers have targets."""
    plan = np.array([-0.5, -0.1, 0.7, -0.4, -0.1, 0.7, -0.5, -0.3, 0.7, -0.3, 0.0, 1.0])
    return plan + uniform(rng, 0.1, 0.4, n) * free(rng, n)


def bump(month: np.ndarray) -> np.ndarray:
    """Return 1 at a month [n] of the year and 0 elsewhere [n, 12]."""
    return (np.arange(YEAR) == month[:, None] % YEAR).astype(float)


def wide_bump(month: np.ndarray) -> np.ndarray:
    """Return 1 at a month [n] of the year, 0.4 beside it and 0 elsewhere [n, 12]."""
    return bump(month) + 0.4 * (bump(month - 1) + bump(month + 1))


def fixed(rng: np.random.Generator, shape: np.ndarray, years: int) -> np.ndarray:
    """Return the same effects each year [n, years, 12]."""
    return np.repeat(shape[:, None], years, axis=1)


def walking(rng: np.random.Generator, shape: np.ndarray, years: int) -> np.ndarray:
    """Return effects that walk at random from year to year, the mean of each year 0 (Harvey's stochastic dummies, 1989)."""
    steps = rng.standard_normal((len(shape), years, YEAR)) * log_uniform(rng, 0.05, 0.35, len(shape))[:, :, None]
    walked = shape[:, None] + (steps - steps.mean(axis=2, keepdims=True)).cumsum(axis=1)
    return walked / np.maximum(1.0, walked.std(axis=2, keepdims=True) / 1.8)


def swelling(rng: np.random.Generator, shape: np.ndarray, years: int) -> np.ndarray:
    """Return effects that grow or shrink steadily (TiRex's amplitude modulation, Auer et al. 2025, arXiv 2505.23719)."""
    start, end = uniform(rng, 0.2, 1.6, len(shape)), uniform(rng, 0.2, 1.6, len(shape))
    size = start + (end - start) * np.linspace(0.0, 1.0, years)
    return shape[:, None] * size[:, :, None]


def turning(rng: np.random.Generator, shape: np.ndarray, years: int) -> np.ndarray:
    """Return effects that become those of another shape within some years."""
    begin, width = uniform(rng, 0.0, 0.8, len(shape)) * years, uniform(rng, 1.0, 5.0, len(shape))
    done = np.clip((np.arange(years) - begin) / width, 0.0, 1.0)[:, :, None]
    return shape[:, None] * (1.0 - done) + shapes(rng, len(shape))[:, None] * done


SHAPES = {
    harmonics: 0.34,
    free: 0.16,
    peak: 0.14,
    two_peaks: 0.09,
    holiday: 0.11,
    school_year: 0.07,
    quarters: 0.09,
}
CHANGES = {fixed: 0.55, walking: 0.27, swelling: 0.11, turning: 0.07}
