"""From facts to training sets: checks the facts, lets dbt build the warehouse, and hands each domain its own Parquet."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError, storage_message
from forecasting.files import digest, folder_hash, write_if_changed
from forecasting.run import Workspace, expect_steps, held, progress, stamps
from forecasting.training_set.of_series import require_groups, require_series, train_select
from forecasting.training_set.spilling import spilling

OF_FACTS = (
    "as_of",
    "rename",
    "countries",
    "levels",
    "totals",
    "duplicates",
    "stray_dates",
)  # what dbt must know of the settings
CODE = {"forecasting.training_set.building", "forecasting.facts.inspection"}
READING = (
    "columns",
    "date_format",
    "time_zone",
    "decimal_mark",
    "currency",
    "levels",
)  # the settings that say how facts are read


def build(workspace: Workspace, settings: dict[str, Any], steps_follow: bool = False) -> bool:
    """Bring the training sets of a workspace up to date; say whether anything had to be built. `settings`: those of the whole run.

    `steps_follow`: notebooks will be executed afterwards, so that what they import may be imported while dbt is busy.

    Raises
    ------
    UserError
        If the facts are not fit for use, another process holds the warehouse, or dbt's own tests fail.
    """
    bring_facts(workspace, settings)
    stamp = data_stamp(workspace, settings)
    stamp_file = workspace.runs / "stamps" / "data.stamp"
    fresh = stamp_file.exists() and stamp_file.read_text(encoding="utf-8") == stamp
    if fresh and workspace.warehouse.exists() and (workspace.runs / "built.json").exists():
        return False
    from forecasting import ledger, registry
    from forecasting.training_set import dbt_tests, doubts

    summary = inspect_facts(workspace, settings)
    workspace.data.mkdir(parents=True, exist_ok=True)
    ledger.require_writable(workspace.warehouse)
    if steps_follow:
        expect_steps()
    stamp_file.unlink(missing_ok=True)  # from here on the warehouse is not what the stamp says, until all is done
    doubts.forget(workspace)
    variables = {**summary.dbt_vars(), **{name: settings[name] for name in OF_FACTS}, "on_fault": "warn"}
    try:
        run_dbt(workspace, "build", variables)
    except UserError:
        doubts.found(workspace, settings)  # what dbt's tests object to may be what is said here more plainly
        raise
    found = doubts.found(workspace, settings)
    failed = dbt_tests.failed(workspace.runs / "dbt")
    if set(failed) == {None}:  # beside a domain of its own it is what that domain does to the tables that all share
        raise UserError(failed[None])
    domains, missing = export(workspace, settings, summary, found, failed)
    tests = dbt_tests.found(workspace.runs / "dbt")
    for domain in domains:
        own = json.dumps(dbt_tests.of_domain(tests, domain), indent=2) + "\n"
        write_if_changed(workspace.runs / domain / "tests.json", own)
    registry.prepare_store(workspace.data)
    noted = {"domains": domains, "missing": missing, "as_of": settings["as_of"]}
    write_if_changed(workspace.runs / "built.json", json.dumps(noted) + "\n")
    write_if_changed(workspace.runs / "facts.txt", "\n".join(what_was_read(workspace, summary, domains)) + "\n")
    write_if_changed(stamp_file, stamp)
    return True


def inspect_facts(workspace: Workspace, settings: dict[str, Any]) -> Any:
    """Check the facts of a workspace as its settings say that they are to be read."""
    from forecasting import facts

    how = {key: settings[key] for key in READING}
    with spilling(workspace.data) as spill:
        memory = facts.Memory(settings["memory_limit"], spill)
        return facts.inspect(workspace.source, workspace.facts_path, **how, memory=memory)


def bring_facts(workspace: Workspace, settings: dict[str, Any]) -> None:
    """Have a source that has facts of its own, made or fetched, bring them where they are wanted."""
    if workspace.facts:
        return
    from forecasting import facts

    source = facts.source_named(workspace.source)
    code = stamps.modules_hash(set(source.made_by), package(workspace))
    for said in source.bring(workspace.facts_path, settings, code):
        progress.show(said)


def package(workspace: Workspace) -> Path:
    """Return the folder of our own modules."""
    return workspace.root / "src" / "forecasting"


def data_stamp(workspace: Workspace, settings: dict[str, Any]) -> str:
    """Return what the training sets depend on: the facts' content, dbt's code, our code, the settings and the lock.

    Also where the data lie: what was copied or moved is built again, and MLflow's store, which keeps whole paths, follows.
    """
    from forecasting import facts

    content = facts.fingerprint(workspace.source, workspace.facts_path, workspace.runs / "stamps" / "facts.json")
    used = {key: settings[key] for key in (*OF_FACTS, *READING, "domains", "long_gaps", "like")}
    dbt = folder_hash(workspace.root / "dbt", ("*.sql", "*.yml", "*.csv"))
    code = stamps.modules_hash(CODE, package(workspace))
    return digest(
        content, used, dbt, code, stamps.lock_hash(workspace.root), workspace.source, str(workspace.data.resolve())
    )


def run_dbt(
    workspace: Workspace, command: str, variables: dict[str, Any], *options: str, folder: Path | None = None
) -> None:
    """Run dbt as a process of its own, so that it lets go of the warehouse when it ends.

    `folder`: where it works on a warehouse of its own instead of the workspace's.

    Raises
    ------
    UserError
        If dbt fails: with the tests and models it names, or the process that holds the warehouse.
    """
    from forecasting.ledger import locked_message

    where = (folder or workspace.runs) / "dbt"
    warehouse = folder / "warehouse.duckdb" if folder else workspace.warehouse
    where.mkdir(parents=True, exist_ok=True)
    line = [sys.executable, "-m", "dbt.cli.main", "--quiet", *command.split(), "--project-dir", "dbt", "--profiles-dir", "dbt",
            "--target-path", str(where.resolve()), "--log-path", str(where.resolve()),
            "--vars", json.dumps(variables), *options]  # fmt: skip
    with spilling(folder or workspace.data) as spill:
        env = {**os.environ, "FORECASTING_WAREHOUSE": str(warehouse.resolve()), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
               "FORECASTING_MEMORY": workspace.settings("sales")["memory_limit"] or "", "FORECASTING_SPILL": str(spill)}  # fmt: skip
        done = subprocess.run(line, cwd=workspace.root, env=env, capture_output=True, text=True, pass_fds=held())
    if done.returncode:
        output = done.stdout + done.stderr
        message = locked_message(warehouse, output) or storage_message(output)
        raise UserError(message or f"dbt could not build the training sets; the whole log is runs/{workspace.name}/dbt/dbt.log.\n"
                        f"{output.strip()[-3000:]}")  # fmt: skip


def document(workspace: Workspace) -> None:
    """Write dbt's documentation of this workspace into one HTML file, runs/<name>/dbt/static_index.html."""
    settings = workspace.settings("sales")
    summary = inspect_facts(workspace, settings)
    variables = {**summary.dbt_vars(), **{name: settings[name] for name in OF_FACTS}}
    run_dbt(workspace, "docs generate", variables, "--static")


