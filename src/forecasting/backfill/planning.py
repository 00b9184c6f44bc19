"""What has to be done to fill months of a domain: its settings and models, what was known then, and the units of work."""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from forecasting import evaluation, ledger, models, training_set
from forecasting.backfill.contest import Month, planned
from forecasting.backfill.known import Group, groups, known_then, up_to
from forecasting.backfill.said import Walk
from forecasting.backfill.schedule import trained_months
from forecasting.choice import SCHEDULE
from forecasting.contracts import SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.files import digest
from forecasting.ledger import CountedRun
from forecasting.run import RunFolder, Workspace, stamps, train_fingerprint
from forecasting.series import month_number

HALF_YEAR = 6  # months whose trainings are one unit of work: half a year of what is known stays as it is when a range is extended
CUTOFFS = ("n_cutoffs", "n_calibration", "min_train_months")
AFTER_TRAINING = ("25_combine", "30_evaluate", "40_forecast")
FOLDER = "backfill"


@dataclass(frozen=True)
class Work:
    """Months of one domain that are to be filled, and what that rests on.

    `trained` says up to where the models of each month had learned, `sets` what was known at each of these months' ends, `counted` which
    run counts for a month so far, `run_ids` all that the ledger holds.
    """

    workspace: Workspace
    run: RunFolder
    settings: dict[str, Any]
    months: list[pd.Timestamp]
    trained: dict[pd.Timestamp, pd.Timestamp]
    sets: dict[pd.Timestamp, pd.DataFrame]
    counted: dict[pd.Timestamp, CountedRun]
    run_ids: frozenset[str]

    @property
    def domain(self) -> str:
        """The domain."""
        return self.run.domain

    @property
    def folder(self) -> Path:
        """Where what was computed is kept, so that a backfill that was stopped goes on."""
        return self.workspace.runs / FOLDER / self.domain

    @property
    def open_months(self) -> list[pd.Timestamp]:
        """The months that were not published."""
        return [month for month in self.months if not self.is_published(month)]

    def is_published(self, month: pd.Timestamp) -> bool:
        """Say whether a forecast was published at the end of a month."""
        return month in self.counted and self.counted[month].is_published

    @cached_property
    def fingerprints(self) -> dict[pd.Timestamp, str]:
        """The fingerprint of what was known at each month's end."""
        return {month: train_fingerprint(train) for month, train in self.sets.items()}

    @cached_property
    def code(self) -> str:
        """A fingerprint of the code that fills in and of the packages' versions."""
        root = self.workspace.root
        own = stamps.modules_hash({"forecasting.backfill.filling"}, root / "src" / "forecasting", stamps.PRESENTATION)
        return digest(own, stamps.lock_hash(root))

    @cached_property
    def names(self) -> list[str]:
        """The models that forecast by themselves, in the order of the run."""
        return self.run.model_names(self.settings["families"])

    @cached_property
    def all_names(self) -> list[str]:
        """All models of the run, the combinations last."""
        return [*self.names, *self.run.model_names(["combination"])]

    @cached_property
    def members(self) -> list[str]:
        """The models that are combined."""
        return self.run.model_names(models.member_families(self.settings["families"]))

    @cached_property
    def stamps(self) -> dict[str, str]:
        """The stamps of the notebooks that train, combine, compare and forecast, whether or not the last run kept its models."""
        root = self.workspace.root
        steps = [*(f"20_train_{family}" for family in self.settings["families"]), *AFTER_TRAINING]
        return {step: stamps.step_stamp(root, root / "notebooks" / f"{step}.ipynb", self.settings) for step in steps}


def work_of(workspace: Workspace, domain: str, months: list[pd.Timestamp], retrain_every: int | None) -> Work:
    """Find out what filling these months of a domain rests on.

    Raises
    ------
    UserError
        If there is no run whose models could be taken, a month is not closed, or too little was known at the first.
    """
    run = RunFolder.open(workspace.runs / domain)
    settings = workspace.settings(domain)
    train, counted = run.training_set(), ledger.counted_runs(workspace, domain)
    require_closed(domain, months[-1], train["ds"].max())
    pinned = {month: learned_up_to(one) for month, one in counted.items() if one.is_published or month < months[0]}
    trained = trained_months(months, retrain_every or scheduled(settings), pinned)
    open_months = {month for month in months if not (month in counted and counted[month].is_published)}
    needed = sorted(open_months | {trained[month] for month in open_months})
    sets = known_then(train, ledger.noted_actuals(workspace, domain), built_then(workspace, domain, train, needed))
    for month in needed[:1]:
        require_history(domain, sets[month], month)
    return Work(workspace, run, settings, months, trained, sets, counted, ledger.run_ids(workspace))


def scheduled(settings: dict[str, Any]) -> float:
    """Return the months after which models learn anew; endless where `params/` have no schedule bring that about."""
    return settings["retrain_every"] if SCHEDULE in settings["retrain_on"] else math.inf


def built_then(
    workspace: Workspace, domain: str, train: pd.DataFrame, months: list[pd.Timestamp]
) -> dict[pd.Timestamp, pd.DataFrame]:
    """Return what today's facts up to each month's end give: today's training set up to it, where dbt's rules decided then as now.

    Whether they did is seen at the first month, of which the least was known; where they did not, dbt builds every month.
    """
    cut = {month: up_to(train, month) for month in months}
    if not months or built_at(workspace, domain, months[0]).equals(cut[months[0]]):
        return cut
    return {month: built_at(workspace, domain, month) for month in months}


