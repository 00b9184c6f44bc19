"""Ways to draw that the parts share: sizes over orders of magnitude, yes or no, one of several kinds."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

Part = Callable[..., np.ndarray]


def uniform(rng: np.random.Generator, low: float, high: float, n: int) -> np.ndarray:
    """Return n numbers between two bounds, as a column [n, 1]."""
    return rng.uniform(low, high, (n, 1))


def log_uniform(rng: np.random.Generator, low: float, high: float, n: int) -> np.ndarray:
    """Return n numbers as a column [n, 1], each order of magnitude between two bounds as likely as another."""
    return np.exp(rng.uniform(np.log(low), np.log(high), (n, 1)))


def coin(rng: np.random.Generator, share: float, n: int) -> np.ndarray:
    """Return a column [n, 1] that is true in a share of the rows."""
    return rng.random((n, 1)) < share


def portions(rng: np.random.Generator, shares: Mapping[Part, float], n: int) -> Iterator[tuple[Part, np.ndarray]]:
    """Yield each part with the rows, out of n, for which it was drawn; shares need not add up to 1."""
    weights = np.array(list(shares.values()), dtype=float)
    drawn = rng.choice(len(shares), size=n, p=weights / weights.sum())
    for number, part in enumerate(shares):
        yield part, np.flatnonzero(drawn == number)


def one_of(rng: np.random.Generator, shares: Mapping[Part, float], n: int, months: int) -> np.ndarray:
    """Return series [n, months], each made by one of the parts."""
    found = np.empty((n, months))
    for part, rows in portions(rng, shares, n):
        found[rows] = part(rng, len(rows), months)
    return found


def quotas(shares: Mapping[str, float], n: int) -> dict[str, int]:
    """Return how many of n each name gets: its share, rounded so that the sum is n (largest remainder)."""
    wanted = {name: n * share / sum(shares.values()) for name, share in shares.items()}
    counts = {name: int(number) for name, number in wanted.items()}
    left = n - sum(counts.values())
    for name in sorted(wanted, key=lambda name: counts[name] - wanted[name])[:left]:
        counts[name] += 1
    return counts


def gathered(rng: np.random.Generator, share: float, part: Part, n: int, months: int) -> np.ndarray:
    """Return factors [n, months]: those of a part in a share of the rows, 1 in the others."""
    found = np.ones((n, months))
    rows = np.flatnonzero(rng.random(n) < share)
    found[rows] = part(rng, len(rows), months)
    return found
