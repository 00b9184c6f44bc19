"""Series and their sums: each region, each category and the total, which are forecast like the series.

A sum of actuals contains whatever series there are in that month. A forecast of a sum is made from the series known at its
cutoff: one that begins later is in the actual and not in the forecast, which is part of the error of the sum, as it would
have been.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, ALL, SERIES_KEY

NODE = ["aggregation", "unique_id"]


@dataclass(frozen=True)
class Hierarchy:
    """Which series each node adds up.

    `nodes`: one row per node with aggregation, unique_id, region, product_category, in that order of aggregations and ids; the
    free key is 'All'. `members` [nodes, series] is true where the series belongs to the node; the series are the first nodes, in
    the same order.
    """

    nodes: pd.DataFrame
    members: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Return the hierarchy of the series in `frame`: unique_id, region, product_category, repeated or not."""
        series = frame[SERIES_KEY].drop_duplicates().sort_values("unique_id")
        return _hierarchy(tuple(series.itertuples(index=False, name=None)))

    @property
    def n_series(self) -> int:
        """The number of series."""
        return self.members.shape[1]

    def add_up(self, values: np.ndarray) -> np.ndarray:
        """Return the values of every node [nodes, k] from those of the series [series, k]."""
        return np.concatenate([values, in_order(self.members[self.n_series :], values)])

    def first_alike(self) -> np.ndarray:
        """Return for each node the first node with the same members [nodes]: itself, or the one whose copy it is."""
        first: dict[bytes, int] = {}
        return np.array([first.setdefault(row.tobytes(), number) for number, row in enumerate(self.members)], dtype=int)


@lru_cache(maxsize=32)  # cutoffs mostly share one hierarchy
def _hierarchy(series: tuple[tuple[str, str, str], ...]) -> Hierarchy:
    """Return the hierarchy of series in order of their ids: (unique_id, region, product_category) each."""
    nodes, members = [], []
    for level in AGGREGATIONS:
        keyed = _key(pd.DataFrame(series, columns=SERIES_KEY, dtype=object), level)
        codes, ids = pd.factorize(keyed["unique_id"], sort=True)
        own = keyed.drop_duplicates("unique_id").sort_values("unique_id")
        nodes.append(own.assign(aggregation=level)[["aggregation", *SERIES_KEY]])
        members.append(np.arange(len(ids))[:, None] == codes)
    return Hierarchy(pd.concat(nodes, ignore_index=True), np.concatenate(members))


def in_order(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return weights [m, n] @ values [n, k], added up in the order of n.

    So a column has the same bits whatever other columns there are, which no matrix library promises.
    """
    result = np.zeros((len(weights), values.shape[1]))
    for weight, row in zip(weights.T, values, strict=True):
        used = weight != 0
        result[used] += weight[used, None] * row
    return result


def _key(series: pd.DataFrame, level: str) -> pd.DataFrame:
    """Replace the key of each series by the key of the sum it belongs to."""
    keyed = series.copy()
    if level in ("category", "total"):
        keyed["region"] = ALL
    if level in ("region", "total"):
        keyed["product_category"] = ALL
    if level != AGGREGATIONS[0]:
        keyed["unique_id"] = keyed["region"] + "/" + keyed["product_category"]
    return keyed


def aggregate_actuals(train: pd.DataFrame) -> pd.DataFrame:
    """Return the actuals of every aggregation: aggregation, unique_id, region, product_category, ds, y, in that order."""
    hierarchy = Hierarchy.of(train)
    rows = _sums(hierarchy, train)
    nodes = hierarchy.nodes.iloc[rows["node"]].reset_index(drop=True)
    return pd.concat([nodes, rows[["ds", "y"]]], axis=1)


def _sums(hierarchy: Hierarchy, train: pd.DataFrame) -> pd.DataFrame:
    """Return the known months of every node, one row per node (its number), ds: y."""
    series = hierarchy.nodes["unique_id"].iloc[: hierarchy.n_series]
    rows = pd.Index(series).get_indexer(train["unique_id"])
    columns, months = pd.factorize(train["ds"], sort=True)
    values = np.full((hierarchy.n_series, len(months)), np.nan)
    values[rows, columns] = train["y"].to_numpy(dtype=np.float64)
    known = hierarchy.add_up(np.isfinite(values).astype(float)) > 0
    node, month = np.nonzero(known)
    sums = hierarchy.add_up(np.where(np.isfinite(values), values, 0.0))[node, month]
    return pd.DataFrame({"node": node, "ds": months[month], "y": sums})


def as_nodes(history: pd.DataFrame) -> pd.DataFrame:
    """Return what a model is fitted on and forecasts: series and sums side by side, as if all were series.

    Parameters
    ----------
    history: one row per unique_id, ds with region, product_category, y.

    Returns
    -------
    One row per unique_id, ds: y. The unique_id is '<aggregation>|<unique_id>'. Of nodes with the same members (with one region,
    each category and its only series) the first stands for all: `from_nodes` copies.
    """
    hierarchy = Hierarchy.of(history)
    rows = _sums(hierarchy, history)
    rows = rows[hierarchy.first_alike()[rows["node"]] == rows["node"]].reset_index(drop=True)
    return rows.assign(unique_id=node_ids(hierarchy)[rows["node"]])[["unique_id", "ds", "y"]]


def from_nodes(forecast: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return a forecast of `as_nodes(history)` with aggregation and unique_id apart, for every node.

    The columns besides unique_id, which must include horizon, stay; the rows are ordered by aggregation, unique_id, horizon.
    """
    hierarchy = Hierarchy.of(history)
    spoken_for = node_ids(hierarchy)[hierarchy.first_alike()]
    copies = hierarchy.nodes[NODE].assign(node=spoken_for, position=range(len(spoken_for)))
    rows = copies.merge(forecast.rename(columns={"unique_id": "node"}), on="node")
    return rows.sort_values(["position", "horizon"], ignore_index=True).drop(columns=["node", "position"])


def node_ids(hierarchy: Hierarchy) -> np.ndarray:
    """Return the name that each node has for a model [nodes]."""
    return (hierarchy.nodes["aggregation"] + "|" + hierarchy.nodes["unique_id"]).to_numpy(dtype=object)


def comparable(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Leave out forecasts that have no actual of their own kind.

    That is a series without a value in that month, and every sum it belongs to: the sum that happened lacks a series which the
    forecast had. `rows` have aggregation, unique_id, cutoff, ds.
    """
    known = pd.MultiIndex.from_frame(train.loc[train["y"].notna(), ["unique_id", "ds"]])
    series = rows.loc[rows["aggregation"] == AGGREGATIONS[0], ["unique_id", "cutoff", "ds"]].drop_duplicates()
    missing = series[~pd.MultiIndex.from_frame(series[["unique_id", "ds"]]).isin(known)]
    if missing.empty:
        return rows
    missing = missing.merge(train[SERIES_KEY].drop_duplicates(), on="unique_id")
    gaps = pd.concat([_key(missing, level).assign(aggregation=level) for level in AGGREGATIONS])
    key = [*NODE, "cutoff", "ds"]
    lacking = pd.MultiIndex.from_frame(rows[key]).isin(pd.MultiIndex.from_frame(gaps[key]))
    return rows[~lacking].reset_index(drop=True)
