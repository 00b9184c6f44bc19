"""A model as it is served: loaded once, with the calibration and the settings of the run that it belongs to.

It is never changed after it was loaded, so any number of threads may ask it at once, and who has begun to use it goes on with it when
another takes its place.
"""

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from forecasting import evaluation, models
from forecasting.contracts import AGGREGATIONS, FLOWS, MAX_HORIZON, SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.intervals import ENTRIES, LEVELS, MIDDLE, SIMPLEST, Calibration, calibrate_forecasts, moved_to
from forecasting.models import Model
from forecasting.series import BUCKETS, Panel, bucket_of, intermittent, lowest, month_start, typical_error, unrest

# where the entries of series begin, and those of what is zero now and then
SERIES, INTERMITTENT = (LEVELS.index(level) * len(BUCKETS) for level in (AGGREGATIONS[0], "intermittent"))


class Series(NamedTuple):
    """One series that somebody hands in: a value for each month [months], the last of them of the month number `last`."""

    values: np.ndarray
    last: int


class SeriesForecast(NamedTuple):
    """The forecast of one series: quantiles [horizon, 11] in the unit of its values, and where its interval comes from.

    `months` [horizon] are datetime64[ns]; `interval_n` [horizon] is the number of errors in the pool `interval_pool` [horizon].
    `was_cut` [horizon, 11] says which quantiles were below zero and are zero because the domain may not be below it.
    """

    months: np.ndarray
    quantiles: np.ndarray
    is_fallback: bool
    interval_pool: np.ndarray
    interval_n: np.ndarray
    was_cut: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """The point forecasts, which are the medians [horizon]."""
        return self.quantiles[:, MIDDLE]


class Origin(NamedTuple):
    """Where a served model comes from; None throughout for a folder that no run is known of."""

    run_id: str | None = None
    version: str | None = None
    cutoff: str | None = None
    published_at: dt.datetime | None = None
    unit: str | None = None


UNKNOWN = Origin()


@dataclass(frozen=True)
class ServedModel:
    """A loaded model of a domain that gives what notebook 40 gives: points, intervals, sign policy, sums that add up."""

    domain: str
    model: Model
    calibration: Calibration
    allow_negative: bool
    origin: Origin = UNKNOWN

    @classmethod
    def load(
        cls, folder: Path, domain: str, calibration: Calibration, allow_negative: bool, origin: Origin = UNKNOWN
    ) -> Self:
        """Load a saved model and have it forecast a made-up series, so that what is damaged shows now.

        Raises
        ------
        UserError
            If a file is missing or damaged.
        """
        try:
            found = cls(domain, models.load(folder), calibration, allow_negative, origin)
            found.forecast_series([found.example()], MAX_HORIZON)
            one_thread()  # now that every library is loaded which the model uses
        except UserError:
            raise
        except Exception as error:  # a damaged file fails in as many ways as there are libraries that read it
            raise UserError(
                f"The saved model in {folder} is damaged ({type(error).__name__}: {error}). Train it again with "
                "`make report`, or bring the folder back from a backup."
            ) from error
        return found

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def is_flow(self) -> bool:
        """Whether the domain sums over a month, so that a series of twelve empty months has ended."""
        return self.domain in FLOWS

    @property
    def window_size(self) -> int | None:
        """How many months the model looks back; None: as many as there are."""
        return self.model.window_size

    @property
    def min_history(self) -> int:
        """How many months a series needs for more than the fallback; of a combination, for one of its members to speak."""
        return self.model.min_history

    @property
    def quick(self) -> bool:
        """Whether many series take some thousandths of a second."""
        return self.model.quick

    def at(self, origin: Origin) -> Self:
        """Return the same model with what is known of its run now."""
        return replace(self, origin=origin)

    def example(self) -> Series:
        """Return a made-up series of as many months as the model looks at, or of three years."""
        months = np.arange(max(self.window_size or 3 * SEASON_LENGTH, self.min_history))
        return Series(100.0 + months + 20.0 * np.sin(2 * np.pi * months / SEASON_LENGTH), 12 * 55)

    def forecast(self, train: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """Forecast every series, region, category and the total after the last month of a training set, as notebook 40 does.

        `train` has unique_id, ds, y, region, product_category. Returns FORECAST_COLUMNS, one row per aggregation, unique_id, horizon.
        """
        history = evaluation.known_at(train, train["ds"].max())
        raw = evaluation.forecast_nodes(self.model, history, horizon, self.is_flow)
        return calibrate_forecasts(
            raw, train, self.domain, self.name, "published", self.calibration, self.allow_negative
        ).rows

    def forecast_series(self, series: Sequence[Series], horizon: int) -> list[SeriesForecast]:
        """Forecast series of equal length, each for itself: `forecast` of a training set that holds nothing else, without the tables.

        Each has the very bits that it has when it is asked for alone, whatever others are asked for with it.
        """
        known = _panel(series)
        found = models.forecast_each(self.model, known, horizon, self.is_flow)
        own = found.quantiles.reshape(-1, found.quantiles.shape[2])
        points_below = own[:, MIDDLE] < 0.0
        if not self.allow_negative:
            own = moved_to(np.maximum(own[:, MIDDLE], 0.0), own)
        begin = np.where(intermittent(known), INTERMITTENT, SERIES)
        index = (begin[:, None] + bucket_of(np.arange(1, horizon + 1))).ravel()
        described = (np.repeat(each, horizon) for each in (typical_error(known), unrest(known), lowest(known)))
        moved = self.calibration.moved(index, own, *described)
        was_cut = np.zeros(moved.quantiles.shape, dtype=bool)
        quantiles = moved.quantiles
        if not self.allow_negative:
            was_cut = quantiles < 0.0
            was_cut[:, MIDDLE] = points_below
            quantiles = np.maximum(quantiles, 0.0)
        months = month_start(known.last[:, None] + np.arange(1, horizon + 1))
        parts = (
            part.reshape(len(series), horizon, *part.shape[1:]) for part in (quantiles, moved.pool, moved.n, was_cut)
        )
        return [
            SeriesForecast(month, row, bool(fallback), pool, n, cut)
            for month, row, pool, n, cut, fallback in zip(months, *parts, found.is_fallback, strict=True)
        ]


def _panel(series: Sequence[Series]) -> Panel:
    """Return series of equal length side by side."""
    ids = np.array([f"{number:06d}" for number in range(len(series))], dtype=object)
    return Panel.of(ids, np.array([one.values for one in series], dtype=float), np.array([one.last for one in series]))


def uncalibrated() -> Calibration:
    """Return the calibration of a model of which no past errors are known: its own quantiles, each series for itself."""
    nothing: dict[str, Any] = {"pool": "none", "n": 0, "offsets": [0.0] * 11, "corrections": [0.0] * 11}
    return Calibration(SIMPLEST, {}, {f"{level}, {bucket}": nothing for level, bucket in ENTRIES})


def one_thread() -> None:
    """Let numerical libraries use one thread each, for the whole process: with more they add up in another order than notebooks do."""
    threadpool_limits(limits=1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
