"""From raw forecasts to what is published: coherent points of every aggregation, with intervals and the sign policy.

The walk-forward's evaluation, the notebook that forecasts and whoever forecasts later (an API) use the same
calculation, so their numbers are the same. What is measured: the raw forecasts of series, regions, categories and the total are
made to agree by the method that did best up to their cutoff, series are cut at zero where the sign policy says so, sums are sums of
what is left, and each gets the interval that was known at its cutoff.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from forecasting.contracts import (
    AGGREGATIONS,
    BACKTEST_COLUMNS,
    BOUNDS,
    FORECAST_COLUMNS,
    POINT,
    QUANTILE_COLUMNS,
    BackTest,
)
from forecasting.intervals.conformal import (
    MIDDLE,
    Pool,
    Residuals,
    choose_pool,
    corrections,
    naive_errors,
    offsets,
    ordered_around_point,
)
from forecasting.intervals.reconciliation import METHODS, SIMPLEST, choose_method, reconcile
from forecasting.series import BUCKETS, NODE, aggregate_actuals, bucket_of, comparable, month_number, scales

UNUSED = [float("nan")] * len(QUANTILE_COLUMNS)
ENTRIES = [(level, bucket) for level in AGGREGATIONS for bucket in BUCKETS]


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
    """Return the position in AGGREGATIONS of each row."""
    return pd.Index(AGGREGATIONS).get_indexer(rows["aggregation"])


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
    `entries` maps 'series, 1-3' (each aggregation and bucket) to {"pool", "n", "offsets", "corrections"}: how far bounds lie from
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

        `rows` are of `reconciliation.reconcile`, with typical_error: a width is a multiple of it, so a series that never changes has none.
        """
        index = _level(rows) * len(BUCKETS) + bucket_of(rows["horizon"].to_numpy())
        own = coherent_quantiles(rows, self.reconciliation, cut)
        found = self.moved(index, own, rows["typical_error"].fillna(0.0).to_numpy())
        values = {
            "was_negative": cut & (rows[self.reconciliation] < 0),
            "interval_pool": found.pool,
            "interval_n": found.n,
        }
        return rows.assign(**dict(zip(QUANTILE_COLUMNS, found.quantiles.T, strict=True)), **values)

    def moved(self, index: np.ndarray, own: np.ndarray, scale: np.ndarray) -> "Moved":
        """Return coherent quantiles `own` [n, 11] corrected by the errors of their pools, or laid around the point, and the pools.

        `index` [n] is the position in ENTRIES of each row's aggregation and bucket; `scale` [n] the typical error of its series, 0
        where none is known.
        """
        entries, unit = self._table, scale[:, None]
        corrected = own + entries.corrections[index] * unit
        around = own[:, [MIDDLE]] + entries.offsets[index] * unit
        has_width = (own[:, :1] < own[:, -1:]) & np.isfinite(corrected)
        quantiles = ordered_around_point(np.where(has_width, corrected, around))
        return Moved(quantiles, entries.pool[index], entries.n[index])

    @cached_property
    def _table(self) -> "Entries":
        """The entries side by side, in the order of ENTRIES."""
        found = [self.entries[f"{level}, {bucket}"] for level, bucket in ENTRIES]
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


class Calibrated(NamedTuple):
    """Rows of every aggregation and how many were cut at zero by the sign policy.

    `cut`: {"points": series rows whose point was negative, "bounds": rows of any aggregation with a negative bound}. `cut_series`: the
    horizons of those points by unique_id, of a forecast from one cutoff.
    """

    rows: pd.DataFrame
    cut: dict[str, int]
    cut_series: dict[str, list[int]]


