"""Flows that are not seen as they are: counted in pieces, cut off by a capacity, missing because the shelf was empty."""

import numpy as np

from forecasting.pretraining.making.drawing import coin, log_uniform, uniform
from forecasting.pretraining.making.intermittent import intermittent, negative_binomial
from forecasting.pretraining.making.lives import lives
from forecasting.pretraining.making.recipes.flows import multiplicative
from forecasting.pretraining.making.shocks import sold_out


def counts(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return pieces [n, months], a handful to some hundreds a month; some are sold by the half dozen or dozen."""
    flow = multiplicative(rng, first_month, months)
    n = len(flow)
    mean = flow / flow.mean(axis=1, keepdims=True) * log_uniform(rng, 1.5, 300.0, n)
    steady = np.where(coin(rng, 0.5, n), 1e6, log_uniform(rng, 2.0, 50.0, n))  # as large as that it is Poisson's
    return negative_binomial(rng, mean, steady) * rng.choice([1.0, 1.0, 1.0, 6.0, 12.0], (n, 1))


def sporadic(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return intermittent demand [n, months]; a fifth of it starts later, ends or pauses."""
    found = intermittent(rng, len(first_month), months)
    rows = np.flatnonzero(rng.random(len(found)) < 0.2)
    there = lives(rng, len(rows), months)
    masked = found[rows] * np.where(np.isnan(there), np.nan, there > 0)
    sold = (masked > 0).any(axis=1)  # what was never sold is no product
    found[rows[sold]] = masked[sold]
    return found


def censored(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return sales [n, months] with empty shelves, or up to a capacity that 3 to 25 % of the months would have exceeded (TiRex)."""
    demand = multiplicative(rng, first_month, months)
    n = len(demand)
    place = (uniform(rng, 0.75, 0.97, n) * (months - 1)).astype(int)
    capacity = np.take_along_axis(np.sort(demand, axis=1), place, axis=1)
    return np.where(coin(rng, 0.5, n), np.minimum(demand, capacity), demand * sold_out(rng, n, months))
