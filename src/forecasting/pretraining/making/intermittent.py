"""Demand with months of nothing in between: spare parts, special orders, slow movers. Whole numbers.

The mean interval between months with demand (ADI) lies between 1.3, where Syntetos, Boylan and Croston (2005) begin to call
demand intermittent, and 6.
"""

import numpy as np

from forecasting.pretraining.making.drawing import log_uniform, one_of, uniform

INTERVAL = (1.3, 6.0)


def intermittent(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return counts [n, months] of all kinds."""
    return one_of(rng, DEMANDS, n, months)


def poisson(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return Poisson counts [n, months], so small that zeros are frequent."""
    nothing = 1.0 - 1.0 / log_uniform(rng, *INTERVAL, n)
    return rng.poisson(np.broadcast_to(-np.log(nothing), (n, months))).astype(float)


def overdispersed(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return negative binomial counts [n, months]: as many zeros, and some far larger months (Snyder, Ord and Beaumont 2012)."""
    nothing, shape = 1.0 - 1.0 / log_uniform(rng, *INTERVAL, n), uniform(rng, 0.3, 2.0, n)
    mean = shape * (nothing ** (-1.0 / shape) - 1.0)  # so that zero is as likely as wanted
    return negative_binomial(rng, np.broadcast_to(np.minimum(mean, 1e4), (n, months)), shape)


def orders(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return sizes in months with an order [n, months]: Croston's picture (1972), a coin each month and a size of its own.

    After a month with an order the next is as likely, more (a project) or less (the customer has stock).
    """
    often = 1.0 / log_uniform(rng, *INTERVAL, n)[:, 0]
    after = np.clip(often + rng.uniform(-0.3, 0.3, n) * (rng.random(n) < 0.5), 0.05, 0.95)
    otherwise = np.clip(often * (1.0 - after) / (1.0 - often), 0.02, 0.98)
    drawn, there = rng.random((months, n)), np.empty((months, n), dtype=bool)
    there[0] = drawn[0] < often
    for month in range(1, months):
        there[month] = drawn[month] < np.where(there[month - 1], after, otherwise)
    typical, spread = log_uniform(rng, 1.0, 200.0, n), log_uniform(rng, 0.1, 1.0, n)
    size = np.maximum(np.rint(typical * np.exp(spread * rng.standard_normal((n, months)))), 1.0)
    return there.T * size


def fading(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return orders whose chance falls, or rises, over the months [n, months]: obsolescence (Teunter, Syntetos and Babai 2011)."""
    often = 1.0 / log_uniform(rng, *INTERVAL, n)
    change = np.exp(uniform(rng, -1.5, 0.7, n) * np.linspace(-0.5, 0.5, months))
    there = rng.random((n, months)) < np.minimum(often * change, 0.95)
    return there * (1.0 + rng.poisson(np.broadcast_to(log_uniform(rng, 0.1, 50.0, n), (n, months))))


def negative_binomial(rng: np.random.Generator, mean: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Return counts of given means [n, months]; the variance is mean + mean² / shape [n, 1]."""
    return rng.poisson(rng.standard_gamma(np.broadcast_to(shape, mean.shape)) * mean / shape).astype(float)


DEMANDS = {poisson: 0.2, overdispersed: 0.25, orders: 0.35, fading: 0.2}