def what_was_read(workspace: Workspace, summary: Any, domains: list[str]) -> list[str]:
    """Return what came in, as lines for a person: each table with its columns, each domain with its months, and what must be known."""
    lines = []
    for table in summary.tables.values():
        columns = ", ".join(name if name == header else f"{header} as {name}" for name, header in table.columns.items())
        lines.append(f"{table.name:<11}{table.file}: {table.n_rows:,} rows, {table.first_date} to {table.last_date}, "
                     f"{table.total_of} {table.total:,.2f} in all")  # fmt: skip
        lines.append(f"{'':<11}columns used: {columns}; not used: {', '.join(table.columns_unused) or 'none'}")
    for domain in domains:
        facts = json.loads((workspace.runs / domain / "facts.json").read_text(encoding="utf-8"))
        left_out = ", ".join(f"{month['ds'][:7]} ({month['reason']})" for month in facts["left_out"]) or "none"
        months = f"{facts['n_months']} months, {facts['first_month'][:7]} to {facts['last_month'][:7]}"
        lines.append(f"{domain:<11}{facts['measure']}, {months}; left out: {left_out}")
        lines += [f"{'':<11}! {doubt['text']}" for doubt in facts["doubts"] if doubt["severity"] != "low"]
    return lines


def export(
    workspace: Workspace,
    settings: dict[str, Any],
    summary: Any,
    found_doubts: list[Any],
    failed: dict[str | None, str],
) -> tuple[list[str], dict[str, str]]:
    """Write `train_<domain>.parquet` and `facts.json` of each domain that is wanted and can be forecast from these facts.

    `settings`: which domains are wanted, new series and whom they are like, and levels. `failed`: domains of which dbt's tests object
    to what was built, and why. Returns the domains that can be forecast, and for each other one of which there are facts a sentence that
    says why it is missing; the other domains keep it in their facts.

    Raises
    ------
    UserError
        If no domain can be forecast, `like` names a series that is in none, or a level groups neither regions nor categories.
    """
    from forecasting import ledger
    from forecasting.training_set import doubts

    wanted, like, levels = settings["domains"], settings["like"], settings["levels"]
    found: dict[str, dict[str, Any]] = {}
    missing: dict[str, str] = {}
    with ledger.connect(workspace.warehouse) as connection:
        require_groups(connection, levels)
        calendar = connection.execute("select * from domain_calendar order by domain").df()
        left_out = connection.execute("select * from left_out_months order by domain, ds").df()
        if calendar[calendar["domain"].isin(wanted)].empty:
            raise UserError(
                f"No month of {', '.join(wanted)} can be built from these facts: none is whole, or as_of in params/ lies "
                f"before them. {' '.join(summary.notes)}"
            )
        for domain in [
            name for name in DOMAINS if name in wanted and name in {*calendar["domain"], *left_out["domain"]}
        ]:
            folder = workspace.runs / domain
            folder.mkdir(parents=True, exist_ok=True)
            export_table(connection, train_select(domain, like, levels), folder / f"train_{domain}.parquet")
            facts = domain_facts(calendar, left_out, domain, list(summary.notes_for(domain)))
            facts["doubts"] = doubts.of_domain(found_doubts, domain)
            if why := (
                doubts.refusal(found_doubts, domain)
                or failed.get(domain, "")
                or why_not_forecastable(folder / f"train_{domain}.parquet", domain, facts)
            ):
                missing[domain] = why
            else:
                found[domain] = facts
        require_series(connection, {*calendar["domain"]} & {*wanted}, like)
    if not found:
        raise UserError(" ".join(missing.values()))
    for domain, facts in found.items():
        known = {**facts, "missing": missing} if missing else facts
        write_if_changed(workspace.runs / domain / "facts.json", json.dumps(known, indent=2, sort_keys=True) + "\n")
    return list(found), missing


