"""Publishing: the forecasts of a finished run go into the ledger, champion and challenger into the registry, and readers get a new file.

The ledger is written in one transaction and only added to; the same run published twice leaves one copy. Readers get
`published.duckdb`, which is built beside the old one and replaced in one step, so an open reader stops nobody and sees a whole file.
"""

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

import duckdb
import pandas as pd

from forecasting import registry
from forecasting.contracts import BACKTEST_COLUMNS
from forecasting.ledger import database as warehouse
from forecasting.ledger.finished_run import FinishedRun, finished_run
from forecasting.ledger.overrides import apply_overrides, insert
from forecasting.ledger.tables import BY_SERIES, KEPT, MEASURES, PUBLISHED
from forecasting.ledger.training_changes import ROUNDING, add_changes
from forecasting.registry import CHALLENGER, CHAMPION
from forecasting.run import Manifest, Workspace


def publish(workspace: Workspace, domains: list[str] | None = None) -> list[str]:
    """Publish the finished runs of all domains of a workspace together, or of some; return the run ids that are new in the ledger."""
    workspace.require_same_day()
    runs = [finished_run(workspace, domain) for domain in domains or workspace.domains()]
    warehouse.require_writable(workspace.warehouse)
    workspace.remember()
    versions = {run.domain: register(workspace, run) for run in runs}
    with warehouse.connect(workspace.warehouse, read_only=False) as connection:
        new = add_to_ledger(connection, runs, {domain: known[CHAMPION] for domain, known in versions.items()})
        for run in runs:
            crown(workspace, run, versions[run.domain])
        apply_overrides(connection)
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
    """Set the aliases, write the gate's verdict on their versions, and on the MLflow runs that it came from what became of them."""
    registry.write_verdict(workspace.data, run.domain, versions, run.manifest)
    registry.set_aliases(workspace.data, run.domain, versions)
    kept = run.manifest.trained.models if run.manifest.keeps_models else {}
    own = {name: mlflow_run for name, mlflow_run in run.manifest.mlflow.items() if name not in kept}
    registry.mark_runs(workspace.data, run.domain, own, run.manifest)


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
            add_verdict(connection, run, now)
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
    add_backtests(connection, run)
    add_restatements(connection, run)
    add_actuals(connection, run)
    add_changes(connection, run.run_id, run.domain, run.train)
    if len(run.restated):
        insert(connection, "restated_forecasts", run.restated.assign(run_id=run.run_id, domain=run.domain))
    insert(connection, "runs", pd.DataFrame([row]))


def add_backtests(connection: duckdb.DuckDBPyConnection, run: FinishedRun) -> None:
    """Add a run's back-tests straight from their file, of which very many series have millions of rows."""
    rows = f"select {', '.join(BACKTEST_COLUMNS)}, $run_id as run_id from {warehouse.parquet(run.backtests)}"
    connection.execute(f"insert into backtests by name {rows}", {"run_id": run.run_id})


def add_verdict(connection: duckdb.DuckDBPyConnection, run: FinishedRun, now: dt.datetime) -> None:
    """Add what the monitor said of a run, unless it said the same of it before."""
    said = run.manifest.monitor
    row = [run.run_id, run.domain, run.manifest.cutoff, said.verdict]
    row += [json.dumps(part, sort_keys=True, ensure_ascii=False) for part in (said.reasons, said.measures, said.limits)]
    known = connection.execute(
        "select * exclude (judged_at) from verdicts where run_id = ? order by judged_at desc limit 1", [run.run_id]
    ).fetchone()
    if known is None or [*map(str, known)] != row:
        connection.execute("insert into verdicts values (?, ?, ?, ?, ?, ?, ?, ?)", [*row, now])


KNOWN = """
    select unique_id, ds, arg_max(y, as_of) as y, max(as_of) as as_of from actuals where domain = $domain group by unique_id, ds
"""