def built_at(workspace: Workspace, domain: str, month: pd.Timestamp) -> pd.DataFrame:
    """Return the training set that dbt builds as of a month's end, up to that month."""
    return up_to(training_set.built_as_of(workspace, domain, f"{month + pd.offsets.MonthEnd(0):%Y-%m-%d}"), month)


def learned_up_to(run: CountedRun) -> pd.Timestamp:
    """Return up to which month the models of a run had learned."""
    return pd.Timestamp(run.manifest.trained.cutoff or run.cutoff)


def require_closed(domain: str, month: pd.Timestamp, last: pd.Timestamp) -> None:
    """Raise a UserError if a month is beyond the last closed one."""
    if month > last:
        raise UserError(
            f"{domain}: {month:%Y-%m} is not closed; the last closed month is {last:%Y-%m}, so TO may be {last:%Y-%m} at the latest "
            "(DOMAIN=… fills one domain alone)."
        )


def require_history(domain: str, train: pd.DataFrame, month: pd.Timestamp) -> None:
    """Raise a UserError if what was known at a month's end could not have been forecast."""
    first = train["ds"].min() if len(train) else None
    if first is None or train["ds"].nunique() <= SEASON_LENGTH:
        known = (
            "nothing is known"
            if first is None
            else f"only {train['ds'].nunique()} months are known, from {first:%Y-%m} on"
        )
        raise UserError(
            f"{domain}: at the end of {month:%Y-%m} {known}; {SEASON_LENGTH + 1} closed months are needed before a month can be filled. "
            "Give a later FROM (DOMAIN=… fills one domain alone)."
        )
    training_set.require_forecastable(train, domain, {})


class Shared(NamedTuple):
    """Months that share the walks of each model: `walks` by the model's name."""

    group: Group
    walks: dict[str, list[Walk]]


def shared_walks(work: Work) -> list[Shared]:
    """Return what each model has to say for the months that are to be filled."""
    found = groups(work.open_months, work.trained, work.sets)
    return [Shared(group, {name: walks_of(work, name, group) for name in work.names}) for group in found]


def costly_first(work: Work, shared: list[Shared]) -> list[Walk]:
    """Return the walks of all models; the last ones of the run take the longest, so they begin."""
    return [walk for name in reversed(work.names) for one in shared for walk in one.walks[name]]


def walks_of(work: Work, name: str, group: Group) -> list[Walk]:
    """Return the units of one model's walk over the cutoffs that a group of months needs."""
    model, first = models.get(name), group.learned["ds"].min()
    cutoffs, kept = needed_cutoffs(work, group)
    parts: dict[int, tuple[list[pd.Timestamp], dict[pd.Timestamp, list[pd.Timestamp]]]] = {}
    for cutoff in cutoffs:
        fitted_in = evaluation.refit_month(cutoff, first, model.refit_every)
        parts.setdefault(half_year(fitted_in), ([], {}))[0].append(cutoff)
    for month, own in kept.items():
        parts.setdefault(half_year(month), ([], {}))[1][month] = own
    settings = models.saved_settings(work.run.path / "models" / name)
    sample = evaluation.Sample(work.settings["train_series"], work.settings["train_series_seed"])
    found = []
    for own, own_kept in parts.values():
        learned = up_to(group.learned, max([*own, *own_kept]))
        train = up_to(group.train, max(sum(own_kept.values(), own)))
        found.append(Walk(work.domain, name, settings, work.stamps[f"20_train_{model.family}"], train, learned,
                          own, own_kept, work.folder, sample))  # fmt: skip
    return found


def half_year(month: pd.Timestamp) -> int:
    """Return the number of the half-year that a month lies in."""
    return int(month_number(pd.DatetimeIndex([month]))[0]) // HALF_YEAR


def needed_cutoffs(work: Work, group: Group) -> tuple[list[pd.Timestamp], dict[pd.Timestamp, list[pd.Timestamp]]]:
    """Return the cutoffs of the walk-forward that a group of months needs, and by month of training those at which its models speak."""
    walked: set[pd.Timestamp] = set()
    kept: dict[pd.Timestamp, set[pd.Timestamp]] = {}
    for month in group.months:
        trained = work.trained[month]
        cutoffs = [*planned(up_to(group.train, month), work.settings)["cutoff"], month]
        walked |= {cutoff for cutoff in cutoffs if cutoff < trained}
        kept.setdefault(trained, set()).update(cutoff for cutoff in cutoffs if cutoff >= trained)
    return sorted(walked), {month: sorted(found) for month, found in sorted(kept.items())}


def month_jobs(work: Work, shared: list[Shared]) -> list[Month]:
    """Return the contest of each month, in order."""
    return [month_job(work, one, month) for one in shared for month in one.group.months]


def month_job(work: Work, shared: Shared, month: pd.Timestamp) -> Month:
    """Return the contest of one month of a group."""
    trained = work.trained[month]
    saved = {
        name: next(walk.model_folder(trained) for walk in walks if trained in walk.kept)
        for name, walks in shared.walks.items()
    }
    tables = {name: [walk.table for walk in walks] for name, walks in shared.walks.items()}
    return Month(
        work.domain, month, trained, work.sets[month], tables, saved, work.members, contest_settings(work),
        {step: work.stamps[step] for step in AFTER_TRAINING},
        work.folder,
    )  # fmt: skip


def contest_settings(work: Work) -> dict[str, Any]:
    """Return the settings that a month's contest and forecast rest on."""
    names = (*CUTOFFS, "allow_negative", "combination_power", "horizon")
    return {name: work.settings[name] for name in names}
