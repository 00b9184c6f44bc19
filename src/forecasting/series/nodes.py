"""What was known of many series and sums at several months, side by side: cut into parts, each says the same of its own.

With hundreds of thousands of series long tables cost more than the models. So the history of a node stands here once, as an array, with
the months at which it was known; only a sum whose series were others at an earlier month has another history then.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from forecasting.series.hierarchy import Hierarchy, node_ids
from forecasting.series.panels import Panel, month_number

if TYPE_CHECKING:
    import pyarrow as pa

OF_A_MONTH = ["ds", "y", "is_imputed"]  # columns of a training set that are not the series' own


@dataclass(frozen=True)
class Nodes:
    """Histories of nodes as they were known at `moments` (month numbers [k], ascending).

    `ids` [rows] in their order, by the names of `as_nodes`; `values` [rows, months] in the unit of y from month number `first` on, NaN
    where nothing is known; `known` [rows, k]: whether this is the node's history at that moment, which reaches up to it. `starts` [k]: the
    first month that is known of any node then, also where these nodes are a part of more.
    """

    ids: np.ndarray
    first: int
    values: np.ndarray
    moments: np.ndarray
    known: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, known: Panel) -> Self:
        """Return what is known of the series of a panel, all of which end in the same month."""
        last = int(known.last[0])
        first = last - known.values.shape[1] + 1
        start = first + int(np.isfinite(known.values).any(axis=0).argmax())
        everyone = np.ones((len(known.ids), 1), dtype=bool)
        return cls(known.ids, first, known.values, np.array([last]), everyone, np.array([start]))

    def at(self, moment: int) -> Panel:
        """Return the histories that were known at one of the moments, up to it; those of a part are as wide as those of all nodes."""
        place = int(np.flatnonzero(self.moments == moment)[0])
        rows = self.known[:, place]
        values = self.values[rows, self.starts[place] - self.first : moment - self.first + 1]
        return Panel.of(self.ids[rows], values, np.full(int(rows.sum()), moment))

    def parts(self, size: int) -> Iterator["Nodes"]:
        """Yield parts of about so many nodes each, in the order of their ids."""
        ids, rows = np.unique(self.ids, return_inverse=True)
        n_parts = -(-len(ids) // size)
        for number in range(n_parts):
            chosen = rows * n_parts // max(len(ids), 1) == number
            yield replace(self, ids=self.ids[chosen], values=self.values[chosen], known=self.known[chosen])

    def table(self) -> "pa.Table":
        """Return an Arrow table with a row per history (unique_id, values, known), for a file; `from_table` reads it."""
        import pyarrow as pa

        lists = [
            pa.FixedSizeListArray.from_arrays(pa.array(array.ravel(), kind), array.shape[1])
            for array, kind in ((self.values, pa.float64()), (self.known, pa.bool_()))
        ]
        about = {"first": self.first, "moments": self.moments.tolist(), "starts": self.starts.tolist()}
        columns = {"unique_id": pa.array(self.ids, pa.string()), "values": lists[0], "known": lists[1]}
        return pa.table(columns).replace_schema_metadata({"nodes": json.dumps(about)})

    @classmethod
    def from_table(cls, table: "pa.Table") -> Self:
        """Read what `table` returned."""
        about = json.loads(table.schema.metadata[b"nodes"])
        lists = [table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False) for name in ("values", "known")]
        values, known = (array.reshape(table.num_rows, -1) for array in lists)
        moments, starts = (np.array(about[name], dtype=np.int64) for name in ("moments", "starts"))
        ids = np.asarray(table["unique_id"].to_pylist(), dtype=object)
        return cls(ids, about["first"], values, moments, known, starts)


@dataclass(frozen=True)
class Wide:
    """A training set with one row per series, in the order of their ids: `keys` (what does not change from month to month), and `values`
    [series, months] from month number `first` on.
    """

    keys: pd.DataFrame
    first: int
    values: np.ndarray

    @classmethod
    def of(cls, train: pd.DataFrame) -> Self:
        """Arrange a training set."""
        rows, ids = pd.factorize(train["unique_id"], sort=True)
        months = month_number(train["ds"])
        first = int(months.min())
        values = np.full((len(ids), int(months.max()) - first + 1), np.nan)
        values[rows, months - first] = train["y"].to_numpy(dtype=np.float64)
        keys = train.drop(columns=OF_A_MONTH, errors="ignore").drop_duplicates("unique_id")
        return cls(keys.sort_values("unique_id", ignore_index=True), first, values)

    def keys_at(self, moment: int) -> pd.DataFrame:
        """Return the keys of the series that have a value in a month: those that are known there."""
        return self.keys[np.isfinite(self.values[:, moment - self.first])]

    def nodes_at(self, moment: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids and histories [nodes, months up to it] of what `as_nodes` says of the series with a value in a month."""
        column = moment - self.first
        values = self.values[np.isfinite(self.values[:, column]), : column + 1]
        hierarchy = Hierarchy.of(self.keys_at(moment))
        own = np.flatnonzero(hierarchy.first_alike() == np.arange(len(hierarchy.nodes)))
        known = hierarchy.add_up(np.isfinite(values).astype(float))[own] > 0
        sums = hierarchy.add_up(np.where(np.isfinite(values), values, 0.0))[own]
        ids = node_ids(hierarchy)[own]
        order = np.argsort(ids)
        return ids[order], np.where(known, sums, np.nan)[order]

    def nodes(self, moments: Sequence[int]) -> Nodes:
        """Return every node's histories as they were known at these months (month numbers)."""
        moments = np.unique(moments)
        found = _Histories(self.values.shape[1], len(moments))
        starts = np.zeros(len(moments), dtype=np.int64)
        for place in range(
            len(moments) - 1, -1, -1
        ):  # the last month's first: those before mostly are the beginning of it
            ids, history = self.nodes_at(int(moments[place]))
            starts[place] = self.first + int(np.isfinite(history).any(axis=0).argmax())
            found.add(place, ids, history)
        order = np.argsort(found.ids, kind="stable")
        return Nodes(found.ids[order], self.first, found.values[order], moments, found.known[order], starts)


