"""Walk-forward: what a model would have said at past cutoffs, from what was known then.

A cutoff is the last known month. A model sees the rows up to it and nothing else.
"""

import copy
from collections.abc import Sequence

import pandas as pd

from forecasting.contracts import FLOWS, MAX_HORIZON, RAW_BACKTEST_COLUMNS, BackTest
from forecasting.intervals import calibrate_backtest
from forecasting.models import Model, forecast
from forecasting.series import as_nodes, from_nodes


def known_at(train: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of `train` up to `cutoff`, of the series that have a value at it.

    A series that begins later, or that ended before, is not forecast at that cutoff.
    """
    past = train[train["ds"] <= cutoff]
    present = past.loc[past["ds"] == cutoff, "unique_id"]
    return past[past["unique_id"].isin(present)].reset_index(drop=True)


def forecast_nodes(model: Model, history: pd.DataFrame, horizon: int, flow: bool) -> pd.DataFrame:
    """Forecast every series of `history` and every region, category and the total, each by itself; they need not agree yet.

    Parameters
    ----------
    model: fitted on `series.as_nodes` of a history.
    history: of `known_at`, with region and product_category.

    Returns
    -------
    One row per aggregation, unique_id, horizon, in that order: aggregation, unique_id, ds, horizon, q025 … q975, is_fallback (as
    `models.forecast` says it).
    """
    return from_nodes(forecast(model, as_nodes(history), horizon, flow), history)


def walk_forward(
    model: Model, train: pd.DataFrame, domain: str, cutoffs: Sequence[pd.Timestamp], horizon: int = MAX_HORIZON
) -> pd.DataFrame:
    """Forecast every series and sum at every cutoff; the model is refitted at every `model.refit_every`-th, from the first on.

    Parameters
    ----------
    model: settings only; copies of it are fitted, it stays as it is.
    train: one row per unique_id, ds with columns region, product_category, y.
    cutoffs: in order of time.

    Returns
    -------
    One row per aggregation, unique_id, cutoff, horizon up to the last month of `train` (RAW_BACKTEST_COLUMNS), without the
    actuals. Series and sums are forecast each by itself (`intervals` makes them agree). A forecast has all its nodes, also
    where a series has no value in a later month: `series.comparable` says which rows have an actual.
    """
    parts, fitted = [], model
    for number, cutoff in enumerate(cutoffs):
        history = known_at(train, cutoff)
        if number % model.refit_every == 0:
            fitted = copy.deepcopy(model).fit(as_nodes(history))
        rows = forecast_nodes(fitted, history, horizon, domain in FLOWS)
        parts.append(rows[rows["ds"] <= train["ds"].max()].assign(cutoff=cutoff, model_name=model.name))
    return pd.concat(parts, ignore_index=True)[RAW_BACKTEST_COLUMNS] if parts else empty_backtest()


def back_test(model: Model, train: pd.DataFrame, domain: str, cutoffs: pd.DataFrame, allow_negative: bool) -> BackTest:
    """Walk forward over the planned cutoffs (of `plan_cutoffs`) and calibrate what the model says there."""
    raw = walk_forward(model, train, domain, cutoffs["cutoff"])
    return calibrate_backtest(raw, train, domain, cutoffs, allow_negative)


def empty_backtest() -> pd.DataFrame:
    """Return a raw backtest without rows: what a history too short for any cutoff has."""
    kinds = {
        "aggregation": str,
        "unique_id": str,
        "model_name": str,
        "cutoff": "datetime64[ns]",
        "ds": "datetime64[ns]",
    }
    kinds |= {"horizon": "int64", "is_fallback": bool}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in RAW_BACKTEST_COLUMNS})
