"""Series made of others: sums of what is sold in many places, and profit, the difference of what comes in and what goes out."""

import numpy as np

from forecasting.pretraining.making.drawing import coin, log_uniform, uniform
from forecasting.pretraining.making.noise import noise
from forecasting.pretraining.making.recipes.flows import disturbed, multiplicative

MOST = 30
UNRELATED = 0.25  # share of the differences whose two flows have nothing in common but their market


def aggregates(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return sums [n, months] of 2 to 30 correlated flows, some much larger than others."""
    if not len(first_month):
        return np.empty((0, months))
    members = np.exp(rng.uniform(np.log(2.0), np.log(MOST + 1.0), len(first_month))).astype(int)
    parts = related(rng, first_month, members, months) * log_uniform(rng, 0.03, 1.0, members.sum())
    return np.add.reduceat(parts, np.cumsum(members) - members, axis=0)


def related(rng: np.random.Generator, first_month: np.ndarray, members: np.ndarray, months: int) -> np.ndarray:
    """Return flows [sum of members, months]: `members` [n] each of n markets, whose moves weigh 10 to 90 % in theirs.

    Logarithms are added, so what is sold nowhere in the market is sold by no member.
    """
    market = np.repeat(multiplicative(rng, first_month, months), members, axis=0)
    own = disturbed(rng, np.repeat(first_month, members), months)
    share = np.repeat(uniform(rng, 0.1, 0.9, len(first_month)), members, axis=0)
    return market ** np.sqrt(share) * own ** np.sqrt(1.0 - share)


def profits(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return profit [n, months]: sales less costs that follow them in part; or the difference of two flows of one market."""
    n = len(first_month)
    pair = related(rng, first_month, np.full(n, 2), months).reshape(n, 2, months)
    sales = pair[:, 0] / pair[:, 0].mean(axis=1, keepdims=True)
    other = pair[:, 1] / pair[:, 1].mean(axis=1, keepdims=True)
    drift = np.clip(noise(rng, n, months) * log_uniform(rng, 0.005, 0.08, n), -0.5, 0.5)
    costs = sales * uniform(rng, 0.3, 0.8, n) * np.exp(drift) + overheads(rng, sales)
    return sales - np.where(coin(rng, UNRELATED, n), other * uniform(rng, 0.6, 1.1, n), costs)


def overheads(rng: np.random.Generator, sales: np.ndarray) -> np.ndarray:
    """Return costs [n, months] of up to 45 % of sales [n, months] that follow them slowly: staff and rooms are hired for years."""
    n, months = sales.shape
    pace = log_uniform(rng, 0.02, 0.2, n)[:, 0]
    found = np.empty((months, n))
    found[0] = sales[:, :12].mean(axis=1)
    for month in range(1, months):
        found[month] = found[month - 1] + pace * (sales[:, month - 1] - found[month - 1])
    return found.T * uniform(rng, 0.0, 0.45, n)
