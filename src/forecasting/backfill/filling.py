"""Fills months of a domain: what each model had said, then each month's contest, then the forecasts of who won it, written in order.

A month's champion so far is that of the month before: published, filled in before, or filled in now. Nothing of a month rests on what
came later.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace

import pandas as pd

from forecasting import choice, engine, ledger, models
from forecasting.backfill import contest, lines, planning, said
from forecasting.backfill.contest import Forecast, Month
from forecasting.backfill.planning import Work
from forecasting.backfill.schedule import before
from forecasting.files import digest
from forecasting.ledger import BackfilledMonth, CountedRun
from forecasting.run import (
    Champion,
    Explanation,
    Incumbent,
    Manifest,
    Workspace,
    git_commit,
    stamps,
    training_stamps,
)

GATE = tuple(f"gate_{each.name}" for each in fields(choice.Gate))  # the settings that it is made of, in order


def fill(
    workspace: Workspace, domain: str, months: Sequence[pd.Timestamp], retrain_every: int | None = None
) -> list[str]:
    """Fill months of a domain that were not published and are not filled in yet; return the ids of the runs that are new.

    Readers see them once `ledger.publish_backfill` was called.

    Parameters
    ----------
    months: first days of months, one after another, in order.
    retrain_every: months from one training to the next; None: as `params/` says.

    Raises
    ------
    UserError
        If a month is not closed, or too little was known at the first.
    """
    work = planning.work_of(workspace, domain, list(months), retrain_every)
    if all(is_done(work, month) for month in work.months):
        return []
    return filled(work)


def is_done(work: Work, month: pd.Timestamp) -> bool:
    """Say whether a month was published, or is filled in from all that it rests on."""
    run = work.counted.get(month)
    return run is not None and (run.is_published or run.manifest.contest == rests_on(work, month))


def filled(work: Work) -> list[str]:
    """Do the work and return the ids of the runs that are new."""
    shared = planning.shared_walks(work)
    walks = planning.costly_first(work, shared)
    for number, (walk, seconds) in enumerate(zip(walks, engine.mapped(said.timed_walk, walks), strict=True), 1):
        lines.say(work.domain, f"{number:>3}/{len(walks)} said by {walk.name}", seconds)
    jobs = planning.month_jobs(work, shared)
    first = next(month for month in work.months if not is_done(work, month))
    jobs = [job for job in jobs if job.month >= first]
    for job, seconds in zip(jobs, engine.mapped(contest.timed_contest, jobs), strict=True):
        lines.say(work.domain, f"{job.month:%Y-%m} compared", seconds)
    champions = [champion_of_open(work, job) for job in jobs]
    open_jobs = [job for job, champion in zip(jobs, champions, strict=True) if champion]
    forecasts = engine.mapped(contest.forecast, open_jobs, [champion for champion in champions if champion])
    return [write(work, job, made) for job, made in zip(open_jobs, forecasts, strict=True)]


def champion_of_open(work: Work, job: Month) -> str:
    """Choose a month's champion and note it as the one that counts; return its name, nothing where the month is filled in already."""
    if is_done(work, job.month):
        return ""
    so_far, limits = incumbent(work, job.month), choice.Gate(*(work.settings[name] for name in GATE))
    board, losses = (pd.read_parquet(job.result / f"{name}.parquet") for name in ("leaderboard", "losses"))
    found = choice.choose_champion(board, losses, job.cutoffs, work.all_names, asdict(so_far), limits)
    manifest = manifest_of(work, job, Champion.from_json(found))
    work.counted[job.month] = CountedRun(manifest.run_id, job.month, manifest, is_published=False)
    return manifest.champion.name


def incumbent(work: Work, month: pd.Timestamp) -> Incumbent:
    """Return the champion so far: the gate's choice in the run that counts for the month before; none where there is none."""
    run = work.counted.get(before(month))
    return Incumbent(run.manifest.champion.gate_choice, run.run_id) if run else Incumbent()


def rests_on(work: Work, month: pd.Timestamp) -> str:
    """Return a fingerprint of all that a month's forecasts rest on, its champion so far included."""
    trained = work.trained[month]
    known = [work.fingerprints[each] for each in (month, trained)]
    settings = {name: work.settings[name] for name in GATE} | planning.contest_settings(work)
    said_by = {name: models.saved_settings(work.run.path / "models" / name) for name in work.names}
    return digest(known, f"{trained:%Y-%m}", settings, said_by, work.stamps, work.code, asdict(incumbent(work, month)))


def manifest_of(work: Work, job: Month, champion: Champion) -> Manifest:
    """Return what a month's numbers can be traced back to; how its forecast came about follows (`write`)."""
    contest_key, cutoff = rests_on(work, job.month), f"{job.month:%Y-%m-%d}"
    run_id = f"{work.domain}-{cutoff}-{contest_key[:10]}"
    earlier = work.counted.get(job.month)
    if earlier and run_id in work.run_ids:  # it counted before another one did, and the ledger is only added to
        run_id = f"{work.domain}-{cutoff}-{digest(contest_key, earlier.run_id)[:10]}"
    measure, currency = work.run.read_json("facts")["measure"], work.settings["currency"] or ""
    months = job.train["ds"]
    learned = work.counted.get(job.trained)
    return Manifest.from_json({
        "backfill": True, "run_id": run_id, "contest": contest_key, "incumbent": asdict(incumbent(work, job.month)),
        "domain": work.domain, "workspace": work.workspace.name, "source": work.workspace.source, "cutoff": cutoff,
        "trained": {"run_id": learned.run_id if learned and job.trained != job.month else run_id, "cutoff": f"{job.trained:%Y-%m-%d}",
                    "steps": training_stamps(work.stamps)},
        "fingerprint": work.fingerprints[job.month], "params": work.settings, "steps": work.stamps,
        "lock": stamps.lock_hash(work.workspace.root), "git_commit": git_commit(work.workspace.root),
        "versions": ledger.package_versions(champion.models), "champion": asdict(champion),
        "facts": {"domain": work.domain, "measure": measure, "first_month": f"{months.min():%Y-%m-%d}", "last_month": cutoff,
                  "n_months": months.nunique()},
        "currency": currency, "unit": "units" if measure == "units" else currency,
    })  # fmt: skip


def write(work: Work, job: Month, made: Forecast) -> str:
    """Write a month into the ledger and return the id of its run."""
    manifest = replace(work.counted[job.month].manifest, explanation=Explanation.from_json(made.explanation))
    ledger.add_backfill(work.workspace, BackfilledMonth(manifest, made.rows))
    lines.say(work.domain, f"{job.month:%Y-%m} {manifest.champion.name}")
    return manifest.run_id
