"""Publishing: the forecasts of a finished run go into the ledger, the champion into the registry, and readers get a new file.

The ledger is written in one transaction and only added to; the same run published twice leaves one copy. Readers get
`published.duckdb`, which is built beside the old one and replaced in one step, so an open reader stops nobody and sees a whole file.
"""

import datetime as dt
import importlib.metadata
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from forecasting import params, stamps, tracking, warehouse
from forecasting.contracts import BACKTEST_COLUMNS, DOMAINS, FORECAST_COLUMNS
from forecasting.errors import UserError
from forecasting.run_folder import RunFolder
from forecasting.workspace import Workspace

PACKAGES = ("duckdb", "mlflow", "numpy", "pandas", "papermill", "scikit-learn", "utilsforecast")
PUBLISHED = [
    *(f"ml_train_{domain}_monthly" for domain in DOMAINS),
    *(f"ml_pred_{domain}_{months}m" for domain in DOMAINS for months in (1, 3, 6)),
    "domain_calendar", "left_out_months", "monthly_actuals", "actual_vs_forecast", "forecast_accuracy",
    "forecasts", "backtests", "actuals", "runs", "publications", "latest_runs",
]  # fmt: skip


@dataclass(frozen=True)
class FinishedRun:
    """What publishing needs of one domain's run: its manifest, its tables and its MLflow runs."""

    manifest: dict[str, Any]
    forecasts: pd.DataFrame
    backtests: pd.DataFrame
    train: pd.DataFrame
    notes: dict[str, dict[str, Any]]

    @property
    def run_id(self) -> str:
        """The run's id, `<domain>-<cutoff>-<10 hex>`."""
        return self.manifest["run_id"]

    @property
    def domain(self) -> str:
        """The domain."""
        return self.manifest["domain"]


def publish(workspace: Workspace) -> list[str]:
    """Publish the finished runs of all domains of a workspace together; return the run ids that are new in the ledger."""
    runs = [finished_run(workspace, domain) for domain in workspace.domains()]
    warehouse.require_writable(workspace.warehouse)
    workspace.remember()
    versions = {run.domain: register(workspace, run) for run in runs}
    with warehouse.connect(workspace.warehouse, read_only=False) as connection:
        new = add_to_ledger(connection, runs, versions)
        for run in runs:
            mlflow_runs = [note["mlflow_run_id"] for note in run.notes.values()]
            tracking.crown(workspace.data, run.domain, versions[run.domain], run.run_id, mlflow_runs)
        publish_copy(connection, workspace.published)  # last: where it is newer than the runs, all the rest is done
    return new


def finished_run(workspace: Workspace, domain: str) -> FinishedRun:
    """Read one domain's run folder and put its manifest together.

    Raises
    ------
    UserError
        If a step has not run, or a forecast's month is not its cutoff plus its horizon.
    """
    run = RunFolder.open(workspace.runs / domain)
    train, forecasts, backtests = run.training_set(), run.read_table("forecasts"), run.read_table("evaluation")
    for name, frame, columns in (
        ("forecasts", forecasts, FORECAST_COLUMNS),
        ("evaluation", backtests, BACKTEST_COLUMNS),
    ):
        check_months(name, frame[columns])
    notes = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((run.path / "tracking").glob("*.json"))
    }
    return FinishedRun(
        manifest(workspace, run, train, notes), forecasts[FORECAST_COLUMNS], backtests[BACKTEST_COLUMNS], train, notes
    )


def check_months(name: str, frame: pd.DataFrame) -> None:
    """Raise a UserError unless every row's `ds` is its `cutoff` plus `horizon` months and nothing but `scale` is unknown."""
    months = (frame["ds"].dt.year - frame["cutoff"].dt.year) * 12 + frame["ds"].dt.month - frame["cutoff"].dt.month
    wrong = frame[(months != frame["horizon"]) | frame.drop(columns="scale").isna().any(axis=1)]
    if len(wrong):
        row = wrong.iloc[0]
        raise UserError(f"{name}.parquet: {row['unique_id']}, cutoff {row['cutoff']:%Y-%m}, horizon {row['horizon']}, month "
                        f"{row['ds']:%Y-%m} is incomplete or does not fit; run the 30 and 40 notebooks again.")  # fmt: skip


def manifest(workspace: Workspace, run: RunFolder, train: pd.DataFrame, notes: dict[str, dict]) -> dict[str, Any]:
    """Return everything a published number can be traced back to, as a JSON-able table."""
    settings = params.resolve(workspace.root, workspace.name, run.domain, workspace.profile)
    facts, cutoff = run.read_json("facts"), f"{train['ds'].max():%Y-%m-%d}"
    fingerprint = tracking.train_fingerprint(train)
    identity = stamps.digest(fingerprint, facts, run.steps)[:10]
    return {
        "run_id": f"{run.domain}-{cutoff}-{identity}", "domain": run.domain, "workspace": workspace.name,
        "source": workspace.source, "cutoff": cutoff, "fingerprint": fingerprint, "params": settings, "steps": run.steps,
        "lock": stamps.lock_hash(workspace.root), "git_commit": git_commit(workspace.root),
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
        "seconds": seconds(run), "mlflow": {name: note["mlflow_run_id"] for name, note in notes.items()},
        "champion": run.read_json("champion"), "check": run.read_json("check"), "facts": facts,
        "currency": settings["currency"], "unit": "units" if facts["measure"] == "units" else settings["currency"],
    }  # fmt: skip


