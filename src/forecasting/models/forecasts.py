"""Forecasting with any model: the fallback where it cannot speak, zero where a series has ended."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.contracts import QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.models.base import Model, quantile_forecast
from forecasting.models.naive import seasonal_naive
from forecasting.series import Panel, mean, panel


def forecast(model: Model, history: pd.DataFrame, horizon: int, flow: bool) -> pd.DataFrame:
    """Forecast every series of `history`, with the fallback where the model cannot or must not speak.

    A flow with twelve trailing zero months has ended: 0. A series with fewer than `model.min_history` months, or for
    which the model gives no finite number, gets the seasonal naive if it has twelve months, else the mean of its
    months. All of these are flagged.

    Parameters
    ----------
    history: one row per unique_id, ds with column y; a stock (`flow` False) never ends.

    Returns
    -------
    One row per unique_id, horizon, in that order: unique_id, ds, horizon, q025 … q975, is_fallback.
    """
    known = panel(history)
    found = _forecasts(model, model.predict_panel, known, horizon, flow)
    result = quantile_forecast(known.ids, known.last, found.quantiles)
    return result.assign(is_fallback=np.repeat(found.is_fallback, horizon))


class Forecasts(NamedTuple):
    """Forecasts of several series: `quantiles` [series, horizon, 11] in the unit of y, `is_fallback` [series]."""

    quantiles: np.ndarray
    is_fallback: np.ndarray


def forecast_each(model: Model, known: Panel, horizon: int, flow: bool) -> Forecasts:
    """Do what `forecast` does, without the cost of tables; each series has the very bits that it has alone (`Model.predict_each`)."""
    return _forecasts(model, model.predict_each, known, horizon, flow)


def _forecasts(
    model: Model, predict: Callable[[Panel, int], np.ndarray], known: Panel, horizon: int, flow: bool
) -> Forecasts:
    """Forecast by one of the model's two ways; see `forecast`."""
    ended = _ended(known) if flow else np.zeros(len(known.ids), dtype=bool)
    able = ~ended & (known.lengths >= model.min_history)
    points = np.where(ended[:, None], 0.0, _fallback(known, horizon))
    quantiles = np.repeat(points[:, :, None], len(QUANTILE_COLUMNS), axis=2)
    if not able.any():
        return Forecasts(quantiles, ~able)
    predicted = predict(known.only(able), horizon)
    finite = np.isfinite(predicted).all(axis=(1, 2))
    able[able] = finite
    quantiles[able] = predicted[finite]
    return Forecasts(quantiles, ~able)


def _ended(known: Panel) -> np.ndarray:
    """Say which series have nothing but zeros in their last twelve months [series]."""
    year = known.values[:, -SEASON_LENGTH:]
    return (year.shape[1] == SEASON_LENGTH) & (year == 0).all(axis=1)


def _fallback(known: Panel, horizon: int) -> np.ndarray:
    """Return the seasonal naive where twelve months are known, else the mean [series, horizon]."""
    points = np.repeat(mean(known.values)[:, None], horizon, axis=1)
    seasonal = seasonal_naive(known, horizon)
    use = (known.lengths >= SEASON_LENGTH)[:, None] & np.isfinite(seasonal)
    return np.where(use, seasonal, points)
