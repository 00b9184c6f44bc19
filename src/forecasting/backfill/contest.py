"""One month's contest of the models, and the forecast of the one that is chosen: what notebooks 25, 30 and 40 do, from what was said."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting import evaluation, intervals, models
from forecasting.backfill.said import of_month
from forecasting.contracts import AGGREGATIONS, FLOWS
from forecasting.files import digest, write_if_changed
from forecasting.models import Model
from forecasting.models.combination import Combination, MedianCombination, WeightedCombination
from forecasting.run import train_fingerprint

STATUS = "backfill"


@dataclass(frozen=True)
class Month:
    """What a month's forecast rests on, but for who was champion before.

    `tables` are where the files of `said.walk` lie by model, `saved` the folders of the models that have learned up to `trained`, `members`
    those that are combined. `settings` are the domain's, `stamps` those of the notebooks that combine, compare and forecast.
    """

    domain: str
    month: pd.Timestamp
    trained: pd.Timestamp
    train: pd.DataFrame
    tables: dict[str, list[Path]]
    saved: dict[str, Path]
    members: list[str]
    settings: dict[str, Any]
    stamps: dict[str, str]
    folder: Path

    @property
    def key(self) -> str:
        """What the contest rests on, as ten hex digits."""
        names = {name: [path.name for path in paths] for name, paths in self.tables.items()}
        known = train_fingerprint(self.train), f"{self.month:%Y-%m}", f"{self.trained:%Y-%m}"
        return digest(self.domain, known, names, self.members, self.settings, self.stamps)[:10]

    @property
    def cutoffs(self) -> pd.DataFrame:
        """The planned cutoffs of the month: cutoff, evaluation_set."""
        return planned(self.train, self.settings)

    @property
    def result(self) -> Path:
        """The folder with the month's leaderboard, losses and calibrations."""
        return self.folder / f"{self.month:%Y-%m}-{self.key}"

    @property
    def allow_negative(self) -> bool:
        """Whether forecasts may be below zero."""
        return self.settings["allow_negative"]


def planned(train: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """Return the cutoffs that notebook 10 plans for a training set: cutoff, evaluation_set."""
    sizes = {name: settings[name] for name in ("n_cutoffs", "n_calibration", "min_train_months")}
    return evaluation.plan_cutoffs(train["ds"], **sizes)


def combinations(members: list[Any], power: float) -> tuple[MedianCombination, WeightedCombination]:
    """Return the combinations of some models, in the order of notebook 25."""
    return MedianCombination(members), WeightedCombination(members, power=power)


def contest(job: Month) -> Path:
    """Measure every model as of a month's end and return the folder with what was found; what lies there already stays."""
    board = job.result / "leaderboard.parquet"
    if board.exists():
        return job.result
    cutoffs = job.cutoffs
    past = {name: past_of(job, name, cutoffs) for name in job.tables}
    past |= combined(job, past)
    wanted = measured(cutoffs)
    made = intervals.calibrate_backtests(past, job.train, job.domain, cutoffs, job.allow_negative, wanted)
    rows = pd.concat([made[name].rows for name in sorted(made)], ignore_index=True)
    series = rows[rows["aggregation"] == AGGREGATIONS[0]]  # a champion is chosen by the series alone
    calibrations = {name: one.calibration for name, one in made.items()}
    write_if_changed(job.result / "calibrations.json", json.dumps(calibrations, indent=1, sort_keys=True) + "\n")
    losses = evaluation.losses(evaluation.scored_rows(series, job.train))
    write_if_changed(job.result / "losses.parquet", losses.to_parquet(index=False))
    write_if_changed(board, evaluation.leaderboard(series, job.train).to_parquet(index=False))
    return job.result


def measured(cutoffs: pd.DataFrame) -> list[pd.Timestamp]:
    """Return the cutoffs that are measured: those that choose and those held out."""
    sets = [*evaluation.CHOOSING, *evaluation.COMPARED]
    return [*cutoffs.loc[cutoffs["evaluation_set"].isin(sets), "cutoff"]]


def timed_contest(job: Month) -> float:
    """Hold a `contest` and return how many seconds it took."""
    started = time.monotonic()
    contest(job)
    return time.monotonic() - started


def table_of(job: Month, name: str) -> pd.DataFrame:
    """Return all that a model said (RAW_BACKTEST_COLUMNS, trained)."""
    return pd.concat([pd.read_parquet(path) for path in job.tables[name]], ignore_index=True)


def past_of(job: Month, name: str, cutoffs: pd.DataFrame) -> pd.DataFrame:
    """Return what a model had said at the planned cutoffs of months that have come (RAW_BACKTEST_COLUMNS)."""
    past, _ = of_month(table_of(job, name), job.month, job.trained, cutoffs["cutoff"])
    return past[past["ds"] <= job.month].reset_index(drop=True)


def combined(job: Month, past: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return what the combinations had said at the planned cutoffs (RAW_BACKTEST_COLUMNS)."""
    median, weighted = combinations([models.get(name)() for name in job.members], job.settings["combination_power"])
    raw = pd.concat([past[name] for name in job.members], ignore_index=True)
    return {median.name: median.combine(raw), weighted.name: weighted.walk_forward(raw, job.train)}


@dataclass(frozen=True)
class Forecast:
    """The forecasts of a month and how they came about: FORECAST_COLUMNS, and the explanation of the champion for the manifest."""

    rows: pd.DataFrame
    explanation: dict[str, Any]


def forecast(job: Month, champion: str) -> Forecast:
    """Forecast by the champion and the seasonal naive what lay ahead of a month, with the bounds that were known then."""
    calibrations = json.loads((job.result / "calibrations.json").read_text(encoding="utf-8"))
    parts, explanation = [], {}
    for name in dict.fromkeys((champion, evaluation.BASELINE)):
        raw, model = ahead(job, name)
        known = intervals.Calibration.from_json(calibrations[name])
        found = intervals.calibrate_forecasts(
            raw[raw["horizon"] <= job.settings["horizon"]],
            job.train,
            job.domain,
            name,
            STATUS,
            known,
            job.allow_negative,
        )
        parts.append(found.rows)
        explanation[name] = {
            "model": model.explanation(), "reconciliation": known.reconciliation, "mase": known.mase,
            "cut": found.cut, "cut_series": found.cut_series,
        }  # fmt: skip
    return Forecast(pd.concat(parts, ignore_index=True), explanation[champion])


def ahead(job: Month, name: str) -> tuple[pd.DataFrame, Model]:
    """Return what a model says of the months after a month, of every node by itself, and the model."""
    if name in job.tables:
        _, raw = of_month(table_of(job, name), job.month, job.trained, job.cutoffs["cutoff"])
        return raw.drop(columns=["cutoff", "model_name"]), models.load(job.saved[name])
    model = combination(job, name)
    history = evaluation.known_at(job.train, job.month)
    return evaluation.forecast_nodes(model, history, job.settings["horizon"], job.domain in FLOWS), model


def combination(job: Month, name: str) -> Combination:
    """Return a combination of the models that have learned up to the month's training, with the weights that were known at its end."""
    cutoffs = job.cutoffs
    raw = pd.concat([past_of(job, member, cutoffs) for member in job.members], ignore_index=True)
    median, weighted = combinations(
        [models.load(job.saved[member]) for member in job.members], job.settings["combination_power"]
    )
    if name == median.name:
        return median
    weighted.walk_forward(raw, job.train)
    return weighted
