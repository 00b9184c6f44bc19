"""The models, one family a file. A new family is found by its file: nothing here needs to change for it."""

import importlib
import json
import pkgutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.contracts import QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.models.base import MODEL_FILE, Model, quantile_forecast
from forecasting.models.naive import seasonal_naive
from forecasting.series.features import Panel, mean, panel


def families() -> list[str]:
    """Return the families: the names of the files in this folder, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")


def family_models(family: str) -> tuple[type[Model], ...]:
    """Return the model classes of a family.

    Raises
    ------
    UserError
        If there is no such file; lists those that there are.
    """
    if family not in families():
        raise UserError(f"There is no model family {family}. The families are: {', '.join(families())}.")
    return importlib.import_module(f"{__name__}.{family}").MODELS


def get(name: str) -> type[Model]:
    """Return the model class called `name`, or raise a UserError that lists the names."""
    names = []
    for family in families():
        for model in family_models(family):
            if model.name == name:
                return model
            names.append(model.name)
    raise UserError(f"There is no model {name}. The models are: {', '.join(names)}.")


def load(directory: Path) -> Model:
    """Read a saved model of any family.

    Raises
    ------
    UserError
        If the folder holds no saved model.
    """
    path = Path(directory) / MODEL_FILE
    if not path.exists():
        raise UserError(f"{path} is missing: {directory} holds no saved model. Run the training notebook first.")
    content = json.loads(path.read_text(encoding="utf-8"))
    by_name = {model.name: model for model in family_models(content["family"])}
    return by_name[content["name"]].load(Path(directory))


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
    found = forecast_panel(model, known, horizon, flow)
    result = quantile_forecast(known.ids, known.last, found.quantiles)
    return result.assign(is_fallback=np.repeat(found.is_fallback, horizon))


class Forecasts(NamedTuple):
    """Forecasts of several series: `quantiles` [series, horizon, 11] in the unit of y, `is_fallback` [series]."""

    quantiles: np.ndarray
    is_fallback: np.ndarray


def forecast_panel(model: Model, known: Panel, horizon: int, flow: bool) -> Forecasts:
    """Do what `forecast` says for a history that is known as a panel, without the cost of tables."""
    ended = _ended(known) if flow else np.zeros(len(known.ids), dtype=bool)
    able = ~ended & (known.lengths >= model.min_history)
    points = np.where(ended[:, None], 0.0, _fallback(known, horizon))
    quantiles = np.repeat(points[:, :, None], len(QUANTILE_COLUMNS), axis=2)
    if not able.any():
        return Forecasts(quantiles, ~able)
    predicted = model.predict_panel(known.only(able), horizon)
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
