"""Draws from Gaussian processes whose kernels are put together at random: KernelSynth, with length scales of months.

Ansari et al. 2024 (Chronos, arXiv 2403.07815) draw up to five kernels from a bank and join them by + or ×. Their
scales are made for 1,024 steps of any length; here the seasons are 12, 6 and 4 months and the length scales months.
"""

from functools import reduce

import numpy as np

DRAWS = 16  # series of one kernel: a Cholesky decomposition costs more than they do
MOST = 4
JITTER = 1e-6


def kernels(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return draws [n, months], mean 0 and deviation about 1, 16 of each kernel, in an order drawn by chance."""
    found = np.empty((-(-n // DRAWS) * DRAWS, months))
    for start in range(0, len(found), DRAWS):
        root = np.linalg.cholesky(kernel(rng, months) + JITTER * np.eye(months))
        found[start : start + DRAWS] = rng.standard_normal((DRAWS, months)) @ root.T
    return rng.permutation(found)[:n]


def kernel(rng: np.random.Generator, months: int) -> np.ndarray:
    """Return one to four kernels of the bank joined by + or × [months, months]; the mean variance is 1."""
    month = np.arange(months, dtype=float)
    chosen = rng.integers(0, len(BANK), rng.integers(1, MOST + 1))
    joined = reduce(
        lambda one, other: one + other if rng.random() < 0.5 else one * other, [BANK[i](rng, month) for i in chosen]
    )
    return joined / np.diag(joined).mean()


def smooth(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Return the squared exponential kernel, 4 to 80 months long."""
    return np.exp(-0.5 * (gap(month) / length(rng, 4.0, 80.0)) ** 2)


def rational(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Return the rational quadratic kernel: changes of many lengths at once."""
    alpha = rng.choice([0.1, 1.0, 10.0])
    return (1.0 + (gap(month) / length(rng, 6.0, 60.0)) ** 2 / (2.0 * alpha)) ** -alpha


def rough(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Return the exponential kernel (an autoregression, Ornstein-Uhlenbeck), 1.5 to 60 months long."""
    return np.exp(-gap(month) / length(rng, 1.5, 60.0))


def periodic(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Return the periodic kernel of a year, or of a half or a third of it; short lengths make pointed seasons."""
    period, sharp = rng.choice([12.0, 12.0, 12.0, 12.0, 6.0, 4.0]), length(rng, 0.4, 2.0)
    return np.exp(-2.0 * (np.sin(np.pi * gap(month) / period) / sharp) ** 2)


def drifting_season(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Return a year's season that another replaces within 3 to 20 years."""
    return periodic(rng, month) * np.exp(-0.5 * (gap(month) / length(rng, 36.0, 240.0)) ** 2)


def straight(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Return the linear kernel, the zero somewhere in the series."""
    run = 2.0 * month / month[-1] - rng.uniform(0.0, 2.0)
    return rng.choice([0.0, 0.3, 1.0]) ** 2 + np.outer(run, run) + JITTER


def white(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Return independent noise; its variance is small against the other kernels', seldom as large."""
    return length(rng, 0.003, 1.0) * np.eye(len(month))


def gap(month: np.ndarray) -> np.ndarray:
    """Return how many months lie between each two [months, months]."""
    return np.abs(month[:, None] - month)


def length(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between two bounds, each order of magnitude as likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


BANK = (smooth, rational, rough, periodic, periodic, drifting_season, straight, white, white)
