"""Where a series is going: levels without season and noise.

Levels are positive and about 1; between the highest and the lowest lies at most a factor of ten, as in TempoPFN's version of the
ForecastPFN prior (Dooley et al. 2023, arXiv 2311.01933): what grows faster is a launch, and that is told in `lives`.
"""

import numpy as np

from forecasting.pretraining.making.drawing import coin, log_uniform, one_of, uniform

LARGEST_GROWTH = 10.0
GROWTH = (0.04, 0.10)  # mean and deviation of the logarithm of a year's growth


def levels(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return levels [n, months] of all kinds: positive, their geometric mean 1, growth capped."""
    return np.exp(capped(one_of(rng, TRENDS, n, months)))


def wandering(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return logarithms of a level that keeps a part of each month's surprise [n, months], in units of the noise; none in a seventh.

    Steps are a fifth of the noise to twice as large (a local level model, Harvey 1989), and are followed by more of their sign in a third.
    Without them a line with noise about it would be the best forecast of most made series; of real ones it is not.
    """
    steps = rng.standard_normal((n, months)) * log_uniform(rng, 0.2, 2.0, n) * coin(rng, 6 / 7, n)
    goes_on = uniform(rng, 0.0, 0.8, n) * coin(rng, 1 / 3, n)
    return (steps + goes_on * np.pad(steps, ((0, 0), (1, 0)))[:, :-1]).cumsum(axis=1)


def capped(path: np.ndarray) -> np.ndarray:
    """Return logarithms [n, months] about their mean, pressed together where they range over more than the largest growth."""
    centred = path - path.mean(axis=1, keepdims=True)
    span = np.ptp(centred, axis=1, keepdims=True)
    return centred * np.minimum(1.0, np.log(LARGEST_GROWTH) / np.maximum(span, 1e-12))


def none(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return no trend: zeros [n, months]."""
    return np.zeros((n, months))


def linear(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return logarithms of straight lines [n, months], from 1 to where the same growth a year would lead."""
    end = np.exp(np.clip(total_growth(rng, n, months), -np.log(LARGEST_GROWTH), np.log(LARGEST_GROWTH)))
    return np.log(1.0 + (end - 1.0) * np.linspace(0.0, 1.0, months))


def exponential(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return the same growth, or loss, in each month [n, months]."""
    return total_growth(rng, n, months) * np.linspace(0.0, 1.0, months)


def damped(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return growth or loss that loses 1 to 8 % of itself a month [n, months] (Gardner and McKenzie 1985)."""
    kept = 1.0 - log_uniform(rng, 0.01, 0.08, n)
    return total_growth(rng, n, months) * (1.0 - kept ** np.arange(months)) / (1.0 - kept**months)


def logistic(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return the growth of a young product [n, months]: slow, fast, then full; it only rises."""
    start, middle = log_uniform(rng, 1.0 / LARGEST_GROWTH, 0.7, n), uniform(rng, -0.1, 1.1, n) * months
    width = uniform(rng, 3.0, 24.0, n)
    return np.log(start + (1.0 - start) / (1.0 + np.exp(-(np.arange(months) - middle) / width)))


def decline(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return what is being replaced [n, months]: growth of the young product, backwards in time."""
    return logistic(rng, n, months)[:, ::-1]


def broken(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return growth that changes its pace at one to three months [n, months]."""
    pace = rng.normal(*GROWTH, (n, 4)) * 1.5 / 12.0
    turns = np.sort(rng.integers(0, months, (n, 3)), axis=1)
    turns[:, 1:][rng.random((n, 2)) < 0.5] = months  # not all three happen
    month = np.arange(months)
    slope = np.repeat(pace[:, :1], months, axis=1)
    for number in range(3):
        slope = np.where(month >= turns[:, number, None], pace[:, number + 1, None], slope)
    return slope.cumsum(axis=1)


def walk(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return random walks with drift [n, months]: what happened stays."""
    steps = rng.standard_normal((n, months)) * log_uniform(rng, 0.005, 0.06, n)
    return steps.cumsum(axis=1) + total_growth(rng, n, months) * np.linspace(0.0, 1.0, months)


def cycle(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return business cycles [n, months]: the pace itself moves slowly and returns to its mean."""
    kept, size = uniform(rng, 0.85, 0.98, n), log_uniform(rng, 0.001, 0.008, n)
    pace, change = np.zeros((n, months)), rng.standard_normal((n, months)) * size
    for month in range(1, months):
        pace[:, month] = kept[:, 0] * pace[:, month - 1] + change[:, month]
    return pace.cumsum(axis=1) + total_growth(rng, n, months) * np.linspace(0.0, 1.0, months)


def regimes(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return series that go to and fro between two levels [n, months], 8 to 48 months in each (TempoPFN gives these most room)."""
    switches = rng.random((n, months)) < 1.0 / log_uniform(rng, 8.0, 48.0, n)
    upper = (switches.cumsum(axis=1) + coin(rng, 0.5, n)) % 2
    return upper * log_uniform(rng, 0.05, 0.8, n)


def total_growth(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return the logarithm of the growth over all months, a column [n, 1]."""
    return rng.normal(*GROWTH, (n, 1)) * months / 12.0


TRENDS = {
    none: 0.18,
    linear: 0.12,
    exponential: 0.10,
    damped: 0.10,
    logistic: 0.07,
    decline: 0.06,
    broken: 0.10,
    walk: 0.14,
    cycle: 0.10,
    regimes: 0.03,
}
