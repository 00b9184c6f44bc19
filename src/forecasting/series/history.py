"""One series as a model of single series sees it: without gaps, in a unit of its own, and how far a forecast may leave it.

A model that extrapolates a trend or multiplies seasonal factors now and then leaves every plausible range: on the M3 competition's
strictly positive monthly series, exponential smoothing, complex smoothing and ARIMA gave forecasts of zero or below for 3 to 16 series
each. A wide bound from the history stops those and touches hardly any other forecast.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecasting.series.panels import Panel
from forecasting.series.seasonality import Season, seasons

# Decimals of a value in the unit of its history: what lies beyond them is rounding, which an optimiser would turn into another model.
DECIMALS = 9


@dataclass(frozen=True)
class History:
    """One series without gaps: the month number of its first value, and a value per month."""

    first: int
    values: np.ndarray

    @cached_property
    def months(self) -> np.ndarray:
        """Month number of each value."""
        return self.first + np.arange(len(self.values))

    @cached_property
    def scale(self) -> float:
        """Mean absolute value: the unit in which the series is modelled; 1 for a series of zeros."""
        return float(np.abs(self.values).mean()) or 1.0

    def scaled(self, scale: float) -> np.ndarray:
        """Return the values in such a unit."""
        return np.round(self.values / scale, DECIMALS)

    @cached_property
    def in_scale(self) -> np.ndarray:
        """The values in units of their own scale."""
        return self.scaled(self.scale)

    @cached_property
    def is_constant(self) -> bool:
        """Whether all values are the same: there is nothing to estimate."""
        return bool(np.ptp(self.in_scale) == 0)

    def continues(self, earlier: "History") -> bool:
        """Say whether this is the earlier history with no, or further, months after it."""
        return self.first == earlier.first and np.array_equal(self.values[: len(earlier.values)], earlier.values)


def histories(known: Panel) -> Iterator[tuple[str, History]]:
    """Yield each series by its id, from its first observation on; a missing month lies on the line between its neighbours."""
    for key, row, last in zip(known.ids, known.values, known.last, strict=True):
        months = np.flatnonzero(np.isfinite(row))
        values = np.interp(np.arange(months[0], len(row)), months, row[months])
        yield key, History(int(last) - len(values) + 1, values)


def history_bounds(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest forecast that each history [series, months] (NaN: no observation) allows [series].

    A series that was never negative stays within half its minimum and twice its maximum, so that it never turns negative; one that
    was never positive likewise, mirrored. A series of both signs may leave its range by the range's own width.
    """
    low = np.where(np.isfinite(values), values, np.inf).min(axis=1)
    high = np.where(np.isfinite(values), values, -np.inf).max(axis=1)
    span = high - low
    lower = np.select([low >= 0, high <= 0], [low / 2.0, low * 2.0], low - span)
    upper = np.select([low >= 0, high <= 0], [high * 2.0, high / 2.0], high + span)
    return lower, upper


def seasons_of(found: Sequence[History]) -> list[Season]:
    """Return the season of each history in units of its scale."""
    return seasons([one.in_scale for one in found], [one.months for one in found])


def within_history(points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return forecasts [series, horizons] cut to `history_bounds`; one that is not finite becomes NaN: there is no forecast."""
    lower, upper = history_bounds(values)
    return np.where(np.isfinite(points), np.clip(points, lower[:, None], upper[:, None]), np.nan)
