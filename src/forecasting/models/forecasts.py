"""Forecasting with any model: the fallback where it cannot speak, zero where a series has ended, no change where there never was one."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.contracts import MIDDLE, QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.models.base import Model, quantile_forecast
from forecasting.models.naive import last_known, seasonal_naive
from forecasting.series import Panel, flat, mean, panel, still

# Of the absolute values of series alike: what their sum must be, so that gains and losses do not make a tiny one.
MOSTLY = 0.5


def forecast(
    model: Model,
    history: pd.DataFrame,
    horizon: int,
    flow: bool,
    alike: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Forecast every series of `history`, with the fallback where the model cannot or must not speak.

    A flow with twelve trailing zero months has ended: 0. A series with fewer than `model.min_history` months, or for
    which the model gives no finite number, gets the seasonal naive if it has twelve months, else the mean of its
    months; below 13 months it gets what a model that learns says of those it is like, at its own level. All of these
    are flagged. A series that is `series.still` goes on as it did, whatever a model learned from others: the last
    month again or, where it has a season, the seasonal naive.

    Parameters
    ----------
    history: one row per unique_id, ds with column y; a stock (`flow` False) never ends.
    alike: of `series.alike`, whom series of less than 13 months are like; None: nobody.

    Returns
    -------
    One row per unique_id, horizon, in that order: unique_id, ds, horizon, q025 … q975, is_fallback.
    """
    known = panel(history)
    return with_others(model, forecast_by(model, model.predict_panel, known, horizon, flow), known, alike).table(known)


class Forecasts(NamedTuple):
    """Forecasts of several series: `quantiles` [series, horizon, 11] in the unit of y, `is_fallback` [series]."""

    quantiles: np.ndarray
    is_fallback: np.ndarray

    def table(self, known: Panel) -> pd.DataFrame:
        """Return them as `forecast` does."""
        horizon = self.quantiles.shape[1]
        result = quantile_forecast(known.ids, known.last, self.quantiles)
        return result.assign(is_fallback=np.repeat(self.is_fallback, horizon))


def forecast_each(model: Model, known: Panel, horizon: int, flow: bool) -> Forecasts:
    """Do what `forecast` does, without the cost of tables; each series has the very bits that it has alone (`Model.predict_each`)."""
    return forecast_by(model, model.predict_each, known, horizon, flow)


def forecast_apart(model: Model, known: Panel, horizon: int, flow: bool) -> Forecasts:
    """Do what `forecast` does for a part of many series, whose bits do not hang on the part (`Model.predict_apart`).

    What a young series is like lies in other parts: `with_others` follows when all are there.
    """
    return forecast_by(model, model.predict_apart, known, horizon, flow)


def with_others(
    model: Model, found: Forecasts, known: Panel, alike: Mapping[str, Sequence[str]] | None = None
) -> Forecasts:
    """Return the forecasts with those of series in their first year that a model which learns takes from series alike."""
    if model.learns:
        _like_others(found, known, alike or {})
    return found


def forecast_by(
    model: Model, predict: Callable[[Panel, int], np.ndarray], known: Panel, horizon: int, flow: bool
) -> Forecasts:
    """Forecast by one of the model's ways, `predict_panel` or another; see `forecast`."""
    ended = _ended(known) if flow else np.zeros(len(known.ids), dtype=bool)
    able = ~ended & (known.lengths >= model.min_history)
    points = np.where(ended[:, None], 0.0, _fallback(known, horizon))
    quantiles = np.repeat(points[:, :, None], len(QUANTILE_COLUMNS), axis=2)
    unchanged = able & still(known) & model.learns
    if unchanged.any():
        quantiles[unchanged] = _unchanged(known.only(unchanged), horizon)[:, :, None]
    fallback = ~able
    able &= ~unchanged
    if not able.any():
        return Forecasts(quantiles, fallback)
    predicted = predict(known.only(able), horizon)
    finite = np.isfinite(predicted).all(axis=(1, 2))
    fallback[able] = ~finite
    able[able] = finite
    quantiles[able] = predicted[finite]
    return Forecasts(quantiles, fallback)


def _like_others(found: Forecasts, known: Panel, alike: Mapping[str, Sequence[str]]) -> None:
    """Give series that got a fallback in their first year the forecast of the sum of those they are like, at their own level.

    The level is the ratio of both over the months that both have seen, so neither the season of these months nor growth is taken for it.
    Nothing changes where that sum is near zero, or changes its sign, nor for one that has been the same in each month so far.
    """
    place, even = {key: number for number, key in enumerate(known.ids)}, flat(known)
    for key in alike.keys() & place.keys():
        row, rows = place[key], [place[other] for other in alike[key]]
        own, whole = known.values[row], known.values[rows].sum(axis=0)
        both = np.isfinite(own) & np.isfinite(whole)
        seen, ahead = whole[both].sum(), found.quantiles[rows, :, MIDDLE].sum(axis=0)
        steady = abs(seen) > MOSTLY * np.abs(whole[both]).sum() and (seen * ahead > 0).all()
        if steady and not even[row] and found.is_fallback[row] and (known.last[rows] == known.last[row]).all():
            found.quantiles[row] = (own[both].sum() / seen * ahead)[:, None]


def _ended(known: Panel) -> np.ndarray:
    """Say which series have nothing but zeros in their last twelve months [series]."""
    year = known.values[:, -SEASON_LENGTH:]
    return (year.shape[1] == SEASON_LENGTH) & (year == 0).all(axis=1)


def _unchanged(known: Panel, horizon: int) -> np.ndarray:
    """Return the last month again or, of a series with a season, the seasonal naive [series, horizon]."""
    seasonal = seasonal_naive(known, horizon)
    last = np.repeat(last_known(known.values)[:, None], horizon, axis=1)
    return np.where(flat(known)[:, None] | ~np.isfinite(seasonal), last, seasonal)


def _fallback(known: Panel, horizon: int) -> np.ndarray:
    """Return the seasonal naive where twelve months are known, else the mean [series, horizon]."""
    points = np.repeat(mean(known.values)[:, None], horizon, axis=1)
    seasonal = seasonal_naive(known, horizon)
    use = (known.lengths >= SEASON_LENGTH)[:, None] & np.isfinite(seasonal)
    return np.where(use, seasonal, points)
