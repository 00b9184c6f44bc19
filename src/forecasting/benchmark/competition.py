"""The project's forecasts of a competition set: the same models, combination and intervals as in a workspace.

There are four origins inside the training parts, the last one as many months before their end as are to be forecast. What the
models say there decides the weights of the combination, the intervals, and which model is chosen, by the evidence that a workspace asks
for at a first run (`evaluation/evidence`): the default combination, unless another model leads by more than luck. The gate's other rules
and the veto take no part: there is no incumbent to protect, and nothing is held out. Then all of them learn from the whole training
parts. A competition's series do not add up to anything, so there is nothing to reconcile.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from forecasting import engine, evaluation, models
from forecasting.benchmark.scoring import CHAMPION
from forecasting.choice import Gate
from forecasting.contracts import POINT, QUANTILE_COLUMNS
from forecasting.intervals import METHODS, Calibration, Past, naive_errors
from forecasting.models import Model, forecast
from forecasting.models.combination import Combination, MedianCombination, WeightedCombination
from forecasting.series import described, month_number

ROOT = Path(__file__).resolve().parents[3]
AGGREGATION, MEASURE = "series", "mase"
KEYS = ["aggregation", "unique_id", "cutoff"]
FEWEST = 13  # months of history that a series needs at an origin inside its training part
REFIT = 2  # costly models learn anew at every second inner origin; in between they only see the newer months
ORIGINS = 4  # inside the training parts: with one, the weights follow the luck of one stretch of time
COMPETITION_COLUMNS = ["unique_id", "ds", "horizon", "model_name", *QUANTILE_COLUMNS]


@dataclass
class Competition:
    """`forecasts` (COMPETITION_COLUMNS) of every model, the chosen one's as «champion» too, and the seconds that each needed.

    A model's seconds are those of its own work, of which there may be more than one piece at a time; the combinations' and the
    champion's are those of the clock, for all that they rest on.
    """

    forecasts: pd.DataFrame
    seconds: dict[str, float] = field(default_factory=dict)


def forecast_all(train: pd.DataFrame, horizon: int, name: str | None = None) -> Competition:
    """Forecast every series for the `horizon` months after its own last one.

    Parameters
    ----------
    train: one row per unique_id, ds with column y.
    name: of the competition set, which the pretrained network must not have seen; None for data that it cannot have seen.
    """
    started = time.perf_counter()
    earlier = [history for history in (until(train, months) for months in origins(horizon)) if len(history)]
    members = default_models(horizon, name)
    costly_first = reversed(members)  # what is begun last keeps one process alone
    work = [(member, part) for member in costly_first for part in stretches(member, earlier, train)]
    done = list(engine.mapped(partial(said, horizon=horizon), *zip(*work, strict=True)))
    seconds, past, future = dict.fromkeys((member.name for member in members), 0.0), [], []
    for (member, part), (found, taken) in zip(work, done, strict=True):
        (future if part[0] is train else past).extend(found)
        seconds[member.name] += taken
    known = pd.concat([scales(history) for history in earlier], ignore_index=True)
    past, future = combined(pd.concat(past), pd.concat(future), train, known, members)
    forecasts, best = calibrated(past, future, train, known), chosen(losses_at(past, train, known), horizon)
    seconds |= dict.fromkeys(("median", "weighted", CHAMPION), time.perf_counter() - started)
    champion = forecasts[forecasts["model_name"] == best].assign(model_name=CHAMPION)
    return Competition(pd.concat([forecasts, champion], ignore_index=True)[COMPETITION_COLUMNS], seconds)


def origins(horizon: int) -> list[int]:
    """Return how many months before the end of the training parts the inner origins lie, the earliest first."""
    return [horizon + number * (horizon // 3) for number in reversed(range(ORIGINS))]


def stretches(member: Model, earlier: list[pd.DataFrame], train: pd.DataFrame) -> list[list[pd.DataFrame]]:
    """Return the histories that are forecast with one fit each, to the first of them: those of the inner origins, then all of it."""
    every = min(member.refit_every, REFIT)
    return [*(earlier[first : first + every] for first in range(0, len(earlier), every)), [train]]


def said(member: Model, histories: list[pd.DataFrame], horizon: int) -> tuple[list[pd.DataFrame], float]:
    """Return what a model that has learned from the first of these histories says after each, and the seconds that it took."""
    begun = time.perf_counter()
    fitted = member.fit(histories[0])
    return [rows(fitted, history, horizon) for history in histories], time.perf_counter() - begun


def default_models(horizon: int, without: str | None = None) -> list[Model]:
    """Return the models that a workspace trains if nobody changes `params/default.yml`, with their default settings.

    Those that forecast a stated number of months directly reach as far as is asked. One that has learned before has not seen the set
    `without`: neither its test part, which none has, nor its training part, in which the inner origins lie.
    """
    values = yaml.safe_load((ROOT / "params" / "default.yml").read_text(encoding="utf-8"))
    given = {"horizon": horizon, "without": without}
    return [
        model
        for family in values["families"]
        for model in models.chosen(family, values.get(f"{family}_models"), **given)
    ]


def until(train: pd.DataFrame, months: int) -> pd.DataFrame:
    """Return each series without its last `months` months; series that are too short then are left out."""
    from_end = train.groupby("unique_id").cumcount(ascending=False)
    length = train.groupby("unique_id")["y"].transform("size")
    return train[(length >= months + FEWEST) & (from_end >= months)].reset_index(drop=True)


def rows(model: Model, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return a fitted model's forecasts after each series' own last month (RAW_BACKTEST_COLUMNS)."""
    found = forecast(model, history, horizon, flow=False).merge(last_months(history), on="unique_id")
    return found.assign(aggregation=AGGREGATION, model_name=model.name)