def calibrate_backtest(
    raw: pd.DataFrame,
    train: pd.DataFrame,
    domain: str,
    cutoffs: pd.DataFrame,
    allow_negative: bool,
    wanted: Collection[pd.Timestamp] | None = None,
) -> BackTest:
    """Make one model's forecasts at past cutoffs coherent and give them the intervals that were known at each cutoff.

    Parameters
    ----------
    raw: RAW_BACKTEST_COLUMNS, of `evaluation.walk_forward`; there may be no rows, and rows of months still to come count not yet.
    train: the training set up to its last month.
    cutoffs: cutoff, evaluation_set (of `evaluation.plan_cutoffs`); rows of other cutoffs are left out.
    wanted: the cutoffs whose rows are asked for, None: all; the others teach as ever.

    Returns
    -------
    The back-test, with one row per aggregation, unique_id, cutoff, horizon; and the calibration of the next forecast, from all rows.
    """
    actuals, cut = aggregate_actuals(train), not allow_negative
    observed = raw[raw["ds"] <= train["ds"].max()]
    measured = _past(observed.merge(cutoffs[["cutoff"]], on="cutoff"), train, actuals, cut)
    past = Past.of(measured, cut)
    parts = [measured.iloc[:0].assign(interval_pool="", interval_n=0, was_negative=False)]
    asked = measured if wanted is None else measured[measured["cutoff"].isin(wanted)]
    for cutoff, rows in asked.groupby("cutoff"):
        naive = naive_errors(actuals[actuals["ds"] <= cutoff])
        parts.append(Calibration.fit(past.known_at(cutoff), naive).apply(rows, cut))
    calibrated = pd.concat(parts[1:] or parts, ignore_index=True).merge(cutoffs, on="cutoff").assign(domain=domain)
    finished = _finished(calibrated, [*NODE, "cutoff", "horizon"], BACKTEST_COLUMNS, cut)
    return BackTest(raw, finished.rows, finished.cut, Calibration.fit(past, naive_errors(actuals)).to_json())


def calibrate_forecasts(
    raw: pd.DataFrame,
    train: pd.DataFrame,
    domain: str,
    model_name: str,
    status: str,
    calibration: Calibration,
    allow_negative: bool,
) -> Calibrated:
    """Make one model's forecasts after the last month of `train` coherent; give them intervals and columns to publish.

    `raw` is what `evaluation.forecast_nodes` returned for `evaluation.known_at(train, last month)`. Returns rows with
    FORECAST_COLUMNS, one per aggregation, unique_id, horizon.
    """
    cut = not allow_negative
    named = raw.assign(cutoff=train["ds"].max(), model_name=model_name)
    rows = _scaled(reconcile(named, train, cut, [calibration.reconciliation]), aggregate_actuals(train))
    rows = calibration.apply(rows, cut).assign(domain=domain, status=status)
    return _finished(rows, [*NODE, "horizon"], FORECAST_COLUMNS, cut)


def _past(raw: pd.DataFrame, train: pd.DataFrame, actuals: pd.DataFrame, cut: bool) -> pd.DataFrame:
    """Return past forecasts with the points of each method, scale and y; those that nothing can be compared with are left out."""
    rows = _scaled(reconcile(raw, train, cut), actuals)
    return comparable(rows, train).merge(actuals[[*NODE, "ds", "y"]], on=[*NODE, "ds"])


def _scaled(rows: pd.DataFrame, actuals: pd.DataFrame) -> pd.DataFrame:
    """Add the scale and the typical error that each node had at the row's cutoff."""
    return rows.merge(scales(actuals, sorted(rows["cutoff"].unique())), on=[*NODE, "cutoff"], how="left")


def _finished(rows: pd.DataFrame, keys: list[str], columns: list[str], cut: bool) -> Calibrated:
    """Apply the sign policy to bounds and bring rows into the order of `keys` (aggregations from series to total)."""
    negative = int((rows[list(BOUNDS.values())] < 0).any(axis=1).sum()) if cut else 0
    final = rows.assign(**rows[QUANTILE_COLUMNS].clip(lower=0.0)) if cut else rows
    bounds = {bound: final[quantile] for bound, quantile in BOUNDS.items()}
    final = final.assign(predicted_value=final[POINT], **bounds)
    rank = {name: number for number, name in enumerate(AGGREGATIONS)}
    ordered = final.sort_values(keys, key=lambda c: c.map(rank) if c.name == "aggregation" else c, ignore_index=True)
    below = ordered[ordered["was_negative"].astype(bool)]
    by_series = {str(name): horizons.tolist() for name, horizons in below.groupby("unique_id")["horizon"]}
    return Calibrated(ordered[columns], {"points": len(below), "bounds": negative}, by_series)
