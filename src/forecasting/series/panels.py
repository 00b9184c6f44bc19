"""Months as whole numbers, and histories side by side as arrays.

Months are counted from January 1970; a missing month is NaN and stays missing. A history is held as a `Panel` whose last column is
each series' own last known month. It begins with each series' first value that is not zero: here, and nowhere else, is decided what
of a table models, scales and intervals see.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd


def month_number(ds: pd.Series | pd.DatetimeIndex | np.ndarray) -> np.ndarray:
    """Return months since January 1970 for dates."""
    return np.asarray(ds, dtype="datetime64[M]").astype(np.int64)


def month_start(months: np.ndarray) -> np.ndarray:
    """Return the first day (datetime64[ns]) of each month number."""
    return np.asarray(months).astype("datetime64[M]").astype("datetime64[ns]")


@dataclass(frozen=True)
class Panel:
    """Histories side by side: one row per series, one column per month, ordered by `ids`.

    `values` [series, months] is right-aligned: its last column is the month `last[i]` of series i; NaN where there is
    no observation.
    """

    ids: np.ndarray
    values: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, ids: np.ndarray, values: np.ndarray, last: np.ndarray) -> Self:
        """Return the panel of these values, in which a series' history begins with its first value that is not zero.

        A product that is listed before it is sold has no history in the months before: they say nothing of its level, its season or
        the size of its changes. A series of zeros alone keeps them: that is all that is known of it.
        """
        begun = (np.isfinite(values) & (values != 0)).cumsum(axis=1) > 0
        before = ~begun & begun.any(axis=1, keepdims=True)
        return cls(ids, np.where(before, np.nan, values), last)

    @property
    def origins(self) -> np.ndarray:
        """Month number of every cell [series, months]."""
        return self.last[:, None] - np.arange(self.values.shape[1] - 1, -1, -1)

    @property
    def lengths(self) -> np.ndarray:
        """Number of observations of each series [series]."""
        return np.isfinite(self.values).sum(axis=1)

    def only(self, mask: np.ndarray) -> "Panel":
        """Return the series for which `mask` [series] is true."""
        return Panel(self.ids[mask], self.values[mask], self.last[mask])

    def table(self) -> pd.DataFrame:
        """Return the long table of which this is the panel, in order of unique_id and ds: every month from the first observation on."""
        rows, columns = np.nonzero(np.isfinite(self.values).cumsum(axis=1) > 0)
        months = month_start(self.origins[rows, columns])
        return pd.DataFrame({"unique_id": self.ids[rows], "ds": months, "y": self.values[rows, columns]})

    def extended(self, values: np.ndarray) -> "Panel":
        """Return the panel with further months [series, k] appended."""
        return replace(self, values=np.hstack([self.values, values]), last=self.last + values.shape[1])


def panel(frame: pd.DataFrame) -> Panel:
    """Arrange a long table (one row per unique_id, ds; column y) as a Panel, whatever the order of its rows; see `Panel.of`."""
    rows, ids = pd.factorize(frame["unique_id"], sort=True)
    months = month_number(frame["ds"])
    last = np.full(len(ids), np.iinfo(np.int64).min)
    np.maximum.at(last, rows, months)
    back = last[rows] - months
    width = int(back.max(initial=0)) + 1
    values = np.full((len(ids), width), np.nan)
    values[rows, width - 1 - back] = frame["y"].to_numpy(dtype=np.float64)
    return Panel.of(np.asarray(ids, dtype=object), values, last)


def mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the mean over the observed values along `axis`; NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class Grid:
    """Histories side by side by the calendar, from which the `Panel` that was known at any month is cut without looking at tables again.

    `values` [series, months] from the month `first` on; NaN where there is no observation. The series are in order of `ids`.
    """

    ids: np.ndarray
    values: np.ndarray
    first: int

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Arrange a long table (one row per unique_id, ds; column y)."""
        rows, ids = pd.factorize(frame["unique_id"], sort=True)
        months = month_number(frame["ds"])
        first = int(months.min(initial=np.iinfo(np.int64).max)) if len(months) else 0
        values = np.full((len(ids), int(months.max(initial=first)) - first + 1), np.nan)
        values[rows, months - first] = frame["y"].to_numpy(dtype=np.float64)
        return cls(np.asarray(ids, dtype=object), values, first)

    @classmethod
    def by_level(cls, actuals: pd.DataFrame) -> dict[str, Self]:
        """Arrange the series of each aggregation (aggregation, unique_id, ds, y) [aggregation -> grid]."""
        return {level: cls.of(part) for level, part in actuals.groupby("aggregation", sort=False)}

    def until(self, cutoff: pd.Timestamp) -> Panel:
        """Return what was known at a month: the same as `panel` of the rows up to it."""
        width = max(0, int(month_number(pd.DatetimeIndex([cutoff]))[0]) - self.first + 1)
        values = self.values[:, :width]
        known = np.isfinite(values)
        begun = known.any(axis=1)
        values, known = values[begun], known[begun]
        since = np.argmax(known[:, ::-1], axis=1) if width else np.zeros(0, dtype=int)  # each series' own last month
        length = values.shape[1] - since - np.argmax(known, axis=1) if width else since
        longest = int(length.max(initial=1))
        columns = np.arange(values.shape[1] - longest, values.shape[1]) - since[:, None]
        aligned = np.where(columns >= 0, np.take_along_axis(values, np.maximum(columns, 0), axis=1), np.nan)
        return Panel.of(self.ids[begun], aligned, self.first + values.shape[1] - 1 - since)


def by_cutoff(rows: pd.DataFrame) -> Iterator[tuple[pd.Timestamp, pd.DataFrame]]:
    """Yield the rows of each cutoff, the earliest first, as `groupby` does, but one after the other: that would sort a copy of all rows."""
    cutoffs = rows["cutoff"].to_numpy()
    for cutoff in np.unique(cutoffs):
        yield pd.Timestamp(cutoff), rows[cutoffs == cutoff]
