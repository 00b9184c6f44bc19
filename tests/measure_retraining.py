"""What retraining every month, every three, every six or on alarm alone gains and costs: 24 months of a workspace, to a CSV file.

Each policy is followed from its first month on with the data of that time (the code of `make backfill`): in a month of a training every
model is fitted anew, in the others all of them forecast as they are, while weights, intervals and the choice of the champion learn from
what came due. «alarm» trains in the first month and where the monitor asks for it, by the forecasts that the policy itself made. MASE is
over all series and months ahead that have come, of the champions' forecasts. Nothing is written into the workspace.

    python tests/measure_retraining.py runs/benchmark/retraining.csv --name sample --domains sales
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting import engine
from forecasting.backfill import contest, filling, planning, said
from forecasting.backfill.command import PROCESSES
from forecasting.backfill.contest import Month
from forecasting.backfill.known import up_to
from forecasting.backfill.planning import Work
from forecasting.backfill.schedule import trained_months
from forecasting.contracts import BOUNDS, POINT
from forecasting.evaluation import BASELINE
from forecasting.intervals import calibrate_backtests
from forecasting.monitor.came_due import Due, came_due
from forecasting.monitor.verdicts import RETRAIN, verdict
from forecasting.run import Workspace
from forecasting.run.folder import RunFolder
from forecasting.series import NODE, aggregate_actuals

ROOT = Path(__file__).resolve().parents[1]
ALARM, NEVER = "alarm", 10_000
FALSE_ALARM_MONTHS = 36


@dataclass(frozen=True)
class Apart(Work):
    """Months of a domain that are worked out in a folder apart, and written nowhere else."""

    place: Path = Path()

    @property
    def folder(self) -> Path:
        """See `Work`."""
        return self.place


@dataclass(frozen=True)
class Followed:
    """What a policy came to: the contests of its months, its champions, and what they and the seasonal naive had forecast."""

    jobs: list[Month]
    champions: list[str]
    rows: pd.DataFrame


def work(
    workspace: Workspace,
    domain: str,
    months: list[pd.Timestamp],
    trained: dict[pd.Timestamp, pd.Timestamp],
    place: Path,
) -> Work:
    """Return the months as what the workspace knows now gives them."""
    run = RunFolder.open(workspace.runs / domain)
    train = run.training_set()
    needed = {*months, *trained.values()}
    sets = {month: up_to(train, month) for month in needed}
    return Apart(workspace, run, workspace.settings(domain), months, trained, sets, {}, frozenset(), place=place)


def followed(one: Work) -> Followed:
    """Follow a policy over its months."""
    shared = planning.shared_walks(one)
    list(engine.mapped(said.walk, planning.costly_first(one, shared)))
    jobs = planning.month_jobs(one, shared)
    list(engine.mapped(contest.contest, jobs))
    champions = [filling.champion_of_open(one, job) for job in jobs]
    made = list(engine.mapped(contest.forecast, jobs, champions))
    rows = pd.concat([each.rows for each in made], ignore_index=True)
    return Followed(jobs, champions, rows)


def beside_actuals(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts whose month has come, with what came (`actual`)."""
    actuals = aggregate_actuals(train).rename(columns={"y": "actual"})
    return rows.merge(actuals[[*NODE, "ds", "actual"]], on=[*NODE, "ds"])


def mase(rows: pd.DataFrame, champions: dict[pd.Timestamp, str]) -> float:
    """Return the mean scaled error of the champions over all series and months ahead that have come."""
    own = rows["model_name"] == rows["cutoff"].map(champions)
    series = rows[own & (rows["aggregation"] == "series") & (rows["scale"] > 0)]
    return float(((series["predicted_value"] - series["actual"]).abs() / series["scale"]).mean())


