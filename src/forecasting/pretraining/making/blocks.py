"""A block: some thousand made series, the same each time it is asked for, whatever else was made."""

import zlib

import numpy as np

from forecasting.pretraining.making.drawing import log_uniform, quotas
from forecasting.pretraining.making.kinds import KINDS
from forecasting.pretraining.making.lives import FEWEST
from forecasting.pretraining.making.made import Made

FIRST_MONTHS = (5 * 12, 52 * 12)  # series begin from January 1975 to December 2021
SCALES = (1e-1, 1e8)  # what an average month is worth


def make(seed: int, block: int, n: int = 4096, months: int = 144) -> Made:
    """Return n made series of a number of months; kinds in the shares of `KINDS`, in an order drawn by chance.

    The same seed, block, n and months give the same bits on the same machine: a training that goes on later needs nothing stored.
    Raises ValueError where there are too few months to make a series of.
    """
    if months < 2 * FEWEST:
        raise ValueError(f"Made series need at least {2 * FEWEST} months, not {months}.")
    place = np.random.default_rng([seed, block])
    kind = place.permutation(
        np.repeat(list(KINDS), list(quotas({name: each.share for name, each in KINDS.items()}, n).values()))
    )
    first_month = place.integers(*FIRST_MONTHS, n)
    values = np.empty((n, months))
    for name, each in KINDS.items():
        rows = np.flatnonzero(kind == name)
        rng = np.random.default_rng(
            [seed, block, zlib.crc32(name.encode())]
        )  # of its own: other kinds change nothing here
        made = each.recipe(rng, first_month[rows], months)
        values[rows] = made if each.whole else made * log_uniform(rng, *SCALES, len(rows))
    return Made(values, first_month, kind)