def git_commit(root: Path) -> str | None:
    """Return the commit the code is at, or None where there is no git."""
    if not (root / ".git").exists():
        return None
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return found.stdout.strip() or None


def seconds(run: RunFolder) -> dict[str, float]:
    """Return how long each notebook of the run took, in seconds, from papermill's record."""
    found = {}
    for step in run.steps:
        record = json.loads((run.path / f"{step}.ipynb").read_text(encoding="utf-8"))["metadata"]["papermill"]
        found[step] = round(record["duration"], 2)
    return found


def register(workspace: Workspace, run: FinishedRun) -> str:
    """Register the champion's model and return its version."""
    champion = run.manifest["champion"]["name"]
    return tracking.register(workspace.data, run.domain, run.notes.get(champion, {}), run.run_id, champion)


def add_to_ledger(
    connection: duckdb.DuckDBPyConnection, runs: list[FinishedRun], versions: dict[str, str]
) -> list[str]:
    """Add the runs that the ledger does not hold yet and note which are in force now, all in one transaction.

    A run that is known but was not the last one published (a setting that was taken back, say) comes into force again.
    Returns the ids of the runs that are new.
    """
    known = {run_id for (run_id,) in connection.execute("select run_id from runs").fetchall()}
    in_force = dict(connection.execute("select domain, run_id from latest_runs").fetchall())
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    connection.execute("begin")
    try:
        for run in runs:
            if run.run_id not in known:
                add_run(connection, run, versions[run.domain], now)
            if in_force.get(run.domain) != run.run_id:
                connection.execute("insert into publications values (?, ?, ?)", [run.domain, run.run_id, now])
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return [run.run_id for run in runs if run.run_id not in known]


def add_run(connection: duckdb.DuckDBPyConnection, run: FinishedRun, version: str, now: dt.datetime) -> None:
    """Add one run's forecasts, backtests, actuals and manifest; `now` is the time of publication, UTC."""
    champion = run.manifest["champion"]["name"]
    versions = pd.Series(version, index=run.forecasts.index).where(run.forecasts["model_name"] == champion)
    row = {"run_id": run.run_id, "domain": run.domain, "cutoff": pd.Timestamp(run.manifest["cutoff"]), "champion": champion,
           "manifest": json.dumps(run.manifest, sort_keys=True), "published_at": now}  # fmt: skip
    insert(
        connection, "forecasts", run.forecasts.assign(run_id=run.run_id, model_version=versions, prediction_time=now)
    )
    insert(connection, "backtests", run.backtests.assign(run_id=run.run_id))
    add_actuals(connection, run)
    insert(connection, "runs", pd.DataFrame([row]))


def insert(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Append a frame to a ledger table by column name."""
    connection.register("incoming", frame)
    connection.execute(f"insert into {table} by name select * from incoming")
    connection.unregister("incoming")


def add_actuals(connection: duckdb.DuckDBPyConnection, run: FinishedRun) -> None:
    """Add the actuals that are new or restated: where the value differs from the one known last."""
    as_of = run.manifest["params"]["as_of"] or run.manifest["facts"]["last_fact"]
    connection.register("incoming", run.train[["unique_id", "ds", "y"]])
    connection.execute(
        """
        insert or replace into actuals
        with known as (
            select unique_id, ds, arg_max(y, as_of) as y from actuals where domain = $domain group by unique_id, ds
        )
        select $domain, incoming.unique_id, incoming.ds::date, incoming.y, $as_of::date
        from incoming left join known on known.unique_id = incoming.unique_id and known.ds = incoming.ds::date
        where known.y is distinct from incoming.y
        """,
        {"domain": run.domain, "as_of": as_of},
    )
    connection.unregister("incoming")


def publish_copy(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Copy what others read into a new file and put it in the old one's place in one step."""
    scratch = target.with_name("published.running.duckdb")
    for leftover in (scratch, scratch.with_name(scratch.name + ".wal")):
        leftover.unlink(missing_ok=True)
    connection.execute(f"attach '{str(scratch).replace(chr(39), chr(39) * 2)}' as published")
    for table in PUBLISHED:
        connection.execute(f"create table published.main.{table} as select * from {table}")
    connection.execute("checkpoint published")
    connection.execute("detach published")
    os.replace(scratch, target)
