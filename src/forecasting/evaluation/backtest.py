"""Walk-forward: what a model would have said at past cutoffs, from what was known then.

A cutoff is the last known month. A model sees the rows up to it and nothing else.
"""

import copy
from collections.abc import Iterator, Sequence

import pandas as pd

from forecasting.contracts import FLOWS, MAX_HORIZON, RAW_BACKTEST_COLUMNS, SEASON_LENGTH, BackTest
from forecasting.engine import Engine
from forecasting.evaluation.cutoffs import MIN_TRAIN_MONTHS
from forecasting.evaluation.learning import Sample, drawn
from forecasting.evaluation.many import MANY, said_at_each, said_now
from forecasting.evaluation.shard import Asked
from forecasting.intervals import calibrate_backtest
from forecasting.models import Model, forecast, with_others
from forecasting.series import Wide, alike, as_nodes, from_nodes, month_number, panel


def known_at(train: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of `train` up to `cutoff`, of the series that have a value at it.

    A series that begins later, or that ended before, is not forecast at that cutoff.
    """
    past = train[train["ds"] <= cutoff]
    present = past.loc[past["ds"] == cutoff, "unique_id"]
    return past[past["unique_id"].isin(present)].reset_index(drop=True)


def forecast_nodes(
    model: Model, history: pd.DataFrame, horizon: int, flow: bool, engine: Engine | None = None
) -> pd.DataFrame:
    """Forecast every series of `history` and every region, category and the total, each by itself; they need not agree yet.

    Parameters
    ----------
    model: fitted on `series.as_nodes` of a history.
    history: of `known_at`, with region and product_category, by which `series.alike` says whose season a new series has.
    engine: where many series are forecast; None: here.

    Returns
    -------
    One row per aggregation, unique_id, horizon, in that order: aggregation, unique_id, ds, horizon, q025 … q975, is_fallback (as
    `models.forecast` says it).
    """
    nodes = as_nodes(history)
    known = panel(nodes)
    others = alike(history, known)
    if history["unique_id"].nunique() < MANY:
        return from_nodes(forecast(model, nodes, horizon, flow, others), history)
    found = said_now(model, known, horizon, flow, engine or Engine())
    return from_nodes(with_others(model, found, known, others).table(known), history)


def walk_forward(
    model: Model,
    train: pd.DataFrame,
    domain: str,
    cutoffs: Sequence[pd.Timestamp],
    horizon: int = MAX_HORIZON,
    engine: Engine | None = None,
    sample: Sample | None = None,
) -> pd.DataFrame:
    """Forecast every series and sum at every cutoff, by a model that was fitted in its `refit_month`.

    Parameters
    ----------
    model: settings only; copies of it are fitted, it stays as it is.
    train: one row per unique_id, ds with columns region, product_category, y.
    cutoffs: in order of time.
    engine: where many series are forecast; None: here.
    sample: how many a model of all series learns from; None: all.

    Returns
    -------
    One row per aggregation, unique_id, cutoff, horizon (RAW_BACKTEST_COLUMNS), without the actuals; months after the last one of
    `train` are there too, what was said of them is measured once they are known. Series and sums are forecast each by itself
    (`intervals` makes them agree). A forecast has all its nodes, also where a series has no value in a later month: which rows have an
    actual, `series.Observed.is_comparable` says. What is said at a cutoff follows from the rows of `train` up to it alone, whatever
    other cutoffs are asked for.
    """
    known = train["ds"].value_counts()
    few, many = ([cutoff for cutoff in cutoffs if (known.get(cutoff, 0) >= MANY) == large] for large in (False, True))
    fitted = _Fitted(model, train, sample)
    parts = dict(zip(few, _one_by_one(fitted, train, domain, few, horizon), strict=True))
    parts |= dict(zip(many, _in_shards(fitted, train, domain, many, horizon, engine), strict=True))
    return pd.concat([parts[cutoff] for cutoff in cutoffs], ignore_index=True) if parts else empty_backtest()


class _Fitted:
    """Copies of a model that learned up to a month each; the last one is remembered."""

    def __init__(self, model: Model, train: pd.DataFrame, sample: Sample | None) -> None:
        self.model, self.train = model, train
        self.sample = None if model.is_local else sample
        self.first = train["ds"].min()
        self.month, self.latest = None, model

    def refit_month(self, cutoff: pd.Timestamp) -> pd.Timestamp:
        """Return the month up to which the model has learned that forecasts at a cutoff."""
        return refit_month(cutoff, self.first, self.model.refit_every)

    def in_month(self, month: pd.Timestamp) -> Model:
        """Return the model that learned up to a month."""
        if month != self.month:
            nodes = drawn(as_nodes(known_at(self.train, month)), self.sample)
            self.latest, self.month = copy.deepcopy(self.model).fit(nodes), month
        return self.latest


def _one_by_one(
    fitted: _Fitted, train: pd.DataFrame, domain: str, cutoffs: Sequence[pd.Timestamp], horizon: int
) -> Iterator[pd.DataFrame]:
    """Yield what is said at each cutoff, of all series at once."""
    for cutoff in cutoffs:
        yield said(fitted.in_month(fitted.refit_month(cutoff)), train, domain, cutoff, horizon)


def _in_shards(
    fitted: _Fitted,
    train: pd.DataFrame,
    domain: str,
    cutoffs: Sequence[pd.Timestamp],
    horizon: int,
    engine: Engine | None,
) -> Iterator[pd.DataFrame]:
    """Yield what is said at each cutoff, of many series in shards."""
    if not cutoffs:
        return
    model, wide = fitted.model, Wide.of(train)
    asked = [Asked(*(int(month) for month in month_number([c, fitted.refit_month(c)]))) for c in cutoffs]
    nodes = wide.nodes([one.cutoff for one in asked] + [one.learned for one in asked if model.is_local])
    learned = {int(month_number([month])[0]): month for month in map(fitted.refit_month, cutoffs)}
    found = said_at_each(
        model, nodes, asked, horizon, domain in FLOWS, engine or Engine(), lambda month: fitted.in_month(learned[month])
    )
    for cutoff, (one, known, said_of) in zip(cutoffs, found, strict=True):
        keys = wide.keys_at(one.cutoff)
        rows = from_nodes(with_others(model, said_of, known, alike(keys, known)).table(known), keys)
        yield rows.assign(cutoff=cutoff, model_name=model.name)[RAW_BACKTEST_COLUMNS]


def said(
    model: Model,
    train: pd.DataFrame,
    domain: str,
    cutoff: pd.Timestamp,
    horizon: int = MAX_HORIZON,
    engine: Engine | None = None,
) -> pd.DataFrame:
    """Return what a fitted model says at one cutoff, from the rows of `train` up to it (RAW_BACKTEST_COLUMNS)."""
    rows = forecast_nodes(model, known_at(train, cutoff), horizon, domain in FLOWS, engine)
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
    engine: Engine | None = None,
) -> pd.DataFrame:
    """Return what a model said at the cutoffs, where it is kept: up to its own last month as it was noted then, since then by itself.

    Parameters
    ----------
    model: fitted on the months up to `trained`; it learns nothing more.
    before: its walk-forward of that time (RAW_BACKTEST_COLUMNS).
    engine: where many series are forecast; None: here.

    Returns
    -------
    RAW_BACKTEST_COLUMNS, as `walk_forward` does. A cutoff that was not planned then, earlier than `trained`, is not there.
    """
    known = before[before["cutoff"].isin([cutoff for cutoff in cutoffs if cutoff < trained])]
    return pd.concat(
        [known, *(said(model, train, domain, cutoff, engine=engine) for cutoff in cutoffs if cutoff >= trained)],
        ignore_index=True,
    )


def back_test(
    model: Model,
    train: pd.DataFrame,
    domain: str,
    cutoffs: pd.DataFrame,
    allow_negative: bool,
    engine: Engine | None = None,
    sample: Sample | None = None,
) -> BackTest:
    """Walk forward over the planned cutoffs (of `plan_cutoffs`; see `walk_forward`) and calibrate what the model says there."""
    raw = walk_forward(model, train, domain, cutoffs["cutoff"], engine=engine, sample=sample)
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