def why_not_forecastable(train: Path, domain: str, facts: dict[str, Any]) -> str:
    """Return what keeps a training set from being forecast, as one sentence or two; «» where nothing does."""
    import pandas as pd

    from forecasting.training_set.forecastable import require_forecastable

    frame = pd.read_parquet(train)
    try:
        require_forecastable(frame.assign(ds=pd.to_datetime(frame["ds"])), domain, facts)
    except UserError as error:
        return str(error)
    return ""


def export_table(connection: Any, select: str, target: Path) -> None:
    """Write a SELECT to Parquet; the file keeps its time where the content is the same."""
    scratch = target.with_name(target.name + ".new")
    connection.execute(f"copy ({select}) to '{str(scratch).replace(chr(39), chr(39) * 2)}' (format parquet)")
    write_if_changed(target, scratch.read_bytes())
    scratch.unlink()


def domain_facts(calendar: Any, left_out: Any, domain: str, notes: list[str]) -> dict[str, Any]:
    """Return what came in for a domain as a JSON-able table: its calendar, the months left out and why, and notes."""
    from forecasting.run import plain_rows

    row = next(iter(plain_rows(calendar[calendar["domain"] == domain])), {})  # none where no month is whole
    months = left_out[left_out["domain"] == domain].drop(columns="domain")
    return {**row, "left_out": plain_rows(months), "notes": notes}
