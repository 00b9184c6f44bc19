"""What people's overrides make of a coherent forecast: series, regions, categories and the total agree again, and nothing else moves.

An override wants one node (a series or a sum) to have a point of its own in one month. The series' points are the nearest to the forecast
that give every such node what is wanted, each series counting by the inverse of its size:

    min Σ (x_i − f_i)² / |f_i|   subject to   the wanted sums,

so that the change of a sum is split over its series in proportion to their forecasts, f_i + |f_i| / Σ|f_j| · (wanted − Σ f_j): x_i = f_i ·
wanted / Σ f_j where all have one sign. A series that is wanted itself stands as it is, the others of an overridden sum take the
difference. Where all series of a sum are 0 they share alike. Where the sign policy forbids values below zero no series goes below it. The
order in which overrides were made does not count, but where they cannot all be met: then the later one is refused.

A bound moves as far as its point does, and stops at zero where the sign policy says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, BOUNDS, SERIES_KEY
from forecasting.series import NODE, Hierarchy, with_levels

EXACT = 1e-9  # of the amounts in a sum: what differs by less is the same
REFINED = 3  # solutions of what is left: a sum may be many times as large as another
VALUE, PERCENT = "value", "percent"
OVERRIDDEN_COLUMNS = [
    "aggregation", *SERIES_KEY, "horizon", "ds", "predicted_value", *BOUNDS, "own_override", "override_ids",
]  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What one override wants of a node in one month: a `value`, or the forecast moved by `percent` of its size (−10: 10 % lower)."""

    override_id: int
    aggregation: str
    unique_id: str
    ds: pd.Timestamp
    kind: str
    amount: float

    def wanted(self, forecast: float) -> float:
        """Return the point that is wanted where this is forecast."""
        return self.amount if self.kind == VALUE else forecast + self.amount / 100 * abs(forecast)


class Overridden(NamedTuple):
    """What overrides make of a forecast.

    `rows`: one per node and month that moves, or has an override of its own (OVERRIDDEN_COLUMNS): `own_override` is that override (None in
    the others), `override_ids` those that the row comes from. `refused`: the overrides that cannot be met, each with those it
    contradicts (none where it wants what the sign policy forbids), by month.
    """

    rows: pd.DataFrame
    refused: dict[int, dict[pd.Timestamp, list[int]]]


def override(
    forecasts: pd.DataFrame, changes: Iterable[Change], cut: bool, levels: pd.DataFrame | None = None
) -> Overridden:
    """Return the rows of a forecast that overrides move.

    Parameters
    ----------
    forecasts: the coherent forecast of one run: NODE, region, product_category, horizon, ds, predicted_value and BOUNDS of every node and
    month, in the domain's unit.
    changes: in the order in which they were made; at most one for a node and month, of nodes and months of the forecast.
    cut: whether values below zero are forbidden (the sign policy).
    levels: of `series.with_levels`, where the forecast has sums on levels.
    """
    by_month: dict[pd.Timestamp, list[Change]] = {}
    for change in changes:
        by_month.setdefault(change.ds, []).append(change)
    series = forecasts[forecasts["aggregation"] == AGGREGATIONS[0]].drop_duplicates("unique_id")
    hierarchy = Hierarchy.of(series if levels is None else with_levels(series, levels))
    parts, refused = [], {}
    for ds in sorted(by_month):
        month = hierarchy.nodes[NODE].merge(forecasts[forecasts["ds"] == ds], on=NODE, how="left")
        met, against = compatible(hierarchy, month["predicted_value"].to_numpy(float), by_month[ds], cut)
        for override_id, others in against.items():
            refused.setdefault(override_id, {})[ds] = others
        if met:
            parts.append(moved(hierarchy, month, met, cut))
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=OVERRIDDEN_COLUMNS)
    return Overridden(rows, refused)


def compatible(
    hierarchy: Hierarchy, base: np.ndarray, changes: list[Change], cut: bool
) -> tuple[dict[int, Change], dict[int, list[int]]]:
    """Return the changes of a month that can be met together, by number of node, and for each other one those it contradicts.

    `base` is the forecast of every node [nodes]; the changes are in the order in which they were made.
    """
    number = {key: i for i, key in enumerate(hierarchy.nodes[NODE].itertuples(index=False, name=None))}
    wanted = {number[change.aggregation, change.unique_id]: change for change in changes}

    def can_be_met(chosen: Mapping[int, Change]) -> bool:
        return solved(hierarchy, base, _targets(chosen, base), cut) is not None

    if can_be_met(wanted):
        return wanted, {}
    met: dict[int, Change] = {}
    refused: dict[int, list[int]] = {}
    for node, change in wanted.items():
        if can_be_met({**met, node: change}):
            met[node] = change
            continue
        against = dict(met)
        for other in met:  # leave out whatever is not needed for the contradiction
            rest = {key: kept for key, kept in against.items() if key != other}
            against = against if can_be_met({**rest, node: change}) else rest
        refused[change.override_id] = [other.override_id for other in against.values()]
    return met, refused


