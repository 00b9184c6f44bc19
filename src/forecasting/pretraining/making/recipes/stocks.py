"""Stocks at the end of the month: they follow from what is sold and from how it is ordered again."""

import numpy as np

from forecasting.pretraining.making.drawing import coin, log_uniform, uniform
from forecasting.pretraining.making.recipes.flows import disturbed

LONGEST = 3  # months between order and arrival


def stocks(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return stocks [n, months] under an order-up-to policy: target = expected demand × months of cover (Silver, Pyke and Thomas 2017).

    The expectation is smoothed, orders arrive after one to three months and in lots; what is not there is not sold.
    """
    n = len(first_month)
    warm_up = 12
    demand = disturbed(rng, first_month - warm_up, months + warm_up).T
    lead, cover = rng.integers(1, LONGEST + 1, n), uniform(rng, 0.5, 4.0, n)[:, 0]
    lot = np.where(coin(rng, 0.5, n), log_uniform(rng, 0.05, 4.0, n), 1e-9)[:, 0]
    smoothing = uniform(rng, 0.05, 0.6, n)[:, 0]
    expected, stock = demand[:6].mean(axis=0), demand[0] * (1.0 + cover)
    arriving, found = np.zeros((months + warm_up + LONGEST + 1, n)), np.empty((months + warm_up, n))
    for month in range(months + warm_up):
        stock = np.maximum(stock + arriving[month] - demand[month], 0.0)
        expected = expected + smoothing * (demand[month] - expected)
        on_order = arriving[month + 1 : month + 1 + LONGEST].sum(axis=0)
        missing = np.maximum(expected * (cover + lead) - stock - on_order, 0.0)
        arriving[month + lead, np.arange(n)] += np.floor(missing / lot) * lot
        found[month] = stock
    return found[warm_up:].T
