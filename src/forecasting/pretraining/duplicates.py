"""Which series are the same: the last 30 months of one stand in the other, in whatever unit.

What ends first has its last months within the other, wherever both begin, so looking for the ends finds every pair that shares 30
months or more.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from forecasting.pretraining.overlap import MONTHS, found_in

Neighbours = Mapping[int, Mapping[int, float]]


def same(values: Sequence[np.ndarray]) -> Neighbours:
    """Return the numbers of the series that each is the same as, with the correlation of the shared months' changes."""
    found = found_in(values, np.stack([one[-MONTHS:] for one in values]))
    pairs: dict[int, dict[int, float]] = {}
    for one, other, correlation in found[["target", "series", "correlation"]].itertuples(index=False):
        if one != other:
            for a, b in ((one, other), (other, one)):
                pairs.setdefault(a, {})[b] = max(correlation, pairs.get(a, {}).get(b, 0.0))
    return pairs


def reached(of: Sequence[int], neighbours: Neighbours) -> dict[int, tuple[int, float]]:
    """Return what is the same as one of these series, or as one that is: its number, by which of the others, and how alike."""
    found: dict[int, tuple[int, float]] = {}
    waiting, seen = list(of), set(of)
    for one in waiting:
        for other, correlation in neighbours.get(one, {}).items():
            if other not in seen:
                found[other] = (one, correlation)
                seen.add(other)
                waiting.append(other)
    return found


def repeated(order: Sequence[int], neighbours: Neighbours) -> dict[int, tuple[int, float]]:
    """Return what is dropped so that nothing stays twice: its number, which one stays for it, and how alike they are.

    Parameters
    ----------
    order: the numbers of the series, the one to stay before those that are the same.
    """
    stays: set[int] = set()
    dropped: dict[int, tuple[int, float]] = {}
    for one in order:
        kept = [(-correlation, other) for other, correlation in neighbours.get(one, {}).items() if other in stays]
        if kept:
            correlation, other = min(kept)
            dropped[one] = (other, -correlation)
        else:
            stays.add(one)
    return dropped
