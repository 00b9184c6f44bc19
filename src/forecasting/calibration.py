"""From raw forecasts to what is published: every aggregation, with intervals and the sign policy.

The walk-forward's evaluation, the notebook that forecasts and whoever forecasts later (an API) use the same
calculation, so their numbers are the same. What is measured: a raw forecast per series is cut at zero where the sign
policy says so, added up per region, category and total, and given the intervals that were known at its cutoff.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, BACKTEST_COLUMNS, BOUNDS, FORECAST_COLUMNS, POINT, QUANTILE_COLUMNS
from forecasting.hierarchy import aggregate, aggregate_actuals, with_keys
from forecasting.intervals import (
    BUCKETS,
    MIDDLE,
    bucket_of,
    choose_pool,
    offsets,
    ordered_around_point,
    residual_rows,
    scales,
)

COLUMNS = list(QUANTILE_COLUMNS)


@dataclass(frozen=True)
class Calibration:
    """What turns a model's forecasts into intervals: offsets for each aggregation and bucket, their pool and its size.

    `entries` maps 'series, 1-3' to {"pool", "n", "around_point", "offsets"}: JSON as it stands.
    """

    entries: dict[str, dict[str, Any]]

    @classmethod
    def fit(cls, residuals: pd.DataFrame, history: pd.DataFrame) -> Self:
        """Choose the pools from what was known at the cutoff that the calibration is for.

        `residuals` are of `intervals.residual_rows`; `history` has aggregation, unique_id, ds, y.
        """
        entries = {}
        for level in AGGREGATIONS:
            for bucket in BUCKETS:
                pool = choose_pool(residuals, history, level, bucket)
                entries[f"{level}, {bucket}"] = {
                    "pool": pool.name,
                    "n": len(pool.residuals),
                    "around_point": pool.around_point,
                    "offsets": offsets(pool.residuals).tolist(),
                }
        return cls(entries)

    def apply(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return `rows` with calibrated quantiles, interval_pool and interval_n.

        `rows` have aggregation, horizon, scale and q025 … q975; a row without a scale gets no width.
        """
        keys = (rows["aggregation"] + ", " + bucket_of(rows["horizon"])).tolist()
        entries = [self.entries[key] for key in keys]
        moved = np.array([entry["offsets"] for entry in entries]).reshape(len(rows), len(COLUMNS))
        around = np.array([entry["around_point"] for entry in entries], dtype=bool)
        own = rows[COLUMNS].to_numpy()
        base = np.where(around[:, None], own[:, [MIDDLE]], own)
        quantiles = ordered_around_point(base + moved * rows["scale"].fillna(0.0).to_numpy()[:, None])
        pools = {"interval_pool": [entry["pool"] for entry in entries], "interval_n": [entry["n"] for entry in entries]}
        return rows.assign(**dict(zip(COLUMNS, quantiles.T, strict=True)), **pools)

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON."""
        return self.entries

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Take back what `to_json` returned."""
        return cls(content)


class Calibrated(NamedTuple):
    """Rows of every aggregation and how many were cut at zero by the sign policy.

    `cut`: {"points": series rows whose point was negative, "bounds": rows of any aggregation with a negative bound}.
    """

    rows: pd.DataFrame
    cut: dict[str, int]


def calibrate_backtests(
    raw: pd.DataFrame, train: pd.DataFrame, domain: str, plan: pd.DataFrame, allow_negative: bool
) -> Calibrated:
    """Give the backtests of one or more models every aggregation and the intervals that were known at each cutoff.

    Parameters
    ----------
    raw: RAW_BACKTEST_COLUMNS, series level.
    train: the training set up to its last month.
    plan: cutoff, evaluation_set (of `backtest.plan`); rows of other cutoffs are left out.

    Returns
    -------
    Rows with BACKTEST_COLUMNS: one per model, aggregation, unique_id, cutoff, horizon.
    """
    actuals = aggregate_actuals(train)
    rows, points = _levels(raw.merge(plan[["cutoff"]], on="cutoff"), train, actuals, allow_negative)
    parts = [_calibrate_model(part, actuals) for _, part in rows.groupby("model_name", sort=True)]
    calibrated = pd.concat(parts, ignore_index=True) if parts else rows.assign(interval_pool="", interval_n=0)
    calibrated = calibrated.merge(plan, on="cutoff").assign(domain=domain)
    final, bounds = _cut(calibrated, allow_negative)
    keys = ["model_name", "aggregation", "unique_id", "cutoff", "horizon"]
    return Calibrated(_in_order(final, keys)[BACKTEST_COLUMNS], {"points": points, "bounds": bounds})


