"""Backfilled months in the ledger: runs that nobody saw when they would have been made, so they have no publication."""

import datetime as dt
import json
from dataclasses import asdict, dataclass

import pandas as pd

from forecasting.contracts import FORECAST_COLUMNS
from forecasting.ledger import database as warehouse
from forecasting.ledger.finished_run import check_months
from forecasting.ledger.publishing import insert, publish_copy
from forecasting.ledger.reader import Reader, Unreadable
from forecasting.run import Manifest, Workspace

# What counts of each cutoff: the run that was published last, else the one that was filled in last.
COUNTED_RUNS = """
    select runs.run_id, runs.cutoff, runs.manifest, not counts.is_backfill as is_published
    from runs inner join (
        select run_id, false as is_backfill from counted_forecasts union all select run_id, true from counted_backfills
    ) as counts using (run_id)
    where runs.domain = ? order by runs.cutoff
"""
COUNTED_MONTHS = """
    select cutoff from counted_forecasts where domain = $1 union select cutoff from counted_backfills where domain = $1 order by cutoff
"""
NOTED_ACTUALS = """
    with named as (
        select unique_id, any_value(region) as region, any_value(product_category) as product_category
        from forecasts where domain = $domain and aggregation = 'series' group by unique_id
    )
    select unique_id, coalesce(named.region, split_part(unique_id, '/', 1)) as region,
        coalesce(named.product_category, split_part(unique_id, '/', 2)) as product_category, ds, y, as_of
    from actuals left join named using (unique_id) where domain = $domain order by unique_id, ds, as_of
"""


@dataclass(frozen=True)
class CountedRun:
    """The run that counts for a cutoff; `is_published` tells a published one from one that was filled in."""

    run_id: str
    cutoff: pd.Timestamp
    manifest: Manifest
    is_published: bool


@dataclass(frozen=True)
class BackfilledMonth:
    """One month of one domain as it is written: its manifest and its forecasts (FORECAST_COLUMNS)."""

    manifest: Manifest
    forecasts: pd.DataFrame


def counted_runs(workspace: Workspace, domain: str) -> dict[pd.Timestamp, CountedRun]:
    """Return the run that counts of each cutoff of a domain."""
    with warehouse.connect(workspace.warehouse) as connection:
        rows = connection.execute(COUNTED_RUNS, [domain]).fetchall()
    found = [CountedRun(name, pd.Timestamp(cutoff), Manifest.read(text), is_one) for name, cutoff, text, is_one in rows]
    return {run.cutoff: run for run in found}


def counted_months(workspace: Workspace, domain: str) -> list[pd.Timestamp]:
    """Return the cutoffs of a domain that were published or filled in, in order."""
    with warehouse.connect(workspace.warehouse) as connection:
        return [pd.Timestamp(cutoff) for (cutoff,) in connection.execute(COUNTED_MONTHS, [domain]).fetchall()]


def run_ids(workspace: Workspace) -> frozenset[str]:
    """Return the ids of all runs that the ledger holds."""
    with warehouse.connect(workspace.warehouse) as connection:
        return frozenset(run_id for (run_id,) in connection.execute("select run_id from runs").fetchall())


def noted_actuals(workspace: Workspace, domain: str) -> pd.DataFrame:
    """Return what the ledger noted of a domain's months and when: unique_id, region, product_category, ds, y, as_of.

    One row per unique_id, ds and the day from which the value was known.
    """
    with warehouse.connect(workspace.warehouse) as connection:
        rows = connection.execute(NOTED_ACTUALS, {"domain": domain}).df()
    return rows.assign(**{name: rows[name].astype("datetime64[ns]") for name in ("ds", "as_of")})


def add_backfill(workspace: Workspace, month: BackfilledMonth) -> None:
    """Add one month of one domain to the ledger, in one transaction; it is no publication, and `actuals` stays as it is."""
    check_months("backfill", month.forecasts, FORECAST_COLUMNS)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    manifest = month.manifest
    row = {"run_id": manifest.run_id, "domain": manifest.domain, "cutoff": pd.Timestamp(manifest.cutoff),
           "champion": manifest.champion.name, "manifest": json.dumps(asdict(manifest), sort_keys=True), "published_at": now}  # fmt: skip
    with warehouse.connect(workspace.warehouse, read_only=False) as connection:
        connection.execute("begin")
        try:
            forecasts = month.forecasts[FORECAST_COLUMNS]
            insert(connection, "forecasts", forecasts.assign(run_id=manifest.run_id, prediction_time=now))
            insert(connection, "runs", pd.DataFrame([row]))
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise


def publish_backfill(workspace: Workspace) -> None:
    """Give readers a new published copy with what was filled in; the one that they have stays where it holds all of that."""
    if workspace.published.exists() and run_ids(workspace) == readers_runs(workspace):
        return
    with warehouse.connect(workspace.warehouse, read_only=False) as connection:
        publish_copy(connection, workspace.published)


def readers_runs(workspace: Workspace) -> frozenset[str]:
    """Return the ids of the runs in the published copy; none where it cannot be read."""
    try:
        return frozenset(Reader(workspace.published).ask("select run_id from runs")["run_id"])
    except Unreadable:
        return frozenset()
