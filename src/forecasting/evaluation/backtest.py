"""Walk-forward: what a model would have said at past cutoffs, from what was known then.

A cutoff is the last known month. A model sees the rows up to it and nothing else.
"""

import copy
from collections.abc import Sequence

import pandas as pd

from forecasting.contracts import FLOWS, MAX_HORIZON, RAW_BACKTEST_COLUMNS, SEASON_LENGTH, BackTest
from forecasting.evaluation.cutoffs import MIN_TRAIN_MONTHS
from forecasting.intervals import calibrate_backtest
from forecasting.models import Model, forecast
from forecasting.series import alike, as_nodes, from_nodes


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
    history: of `known_at`, with region and product_category, by which `series.alike` says whose season a new series has.

    Returns
    -------
    One row per aggregation, unique_id, horizon, in that order: aggregation, unique_id, ds, horizon, q025 … q975, is_fallback (as
    `models.forecast` says it).
    """
    nodes = as_nodes(history)
    return from_nodes(forecast(model, nodes, horizon, flow, alike(history, nodes)), history)


def walk_forward(
    model: Model, train: pd.DataFrame, domain: str, cutoffs: Sequence[pd.Timestamp], horizon: int = MAX_HORIZON
) -> pd.DataFrame:
    """Forecast every series and sum at every cutoff, by a model that was fitted in its `refit_month`.

    Parameters
    ----------
    model: settings only; copies of it are fitted, it stays as it is.
    train: one row per unique_id, ds with columns region, product_category, y.
    cutoffs: in order of time.

    Returns
    -------
    One row per aggregation, unique_id, cutoff, horizon (RAW_BACKTEST_COLUMNS), without the actuals; months after the last one of
    `train` are there too, what was said of them is measured once they are known. Series and sums are forecast each by itself
    (`intervals` makes them agree). A forecast has all its nodes, also where a series has no value in a later month:
    `series.comparable` says which rows have an actual. What is said at a cutoff follows from the rows of `train` up to it alone,
    whatever other cutoffs are asked for.
    """
    parts, fitted, fitted_in = [], model, None
    for cutoff in cutoffs:
        month = refit_month(cutoff, train["ds"].min(), model.refit_every)
        if month != fitted_in:
            fitted, fitted_in = copy.deepcopy(model).fit(as_nodes(known_at(train, month))), month
        parts.append(said(fitted, train, domain, cutoff, horizon))
    return pd.concat(parts, ignore_index=True) if parts else empty_backtest()


def said(
    model: Model, train: pd.DataFrame, domain: str, cutoff: pd.Timestamp, horizon: int = MAX_HORIZON
) -> pd.DataFrame:
    """Return what a fitted model says at one cutoff, from the rows of `train` up to it (RAW_BACKTEST_COLUMNS)."""
    rows = forecast_nodes(model, known_at(train, cutoff), horizon, domain in FLOWS)
    return rows.assign(cutoff=cutoff, model_name=model.name)[RAW_BACKTEST_COLUMNS]


def refit_month(cutoff: pd.Timestamp, first: pd.Timestamp, every: int) -> pd.Timestamp:
    """Return the month up to which the model that forecasts at a cutoff has learned.

    Refits stand on the calendar, for example in every January and July, so that a cutoff is forecast by the same model however many
    others are asked for. Where fewer than MIN_TRAIN_MONTHS were known there (`first` is the first month of all), the model is fitted
    as soon as that many are.
    """
    on_the_grid = cutoff - pd.DateOffset(months=(cutoff.year * SEASON_LENGTH + cutoff.month - 1) % every)
    enough = first + pd.DateOffset(months=MIN_TRAIN_MONTHS - 1)
    return max(on_the_grid, min(enough, cutoff))


def continued(
    model: Model,
    before: pd.DataFrame,
    train: pd.DataFrame,
    domain: str,
    trained: pd.Timestamp,
    cutoffs: Sequence[pd.Timestamp],
) -> pd.DataFrame:
    """Return what a model said at the cutoffs, where it is kept: up to its own last month as it was noted then, since then by itself.

    Parameters
    ----------
    model: fitted on the months up to `trained`; it learns nothing more.
    before: its walk-forward of that time (RAW_BACKTEST_COLUMNS).

    Returns
    -------
    RAW_BACKTEST_COLUMNS, as `walk_forward` does. A cutoff that was not planned then, earlier than `trained`, is not there.
    """
    known = before[before["cutoff"].isin([cutoff for cutoff in cutoffs if cutoff < trained])]
    return pd.concat(
        [known, *(said(model, train, domain, cutoff) for cutoff in cutoffs if cutoff >= trained)], ignore_index=True
    )


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