def add_restatements(connection: duckdb.DuckDBPyConnection, run: FinishedRun) -> None:
    """Note which months, of those that the run published before knew, have another value now, and that value.

    A series that was not there counts as 0, one that is no longer there likewise; both add up to what the total moved. Nothing can be
    compared where the unit is another.
    """
    before = connection.execute(
        "select cutoff, manifest from runs semi join latest_runs using (run_id) where domain = ?", [run.domain]
    ).fetchone()
    if before is None or Manifest.read(before[1]).unit != run.manifest.unit:
        return
    connection.execute(
        f"""
        insert into restatements
        with incoming as (from {warehouse.parquet(run.train)}),
        known as ({KNOWN}),
        named as (
            select unique_id, any_value(region) as region, any_value(product_category) as product_category
            from forecasts where domain = $domain and aggregation = 'series' group by unique_id
        ),
        both_known as (
            select coalesce(known.unique_id, incoming.unique_id) as unique_id, coalesce(known.ds, incoming.ds::date) as ds,
                incoming.region, incoming.product_category, coalesce(known.y, 0) as y_before, coalesce(incoming.y, 0) as y
            from known full join incoming on known.unique_id = incoming.unique_id and known.ds = incoming.ds::date
        )
        select $run_id, $domain, unique_id, coalesce(both_known.region, named.region, split_part(unique_id, '/', 1)),
            coalesce(both_known.product_category, named.product_category, split_part(unique_id, '/', 2)), ds, y_before, y
        from both_known left join named using (unique_id)
        where ds <= least($before::date, $cutoff::date)
            and abs(y - y_before) > {ROUNDING} * greatest(abs(y), abs(y_before))
        """,
        {"domain": run.domain, "run_id": run.run_id, "before": before[0], "cutoff": run.manifest.cutoff},
    )


def add_actuals(connection: duckdb.DuckDBPyConnection, run: FinishedRun) -> None:
    """Add the actuals that are new or restated: where the value differs from the one known last.

    What was known before stays: where the facts of the same day, or of an earlier one, were restated, the new value counts from the day
    after. A month of a series that is no longer there is 0 from now on.
    """
    as_of = run.manifest.params["as_of"] or run.manifest.facts.last_fact
    connection.execute(
        f"""
        insert into actuals
        with incoming as (from {warehouse.parquet(run.train)}),
        known as ({KNOWN}),
        gone as (
            select unique_id, ds from restatements where run_id = $run_id and y = 0
            except select unique_id, ds::date from incoming
        ),
        found as (
            select unique_id, ds::date as ds, y from incoming union all select unique_id, ds, 0 from gone
        )
        select $domain, found.unique_id, found.ds, found.y, greatest($as_of::date, coalesce(known.as_of + 1, $as_of::date))
        from found left join known using (unique_id, ds)
        where known.y is distinct from found.y
        """,
        {"domain": run.domain, "run_id": run.run_id, "as_of": as_of},
    )


def content(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the SQL of what a table of the copy holds.

    What measures another table reads that one's copy: it lies there in its order, and asking its view once more would take minutes.
    """
    measured = MEASURES.get(table)
    view = (
        measured
        and connection.execute(
            "select database_name, sql from duckdb_views() where view_name = ? and not internal", [table]
        ).fetchone()
    )
    if not view:
        return KEPT.get(table, f"select * from {table}")
    database, text = view
    return text.split(" AS ", 1)[1].rstrip(";\n ").replace(f"{database}.main.{measured}", f"published.main.{measured}")


@contextmanager
def in_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let DuckDB add up row after row, as they lie: of two threads each adds up what comes, and the last digits come out otherwise."""
    (threads,) = connection.execute("select current_setting('threads')").fetchone()
    connection.execute("set threads = 1")
    try:
        yield
    finally:
        connection.execute(f"set threads = {threads}")


def publish_copy(connection: duckdb.DuckDBPyConnection, target: Path, time_of: os.stat_result | None = None) -> None:
    """Copy what others read into a new file and put it in the old one's place in one step.

    `time_of`: the file gets this file's time, and a nanosecond, so that finished runs that are not published yet do not look so.
    """
    scratch = target.with_name("published.running.duckdb")
    for leftover in (scratch, scratch.with_name(scratch.name + ".wal")):
        leftover.unlink(missing_ok=True)
    connection.execute(f"attach {warehouse.quoted(scratch)} as published")
    for table in PUBLISHED:
        with in_order(connection) if table in MEASURES else nullcontext():
            connection.execute(f"create table published.main.{table} as {content(connection, table)}")
        if table in BY_SERIES:
            connection.execute(f"create index {table}_by_series on published.main.{table} (unique_id)")
    connection.execute("checkpoint published")
    connection.execute("detach published")
    # What somebody has written into the old file without a checkpoint: DuckDB would play it back into the new one.
    target.with_name(target.name + ".wal").unlink(missing_ok=True)
    if time_of:
        os.utime(scratch, ns=(time_of.st_atime_ns, time_of.st_mtime_ns + 1))
    os.replace(scratch, target)
