"""How a model's past errors turn its forecasts into what is published: coherent points of every aggregation, with intervals.

`calibrated` puts it to use. What is chosen and learned here is the model's own past alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, ALL, QUANTILE_COLUMNS
from forecasting.intervals.conformal import (
    INTERMITTENT,
    LEVELS,
    MIDDLE,
    Counts,
    Pool,
    Residuals,
    choose_pool,
    corrections,
    further_out,
    offsets,
    ordered_around_point,
    unrest_helps,
)
from forecasting.intervals.reconciliation import METHODS, OF_MANY, choose_method, used
from forecasting.series import BUCKETS, bucket_of, month_number

UNUSED = [float("nan")] * len(QUANTILE_COLUMNS)
ENTRIES = [(level, bucket) for level in LEVELS for bucket in BUCKETS]


@dataclass(frozen=True)
class Past:
    """Past forecasts of one model that have an actual and a scale, one row each, in the same order.

    `errors`: aggregation, cutoff and the scaled absolute error of each method's point. `about`: level, bucket, month, origin and unrest
    of `Residuals`. `own` [n, 11]: the quantiles that the model said; `points`: each method's; `actual` and `unit` [n]. Where `places` are
    given, `own` holds more rows, of which it is these: a copy of millions takes hundreds of megabytes.
    """

    errors: pd.DataFrame
    about: tuple[np.ndarray, ...]
    own: np.ndarray
    points: dict[str, np.ndarray]
    actual: np.ndarray
    unit: np.ndarray
    places: np.ndarray | None = None

    @classmethod
    def of(cls, parts: Sequence[pd.DataFrame], cut: bool) -> Self:
        """Measure rows of `reconciliation.reconcile`, with y, scale and unrest, in parts that are not put together: of many series that
        would take gigabytes. `cut`: points below zero count as zero.
        """
        known = [rows[rows["y"].notna() & rows["scale"].notna()] for rows in parts]

        def every(read: Callable[[pd.DataFrame], np.ndarray]) -> np.ndarray:
            """Return what is read of each part, as one array."""
            return np.concatenate([read(rows) for rows in known])

        actual, unit = every(lambda rows: rows["y"].to_numpy()), every(lambda rows: rows["scale"].to_numpy())
        cutoff = every(lambda rows: rows["cutoff"].to_numpy())
        origin = _origins(every(lambda rows: rows["node"].to_numpy()), month_number(pd.DatetimeIndex(cutoff)))
        about = (
            every(_level),
            bucket_of(every(lambda rows: rows["horizon"].to_numpy())),
            month_number(pd.DatetimeIndex(every(lambda rows: rows["ds"].to_numpy()))),
            origin,
            every(lambda rows: rows["unrest"].to_numpy()) / unit,
        )
        points = {
            method: every(lambda rows, method=method: coherent_points(rows, method, cut))
            for method in used(known[0].columns)
        }
        errors = {method: np.abs((actual - point) / unit) for method, point in points.items()}
        aggregation = every(lambda rows: rows["aggregation"].to_numpy(dtype=object))
        table = pd.DataFrame({"aggregation": pd.Categorical(aggregation), "cutoff": cutoff, **errors})
        return cls(table, about, every(lambda rows: rows[QUANTILE_COLUMNS].to_numpy()), points, actual, unit)

    def known_at(self, cutoff: pd.Timestamp) -> Self:
        """Return the forecasts of months up to the cutoff."""
        month = self.about[2]
        mask = month <= month_number(pd.DatetimeIndex([cutoff]))
        points = {method: point[mask] for method, point in self.points.items()}
        about = tuple(part[mask] for part in self.about)
        places = np.flatnonzero(mask) if self.places is None else self.places[mask]
        return type(self)(self.errors[mask], about, self.own, points, self.actual[mask], self.unit[mask], places)

    def residuals(self, method: str) -> Residuals:
        """Return those of the quantiles around a method's points."""
        values = moved_to(self.points[method], self.own if self.places is None else self.own[self.places])
        np.subtract(self.actual[:, None], values, out=values)  # in place: millions of forecasts times eleven
        np.divide(values, self.unit[:, None], out=values)
        return Residuals(*self.about, values)


def _origins(node: np.ndarray, cutoff: np.ndarray) -> np.ndarray:
    """Return the place of each row's cutoff among those of its node [n], 0 for the first."""
    order = np.lexsort([cutoff, node])
    other_node = np.diff(node[order], prepend=-1) != 0
    later = np.diff(cutoff[order], prepend=0) != 0
    count = np.cumsum(other_node | later)
    first = np.maximum.accumulate(np.where(other_node, count, 0))
    places = np.empty(len(node), dtype=int)
    places[order] = count - first
    return places


def coherent_points(rows: pd.DataFrame, method: str, cut: bool) -> np.ndarray:
    """Return a method's points [n] of rows of `reconciliation.reconcile`."""
    return np.maximum(rows[method].to_numpy(), 0.0) if cut else rows[method].to_numpy()


def coherent_quantiles(rows: pd.DataFrame, method: str, cut: bool) -> np.ndarray:
    """Return the quantiles [n, 11] of rows of `reconciliation.reconcile`: the method's point, and the node's own around it.

    All quantiles of a node move as far as its point does, so the width is the node's own.
    """
    return moved_to(coherent_points(rows, method, cut), rows[QUANTILE_COLUMNS].to_numpy())


