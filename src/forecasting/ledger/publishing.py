"""Publishing: the forecasts of a finished run go into the ledger, champion and challenger into the registry, and readers get a new file.

The ledger is written in one transaction and only added to; the same run published twice leaves one copy. Readers get
`published.duckdb`, which is built beside the old one and replaced in one step, so an open reader stops nobody and sees a whole file.
"""

import datetime as dt
import json
import os
from dataclasses import asdict
from pathlib import Path

import duckdb
import pandas as pd

from forecasting import registry
from forecasting.contracts import DOMAINS
from forecasting.ledger import database as warehouse
from forecasting.ledger.finished_run import FinishedRun, finished_run
from forecasting.registry import CHALLENGER, CHAMPION
from forecasting.run import Workspace

PUBLISHED = [
    *(f"ml_train_{domain}_monthly" for domain in DOMAINS),
    *(f"ml_pred_{domain}_{months}m" for domain in DOMAINS for months in (1, 3, 6)),
    "domain_calendar", "left_out_months", "monthly_actuals", "actual_vs_forecast", "counted_forecasts", "forecast_accuracy",
    "forecasts", "backtests", "actuals", "runs", "publications", "latest_runs",
]  # fmt: skip


def publish(workspace: Workspace) -> list[str]:
    """Publish the finished runs of all domains of a workspace together; return the run ids that are new in the ledger."""
    runs = [finished_run(workspace, domain) for domain in workspace.domains()]
    warehouse.require_writable(workspace.warehouse)
    workspace.remember()
    versions = {run.domain: register(workspace, run) for run in runs}
    with warehouse.connect(workspace.warehouse, read_only=False) as connection:
        new = add_to_ledger(connection, runs, {domain: known[CHAMPION] for domain, known in versions.items()})
        for run in runs:
            crown(workspace, run, versions[run.domain])
        publish_copy(connection, workspace.published)  # last: where it is newer than the runs, all the rest is done
    return new


def register(workspace: Workspace, run: FinishedRun) -> dict[str, str | None]:
    """Register the models of a run that are, were or may become champion; return the versions of champion and challenger.

    The challenger is the best of the other models; None where there is nothing to compare.
    """
    champion = run.manifest.champion
    names = (champion.name, champion.next_best, champion.gate_choice, champion.incumbent)
    usable = [name for name in dict.fromkeys(names) if name == champion.name or name in run.manifest.models]
    versions = {
        name: registry.register(workspace.data, run.domain, run.notes.get(name, {}), run.run_id, name)
        for name in usable
    }
    return {CHAMPION: versions[champion.name], CHALLENGER: versions.get(champion.next_best)}


def crown(workspace: Workspace, run: FinishedRun, versions: dict[str, str | None]) -> None:
    """Set the aliases, write the gate's verdict on their versions and the run id on the MLflow runs that it came from."""
    known = [version for version in versions.values() if version is not None]
    registry.write_verdict(workspace.data, run.domain, known, run.manifest.champion)
    registry.set_aliases(workspace.data, run.domain, versions)
    registry.mark_runs(workspace.data, run.domain, run.manifest.mlflow.values(), run.run_id)


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
    champion = run.manifest.champion.name
    versions = pd.Series(version, index=run.forecasts.index).where(run.forecasts["model_name"] == champion)
    row = {"run_id": run.run_id, "domain": run.domain, "cutoff": pd.Timestamp(run.manifest.cutoff), "champion": champion,
           "manifest": json.dumps(asdict(run.manifest), sort_keys=True), "published_at": now}  # fmt: skip
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
    as_of = run.manifest.params["as_of"] or run.manifest.facts.last_fact
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
    # What somebody has written into the old file without a checkpoint: DuckDB would play it back into the new one.
    target.with_name(target.name + ".wal").unlink(missing_ok=True)
    os.replace(scratch, target)
