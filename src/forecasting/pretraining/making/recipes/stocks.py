"""Stocks at the end of the month: they follow from what is sold and from how it is ordered again."""

import numpy as np

from forecasting.pretraining.making.drawing import coin, log_uniform, uniform
from forecasting.pretraining.making.recipes.flows import disturbed

LONGEST = 3  # months between order and arrival
YEAR = 12
WARM_UP = 2 * YEAR  # months before the first one that is shown: buyers look a year back


def stocks(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return stocks [n, months] under an order-up-to policy: target = expected demand × months of cover (Silver, Pyke and Thomas 2017).

    The expectation is smoothed; half of the buyers know the season from last year. Orders arrive after one to three months, for half of
    the goods in lots; what is not there is not sold.
    """
    n = len(first_month)
    demand = disturbed(rng, first_month - WARM_UP, months + WARM_UP).T
    lead, cover = rng.integers(1, LONGEST + 1, n), uniform(rng, 0.5, 4.0, n)[:, 0]
    lot = np.where(coin(rng, 0.5, n), log_uniform(rng, 0.05, 4.0, n), 1e-9)[:, 0]
    smoothing, foreseen = uniform(rng, 0.05, 0.6, n)[:, 0], foresight(demand) ** (rng.random(n) < 0.5)
    expected, stock = demand[:YEAR].mean(axis=0), demand[0] * (1.0 + cover)
    arriving, found = np.zeros((len(demand) + LONGEST + 1, n)), np.empty_like(demand)
    for month in range(len(demand)):
        stock = np.maximum(stock + arriving[month] - demand[month], 0.0)
        expected = expected + smoothing * (demand[month] - expected)
        on_order = arriving[month + 1 : month + 1 + LONGEST].sum(axis=0)
        missing = np.maximum(expected * foreseen[month] * (cover + lead) - stock - on_order, 0.0)
        arriving[month + lead, np.arange(n)] += np.ceil(missing / lot) * lot
        found[month] = stock
    return found[WARM_UP:].T


def foresight(demand: np.ndarray) -> np.ndarray:
    """Return what the next three months [months, n] were a year ago against that year's mean; 1 in the first year, else 0.4 to 2.5."""
    total = np.vstack([np.zeros_like(demand[:1]), demand.cumsum(axis=0)])
    found = np.ones_like(demand)
    month = np.arange(YEAR, len(demand))
    coming = (total[month - YEAR + 4] - total[month - YEAR + 1]) / 3
    year = (total[month + 1] - total[month + 1 - YEAR]) / YEAR
    found[YEAR:] = np.clip(coming / np.maximum(year, 1e-9), 0.4, 2.5)
    return found
