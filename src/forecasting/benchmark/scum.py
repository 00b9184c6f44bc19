"""The reference that runs side by side: SCUM, a simple combination of univariate models (Petropoulos and Svetunkov 2020).

The median of ETS, CES, ARIMA and the dynamic optimised Theta method, point by point and quantile by quantile, all four with
statsforecast's own settings. Nothing of this project's models is in it, and nothing of it is in them.
"""

import time

import numpy as np
import pandas as pd

from forecasting.benchmark.results import REFERENCE
from forecasting.contracts import POINT, QUANTILE_COLUMNS, QUANTILES, SEASON_LENGTH
from forecasting.intervals import ordered_around_point

MODELS = ("AutoETS", "AutoCES", "AutoARIMA", "DynamicOptimizedTheta")
INTERVAL_LEVELS = [20, 40, 60, 80, 95]


def forecast(train: pd.DataFrame, horizon: int, jobs: int) -> tuple[pd.DataFrame, float]:
    """Return SCUM's forecasts and the seconds they took.

    Parameters
    ----------
    train: one row per unique_id, ds with column y.

    Returns
    -------
    One row per unique_id, horizon: unique_id, ds, horizon, model_name, q025 … q975; and wall time.
    """
    from statsforecast import StatsForecast
    from statsforecast import models as available

    started = time.monotonic()
    chosen = [getattr(available, name)(season_length=SEASON_LENGTH, alias=name) for name in MODELS]
    fallback = available.SeasonalNaive(season_length=SEASON_LENGTH)
    found = StatsForecast(chosen, freq="MS", n_jobs=jobs, fallback_model=fallback).forecast(
        horizon, train, level=INTERVAL_LEVELS
    )
    seconds = time.monotonic() - started
    found = found.sort_values(["unique_id", "ds"], ignore_index=True)
    rows = found[["unique_id", "ds"]].assign(
        horizon=found.groupby("unique_id").cumcount() + 1, model_name=REFERENCE, ds=found["ds"].astype("datetime64[ns]")
    )
    medians = np.column_stack([np.nanmedian(found[columns_of(name)], axis=1) for name in QUANTILE_COLUMNS])
    rows[QUANTILE_COLUMNS] = ordered_around_point(medians)
    return rows, seconds


def columns_of(quantile: str) -> list[str]:
    """Return the columns of statsforecast that hold a quantile, one per model: «q900» is «AutoETS-hi-80» …"""
    if quantile == POINT:
        return list(MODELS)
    level = QUANTILES[QUANTILE_COLUMNS.index(quantile)]
    side = "lo" if level < 0.5 else "hi"
    return [f"{name}-{side}-{round(100 * abs(2 * level - 1))}" for name in MODELS]