def _targets(wanted: Mapping[int, Change], base: np.ndarray) -> dict[int, float]:
    return {node: change.wanted(float(base[node])) for node, change in wanted.items()}


def solved(hierarchy: Hierarchy, base: np.ndarray, targets: Mapping[int, float], cut: bool) -> np.ndarray | None:
    """Return the points of the series [series] that give each node its target; None where nothing does.

    `base` is the forecast of every node [nodes], `targets` the wanted points by number of node.
    """
    if cut and min(targets.values()) < 0:
        return None
    n = hierarchy.n_series
    fixed = {node: target for node, target in targets.items() if node < n}
    sums = {node: target for node, target in targets.items() if node >= n}
    while True:
        found = _nearest(hierarchy, base[:n], fixed, sums)
        below = [] if found is None or not cut else [i for i in np.flatnonzero(found < 0) if i not in fixed]
        if not below:
            return found
        fixed |= dict.fromkeys(below, 0.0)


def _nearest(
    hierarchy: Hierarchy, base: np.ndarray, fixed: Mapping[int, float], sums: Mapping[int, float]
) -> np.ndarray | None:
    """Return the points nearest to those of the series, where some are fixed and some sums are wanted."""
    points = base.copy()
    points[list(fixed)] = list(fixed.values())
    if not sums:
        return points
    members, wanted = hierarchy.members[list(sums)].toarray(), np.array(list(sums.values()))
    free = members.astype(bool) & ~np.isin(np.arange(len(base)), list(fixed))
    weights = _weights(base, free)
    together = free @ weights
    scale = np.divide(1.0, np.sqrt(together), out=np.zeros_like(together), where=together > 0)
    shares = free * weights  # [sums, series]
    system = scale[:, None] * (shares @ free.T.astype(float)) * scale
    for _ in range(REFINED):
        gap = wanted - members @ points
        points += shares.T @ (scale * np.linalg.lstsq(system, scale * gap, rcond=None)[0])
    size = np.maximum(np.abs(wanted), members @ np.maximum(np.abs(base), np.abs(points)))
    return points if (np.abs(wanted - members @ points) <= EXACT * size).all() else None


def _weights(base: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return how far each series may move: by its size; where all that may move of a sum are 0, alike."""
    weights = np.abs(base)
    still = free[~(free & (weights > 0)).any(axis=1)].any(axis=0)
    typical = weights[weights > 0].mean() if weights.any() else 1.0
    return np.where(still, typical, weights)


def moved(hierarchy: Hierarchy, month: pd.DataFrame, met: Mapping[int, Change], cut: bool) -> pd.DataFrame:
    """Return the rows of a month that move (OVERRIDDEN_COLUMNS); `month` has one row per node, `met` are changes that can be met."""
    base = month["predicted_value"].to_numpy(float)
    targets = _targets(met, base)
    series = solved(hierarchy, base, targets, cut)
    points = hierarchy.add_up(series[:, None])[:, 0]
    alike = hierarchy.first_alike()
    for node, target in targets.items():  # what is wanted to the last digit, also of those that have the same members
        points[alike == alike[node]] = target
    size = hierarchy.members @ np.maximum(np.abs(series), np.abs(base[: hierarchy.n_series]))
    own = [met[node].override_id if node in met else None for node in range(len(base))]
    moves = (np.abs(points - base) > EXACT * size) | np.isin(np.arange(len(base)), list(met))
    ids = np.array([change.override_id for change in met.values()])
    together = (hierarchy.members @ hierarchy.members[list(met)].T).toarray() > 0  # [nodes, changes]
    reached = [sorted(ids[row].tolist()) for row in together]
    found = month.assign(
        **{name: _bound(month[name] + points - base, cut) for name in BOUNDS},
        predicted_value=points,
        own_override=pd.Series(own, dtype=object),
        override_ids=[[mine] if mine is not None else ids for mine, ids in zip(own, reached, strict=True)],
    )
    return found.loc[moves, OVERRIDDEN_COLUMNS]


def _bound(values: pd.Series, cut: bool) -> pd.Series:
    return values.clip(lower=0.0) if cut else values