def combined(
    past: pd.DataFrame, future: pd.DataFrame, train: pd.DataFrame, known: pd.DataFrame, members: list[Model]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the combinations to the forecasts of the inner origins and to those that are wanted."""
    median, weighted = combinations(members_of(members))
    weighted.learn(models.member_errors(past, train.assign(aggregation=AGGREGATION), known, weighted.names))
    both: list[Combination] = [median, weighted]
    return tuple(
        pd.concat([raw, *(combination.combine(raw) for combination in both)], ignore_index=True)
        for raw in (past, future)
    )


def members_of(candidates: Sequence[Model]) -> list[Model]:
    """Return those of the models that are combined."""
    chosen = models.member_families(list(dict.fromkeys(model.family for model in candidates)))
    return [model for model in candidates if model.family in chosen]


def combinations(members: Sequence[Model]) -> tuple[MedianCombination, WeightedCombination]:
    """Return the combinations of some models, with their default settings."""
    return MedianCombination(members), WeightedCombination(members)


def scales(history: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each series at its last month: aggregation, unique_id, cutoff, and what `described` says."""
    return described(history).merge(last_months(history), on="unique_id").assign(aggregation=AGGREGATION)


def last_months(history: pd.DataFrame) -> pd.Series:
    """Return the last month of each series [unique_id -> cutoff]."""
    return history.groupby("unique_id")["ds"].max().rename("cutoff")


def calibrated(past: pd.DataFrame, future: pd.DataFrame, train: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Give every model's forecasts its intervals, from its errors at the inner origins."""
    measured = past.merge(train, on=["unique_id", "ds"]).merge(known, on=KEYS)
    wanted = future.merge(scales(train), on=KEYS)
    naive = naive_errors(train.assign(aggregation=AGGREGATION))
    parts = []
    for name, errors in measured.groupby("model_name", sort=True):
        found = Past.of([unreconciled(errors).assign(node=errors.groupby("unique_id").ngroup())], cut=False)
        own = unreconciled(wanted[wanted["model_name"] == name])
        parts.append(Calibration.fit(found, naive).apply(own, cut=False))
    return pd.concat(parts, ignore_index=True)


def losses_at(past: pd.DataFrame, train: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return what each model lost at the inner origins (of `evaluation.mean_losses`); an origin's number is its months from the end."""
    measured = past.merge(train, on=["unique_id", "ds"]).merge(known, on=KEYS)
    numbered = measured.assign(origin=from_end(measured, "cutoff", train))
    return evaluation.mean_losses(numbered[numbered["scale"] > 0], [MEASURE])


def from_end(rows: pd.DataFrame, column: str, train: pd.DataFrame) -> np.ndarray:
    """Return how many months after its series' last one a date of each row lies: below 0, before it."""
    return month_number(rows[column]) - month_number(rows["unique_id"].map(train.groupby("unique_id")["ds"].max()))


def chosen(losses: pd.DataFrame, horizon: int) -> str:
    """Return the model that is chosen by what all lost at past origins: the default, unless there is evidence for another."""
    if losses.empty:  # no series is long enough
        return evaluation.DEFAULT
    found = evaluation.evidence(losses, MEASURE, evaluation.DEFAULT, horizon)
    best = evaluation.strongest(found, evaluation.DEFAULT)
    return best if found.loc[best, "left_pct"] >= Gate().min_improvement_pct else evaluation.DEFAULT


def unreconciled(forecasts: pd.DataFrame) -> pd.DataFrame:
    """State the points as they are under every method: with one level there is nothing to make agree."""
    return forecasts.assign(**dict.fromkeys(METHODS, forecasts[POINT]))
