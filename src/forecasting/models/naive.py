"""The baselines: last month again, and the same month of last year again, against which every model is measured."""

from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts import QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.models.base import Model, quantile_forecast
from forecasting.series import Panel, panel


def last_known(values: np.ndarray) -> np.ndarray:
    """Return the last observed value of each row [series] of `values` [series, months]; NaN where there is none."""
    known = np.isfinite(values)
    column = values.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    return np.where(known.any(axis=1), values[np.arange(len(values)), column], np.nan)


def seasonal_naive(history: Panel, horizon: int) -> np.ndarray:
    """Return the latest known value of each forecast month's calendar month [series, horizon]; NaN if none is known."""
    years = -(-history.values.shape[1] // SEASON_LENGTH)
    missing = years * SEASON_LENGTH - history.values.shape[1]
    padded = np.hstack([np.full((len(history.values), missing), np.nan), history.values])
    by_month = padded.reshape(len(padded), years, SEASON_LENGTH)
    season = np.column_stack([last_known(by_month[:, :, month]) for month in range(SEASON_LENGTH)])
    return season[:, np.arange(horizon) % SEASON_LENGTH]


def _points(points: np.ndarray) -> np.ndarray:
    """Return points [series, horizon] as eleven equal quantiles [series, horizon, 11]."""
    return np.repeat(points[:, :, None], len(QUANTILE_COLUMNS), axis=2)


class Naive(Model):
    """The last known month, repeated."""

    name = "naive"
    family = "naive"
    title = "naive"
    what = "the last month, repeated"
    learns = False
    is_local = True
    side_by_side = True
    quick = True
    window_size = 1

    def fit(self, train: pd.DataFrame) -> Self:
        """Nothing to learn."""
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`."""
        known = panel(history)
        return quantile_forecast(known.ids, known.last, self.predict_panel(known, horizon))

    def predict_panel(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_panel`."""
        return _points(np.repeat(last_known(known.values)[:, None], horizon, axis=1))


class SeasonalNaive(Model):
    """The same month of the last year, repeated; the yardstick of MASE and of forecast value added."""

    name = "seasonal_naive"
    family = "naive"
    title = "seasonal naive"
    what = "the same month of last year, repeated"
    learns = False
    is_local = True
    side_by_side = True
    quick = True
    min_history = SEASON_LENGTH
    window_size = SEASON_LENGTH

    def fit(self, train: pd.DataFrame) -> Self:
        """Nothing to learn."""
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`."""
        known = panel(history)
        return quantile_forecast(known.ids, known.last, self.predict_panel(known, horizon))

    def predict_panel(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_panel`."""
        return _points(seasonal_naive(known, horizon))


MODELS = (Naive, SeasonalNaive)