def first_alarm(policy: Followed, train: pd.DataFrame, alarms: list[pd.Timestamp]) -> pd.Timestamp | None:
    """Return the first month after the last alarm in which the monitor asks for new models; None where it does not."""
    rows = beside_actuals(policy.rows, train)
    for number, job in enumerate(policy.jobs):
        if number == 0 or (alarms and job.month <= alarms[-1]):
            continue
        champion = policy.champions[number - 1]
        due = rows[(rows["ds"] <= job.month) & (rows["cutoff"] < job.month)]
        status = due["model_name"] == due["cutoff"].map(
            dict(zip([j.month for j in policy.jobs], policy.champions, strict=True))
        )
        due = due.assign(status=status.map({True: "published", False: "baseline"}))
        known = [f"{alarm:%Y-%m-%d}" for alarm in alarms]
        measures, _ = came_due(
            Due.of(due, quiet(policy.jobs[number - 1], champion, train), champion, known), FALSE_ALARM_MONTHS
        )
        if verdict(measures)[0] == RETRAIN:
            return job.month
    return None


def quiet(job: Month, champion: str, train: pd.DataFrame) -> pd.DataFrame:
    """Return the back-tests of the champion and the seasonal naive as a month's run had them, with what came."""
    cutoffs = job.cutoffs
    past = {name: contest.past_of(job, name, cutoffs) for name in job.tables}
    past |= contest.combined(job, past)
    asked = {name: past[name] for name in sorted({champion, BASELINE})}
    made = calibrate_backtests(asked, job.train, job.domain, cutoffs, job.allow_negative)
    rows = [each.rows for each in made.values()]
    bounds = {POINT: "predicted_value"} | {quantile: bound for bound, quantile in BOUNDS.items()}
    return beside_actuals(pd.concat(rows, ignore_index=True).rename(columns=bounds), train)


def policies(
    workspace: Workspace, domain: str, months: list[pd.Timestamp], names: list[str], place: Path
) -> Iterator[dict[str, Any]]:
    """Yield a row for each policy: domain, policy, months, trainings, MASE, alarms, seconds."""
    train = RunFolder.open(workspace.runs / domain).training_set()
    for name in names:
        started, alarms = time.monotonic(), []
        while True:
            trained = trained_months(months, NEVER if name == ALARM else int(name), {})
            for alarm in alarms:
                trained |= {month: alarm for month in months if month >= alarm}
            policy = followed(work(workspace, domain, months, trained, place))
            alarm = first_alarm(policy, train, alarms) if name == ALARM else None
            if alarm is None:
                break
            alarms.append(alarm)
        champions = dict(zip(months, policy.champions, strict=True))
        rows = beside_actuals(policy.rows, train)
        yield {
            "domain": domain, "policy": name, "months": len(months), "first": f"{months[0]:%Y-%m}", "last": f"{months[-1]:%Y-%m}",
            "trainings": len({*trained.values()}), "alarms": " ".join(f"{alarm:%Y-%m}" for alarm in alarms),
            "mase": mase(rows, champions), "mase_seasonal_naive": mase(rows, dict.fromkeys(months, BASELINE)),
            "champions": " ".join(sorted({*policy.champions})), "seconds": round(time.monotonic() - started, 1),
        }  # fmt: skip


def main() -> None:
    """Follow the policies, print what came of each and write them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--name", default="sample")
    parser.add_argument("--domains", default="sales")
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--policies", default="1,3,6,alarm")
    asked = parser.parse_args()
    workspace = Workspace(ROOT, asked.name, "sample", None)
    found = []
    with tempfile.TemporaryDirectory(prefix="retraining-") as place, engine.pool(PROCESSES):
        for domain in asked.domains.split(","):
            last = RunFolder.open(workspace.runs / domain).training_set()["ds"].max()
            months = list(pd.date_range(end=last - pd.DateOffset(months=1), periods=asked.months, freq="MS"))
            for row in policies(workspace, domain, months, asked.policies.split(","), Path(place)):
                print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
                found.append(row)
                asked.results.parent.mkdir(parents=True, exist_ok=True)
                pd.DataFrame(found).to_csv(asked.results, index=False)


if __name__ == "__main__":
    sys.exit(main())
