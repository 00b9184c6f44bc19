"""One run of the benchmark: check the measures, forecast each set, score, log, and write the results.

A trial (LIMIT or INSIDE) never sees a test part: it scores the last months of the training parts, and is how settings are
tried. A run on the whole sets scores the test parts and adds a line to the committed log.
"""

import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from forecasting import competitions, engine
from forecasting.benchmark import document, reference, scum
from forecasting.benchmark.pretrained_table import write_pretrained
from forecasting.benchmark.results import append_to_log, write_results
from forecasting.benchmark.scoring import CHAMPION, score
from forecasting.competitions import Dataset
from forecasting.errors import UserError
from forecasting.run import LOG, PAGE, PRETRAINED, RESULTS, TRIAL, code_state

if TYPE_CHECKING:
    from forecasting.benchmark.competition import Competition

ForecastAll = Callable[[pd.DataFrame, int, str], "Competition"]


@dataclass(frozen=True)
class Options:
    """What to run: names of sets; how many series, None for all; whether inside the training parts; whether SCUM too.

    `pretrained`: the networks by themselves instead of the chosen forecast.
    """

    names: tuple[str, ...] = competitions.DEFAULT
    limit: int | None = None
    inside: bool = False
    reference: bool = False
    pretrained: bool = False
    jobs: int = 1

    @property
    def is_trial(self) -> bool:
        """Whether the test parts stay unseen."""
        return self.inside or self.limit is not None

    def narrowed(self, dataset: Dataset) -> Dataset:
        """Return what of a set is forecast and scored."""
        found = dataset.inside() if self.is_trial else dataset
        return found if self.limit is None else found.spread(self.limit)


def run(root: Path, options: Options, forecast_all: ForecastAll) -> pd.DataFrame:
    """Score the models on each set and return the table of results.

    Parameters
    ----------
    root: the project's folder.
    forecast_all: makes every model's forecasts from (train, horizon, name of the set), the chosen one's as «champion».
    """
    loaded = [competitions.load(name) for name in options.names]
    for dataset in loaded:
        for sentence in reference.verify(dataset, root.parent / "shared"):
            show(sentence)
    if options.is_trial:
        (root / TRIAL).unlink(missing_ok=True)
    with engine.pool(options.jobs):
        for dataset in loaded:
            table = (
                run_networks(root, dataset, options)
                if options.pretrained
                else run_set(root, dataset, options, forecast_all)
            )
    if not (options.is_trial or options.pretrained):
        document.update(root / PAGE, table)
    return table


def run_set(root: Path, dataset: Dataset, options: Options, forecast_all: ForecastAll) -> pd.DataFrame:
    """Forecast and score one set, log it if its test part was scored, and return the table of results so far."""
    chosen = begun(dataset, options)
    commit = code_state(root)  # before the forecasts: the code that makes them, whatever is edited meanwhile
    forecasts, seconds = forecasts_of(chosen, options, forecast_all)
    scored = score(chosen, forecasts, seconds)
    if options.is_trial:
        return write_results(root / TRIAL, scored)
    append_to_log(root / LOG, scored, f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", commit)
    return write_results(root / RESULTS, scored)


def begun(dataset: Dataset, options: Options) -> Dataset:
    """Say what is forecast and scored of a set, and return it."""
    chosen = options.narrowed(dataset)
    part = "the last months of the training parts" if options.is_trial else "the test part"
    show(f"{dataset.name}: {len(chosen.ids)} series, {chosen.horizon} months ahead, scored on {part}")
    return chosen


def run_networks(root: Path, dataset: Dataset, options: Options) -> pd.DataFrame:
    """Do for the networks by themselves what `run_set` does for the chosen forecast; the pretrained one, as it comes, is logged."""
    from forecasting.benchmark.pretrained import LOGGED, networks  # torch takes its time

    chosen, commit = begun(dataset, options), code_state(root)
    scored = networks(chosen)
    if options.is_trial:
        return write_pretrained(root / TRIAL, scored)
    append_to_log(root / LOG, scored, f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", commit, LOGGED)
    return write_pretrained(root / PRETRAINED, scored)


def forecasts_of(
    dataset: Dataset, options: Options, forecast_all: ForecastAll
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return all forecasts, one below the other, and the seconds of each model; SCUM's where it is asked for.

    The models are handed the training part only.
    """
    made = forecast_all(dataset.train.copy(), dataset.horizon, dataset.name)
    if CHAMPION not in set(made.forecasts["model_name"]):
        raise ValueError(f"{dataset.name}: no forecast is called «{CHAMPION}».")
    forecasts, seconds = [made.forecasts], dict(made.seconds)
    if options.reference:
        rows, taken = scum.forecast(dataset.train, dataset.horizon, options.jobs)
        forecasts.append(rows)
        seconds[scum.REFERENCE] = taken
    return pd.concat(forecasts, ignore_index=True), seconds


def options_of(names: str, limit: str, inside: str, reference_: str, pretrained: str, jobs: str) -> Options:
    """Return the options that make's command line gives, each a text, empty where it was not given.

    Raises
    ------
    UserError
        If one of them is not what it can be.
    """
    chosen = tuple(dict.fromkeys(names.split())) or competitions.DEFAULT
    unknown = [name for name in chosen if name not in competitions.SOURCES]
    if unknown:
        raise UserError(
            f"DATASETS: there is no set {', '.join(unknown)}. The sets are: {', '.join(competitions.SOURCES)}."
        )
    for name, value in (("LIMIT", limit), ("JOBS", jobs)):
        if value and not (value.isdecimal() and int(value) > 0):
            raise UserError(f"{name}={value} must be a whole number above 0.")
    return Options(
        names=chosen,
        limit=int(limit) if limit else None,
        inside=switch("INSIDE", inside),
        reference=switch("REFERENCE", reference_),
        pretrained=switch("PRETRAINED", pretrained),
        jobs=int(jobs or 1),
    )


def switch(name: str, value: str) -> bool:
    """Return whether a switch is on: 1 or nothing."""
    if value not in ("", "0", "1"):
        raise UserError(f"{name}={value}: it is switched on by {name}=1, and off by leaving it out.")
    return value == "1"


def show(text: str) -> None:
    """Print a progress line at once."""
    print(text, file=sys.stderr, flush=True)