def _calibrate_model(rows: pd.DataFrame, actuals: pd.DataFrame) -> pd.DataFrame:
    """Calibrate one model's rows cutoff by cutoff, each with the residuals of months up to it."""
    residuals = residual_rows(rows, actuals)
    parts = []
    for cutoff, part in rows.groupby("cutoff", sort=True):
        known = residuals[residuals["ds"] <= cutoff]
        parts.append(Calibration.fit(known, actuals[actuals["ds"] <= cutoff]).apply(part))
    return pd.concat(parts, ignore_index=True)


def final_calibration(raw: pd.DataFrame, train: pd.DataFrame, allow_negative: bool) -> Calibration:
    """Return the calibration of one model's next forecast, from all its backtests."""
    actuals = aggregate_actuals(train)
    rows, _ = _levels(raw, train, actuals, allow_negative)
    return Calibration.fit(residual_rows(rows, actuals), actuals)


def calibrate_forecasts(
    raw: pd.DataFrame,
    train: pd.DataFrame,
    domain: str,
    model_name: str,
    status: str,
    calibration: Calibration,
    allow_negative: bool,
) -> Calibrated:
    """Give one model's forecasts after the last month of `train` every aggregation, intervals and columns to publish.

    `raw` is what `models.forecast` returned for `backtest.known_at(train, last month)`. Returns rows with
    FORECAST_COLUMNS, one per aggregation, unique_id, horizon.
    """
    actuals = aggregate_actuals(train)
    named = raw.assign(cutoff=train["ds"].max(), model_name=model_name)
    rows, points = _levels(named, train, actuals, allow_negative)
    final, bounds = _cut(calibration.apply(rows), allow_negative)
    final = final.assign(domain=domain, status=status, predicted_value=final[POINT])
    final = final.assign(**{bound: final[quantile] for bound, quantile in BOUNDS.items()})
    ordered = _in_order(final, ["aggregation", "unique_id", "horizon"])
    return Calibrated(ordered[FORECAST_COLUMNS], {"points": points, "bounds": bounds})


def _levels(
    raw: pd.DataFrame, train: pd.DataFrame, actuals: pd.DataFrame, allow_negative: bool
) -> tuple[pd.DataFrame, int]:
    """Return raw rows of every aggregation with their scale, and how many points of series were cut at zero.

    The series are cut before they are added up: so the published points of a sum are the sum of the published points.
    """
    negative = int((raw[POINT] < 0).sum()) if not allow_negative else 0
    kept = raw if allow_negative else raw.assign(**raw[COLUMNS].clip(lower=0.0))
    by = ["model_name", "cutoff", "horizon", "ds"]
    rows = aggregate(with_keys(kept, train), [*COLUMNS, "is_fallback"], by, whole=["model_name", "cutoff"])
    known = scales(actuals, sorted(rows["cutoff"].unique()))
    return rows.merge(known, on=["aggregation", "unique_id", "cutoff"], how="left"), negative


def _cut(rows: pd.DataFrame, allow_negative: bool) -> tuple[pd.DataFrame, int]:
    """Cut quantiles at zero where the sign policy says so; return the rows and how many had a negative bound."""
    if allow_negative:
        return rows, 0
    negative = int((rows[list(BOUNDS.values())] < 0).any(axis=1).sum())
    return rows.assign(**rows[COLUMNS].clip(lower=0.0)), negative


def _in_order(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sort rows by `keys`, aggregations from series to total."""
    rank = {name: number for number, name in enumerate(AGGREGATIONS)}
    return rows.sort_values(keys, key=lambda c: c.map(rank) if c.name == "aggregation" else c, ignore_index=True)
