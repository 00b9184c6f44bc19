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

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from forecasting.contracts import AGGREGATIONS, MIDDLE, QUANTILES, SEASON_LENGTH
from forecasting.series import BUCKETS, Grid, Panel, change, panel_scale

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


@dataclass(frozen=True)
class Pool:
    """Residuals that stand for one aggregation and horizon bucket.

    `residuals` [n, 11] per quantile. `around_point`: they are errors of the seasonal naive, so they are laid around the point instead of
    moving the model's own quantiles. `chosen` [n] are their places in `of`.
    """

    name: str
    of: Residuals
    chosen: np.ndarray
    around_point: bool = False

    @cached_property
    def residuals(self) -> np.ndarray:
        """The residuals [n, 11]."""
        return self.of.values[self.chosen]

    @property
    def origins(self) -> int:
        """The number of origins they come from; 0 for errors within the history."""
        return 0 if self.around_point else int(np.count_nonzero(np.bincount(self.of.origin[self.chosen])))

    @property
    def independent(self) -> float:
        """How many independent ones they are worth; infinitely many within the history, as they come from all its months."""
        return np.inf if self.around_point else independent(self.residuals[:, MIDDLE], self.of.month[self.chosen])


class Counts(NamedTuple):
    """How many residuals there are: `n` [levels, buckets, months]."""

    n: np.ndarray

    @classmethod
    def of(cls, residuals: Residuals) -> Self:
        """Count residuals."""
        month = residuals.month - residuals.month.min(initial=0)
        shape = (len(LEVELS), len(BUCKETS), int(month.max(initial=0)) + 1)
        place = np.ravel_multi_index((residuals.level, residuals.bucket, month), shape)
        return cls(np.bincount(place, minlength=int(np.prod(shape))).reshape(shape))

    def suffice(self, levels: list[int], bucket: int | None) -> bool:
        """Say whether there are at least 39 of at least three months of some levels and a bucket, None: all buckets."""
        of_levels = self.n[levels].sum(axis=0)
        by_month = of_levels.sum(axis=0) if bucket is None else of_levels[bucket]
        return bool(by_month.sum() >= ENOUGH and np.count_nonzero(by_month) >= ENOUGH_MONTHS)


def choose_pool(
    residuals: Residuals, naive: dict[str, np.ndarray], level: str, bucket: str, counts: Counts | None = None
) -> Pool:
    """Return the narrowest pool with at least 39 residuals of at least three months.

    In this order: the aggregation's own residuals of the bucket; of all horizons; for a sum, those of all sums (regions,
    categories and the total, whose errors have lighter tails than those of single series), likewise; and last the seasonal
    naive's own errors within the history (of `naive_errors`), which are out-of-sample too: of the aggregation, of all sums, of
    everything. What is intermittent has a pool of its own, and shares that of the series where it is too small. One month's
    residuals count alike however many series there are: they share that month's surprise. `counts`: of the residuals, where more than
    one pool is asked for.
    """
    counts = counts or Counts.of(residuals)
    series, *sums = AGGREGATIONS
    wider = {series: {}, INTERMITTENT: {f"{INTERMITTENT} and other series": [INTERMITTENT, series]}}
    groups = {level: [level]} | wider.get(level, {"sums": sums})
    number = list(BUCKETS).index(bucket)
    for name, levels in groups.items():
        places = [LEVELS.index(each) for each in levels]
        for horizons, which in ((f"horizons {bucket}", number), ("all horizons", None)):
            if counts.suffice(places, which):
                own = np.isin(np.arange(len(LEVELS)), places)[residuals.level]
                chosen = own if which is None else own & (residuals.bucket == which)
                return Pool(f"{name}, {horizons}", residuals, np.flatnonzero(chosen))
    last_resorts = groups | {"all aggregations": list(AGGREGATIONS)}
    sizes = {name: sum(len(naive.get(each, ())) for each in levels) for name, levels in last_resorts.items()}
    name = next((name for name, size in sizes.items() if size >= ENOUGH), [*last_resorts][-1])
    errors = np.concatenate([naive.get(each, np.empty(0)) for each in last_resorts[name]])
    values = np.broadcast_to(errors[:, None], (len(errors), len(QUANTILES)))
    within = Residuals(*(np.empty(0),) * 5, values)
    return Pool(f"{name}, seasonal naive errors in the history", within, np.arange(len(errors)), around_point=True)


def naive_errors(history: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the seasonal naive's scaled errors within a history, one per node and month, by aggregation [aggregation -> n].

    `history` has aggregation, unique_id, ds, y.
    """
    return naive_errors_at(history)(history["ds"].max())


def naive_errors_at(actuals: pd.DataFrame) -> Callable[[pd.Timestamp], dict[str, np.ndarray]]:
    """Return what says the `naive_errors` of the history up to a cutoff. Those of all at once would take gigabytes of many series."""
    grids = Grid.by_level(actuals)
    return lambda cutoff: {
        level: _naive_errors(grids[level].until(cutoff)) if level in grids else np.empty(0) for level in AGGREGATIONS
    }


def _naive_errors(known: Panel) -> np.ndarray:
    """Return the seasonal naive's scaled errors within the histories of one aggregation [n]."""
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
    quarter = month // SHARED
    counts = np.bincount(quarter - quarter.min(initial=0))
    size, number = counts[counts > 0], (np.cumsum(counts > 0) - 1)[quarter - quarter.min(initial=0)]
    return float(min(_independent(values, number, size) for values in (residuals, np.abs(residuals))))


def _independent(values: np.ndarray, number: np.ndarray, size: np.ndarray) -> float:
    """Return what values in groups are worth, one at least; `number` [n] is the group of each, `size` [groups] how many it has."""
    n = len(values)
    if len(size) < 2 or n <= len(size):
        return 1.0
    scores = ndtri(_ranks(values) / (n + 1))
    mean = np.bincount(number, scores) / size
    between = (size * (mean - scores.mean()) ** 2).sum() / (len(size) - 1)
    within = ((scores - mean[number]) ** 2).sum() / (n - len(size))
    typical = (n - (size**2).sum() / n) / (len(size) - 1)
    total = between + (typical - 1) * within
    alike = max(0.0, (between - within) / total) if total > 0 else 0.0
    return max(1.0, n / (1 + (typical - 1) * alike))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value from 1 on, equal ones sharing the mean of theirs [n]."""
    _, number, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return (last - (size - 1) / 2)[number]


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
    place = np.clip(rank, 1, n) - 1
    moved = np.partition(residuals, place)[place]
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
        beyond = np.maximum(residuals[:, upper], -residuals[:, lower])
        place = min(int(np.ceil((n + 1) * (QUANTILES[upper] - QUANTILES[lower]) - 1e-9)), n) - 1
        found = np.partition(beyond, place)[place]
        moved[upper] = found * origins / (origins + (ORIGINS_TO_WIDEN if found > 0 else ORIGINS_TO_NARROW))
        moved[lower] = -moved[upper]
    return moved


def ordered_around_point(quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles [n, 11] that never cross and never pass the point."""
    result = quantiles.copy()
    result[:, MIDDLE:] = np.maximum.accumulate(quantiles[:, MIDDLE:], axis=1)
    result[:, : MIDDLE + 1] = np.minimum.accumulate(quantiles[:, MIDDLE::-1], axis=1)[:, ::-1]
    return result
