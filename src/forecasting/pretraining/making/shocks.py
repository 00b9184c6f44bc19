"""What happens once: shifts of the level, outliers, promotions, months of standstill, shelves that are empty.

All are factors [n, months] that a series is multiplied with, 1 where nothing happens.
"""

import numpy as np

from forecasting.pretraining.making.drawing import coin, gathered, log_uniform, portions, uniform

LATE = 6  # months at the end in which a share of the shifts happens: the hardest for a forecaster, and not rare
FURTHER = 0.2  # chance of each further kind of shock


def shocks(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return factors [n, months]: each series has one kind of shock, some have more."""
    found = np.ones((n, months))
    for part, rows in portions(rng, SHOCKS, n):
        found[rows] = part(rng, len(rows), months)
        others = [other for other in SHOCKS if other is not part]
        for other in others:
            found[rows] *= gathered(rng, FURTHER * SHOCKS[other], other, len(rows), months)
    return found


def shifts(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return one or two lasting changes of the level by 10 to 90 % (log), a third of the first ones in the last six months."""
    late = months - rng.integers(1, LATE + 1, n)
    first = np.where(rng.random(n) < 1 / 3, late, rng.integers(6, months, n))
    second = np.where(rng.random(n) < 0.4, rng.integers(6, months, n), months)
    size = rng.uniform(0.1, 0.9, (2, n, 1)) * np.where(rng.random((2, n, 1)) < 0.5, 1.0, -1.0)
    month = np.arange(months)
    return np.exp(size[0] * (month >= first[:, None]) + 0.6 * size[1] * (month >= second[:, None]))


def outliers(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return one to five single months that are far too high or too low; a tenth of the low ones were not booked at all."""
    there = rng.random((n, months)) < rng.integers(1, 6, (n, 1)) / months
    there[np.arange(n), rng.integers(0, months, n)] = True
    up = rng.random((n, months)) < uniform(rng, 0.2, 0.9, n)
    size = rng.uniform(0.3, 1.3, (n, months))
    lost = rng.random((n, months)) < 0.1
    return np.where(there, np.where(up, np.exp(size), np.where(lost, 0.0, np.exp(-size))), 1.0)


def promotions(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return campaigns: a month's lift, of which 20 to 70 % was only pulled forward from the two months after it."""
    there = rng.random((n, months)) < uniform(rng, 0.5, 3.0, n) / 12.0
    there &= ~np.pad(there, ((0, 0), (1, 0)))[:, :-1]  # not two months running
    lift = there * rng.uniform(0.6, 1.4, (n, months)) * log_uniform(rng, 0.15, 1.5, n)
    pulled = lift * uniform(rng, 0.2, 0.7, n)
    after = np.pad(pulled, ((0, 0), (2, 0)))
    near = uniform(rng, 0.6, 1.0, n)  # share of what is missing that is missing in the very next month
    return np.maximum(1.0 + lift - near * after[:, 1:-1] - (1.0 - near) * after[:, :-2], 0.05)


def standstill(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return a gap as in 2020: 30 to 100 % are missing for 3 to 8 months, then most comes back, seldom all of it, sometimes more."""
    month = np.arange(months)
    begin, length = rng.integers(6, months, (n, 1)), rng.integers(3, 9, (n, 1))
    depth, lasting = uniform(rng, 0.3, 1.0, n), uniform(rng, -0.15, 0.5, n)
    after = np.maximum(month - begin - length + 1, 0)
    healing = lasting + (1.0 - lasting) * 0.5 ** (after / log_uniform(rng, 0.7, 8.0, n))
    uneven = np.clip(1.0 + 0.15 * rng.standard_normal((n, months)), 0.5, 1.5)
    return np.clip(1.0 - depth * healing * uneven * (month >= begin), 0.0, None)


def sold_out(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return shelves that are empty for a part of a month, or for up to three months, some times in a series' life."""
    begins = rng.random((n, months)) < log_uniform(rng, 0.01, 0.08, n)
    longer = coin(rng, 0.5, n)
    begun = np.pad(begins, ((0, 0), (2, 0)))
    empty = begins | (longer & (begun[:, 1:-1] | begun[:, :-2]))
    return np.where(empty, rng.uniform(0.0, 0.7, (n, months)) * (rng.random((n, months)) < 0.7), 1.0)


SHOCKS = {shifts: 0.36, outliers: 0.24, promotions: 0.22, standstill: 0.18}
