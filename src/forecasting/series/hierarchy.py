"""Series and their sums: each region, each category and the total, and what `levels:` in params/ names, all forecast like the series.

In every aggregation a series belongs to one node. Which node of a level that is, the training set says, in two columns per level: the
node's region and its product_category ('All' on the side that it sums over).

A sum of actuals contains whatever series there are in that month. A forecast of a sum is made from the series known at its
cutoff: one that begins later is in the actual and not in the forecast, which is part of the error of the sum, as it would
have been.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, ALL, NOT_STATED, SERIES_KEY, level_columns, level_names

if TYPE_CHECKING:
    from scipy import sparse

NODE = ["aggregation", "unique_id"]


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Which series each node adds up.

    `nodes`: one row per node with aggregation, unique_id, region, product_category, in that order of aggregations and ids; the
    free key is 'All'. `codes` [aggregations, series]: in each aggregation a series belongs to one node, and this is its number; the
    series are the first nodes, in the same order.
    """

    nodes: pd.DataFrame
    codes: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Return the hierarchy of the series in `frame`: unique_id, region, product_category and those of levels, repeated or not."""
        return cls.placing(frame)[0]

    @classmethod
    def placing(cls, frame: pd.DataFrame) -> tuple[Self, np.ndarray]:
        """Return the hierarchy of the series in `frame`, and the number of the series that each row is of [n]."""
        rows, ids = pd.factorize(frame["unique_id"], sort=True)
        one = np.empty(len(ids), dtype=int)
        one[rows[::-1]] = np.arange(len(rows))[::-1]  # the first row of each series
        levels = level_names(frame.columns)
        keys = [*SERIES_KEY, *(column for level in levels for column in level_columns(level))]
        return _hierarchy(levels, *(tuple(frame[key].iloc[one]) for key in keys)), rows

    @property
    def n_series(self) -> int:
        """The number of series."""
        return self.codes.shape[1]

    @cached_property
    def members(self) -> "sparse.csr_array":
        """1 where a series belongs to a node [nodes, series], else 0."""
        from scipy import sparse  # a tenth of a second that what only names models does not need

        n_aggregations, n_series = self.codes.shape
        places = (self.codes.ravel(), np.tile(np.arange(n_series), n_aggregations))
        return sparse.csr_array((np.ones(self.codes.size), places), shape=(len(self.nodes), n_series))

    def add_up(self, values: np.ndarray) -> np.ndarray:
        """Return the values of every node [nodes, k] from those of the series [series, k], added up in the order of the series.

        So a column has the same bits whatever other columns there are.
        """
        return np.concatenate([values, self.members[self.n_series :] @ values])

    def first_alike(self) -> np.ndarray:
        """Return for each node the first node with the same members [nodes]: itself, or the one whose copy it is."""
        return self._first_alike

    @cached_property
    def _first_alike(self) -> np.ndarray:
        first, size = np.arange(len(self.nodes)), np.bincount(self.codes.ravel())
        for number, codes in enumerate(self.codes):
            nodes, one = np.unique(codes, return_index=True)  # and a series of each
            for earlier in self.codes[:number][::-1]:
                other = earlier[one]  # the only node that may be the same
                outside = np.bincount(codes, weights=earlier != earlier[one][codes - nodes[0]])[nodes]
                same = (outside == 0) & (size[nodes] == size[other])
                first[nodes[same]] = first[other[same]]
        return first

    def numbers(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the number of the node that each row is of [n], by aggregation and unique_id; -1 where there is none."""
        found, ids = np.full(len(rows), -1), rows["unique_id"].to_numpy()
        codes, levels = pd.factorize(rows["aggregation"])
        for aggregation, own in self.nodes.groupby("aggregation", sort=False)["unique_id"]:
            there = np.flatnonzero((codes >= 0) & (levels == aggregation)[codes])
            place = pd.Index(own).get_indexer(ids[there])
            found[there] = np.where(place < 0, -1, own.index[0] + place)
        return found

    def comparable(self, node: np.ndarray, moment: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Say which rows have an actual of their own kind [n]: no series that is not `there`, and no sum with such a series in it.

        `node` [n] is each row's node, −1 of none; `moment` [n] tells apart what is compared: rows of other moments are not asked.
        """
        missing = np.flatnonzero((node >= 0) & (node < self.n_series) & ~there)
        if not len(missing):
            return np.ones(len(node), dtype=bool)
        _, moment = np.unique(moment, return_inverse=True)
        lacking = np.zeros((len(self.nodes), moment.max() + 1), dtype=bool)
        for codes in self.codes:
            lacking[codes[node[missing]], moment[missing]] = True
        return (node < 0) | ~lacking[node, moment]

    def slices(self) -> list[slice]:
        """Return where the nodes of each aggregation stand, in their order."""
        size = self.nodes.groupby("aggregation", sort=False).size().to_numpy()
        return [slice(int(end - n), int(end)) for n, end in zip(size, size.cumsum(), strict=True)]

    def only(self, series: np.ndarray) -> tuple[Self, np.ndarray]:
        """Return the hierarchy of the series with these numbers, and the numbers of the nodes of this one that it has."""
        codes = self.codes[:, series]
        kept, renumbered = np.unique(codes, return_inverse=True)
        return type(self)(self.nodes.iloc[kept].reset_index(drop=True), renumbered.reshape(codes.shape)), kept


@lru_cache(maxsize=16)  # cutoffs mostly share one hierarchy
def _hierarchy(levels: tuple[str, ...], *keys: tuple[str, ...]) -> Hierarchy:
    """Return the hierarchy of series in order of their ids; `keys` are the unique_id, region and product_category of each, then those two
    of its node in each level.
    """
    ids, regions, categories, *others = (np.array(key, dtype=object) for key in keys)
    everywhere = np.full(len(ids), ALL, dtype=object)
    of_levels = zip(levels, others[::2], others[1::2], strict=True)
    sums = [
        *of_levels,
        ("region", regions, everywhere),
        ("category", everywhere, categories),
        ("total", everywhere, everywhere),
    ]
    keyed = [(AGGREGATIONS[0], regions, categories, ids)]
    keyed += [(level, region, category, region + "/" + category) for level, region, category in sums]
    nodes, codes, n_nodes = [], [], 0
    for level, region, category, node_ids in keyed:
        places, own = pd.factorize(node_ids, sort=True)
        one = np.unique(places, return_index=True)[1]
        nodes.append([np.full(len(own), level, dtype=object), own, region[one], category[one]])
        codes.append(n_nodes + places)
        n_nodes += len(own)
    columns = (np.concatenate(parts) for parts in zip(*nodes, strict=True))
    return Hierarchy(pd.DataFrame(dict(zip(NODE[:1] + SERIES_KEY, columns, strict=True))), np.stack(codes))


def in_order(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return weights [m, n] @ values [n, k], added up in the order of n.

    So a column has the same bits whatever other columns there are, which no matrix library promises.
    """
    result = np.zeros((len(weights), values.shape[1]))
    for weight, row in zip(weights.T, values, strict=True):
        used = weight != 0
        result[used] += weight[used, None] * row
    return result


def aggregate_actuals(train: pd.DataFrame) -> pd.DataFrame:
    """Return the actuals of every aggregation: aggregation, unique_id, region, product_category, ds, y, in that order."""
    hierarchy, rows = _sums(train)
    nodes = hierarchy.nodes.iloc[rows["node"]].reset_index(drop=True)
    return pd.concat([nodes, rows[["ds", "y"]]], axis=1)


def _sums(train: pd.DataFrame) -> tuple[Hierarchy, pd.DataFrame]:
    """Return the hierarchy, and the known months of every node, one row per node (its number), ds: y."""
    hierarchy, rows = Hierarchy.placing(train)
    columns, months = pd.factorize(train["ds"], sort=True)
    values = np.full((hierarchy.n_series, len(months)), np.nan)
    values[rows, columns] = train["y"].to_numpy(dtype=np.float64)
    known = hierarchy.add_up(np.isfinite(values).astype(float)) > 0
    node, month = np.nonzero(known)
    sums = hierarchy.add_up(np.where(np.isfinite(values), values, 0.0))[node, month]
    return hierarchy, pd.DataFrame({"node": node, "ds": months[month], "y": sums})


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
    hierarchy, rows = _sums(history)
    rows = rows[hierarchy.first_alike()[rows["node"]] == rows["node"]].reset_index(drop=True)
    return rows.assign(unique_id=node_ids(hierarchy)[rows["node"]])[["unique_id", "ds", "y"]]


def from_nodes(forecast: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return a forecast of `as_nodes(history)` with aggregation and unique_id apart, for every node.

    The columns besides unique_id, which must include horizon, stay; the rows are ordered by aggregation, unique_id, horizon.
    """
    hierarchy = Hierarchy.of(history)
    said = pd.Index(node_ids(hierarchy)).get_indexer(forecast["unique_id"])
    order = np.lexsort([forecast["horizon"], said])[(said < 0).sum() :]
    count = np.bincount(said[order], minlength=len(hierarchy.nodes))
    spoken_for = hierarchy.first_alike()
    own = count[spoken_for]  # rows of each node, which are those of the node that speaks for it
    node = np.repeat(np.arange(len(own)), own)
    steps = np.arange(len(node)) - np.repeat(own.cumsum() - own, own)
    rows = order[(count.cumsum() - count)[spoken_for[node]] + steps]
    others = forecast.drop(columns="unique_id").iloc[rows].reset_index(drop=True)
    return pd.concat([hierarchy.nodes[NODE].iloc[node].reset_index(drop=True), others], axis=1)


def with_levels(series: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Add to series the columns that say which sum of each level they are in, as a training set has them.

    Parameters
    ----------
    series: with region and product_category.
    levels: one row per aggregation (a level), region, product_category: node_region, node_product_category; the levels in their order.
    """
    keys = SERIES_KEY[1:]
    for level, own in levels.groupby("aggregation", sort=False):
        placed = series[keys].merge(own, on=keys, how="left")
        nodes = (placed[f"node_{key}"].to_numpy() for key in keys)
        series = series.assign(**dict(zip(level_columns(level), nodes, strict=True)))
    return series


def with_levels_of(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Add to rows of series the columns of the levels that a training set has: by region and by product_category, as it knows them."""
    for level in level_names(known.columns):
        for key, column in zip(SERIES_KEY[1:], level_columns(level), strict=True):
            nodes = known.drop_duplicates(key).set_index(key)[column]
            unknown = ALL if (nodes == ALL).all() else NOT_STATED
            rows = rows.assign(**{column: rows[key].map(nodes).fillna(unknown)})
    return rows


def node_ids(hierarchy: Hierarchy) -> np.ndarray:
    """Return the name that each node has for a model [nodes]."""
    return (hierarchy.nodes["aggregation"] + "|" + hierarchy.nodes["unique_id"]).to_numpy(dtype=object)
