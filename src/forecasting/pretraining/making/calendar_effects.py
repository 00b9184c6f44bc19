"""What the calendar does: how many of which weekdays a month has, the leap day, and Easter, which moves between March and April.

Factors about 1, true for the months they stand for: `first_month` is a month number since January 1970.
"""

import numpy as np

from forecasting.pretraining.making.drawing import coin, portions, uniform

YEAR = 12
MARCH, APRIL = 2, 3
WORKING_DAYS, EASTER = 0.35, 0.12  # shares of series that these move


def calendar_factors(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return factors [n, months]; 1 in every month for the series that the calendar does not move."""
    found = np.ones((len(first_month), months))
    for share, part in ((WORKING_DAYS, working_days), (EASTER, easter)):
        rows = np.flatnonzero(rng.random(len(first_month)) < share)
        found[rows] *= part(rng, first_month[rows], months)
    return found


def working_days(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return factors [n, months] in proportion to a month's days, each weekday with a weight of its own; the mean of four years is 1."""
    weights = np.empty((len(first_month), 7))
    for week, rows in portions(rng, WEEKS, len(first_month)):
        weights[rows] = week(rng, len(rows))
    begin = first_month.min(initial=0)
    every = np.arange(begin, first_month.max(initial=0) + months)
    days = weights @ weekday_counts(every).T / (weights.sum(axis=1, keepdims=True) * 365.25 / 7 / YEAR)
    return np.take_along_axis(days, first_month[:, None] - begin + np.arange(months), axis=1)


def office(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return weights [n, 7], Monday first, of business that rests on Saturday and Sunday."""
    return np.repeat([[1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]], n, axis=0)


def shop(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return weights [n, 7] of shops: Friday and Saturday are strong, Sunday is closed or the best day."""
    weights = rng.uniform(0.7, 1.1, (n, 7))
    weights[:, 4:6] *= rng.uniform(1.2, 2.2, (n, 2))
    weights[:, 6] *= np.where(rng.random(n) < 0.5, 0.0, 1.5)
    return weights


def every_day(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return weights [n, 7] of what runs each day alike (energy, hotels): February is short, but for leap years."""
    return np.ones((n, 7))


def weekday_counts(month: np.ndarray) -> np.ndarray:
    """Return how many of each weekday, Monday first, the months [n] have [n, 7]."""
    start, end = (
        np.asarray(month + ahead, dtype="datetime64[M]").astype("datetime64[D]").astype(int) for ahead in (0, 1)
    )
    first = (start + 3) % 7  # 1970-01-01 was a Thursday
    return 4 + ((np.arange(7) - first[:, None]) % 7 < (end - start - 28)[:, None])


def easter(rng: np.random.Generator, first_month: np.ndarray, months: int) -> np.ndarray:
    """Return factors [n, months] that move March and April: by 8 to 45 %, up or down, of the share of the weeks before Easter.

    The average of each month over the years is 1, so that the rest is season.
    """
    n = len(first_month)
    month = first_month[:, None] + np.arange(months)
    begin = first_month.min(initial=0) // YEAR
    years = begin + np.arange(first_month.max(initial=0) // YEAR - begin + months // YEAR + 2)
    before = np.array([3, 8, 15])  # days before Easter in which people shop, or rest
    share = april_share(1970 + years[:, None], before)
    moved = (share - share.mean(axis=0))[month // YEAR - begin, rng.integers(0, len(before), (n, 1))]
    size = uniform(rng, 0.08, 0.45, n) * np.where(coin(rng, 0.75, n), 1.0, -1.0)
    sign = (month % YEAR == APRIL).astype(float) - (month % YEAR == MARCH)
    return 1.0 + size * moved * sign


def april_share(year: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return which share of the days before Easter Sunday lies in April; the others lie in March."""
    return np.clip((easter_sunday(year) - 32) / before, 0.0, 1.0)


def easter_sunday(year: np.ndarray) -> np.ndarray:
    """Return the day of Easter Sunday counted from 1 March (32 is 1 April), of Gregorian years (Meeus 1991, «anonymous» algorithm)."""
    golden, century, rest = year % 19, year // 100, year % 100
    leap = (8 * century + 13) // 25
    moon = (19 * golden + century - century // 4 - leap + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    return 22 + moon + weekday - 7 * late


WEEKS = {office: 0.5, shop: 0.3, every_day: 0.2}
