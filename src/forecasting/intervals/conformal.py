"""Intervals from out-of-sample residuals: split conformal prediction.

A residual is (actual − quantile) / unit, at cutoffs whose months were known by then; the unit is the series' own typical error, or, where
that tells better which series will be missed by much, the geometric mean of its typical error and its unrest (locally weighted conformal
prediction: Papadopoulos, Gammerman and Vovk 2008; Lei et al. 2018). The quantile at level p is moved by the pool's p-quantile with the
rank of a finite sample: ceil((n + 1) p) from below for the upper levels (Vovk, Gammerman and Shafer 2005), the mirror image for the lower
ones, so bounds need not be symmetric. That gives a forecast of points, eleven equal quantiles, its interval. The median, which is the
point, stays. All series share the surprises of a month, so many residuals may be little evidence: as much as their number divided by
Kish's design effect (1965), and bounds from little evidence lie further out as Student's t does beyond the normal.

Quantiles that a model brings are corrected (conformalized quantile regression, Romano, Patterson and Candès 2019): both
levels of a pair, 0.1 and 0.9 say, move outwards or inwards by the same amount, and only by as much as the number n of past
origins allows: outwards n / (n + 2) of it, inwards n / (n + 12). A few origins, however many residuals they give, say little on how wide
the next interval must be, and nothing on which side it should lean to; and what seems too wide in a calm time is not in others.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from forecasting.contracts import AGGREGATIONS, MIDDLE, QUANTILES, SEASON_LENGTH
from forecasting.series import BUCKETS, change, panel, panel_scale

INTERMITTENT = "intermittent"  # series or sums that are zero now and then, and miss otherwise than all others
LEVELS = (*AGGREGATIONS, INTERMITTENT)
ENOUGH = 39  # residuals: below this the rank of a 2.5 % bound lies outside the sample
ENOUGH_MONTHS = 3  # that they come from
ORIGINS_TO_WIDEN = 2  # origins at which half of a correction outwards of a model's own quantiles is made
ORIGINS_TO_NARROW = 12  # origins at which half of one inwards is made: too narrow is the worse mistake
LEAST_GAIN = 0.02  # of the likelihood, by which another unit must be better: less is chance where series are few
LARGEST = 20.0  # typical errors: beyond it one series whose typical error is tiny would decide on the unit
SHARED = 3  # months in a row that count as one when it is asked how much residuals share: forecasts of neighbouring months miss alike
FEWEST_FREE = 2.0  # degrees of freedom that are taken for granted: with fewer, bounds would be out of all proportion


class Residuals(NamedTuple):
    """Scaled residuals of past forecasts.

    `level` [n]: position in LEVELS; `bucket` [n]: position in BUCKETS; `month` [n]: the forecast month's number; `origin`
    [n]: the forecast's place among those of its series, 0 for its first cutoff; `unrest` [n]: of the series, in its typical errors;
    `values` [n, 11]: one per quantile, in typical errors.
    """

    level: np.ndarray
    bucket: np.ndarray
    month: np.ndarray
    origin: np.ndarray
    unrest: np.ndarray
    values: np.ndarray


class Pool(NamedTuple):
    """Residuals that stand for one aggregation and horizon bucket.

    `residuals` [n, 11] per quantile, from so many `origins`, worth so many `independent` ones. `around_point`: they are errors of the
    seasonal naive, so they are laid around the point instead of moving the model's own quantiles.
    """

    name: str
    residuals: np.ndarray
    origins: int
    independent: float
    around_point: bool


def choose_pool(residuals: Residuals, naive: dict[str, np.ndarray], level: str, bucket: str) -> Pool:
    """Return the narrowest pool with at least 39 residuals of at least three months.

    In this order: the aggregation's own residuals of the bucket; of all horizons; for a sum, those of all sums (regions,
    categories and the total, whose errors have lighter tails than those of single series), likewise; and last the seasonal
    naive's own errors within the history (of `naive_errors`), which are out-of-sample too: of the aggregation, of all sums, of
    everything. What is intermittent has a pool of its own, and shares that of the series where it is too small. One month's
    residuals count alike however many series there are: they share that month's surprise.
    """
    series, *sums = AGGREGATIONS
    wider = {series: {}, INTERMITTENT: {f"{INTERMITTENT} and other series": [INTERMITTENT, series]}}
    groups = {level: [level]} | wider.get(level, {"sums": sums})
    in_bucket = residuals.bucket == list(BUCKETS).index(bucket)
    for name, levels in groups.items():
        own = np.isin(residuals.level, [LEVELS.index(each) for each in levels])
        for horizons, chosen in ((f"horizons {bucket}", own & in_bucket), ("all horizons", own)):
            if chosen.sum() >= ENOUGH and len(np.unique(residuals.month[chosen])) >= ENOUGH_MONTHS:
                origins = len(np.unique(residuals.origin[chosen]))
                free = independent(residuals.values[chosen, MIDDLE], residuals.month[chosen])
                return Pool(f"{name}, {horizons}", residuals.values[chosen], origins, free, around_point=False)
    last_resorts = {
        f"{name}, seasonal naive errors in the history": np.concatenate(
            [naive.get(each, np.empty(0)) for each in levels]
        )
        for name, levels in (groups | {"all aggregations": list(AGGREGATIONS)}).items()
    }
    name = next((name for name, errors in last_resorts.items() if len(errors) >= ENOUGH), [*last_resorts][-1])
    errors = np.repeat(last_resorts[name][:, None], len(QUANTILES), axis=1)
    return Pool(name, errors, 0, np.inf, around_point=True)  # they come from all months of the history


def naive_errors(history: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the seasonal naive's scaled errors within a history, one per node and month, by aggregation [aggregation -> n].

    `history` has aggregation, unique_id, ds, y.
    """
    parts = dict(tuple(history.groupby("aggregation")))
    return {level: _naive_errors(parts[level]) if level in parts else np.empty(0) for level in AGGREGATIONS}


