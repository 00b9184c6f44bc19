"""New series out of real ones: averages of up to three, each month with its like.

TSMixup (Ansari et al. 2024, Chronos, arXiv 2403.07815) averages series after each was divided by its mean, with weights from a
Dirichlet distribution; nine tenths of what Chronos learns from is that. For months two things are added: members are laid upon each
other in phase (December upon December), else their seasons would blur; and half of the mixtures are geometric, which keeps a
multiplicative season multiplicative.
"""

import numpy as np

from forecasting.pretraining.making.made import Made

MEMBERS = 3
CONCENTRATION = 1.5
YEAR = 12
FEWEST = 24  # months a real series must have, and the least that is cut out of it
KINDS = ("arithmetic", "geometric")


def mix(rng: np.random.Generator, panel: np.ndarray, n: int, months: int, first_month: int = 0) -> Made:
    """Return n mixtures of a panel's series [series, T], right-aligned in [n, months]: NaN before a mixture's first month.

    A column of the panel is the same month in every row, NaN where a series has none; `first_month` is the month number of the first
    column (0, a January, where only the phase is known). Members may come from different years, so of the mixtures' `first_month`
    only the calendar month is true. Gaps inside a member are gaps of its mixture. Raises ValueError where no series has 24 months, or
    fewer are asked for.
    """
    begin, length = extents(panel)
    usable = np.flatnonzero(length >= FEWEST)
    if months < FEWEST:
        raise ValueError(f"Mixtures need at least {FEWEST} months, not {months}.")
    if not len(usable):
        raise ValueError(f"No series of the panel has {FEWEST} months, the least that a mixture is made of.")
    panel, begin, length = panel[usable], begin[usable], length[usable]
    weights = mixing_weights(rng, n)
    lead = rng.integers(0, len(panel), n)
    span = rng.integers(FEWEST, np.minimum(length[lead], months) + 1)
    rows, ends = crops(rng, begin, length, lead, span)
    back = np.arange(months - 1, -1, -1)
    taken = panel[rows[:, :, None], np.maximum(ends[:, :, None] - back, 0)]
    taken[np.broadcast_to((back >= span[:, None])[:, None], taken.shape)] = np.nan
    values, geometric = averaged(taken, weights, rng.random(n) < 0.5)
    return Made(values, first_month + ends[:, 0] - (months - 1), np.where(geometric, *reversed(KINDS)))


def extents(panel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first known column and the number of columns up to the last known one, of each row; 0 where nothing is known."""
    known = np.isfinite(panel)
    begin, after = known.argmax(axis=1), panel.shape[1] - known[:, ::-1].argmax(axis=1)
    return begin, np.where(known.any(axis=1), after - begin, 0)


def mixing_weights(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return weights [n, 3] that add up to 1, of one, two or three members; the weights of the others are 0."""
    used = np.arange(MEMBERS) < rng.integers(1, MEMBERS + 1, (n, 1))
    drawn = rng.standard_gamma(CONCENTRATION, (n, MEMBERS)) * used  # a Dirichlet's are gammas over their sum
    return drawn / drawn.sum(axis=1, keepdims=True)


def crops(
    rng: np.random.Generator, begin: np.ndarray, length: np.ndarray, lead: np.ndarray, span: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and last columns [n, 3] of the members: `lead` [n] cut at random, the others long enough for the same calendar months.

    Where no other series is long enough (`span` and up to eleven months to come into phase), the leading one is its own company.
    """
    order = np.argsort(length, kind="stable")
    start = np.searchsorted(length[order], span + YEAR - 1)
    drawn = start[:, None] + rng.integers(0, np.maximum(len(length) - start, 1)[:, None], (len(lead), MEMBERS))
    rows = np.where(start[:, None] < len(length), order[np.minimum(drawn, len(length) - 1)], lead[:, None])
    rows[:, 0] = lead
    earliest = begin[rows] + span[:, None] - 1
    latest = begin[rows] + length[rows] - 1
    last = rng.integers(earliest[:, 0], latest[:, 0] + 1)
    earliest += (last[:, None] - earliest) % YEAR  # the first end of the same calendar month
    years = rng.integers(0, np.maximum((latest - earliest) // YEAR, 0) + 1)
    ends = earliest + YEAR * years
    ends[:, 0] = last
    alone = start >= len(length)
    ends[alone] = last[alone, None]
    return rows, ends


def averaged(taken: np.ndarray, weights: np.ndarray, geometric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return averages [n, months] of members [n, 3, months] in the leading one's unit, and which of them are geometric [n].

    Only where all members are positive is a geometric average taken that was asked for.
    """
    known = np.isfinite(taken)
    size = np.where(known, np.abs(taken), 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    size = np.where(size > 0, size, 1.0)
    share = taken / size[:, :, None]
    weights = weights[:, :, None]
    used = weights > 0
    positive = ((share > 0) | ~known | ~used).all(axis=(1, 2))
    geometric = geometric & positive
    plain = np.where(used, weights * share, 0.0).sum(axis=1)
    logs = np.log(np.where(used & known & geometric[:, None, None], share, 1.0))
    logs = np.where(used & ~known, np.nan, logs)
    found = np.where(geometric[:, None], np.exp((weights * logs).sum(axis=1)), plain)
    return found * size[:, :1], geometric
