"""When a series is there: products that start, end, pause, or are sold in their season only.

Factors [n, months]: NaN before a series' first month, 0 where nothing is sold, about 1 in full life. At least `FEWEST` months are known.
"""

import numpy as np

from forecasting.pretraining.making.drawing import coin, log_uniform, one_of, uniform

FEWEST = 13


def lives(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return factors [n, months] of all kinds of lives."""
    return one_of(rng, LIVES, n, months)


def started(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return products that came later [n, months]: NaN before, in a third of them zeros, then up at once, slowly, or with a launch."""
    return alive_from(rng, rng.integers(1, months - FEWEST + 1, (n, 1)), months)


def alive_from(rng: np.random.Generator, begin: np.ndarray, months: int) -> np.ndarray:
    """Return factors [n, months] of products that start at a column each, `begin` [n, 1]."""
    n, age = len(begin), np.arange(months) - begin
    slow = 1.0 - np.exp(-(age + 1.0) / log_uniform(rng, 0.3, 10.0, n))
    launch = 1.0 + uniform(rng, 0.2, 2.0, n) * np.exp(-age / uniform(rng, 1.0, 4.0, n))
    with np.errstate(over="ignore"):
        alive = np.where(coin(rng, 0.75, n), slow, launch)
    return np.where(age >= 0, alive, np.where(coin(rng, 1 / 3, n), 0.0, np.nan))


def ended(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return products that were given up [n, months]: sold off within up to a year, then nothing, mostly not for long."""
    return alive_until(
        rng, months - 1 - np.minimum(log_uniform(rng, 1.0, 60.0, n), months - FEWEST).astype(int), months
    )


def alive_until(rng: np.random.Generator, gone: np.ndarray, months: int) -> np.ndarray:
    """Return factors [n, months] of products that are gone at a column each, `gone` [n, 1]."""
    n = len(gone)
    left = (gone - np.arange(months)) / np.maximum(log_uniform(rng, 0.5, 12.0, n), 1.0)
    return np.clip(left, 0.0, 1.0)


def both(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return products that started in the first half of the months and were given up in the second [n, months]."""
    half = months // 2
    begin, gone = rng.integers(1, half, (n, 1)), rng.integers(half + 3, months, (n, 1))
    return alive_from(rng, begin, months) * alive_until(rng, gone, months)


def paused(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return products that could not be had for 2 to 14 months [n, months]."""
    away = np.arange(months) - rng.integers(6, months, (n, 1))
    return np.where((away >= 0) & (away < rng.integers(2, 15, (n, 1))), 0.0, 1.0)


def seasonal_goods(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return goods sold in 2 to 8 months of each year only [n, months], from a calendar month on; fewer at either end."""
    n = len(first_month)
    since = (first_month[:, None] + np.arange(months) - rng.integers(0, 12, (n, 1))) % 12
    length = rng.integers(2, 9, (n, 1))
    edge = (since == 0) | (since == length - 1)
    return np.where(since < length, np.where(edge, uniform(rng, 0.2, 1.0, n), 1.0), 0.0)


LIVES = {started: 0.55, ended: 0.18, both: 0.14, paused: 0.13}
