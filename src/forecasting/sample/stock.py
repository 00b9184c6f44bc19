"""The sample company's shelves: a daily stock balance per region and product that follows its orders.

Every Monday each region orders up to what it plans to sell until the next delivery and through its cover. Where the
plan was too low, an express delivery brings what is missing on the day. So on every day and for every product
`balance = balance of the day before + received − sold − lost`, and the balance is never negative.
"""

from dataclasses import dataclass

import numpy as np

COVER_DAYS = 42
LEAD_DAYS = 14
PACK = 4  # units; suppliers deliver whole packs
LOST_A_MONTH = 0.003  # share of the units that a month's count does not find
WRITE_OFF_DAYS = 90  # after its last planned sale a product leaves the shelves


@dataclass(frozen=True)
class Stock:
    """Units per [day, series of region and product]: what came in, what was lost, what is there at the day's end."""

    opening: np.ndarray  # [series], before the first day
    received: np.ndarray
    lost: np.ndarray
    balance: np.ndarray


def simulate(
    sold: np.ndarray, planned: np.ndarray, mondays: np.ndarray, counted: np.ndarray, rng: np.random.Generator
) -> Stock:
    """Walk through the days with the replenishment policy above.

    `sold` are units [day, series] less the units that came back (so it may be negative); `planned` are the units the
    buyers expect, [day, series], over at least LEAD_DAYS + 7 + COVER_DAYS more days; `mondays` and `counted` mark the
    days of ordering and of the monthly count.
    """
    n_days, n_series = sold.shape
    target = _cover(planned, n_days)
    last_sale = np.where(planned.any(axis=0), len(planned) - 1 - (planned[::-1] > 0).argmax(axis=0), -1)
    received, lost, balance = (np.zeros((n_days, n_series), np.int64) for _ in range(3))
    arriving = np.zeros((n_days + LEAD_DAYS + 1, n_series), np.int64)
    opening = on_hand = target[0].copy()
    for day in range(n_days):
        after_sales = on_hand + arriving[day] - sold[day]
        express = np.maximum(-after_sales, 0)
        received[day] = arriving[day] + express
        on_hand = after_sales + express
        if counted[day]:
            lost[day] = rng.binomial(on_hand, LOST_A_MONTH)
        lost[day] = np.where(day == last_sale + WRITE_OFF_DAYS, on_hand, lost[day])
        on_hand = on_hand - lost[day]
        balance[day] = on_hand
        if mondays[day]:
            ordered = arriving[day + 1 :].sum(axis=0)
            arriving[day + LEAD_DAYS] += _packs(target[day] - on_hand - ordered)
    return Stock(opening, received, lost, balance)


def _cover(planned: np.ndarray, n_days: int) -> np.ndarray:
    """Units [day, series] that should be there or on the way: the plan until the delivery after next, and the cover."""
    total = np.vstack([np.zeros(planned.shape[1]), planned.cumsum(axis=0)])
    days = np.arange(n_days)
    ahead = total[days + LEAD_DAYS + 7 + COVER_DAYS] - total[days]
    return np.ceil(ahead).astype(np.int64)


def _packs(units: np.ndarray) -> np.ndarray:
    """Round an order up to whole packs; nothing is sent back."""
    return -(-np.maximum(units, 0) // PACK) * PACK