def moved_to(point: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles [n, 11] that lie around `point` [n] as they did around their own."""
    result = quantiles + (point - quantiles[:, MIDDLE])[:, None]
    result[:, MIDDLE] = point
    return result


def _level(rows: pd.DataFrame) -> np.ndarray:
    """Return the position in LEVELS of each row: its aggregation, or that of what is intermittent.

    What is added up on a level of `levels:` shares the errors of the regions, of the categories where it sums over all regions.
    """
    own = rows["aggregation"].mask(rows["intermittent"].eq(True), INTERMITTENT)
    places = pd.Index(LEVELS).get_indexer(own)
    extra = np.flatnonzero(places < 0)
    if len(extra):
        like = np.where(rows["region"].iloc[extra] == ALL, "category", "region")
        places[extra] = pd.Index(LEVELS).get_indexer(like)
    return places


class Moved(NamedTuple):
    """Calibrated quantiles [n, 11], and the pool of errors each row's interval comes from, with its size [n]."""

    quantiles: np.ndarray
    pool: np.ndarray
    n: np.ndarray


class Entries(NamedTuple):
    """The entries of a calibration as arrays: offsets and corrections (NaN: not used) [entries, 11], the others [entries]."""

    unrest: np.ndarray
    offsets: np.ndarray
    corrections: np.ndarray
    pool: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """What turns a model's forecasts into coherent ones with intervals.

    `reconciliation`: the method that makes the aggregations agree. `mase`: the past error of each method, by which it was chosen.
    `entries` maps 'series, 1-3' (each of LEVELS and bucket) to {"pool", "n", "unrest", "offsets", "corrections"}: how far bounds lie from
    a forecast that has no width of its own, and how far a model's own quantiles move (null: they are not used), in units of each series:
    its typical error or, where `unrest` is true, the geometric mean of that and its unrest. All JSON as it stands; in one that was stored
    before there was a choice `unrest` is missing, and the unit is the typical error.
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
        known, restless = _in_units(past.residuals(method))
        by_pool: dict[str, dict[str, Any]] = {}
        entries: dict[str, dict[str, Any]] = {}
        counts = Counts.of(known)
        for level in LEVELS:
            sooner = np.zeros(len(QUANTILE_COLUMNS))
            for bucket in BUCKETS:
                pool = choose_pool(known, naive, level, bucket, counts)
                if pool.name not in by_pool:
                    by_pool[pool.name] = _entry(pool, restless)
                sooner = further_out(np.array(by_pool[pool.name]["offsets"]), sooner)
                entries[f"{level}, {bucket}"] = by_pool[pool.name] | {"offsets": sooner.tolist()}
        return cls(method, mase, entries)

    def apply(self, rows: pd.DataFrame, cut: bool) -> pd.DataFrame:
        """Return `rows` with coherent points, calibrated quantiles, was_negative, interval_pool and interval_n.

        `rows` are of `reconciliation.reconcile`, with typical_error and unrest: a width is a multiple of them, so a series that never
        changes has none; and with lowest, which no bound is below.
        """
        index = _level(rows) * len(BUCKETS) + bucket_of(rows["horizon"].to_numpy())
        sizes = [rows[name].fillna(0.0).to_numpy() for name in ("typical_error", "unrest")]
        lowest = rows["lowest"].fillna(-np.inf).to_numpy()
        found = self.moved(index, coherent_quantiles(rows, self.reconciliation, cut), *sizes, lowest)
        negative = cut & (rows[self.reconciliation].to_numpy() < 0)
        values = {"was_negative": negative, "interval_pool": found.pool, "interval_n": found.n}
        return rows.assign(**dict(zip(QUANTILE_COLUMNS, found.quantiles.T, strict=True)), **values)

    def moved(
        self, index: np.ndarray, own: np.ndarray, typical_error: np.ndarray, unrest: np.ndarray, lowest: np.ndarray
    ) -> "Moved":
        """Return coherent quantiles `own` [n, 11] corrected by the errors of their pools, or laid around the point, and the pools.

        `index` [n] is the position in ENTRIES of each row's level and bucket; `typical_error` [n] and `unrest` [n] are those of its
        series, 0 where none is known; `lowest` [n] what no bound is below, unless the point is.
        """
        entries = self._table
        unit = np.where(entries.unrest[index], np.sqrt(typical_error * unrest), typical_error)[:, None]
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
            unrest=np.array([entry.get("unrest", False) for entry in found]),
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


def _in_units(residuals: Residuals) -> tuple[Residuals, bool]:
    """Return residuals in the unit that suits those of single series better, and whether unrest is part of it."""
    single = residuals.level == AGGREGATIONS.index("series")
    restless = unrest_helps(np.abs(residuals.values[single, MIDDLE]), residuals.unrest[single])
    if not restless:
        return residuals, False
    return residuals._replace(values=residuals.values / np.sqrt(residuals.unrest)[:, None]), True


def _entry(pool: Pool, restless: bool) -> dict[str, Any]:
    """Return what a pool says, as JSON; `restless`: its residuals are in units that unrest is part of, but for those of the history."""
    own = None if pool.around_point else corrections(pool.residuals, pool.origins).tolist()
    point = offsets(pool.residuals[:, MIDDLE], pool.independent).tolist()
    unit = restless and not pool.around_point
    return {"pool": pool.name, "n": len(pool.residuals), "unrest": unit, "offsets": point, "corrections": own}


def reconciliation_table(calibrations: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return which method is in force for each model and why: model_name, reconciliation, and the MASE of each method.

    `calibrations`, as JSON, by model. The MASE is the mean over the aggregations, on all past forecasts; NaN where there are none.
    """
    rows = [
        {"model_name": name, "reconciliation": c["reconciliation"], **c["mase"]} for name, c in calibrations.items()
    ]
    many = any(OF_MANY[-1] in content["mase"] for content in calibrations.values())
    return pd.DataFrame(rows, columns=["model_name", "reconciliation", *(OF_MANY if many else METHODS)])