def _naive_errors(history: pd.DataFrame) -> np.ndarray:
    """Return the seasonal naive's scaled errors within a history of one aggregation [n]."""
    known = panel(history)
    errors = (change(known, SEASON_LENGTH) / panel_scale(known)[:, None]).ravel()
    return errors[np.isfinite(errors)]


def unrest_helps(errors: np.ndarray, unrest: np.ndarray) -> bool:
    """Say whether the geometric mean of typical error and unrest is a better unit than the typical error alone.

    Asked is which makes the errors that came more likely, were they Laplace distributed with a scale in proportion to the unit.

    Parameters
    ----------
    errors: absolute errors of points [n], in typical errors.
    unrest: of their series [n], in typical errors.
    """
    if len(errors) < ENOUGH or not np.minimum(errors, LARGEST).any():
        return False
    unit, errors = np.sqrt(unrest), np.minimum(errors, LARGEST)
    gain = np.log(errors.mean()) - np.log((errors / unit).mean()) - np.log(unit).mean()
    return bool(gain > LEAST_GAIN)


def independent(residuals: np.ndarray, month: np.ndarray) -> float:
    """Return how many independent residuals those of points [n] are worth, which fell on these months [n].

    That is n / (1 + (m − 1) ρ), where m of them share a quarter and ρ is how alike those of one quarter are (one-way analysis of
    variance): the larger of the ρ of their normal scores and of those of their sizes, as a quarter may be off to one side or just wild.
    """
    found = min(_independent(residuals, month // SHARED), _independent(np.abs(residuals), month // SHARED))
    return float(found)


def _independent(values: np.ndarray, group: np.ndarray) -> float:
    """Return what so many values in groups are worth; one at least."""
    n, scores = len(values), ndtri(pd.Series(values).rank().to_numpy() / (len(values) + 1))
    _, number, size = np.unique(group, return_inverse=True, return_counts=True)
    if len(size) < 2 or n <= len(size):
        return 1.0
    mean = np.bincount(number, scores) / size
    between = (size * (mean - scores.mean()) ** 2).sum() / (len(size) - 1)
    within = ((scores - mean[number]) ** 2).sum() / (n - len(size))
    typical = (n - (size**2).sum() / n) / (len(size) - 1)
    total = between + (typical - 1) * within
    alike = max(0.0, (between - within) / total) if total > 0 else 0.0
    return max(1.0, n / (1 + (typical - 1) * alike))


def offsets(residuals: np.ndarray, independent: float = np.inf) -> np.ndarray:
    """Return how far each bound lies from a point, in units [11], from the point's residuals [n]; 0 for the median and for n = 0.

    Upper levels take the residual of rank ceil((n + 1) p), lower ones of rank floor((n + 1) p); a rank outside the
    sample takes its end. Where the residuals are worth but few `independent` ones, they lie further out, as the bounds for a new value
    do that rest on so few: by sqrt(1 + 1 / few), and by Student's t with few − 1 degrees of freedom in proportion to the normal.
    """
    n, levels = len(residuals), np.array(QUANTILES)
    if n == 0:
        return np.zeros(len(QUANTILES))
    exact = (n + 1) * levels
    rank = np.where(levels > 0.5, np.ceil(exact - 1e-9), np.floor(exact + 1e-9)).astype(int)
    moved = np.sort(residuals)[np.clip(rank, 1, n) - 1]
    moved[MIDDLE] = 0.0
    if np.isinf(independent):
        return moved
    free = max(independent - 1.0, FEWEST_FREE)
    out = np.arange(len(QUANTILES)) != MIDDLE
    moved[out] *= stdtrit(free, levels[out]) / ndtri(levels[out]) * np.sqrt(1 + 1 / (free + 1))
    return moved


def further_out(offsets: np.ndarray, sooner: np.ndarray) -> np.ndarray:
    """Return offsets [11] that lie nowhere nearer to the point than those of months sooner [11]: what is further off is not surer."""
    upper = np.arange(len(QUANTILES)) > MIDDLE
    return np.where(upper, np.maximum(offsets, sooner), np.minimum(offsets, sooner))


def corrections(residuals: np.ndarray, origins: int) -> np.ndarray:
    """Return how far a model's own quantiles move, in units [11], from their residuals [n, 11] of so many origins.

    A pair of levels p and 1 − p moves outwards by the same amount: the residual beyond the nearer of the two, of rank
    ceil((n + 1) q) for the share q that lies between them, times n / (n + ORIGINS_TO_WIDEN) for n origins; where that residual is
    negative, inwards, times n / (n + ORIGINS_TO_NARROW).
    """
    n, moved = len(residuals), np.zeros(len(QUANTILES))
    for upper in range(MIDDLE + 1, len(QUANTILES)) if n else ():
        lower = len(QUANTILES) - 1 - upper
        beyond = np.sort(np.maximum(residuals[:, upper], -residuals[:, lower]))
        rank = int(np.ceil((n + 1) * (QUANTILES[upper] - QUANTILES[lower]) - 1e-9))
        found = beyond[min(rank, n) - 1]
        moved[upper] = found * origins / (origins + (ORIGINS_TO_WIDEN if found > 0 else ORIGINS_TO_NARROW))
        moved[lower] = -moved[upper]
    return moved


def ordered_around_point(quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles [n, 11] that never cross and never pass the point."""
    result = quantiles.copy()
    result[:, MIDDLE:] = np.maximum.accumulate(quantiles[:, MIDDLE:], axis=1)
    result[:, : MIDDLE + 1] = np.minimum.accumulate(quantiles[:, MIDDLE::-1], axis=1)[:, ::-1]
    return result
