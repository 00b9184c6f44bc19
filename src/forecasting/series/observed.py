"""What happened to series and their sums, arranged once for everything that is compared with it."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from forecasting.series.hierarchy import Hierarchy
from forecasting.series.panels import Grid, Panel, month_number, month_start
from forecasting.series.typical_error import SCALE_COLUMNS, described_panel, still


@dataclass(frozen=True, eq=False)
class Observed:
    """The actuals of a training set: `values` [nodes, months], in the order of the hierarchy's nodes and from month number `first` on.

    NaN where nothing is known. Rows of forecasts say by `node`, its number in the hierarchy, which of them they are of: looking up by
    number costs little where by name it would cost most of the time.
    """

    hierarchy: Hierarchy
    first: int
    values: np.ndarray
    _scales: dict[pd.Timestamp, dict[str, np.ndarray]] = field(default_factory=dict)
    _still: dict[pd.Timestamp, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, train: pd.DataFrame) -> Self:
        """Arrange a training set."""
        hierarchy, rows = Hierarchy.placing(train)
        months = month_number(train["ds"])
        first = int(months.min()) if len(months) else 0
        series = np.full((hierarchy.n_series, int(months.max(initial=first)) - first + 1), np.nan)
        series[rows, months - first] = train["y"].to_numpy(dtype=np.float64)
        known = hierarchy.add_up(np.isfinite(series).astype(float)) > 0
        sums = hierarchy.add_up(np.where(np.isfinite(series), series, 0.0))
        return cls(hierarchy, first, np.where(known, sums, np.nan))

    @property
    def last(self) -> pd.Timestamp:
        """The last month."""
        return pd.Timestamp(month_start(np.array([self.first + self.values.shape[1] - 1]))[0])

    def columns(self, ds: pd.Series) -> np.ndarray:
        """Return the column of `values` of each month; −1 where there is none."""
        found = month_number(ds) - self.first
        return np.where((found >= 0) & (found < self.values.shape[1]), found, -1)

    def y(self, node: np.ndarray, ds: pd.Series) -> np.ndarray:
        """Return what happened to nodes in these months [n]; NaN where nothing is known."""
        column = self.columns(ds)
        return np.where(column >= 0, self.values[node, column], np.nan)

    def is_comparable(self, node: np.ndarray, ds: pd.Series) -> np.ndarray:
        """Say which rows of the forecasts from one cutoff have an actual of their own kind [n] (see `hierarchy.comparable`)."""
        return self.hierarchy.comparable(node, month_number(ds), np.isfinite(self.y(node, ds)))

    def still(self, cutoff: pd.Timestamp) -> np.ndarray:
        """Return the numbers of the series that hardly changed up to a cutoff (`typical_error.still`)."""
        if cutoff not in self._still:
            known = self.until(slice(0, self.hierarchy.n_series), cutoff)
            self._still[cutoff] = known.ids[still(known)]
        return self._still[cutoff]

    def scales(self, cutoff: pd.Timestamp) -> dict[str, np.ndarray]:
        """Return what `typical_error.scales` says of every node at a cutoff, column by column [nodes]; NaN where nothing was known."""
        if cutoff not in self._scales:
            self._scales[cutoff] = self._described(cutoff)
        return self._scales[cutoff]

    def _described(self, cutoff: pd.Timestamp) -> dict[str, np.ndarray]:
        """Do what `scales` does."""
        parts = [described_panel(self.until(nodes, cutoff)) for nodes in self.hierarchy.slices()]
        together = pd.concat(parts, ignore_index=True)
        node, found = together["unique_id"].to_numpy(dtype=int), {}
        for name in SCALE_COLUMNS[3:]:
            own = together[name].to_numpy()
            found[name] = np.full(len(self.values), False if own.dtype == bool else np.nan)
            found[name][node] = own
        return found

    def until(self, nodes: slice, cutoff: pd.Timestamp) -> Panel:
        """Return the histories of an aggregation's nodes as they were known at a cutoff; their ids are the nodes' numbers."""
        return Grid(np.arange(len(self.values))[nodes], self.values[nodes], self.first).until(cutoff)
