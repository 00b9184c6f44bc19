"""How a model's past errors turn its forecasts into what is published: coherent points of every aggregation, with intervals.

`calibrated` puts it to use. What is chosen and learned here is the model's own past alone.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, QUANTILE_COLUMNS
from forecasting.intervals.conformal import (
    INTERMITTENT,
    LEVELS,
    MIDDLE,
    Pool,
    Residuals,
    choose_pool,
    corrections,
    offsets,
    ordered_around_point,
)
from forecasting.intervals.reconciliation import METHODS, SIMPLEST, choose_method
from forecasting.series import BUCKETS, NODE, bucket_of, month_number

UNUSED = [float("nan")] * len(QUANTILE_COLUMNS)
ENTRIES = [(level, bucket) for level in LEVELS for bucket in BUCKETS]


@dataclass(frozen=True)
class Past:
    """Past forecasts of one model that have an actual and a scale, one row each, in the same order.

    `errors`: aggregation, cutoff and the scaled absolute error of each method's point. `residuals`: for each method, those of the
    quantiles around its points.
    """

    errors: pd.DataFrame
    residuals: dict[str, Residuals]

    @classmethod
    def of(cls, rows: pd.DataFrame, cut: bool) -> Self:
        """Measure rows of `reconciliation.reconcile`, with y and scale; `cut`: points below zero count as zero."""
        known = rows[rows["y"].notna() & rows["scale"].notna()]
        actual, unit = known["y"].to_numpy()[:, None], known["scale"].to_numpy()[:, None]
        origin = known.groupby(NODE)["cutoff"].rank("dense").to_numpy().astype(int) - 1
        keys = (_level(known), bucket_of(known["horizon"].to_numpy()), month_number(known["ds"]), origin)
        residuals = {
            method: Residuals(*keys, (actual - coherent_quantiles(known, method, cut)) / unit) for method in METHODS
        }
        errors = {method: np.abs(found.values[:, MIDDLE]) for method, found in residuals.items()}
        return cls(known[["aggregation", "cutoff"]].assign(**errors), residuals)

    def known_at(self, cutoff: pd.Timestamp) -> Self:
        """Return the forecasts of months up to the cutoff."""
        mask = self.residuals[SIMPLEST].month <= month_number(pd.DatetimeIndex([cutoff]))
        residuals = {method: Residuals(*(part[mask] for part in found)) for method, found in self.residuals.items()}
        return type(self)(self.errors[mask], residuals)


def coherent_quantiles(rows: pd.DataFrame, method: str, cut: bool) -> np.ndarray:
    """Return the quantiles [n, 11] of rows of `reconciliation.reconcile`: the method's point, and the node's own around it.

    All quantiles of a node move as far as its point does, so the width is the node's own.
    """
    point = np.maximum(rows[method].to_numpy(), 0.0) if cut else rows[method].to_numpy()
    return moved_to(point, rows[QUANTILE_COLUMNS].to_numpy())


def moved_to(point: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles [n, 11] that lie around `point` [n] as they did around their own."""
    result = quantiles + (point - quantiles[:, MIDDLE])[:, None]
    result[:, MIDDLE] = point
    return result


def _level(rows: pd.DataFrame) -> np.ndarray:
    """Return the position in LEVELS of each row: its aggregation, or that of what is intermittent."""
    return pd.Index(LEVELS).get_indexer(rows["aggregation"].mask(rows["intermittent"].eq(True), INTERMITTENT))


class Moved(NamedTuple):
    """Calibrated quantiles [n, 11], and the pool of errors each row's interval comes from, with its size [n]."""

    quantiles: np.ndarray
    pool: np.ndarray
    n: np.ndarray


