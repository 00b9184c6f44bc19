"""Intervals from out-of-sample residuals: split conformal prediction.

A residual is (actual − quantile) / scale, at cutoffs whose months were known by then; scale is the series' own mean
absolute seasonal-naive error. The quantile at level p is moved by the pool's p-quantile with the rank of a finite
sample: ceil((n + 1) p) from below for the upper levels (Vovk, Gammerman and Shafer 2005; Lei et al. 2018), the mirror
image for the lower ones, so bounds need not be symmetric. That gives a forecast of points, eleven equal quantiles, its
interval. The median, which is the point, stays.

Quantiles that a model brings are corrected (conformalized quantile regression, Romano, Patterson and Candès 2019): both
levels of a pair, 0.1 and 0.9 say, move outwards or inwards by the same amount, and only by as much as the number of past
origins allows, n / (n + 6). All series share the surprises of an origin, so a few origins, however many residuals they
give, say little on how wide the next interval must be, and nothing on which side it should lean to.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, MIDDLE, QUANTILES, SEASON_LENGTH
from forecasting.series import BUCKETS, change, panel, panel_scale

INTERMITTENT = "intermittent"  # series or sums that are zero now and then, and miss otherwise than all others
LEVELS = (*AGGREGATIONS, INTERMITTENT)
ENOUGH = 39  # residuals: below this the rank of a 2.5 % bound lies outside the sample
ENOUGH_MONTHS = 3  # that they come from
ORIGINS_FOR_HALF = 6  # origins at which half of a correction of a model's own quantiles is made


class Residuals(NamedTuple):
    """Scaled residuals of past forecasts.

    `level` [n]: position in LEVELS; `bucket` [n]: position in BUCKETS; `month` [n]: the forecast month's number; `origin`
    [n]: the forecast's place among those of its series, 0 for its first cutoff; `values` [n, 11]: one per quantile.
    """

    level: np.ndarray
    bucket: np.ndarray
    month: np.ndarray
    origin: np.ndarray
    values: np.ndarray


class Pool(NamedTuple):
    """Residuals that stand for one aggregation and horizon bucket.

    `residuals` [n, 11] per quantile, from so many `origins`. `around_point`: they are errors of the seasonal naive, so they are
    laid around the point instead of moving the model's own quantiles.
    """

    name: str
    residuals: np.ndarray
    origins: int
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
                return Pool(f"{name}, {horizons}", residuals.values[chosen], origins, around_point=False)
    last_resorts = {
        f"{name}, seasonal naive errors in the history": np.concatenate(
            [naive.get(each, np.empty(0)) for each in levels]
        )
        for name, levels in (groups | {"all aggregations": list(AGGREGATIONS)}).items()
    }
    name = next((name for name, errors in last_resorts.items() if len(errors) >= ENOUGH), [*last_resorts][-1])
    return Pool(name, np.repeat(last_resorts[name][:, None], len(QUANTILES), axis=1), 0, around_point=True)


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


def offsets(residuals: np.ndarray) -> np.ndarray:
    """Return how far each bound lies from a point, in scales [11], from the point's residuals [n]; 0 for the median and for n = 0.

    Upper levels take the residual of rank ceil((n + 1) p), lower ones of rank floor((n + 1) p); a rank outside the
    sample takes its end.
    """
    n = len(residuals)
    if n == 0:
        return np.zeros(len(QUANTILES))
    exact = (n + 1) * np.array(QUANTILES)
    rank = np.where(np.array(QUANTILES) > 0.5, np.ceil(exact - 1e-9), np.floor(exact + 1e-9)).astype(int)
    moved = np.sort(residuals)[np.clip(rank, 1, n) - 1]
    moved[MIDDLE] = 0.0
    return moved


def corrections(residuals: np.ndarray, origins: int) -> np.ndarray:
    """Return how far a model's own quantiles move, in scales [11], from their residuals [n, 11] of so many origins.

    A pair of levels p and 1 − p moves outwards by the same amount: the residual beyond the nearer of the two, of rank
    ceil((n + 1) q) for the share q that lies between them, times n / (n + ORIGINS_FOR_HALF) for n origins.
    """
    n, moved = len(residuals), np.zeros(len(QUANTILES))
    for upper in range(MIDDLE + 1, len(QUANTILES)) if n else ():
        lower = len(QUANTILES) - 1 - upper
        beyond = np.sort(np.maximum(residuals[:, upper], -residuals[:, lower]))
        rank = int(np.ceil((n + 1) * (QUANTILES[upper] - QUANTILES[lower]) - 1e-9))
        moved[upper] = beyond[min(rank, n) - 1] * origins / (origins + ORIGINS_FOR_HALF)
        moved[lower] = -moved[upper]
    return moved


def ordered_around_point(quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles [n, 11] that never cross and never pass the point."""
    result = quantiles.copy()
    result[:, MIDDLE:] = np.maximum.accumulate(quantiles[:, MIDDLE:], axis=1)
    result[:, : MIDDLE + 1] = np.minimum.accumulate(quantiles[:, MIDDLE::-1], axis=1)[:, ::-1]
    return result
