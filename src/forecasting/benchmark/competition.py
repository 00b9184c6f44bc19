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
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from forecasting import evaluation, models
from forecasting.benchmark.scoring import CHAMPION
from forecasting.choice import Gate
from forecasting.contracts import POINT, QUANTILE_COLUMNS
from forecasting.intervals import METHODS, Calibration, Past, naive_errors
from forecasting.models import Model, family_models, forecast, statistical
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
    """`forecasts` (COMPETITION_COLUMNS) of every model, the chosen one's as «champion» too, and the seconds that each needed."""

    forecasts: pd.DataFrame
    seconds: dict[str, float] = field(default_factory=dict)


def forecast_all(train: pd.DataFrame, horizon: int, jobs: int = 1) -> Competition:
    """Forecast every series for the `horizon` months after its own last one.

    Parameters
    ----------
    train: one row per unique_id, ds with column y.
    jobs: processes that models may use; it changes no number.
    """
    started, seconds = time.perf_counter(), {}
    earlier = [history for history in (until(train, months) for months in origins(horizon)) if len(history)]
    members, past, future = default_models(jobs, horizon), [], []
    for member in members:
        begun = time.perf_counter()
        for number, history in enumerate(earlier):
            fitted = member.fit(history) if number % min(member.refit_every, REFIT) == 0 else member
            past.append(rows(fitted, history, horizon))
        future.append(rows(member.fit(train), train, horizon))
        seconds[member.name] = time.perf_counter() - begun
    known = pd.concat([scales(history) for history in earlier], ignore_index=True)
    past, future = combined(pd.concat(past), pd.concat(future), train, known, members)
    forecasts, name = calibrated(past, future, train, known), chosen(losses_at(past, train, known), horizon)
    seconds |= dict.fromkeys(("median", "weighted", CHAMPION), time.perf_counter() - started)
    best = forecasts[forecasts["model_name"] == name].assign(model_name=CHAMPION)
    return Competition(pd.concat([forecasts, best], ignore_index=True)[COMPETITION_COLUMNS], seconds)


def origins(horizon: int) -> list[int]:
    """Return how many months before the end of the training parts the inner origins lie, the earliest first."""
    return [horizon + number * (horizon // 3) for number in reversed(range(ORIGINS))]


def default_models(jobs: int, horizon: int) -> list[Model]:
    """Return the models that a workspace trains if nobody changes `params/default.yml`, with their default settings.

    Those that forecast a stated number of months directly reach as far as is asked.
    """
    values = yaml.safe_load((ROOT / "params" / "default.yml").read_text(encoding="utf-8"))
    chosen = {model.name for model in statistical.chosen(values["statistical_models"])}
    found = [model for family in values["families"] for model in family_models(family)]
    given = {"jobs": jobs, "horizon": horizon}
    return [
        model(**{key: value for key, value in given.items() if key in model.defaults})
        for model in found
        if model.family != "statistical" or model.name in chosen
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
    """Return what is known of each series at its last month: aggregation, unique_id, cutoff, scale, typical_error."""
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
        found = Past.of(unreconciled(errors), cut=False)
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