class Entries(NamedTuple):
    """The entries of a calibration as arrays: offsets and corrections (NaN: not used) [entries, 11], the others [entries]."""

    offsets: np.ndarray
    corrections: np.ndarray
    pool: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """What turns a model's forecasts into coherent ones with intervals.

    `reconciliation`: the method that makes the aggregations agree. `mase`: the past error of each method, by which it was chosen.
    `entries` maps 'series, 1-3' (each of LEVELS and bucket) to {"pool", "n", "offsets", "corrections"}: how far bounds lie from
    a forecast that has no width of its own, and how far a model's own quantiles move (null: they are not used). All JSON as it stands.
    """

    reconciliation: str
    mase: dict[str, float]
    entries: dict[str, dict[str, Any]]

    @classmethod
    def fit(cls, past: Past, naive: dict[str, np.ndarray]) -> Self:
        """Choose the method and the pools from what was known at the cutoff that the calibration is for.

        `naive`: of `conformal.naive_errors`, from the history up to that cutoff.
        """
        method, mase = choose_method(past.errors)
        by_pool: dict[str, dict[str, Any]] = {}
        entries = {}
        for level, bucket in ENTRIES:
            pool = choose_pool(past.residuals[method], naive, level, bucket)
            if pool.name not in by_pool:
                by_pool[pool.name] = _entry(pool)
            entries[f"{level}, {bucket}"] = by_pool[pool.name]
        return cls(method, mase, entries)

    def apply(self, rows: pd.DataFrame, cut: bool) -> pd.DataFrame:
        """Return `rows` with coherent points, calibrated quantiles, was_negative, interval_pool and interval_n.

        `rows` are of `reconciliation.reconcile`, with typical_error: a width is a multiple of it, so a series that never changes has none;
        and with lowest, which no bound is below.
        """
        index = _level(rows) * len(BUCKETS) + bucket_of(rows["horizon"].to_numpy())
        own = coherent_quantiles(rows, self.reconciliation, cut)
        described = (rows["typical_error"].fillna(0.0).to_numpy(), rows["lowest"].fillna(-np.inf).to_numpy())
        found = self.moved(index, own, *described)
        values = {
            "was_negative": cut & (rows[self.reconciliation] < 0),
            "interval_pool": found.pool,
            "interval_n": found.n,
        }
        return rows.assign(**dict(zip(QUANTILE_COLUMNS, found.quantiles.T, strict=True)), **values)

    def moved(self, index: np.ndarray, own: np.ndarray, scale: np.ndarray, lowest: np.ndarray) -> "Moved":
        """Return coherent quantiles `own` [n, 11] corrected by the errors of their pools, or laid around the point, and the pools.

        `index` [n] is the position in ENTRIES of each row's level and bucket; `scale` [n] the typical error of its series, 0
        where none is known; `lowest` [n] what no bound is below, unless the point is.
        """
        entries, unit = self._table, scale[:, None]
        corrected = own + entries.corrections[index] * unit
        around = own[:, [MIDDLE]] + entries.offsets[index] * unit
        has_width = (own[:, :1] < own[:, -1:]) & np.isfinite(corrected)
        quantiles = ordered_around_point(np.where(has_width, corrected, around))
        quantiles = np.maximum(quantiles, np.minimum(lowest, quantiles[:, MIDDLE])[:, None])
        return Moved(quantiles, entries.pool[index], entries.n[index])

    @cached_property
    def _table(self) -> "Entries":
        """The entries side by side, in the order of ENTRIES."""
        series = AGGREGATIONS[0]  # what was stored before intermittent series had entries of their own
        found = [
            self.entries.get(f"{level}, {bucket}", self.entries[f"{series}, {bucket}"]) for level, bucket in ENTRIES
        ]
        return Entries(
            offsets=np.array([entry["offsets"] for entry in found]),
            corrections=np.array([entry["corrections"] or UNUSED for entry in found]),
            pool=np.array([entry["pool"] for entry in found], dtype=object),
            n=np.array([entry["n"] for entry in found]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON."""
        return {"reconciliation": self.reconciliation, "mase": self.mase, "entries": self.entries}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Take back what `to_json` returned."""
        return cls(**content)


def _entry(pool: Pool) -> dict[str, Any]:
    """Return what a pool says, as JSON."""
    own = None if pool.around_point else corrections(pool.residuals, pool.origins).tolist()
    point = offsets(pool.residuals[:, MIDDLE]).tolist()
    return {"pool": pool.name, "n": len(pool.residuals), "offsets": point, "corrections": own}


def reconciliation_table(calibrations: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return which method is in force for each model and why: model_name, reconciliation, and the MASE of each method.

    `calibrations`, as JSON, by model. The MASE is the mean over the aggregations, on all past forecasts; NaN where there are none.
    """
    rows = [
        {"model_name": name, "reconciliation": c["reconciliation"], **c["mase"]} for name, c in calibrations.items()
    ]
    return pd.DataFrame(rows, columns=["model_name", "reconciliation", *METHODS])