class _Histories:
    """Histories gathered month by month: a row is added only for one that does not begin an earlier row of the same node."""

    def __init__(self, width: int, n_moments: int) -> None:
        self.ids = np.array([], dtype=object)
        self.values = np.empty((0, width))
        self.known = np.empty((0, n_moments), dtype=bool)
        self.names = pd.Index(self.ids)  # of all nodes so far, each once
        self.row = np.array([], dtype=np.int64)  # where the history stands that each of them had in the month before

    def add(self, place: int, ids: np.ndarray, history: np.ndarray) -> None:
        """Note the histories [nodes, months] that nodes had at the moment in this place."""
        name = self.names.get_indexer(ids)
        same = name >= 0
        seen = self.values[self.row[name[same]], : history.shape[1]]
        own = history[same]
        same[same] = ((seen == own) | (np.isnan(seen) & np.isnan(own))).all(axis=1)
        self.known[self.row[name[same]], place] = True
        fresh, other = ids[~same], name[~same]
        row = len(self.ids) + np.arange(len(fresh))
        values = np.full((len(fresh), self.values.shape[1]), np.nan)
        values[:, : history.shape[1]] = history[~same]
        known = np.zeros((len(fresh), self.known.shape[1]), dtype=bool)
        known[:, place] = True
        self.ids = np.concatenate([self.ids, fresh])
        self.values, self.known = np.concatenate([self.values, values]), np.concatenate([self.known, known])
        self.row[other[other >= 0]] = row[other >= 0]
        self.names = self.names.append(pd.Index(fresh[other < 0], dtype=object))
        self.row = np.concatenate([self.row, row[other < 0]])
