"""Walk-forward: what a model would have said at past cutoffs, from what was known then.

A cutoff is the last known month. A model sees the rows up to it and nothing else.
"""

import copy
from collections.abc import Iterable, Sequence

import pandas as pd

from forecasting.contracts import FLOWS, MAX_HORIZON, RAW_BACKTEST_COLUMNS
from forecasting.models import Model, forecast
from forecasting.series import as_nodes, from_nodes

MIN_TRAIN_MONTHS = 24
HELD_OUT = 2  # the last cutoffs, which choose nothing
CALIBRATION, CHOICE, HELD_OUT_SET, RECENT = "calibration", "choice", "held_out", "recent"
COMPARED = (CHOICE, HELD_OUT_SET)  # the cutoffs at which every horizon is observed: only these measure and choose


def cutoffs(
    months: Iterable[pd.Timestamp],
    horizon: int = MAX_HORIZON,
    n_cutoffs: int = 6,
    min_train_months: int = MIN_TRAIN_MONTHS,
    step: int = 1,
) -> list[pd.Timestamp]:
    """Return the last `n_cutoffs` cutoffs, in order of time: fewer, possibly none, where the history is short.

    Parameters
    ----------
    months: the months of the domain, in any order, repeated or not.
    horizon: months that stay observed after the last cutoff.
    min_train_months: months known at the first cutoff, itself included.
    step: months from one cutoff to the next.
    """
    known = sorted(pd.unique(pd.Series(list(months), dtype="datetime64[ns]")))
    last = len(known) - 1 - horizon
    positions = range(last, min_train_months - 2, -step)[:n_cutoffs]
    return [pd.Timestamp(known[position]) for position in reversed(positions)]


def plan_cutoffs(
    months: Iterable[pd.Timestamp],
    horizon: int = MAX_HORIZON,
    n_cutoffs: int = 6,
    n_calibration: int = 12,
    min_train_months: int = MIN_TRAIN_MONTHS,
    step: int = 1,
) -> pd.DataFrame:
    """Return the cutoffs and what each is for, in order of time: cutoff, evaluation_set.

    The last two are 'held_out': they choose nothing and are what the report quotes. Those before them are 'choice'. Up
    to `n_calibration` still earlier ones are 'calibration': they only give the intervals of the later ones their
    residuals. With one or two cutoffs all are held out, and nothing is chosen.
    """
    found = cutoffs(months, horizon, n_cutoffs + n_calibration, min_train_months, step)
    sets = [CALIBRATION] * max(len(found) - n_cutoffs, 0)
    sets += [CHOICE] * max(len(found) - len(sets) - HELD_OUT, 0)
    sets += [HELD_OUT_SET] * (len(found) - len(sets))
    recent = cutoffs(months, 1, horizon - 1, min_train_months)
    found, sets = found + recent, sets + [RECENT] * len(recent)
    return pd.DataFrame(
        {"cutoff": pd.Series(found, dtype="datetime64[ns]"), "evaluation_set": pd.Series(sets, dtype=str)}
    )


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
