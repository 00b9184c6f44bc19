"""What nobody can foresee, in units of its own deviation: the recipes give it a size.

Of each kind the mean over many series is 0 and the deviation 1; where single months are wild, they are cut at ± 6.
"""

import numpy as np

from forecasting.pretraining.making.drawing import coin, log_uniform, one_of, uniform

LIMIT = 6.0


def noise(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return noise [n, months] of all kinds."""
    return np.clip(one_of(rng, NOISES, n, months), -LIMIT, LIMIT)


def normal(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return independent normal months [n, months]."""
    return rng.standard_normal((n, months))


def skewed(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return lognormal months [n, months], their long tail upwards or downwards."""
    shape = uniform(rng, 0.3, 0.9, n)
    draws = np.exp(shape * rng.standard_normal((n, months)))
    centred = (draws - np.exp(shape**2 / 2)) / np.sqrt((np.exp(shape**2) - 1) * np.exp(shape**2))
    return centred * np.where(coin(rng, 0.7, n), 1.0, -1.0)


def heavy(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return Student's t with 3 to 10 degrees of freedom [n, months]."""
    freedom = uniform(rng, 3.0, 10.0, n)
    chi = 2.0 * rng.standard_gamma(np.broadcast_to(freedom / 2, (n, months)))
    return rng.standard_normal((n, months)) * np.sqrt((freedom - 2.0) / chi)


def autoregressive(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return months that lean on the one before [n, months]: AR(1), mostly positive."""
    kept = uniform(rng, -0.4, 0.9, n)[:, 0]
    fresh = rng.standard_normal((months, n))
    found = np.empty((months, n))
    found[0] = fresh[0]
    for month in range(1, months):
        found[month] = kept * found[month - 1] + np.sqrt(1.0 - kept**2) * fresh[month]
    return found.T


def moving_average(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return MA(1) months [n, months]; negative ones: what is sold early is missing in the next month."""
    taken = uniform(rng, -0.8, 0.8, n)
    fresh = rng.standard_normal((n, months + 1))
    return (fresh[:, 1:] + taken * fresh[:, :-1]) / np.sqrt(1.0 + taken**2)


def clustered(rng: np.random.Generator, n: int, months: int) -> np.ndarray:
    """Return quiet and wild times [n, months]: GARCH(1,1) (Bollerslev 1986)."""
    shock, kept = uniform(rng, 0.1, 0.35, n)[:, 0], uniform(rng, 0.3, 0.6, n)[:, 0]
    fresh, variance = rng.standard_normal((months, n)), np.ones(n)
    found = np.empty((months, n))
    for month in range(months):
        found[month] = np.sqrt(variance) * fresh[month]
        variance = 1.0 - shock - kept + shock * found[month] ** 2 + kept * variance
    return found.T


def unrest(rng: np.random.Generator, level: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Return factors [n, months] of the noise: 1, or moved by level or season (both about 1 and 0), the mean square of each row 1.

    Large sums are relatively steadier than small ones (a power of the level of -0.5 … 0), busy months wilder or calmer than quiet ones.
    """
    n = len(level)
    by_level = level ** np.where(coin(rng, 0.35, n), uniform(rng, -0.6, 0.3, n), 0.0)
    by_season = np.exp(season * np.where(coin(rng, 0.2, n), uniform(rng, -1.0, 1.5, n), 0.0))
    factor = by_level * by_season
    return factor / np.sqrt((factor**2).mean(axis=1, keepdims=True))


def sizes(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return how large the noise is against the level, a column [n, 1]: from national accounts (0.5 %) to small shops (35 %)."""
    return log_uniform(rng, 0.005, 0.35, n)


NOISES = {
    normal: 0.36,
    skewed: 0.10,
    heavy: 0.16,
    autoregressive: 0.20,
    moving_average: 0.10,
    clustered: 0.08,
}
