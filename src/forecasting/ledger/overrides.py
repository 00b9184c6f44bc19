"""Overrides in the ledger: what people want instead of a forecast, and what that makes of the run in force.

Both are only added to. `overrides` has what was said, and a row that withdraws where one is taken back; `override_revisions` and
`overridden_forecasts` what it came to, once more each time that this changes. The forecasts themselves never do.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pandas as pd

from forecasting.contracts import levels_in
from forecasting.intervals import Change, override
from forecasting.ledger.tables import SERIES_LEVELS
from forecasting.run import Manifest
from forecasting.wording import listing, month

WITHDRAWAL = "withdrawal"
FORECASTS = "from forecasts where run_id = ? and status = 'published'"
LAST = "select revision, applied, not_applied from override_revisions where run_id = ? order by revision desc limit 1"


@dataclass(frozen=True)
class Said:
    """An override as a person hands it in, of a node of the forecast; `first_month` None: every month forecast, until `until`."""

    domain: str
    aggregation: str
    unique_id: str
    region: str
    product_category: str
    first_month: dt.date | None
    until: dt.date
    kind: str
    amount: float | None
    who: str
    why: str
    based_on: str
    source: str
    withdraws: int | None = None


def standing(overrides: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `overrides` that nobody has taken back, in the order in which they were made."""
    gone = set(overrides["withdraws"].dropna())
    found = overrides[(overrides["kind"] != WITHDRAWAL) & ~overrides["override_id"].isin(gone)]
    return found.sort_values("override_id", ignore_index=True)


def changes(overrides: pd.DataFrame, forecasts: pd.DataFrame) -> tuple[list[Change], dict[int, str]]:
    """Return what the standing overrides of a domain want of a run's forecast, and for those that reach nothing of it any more why.

    Of several overrides of the same series or sum in a month the one made last counts. One whose months are over wants nothing, and
    nothing is said of it.
    """
    if forecasts.empty:
        return [], {}
    months = sorted(forecasts["ds"].unique())
    nodes = set(zip(forecasts["aggregation"], forecasts["unique_id"], strict=True))
    wanted: dict[tuple, Change] = {}
    lost = {}
    for each in standing(overrides).itertuples():
        if pd.Timestamp(each.until) < months[0]:
            continue
        if (each.aggregation, each.unique_id) not in nodes:
            lost[each.override_id] = f"{each.unique_id} is no longer forecast"
            continue
        for ds in months:
            if ds <= pd.Timestamp(each.until) and (pd.isna(each.first_month) or ds >= pd.Timestamp(each.first_month)):
                key = (each.aggregation, each.unique_id, ds)
                wanted.pop(key, None)  # so that the order is that in which they were made
                wanted[key] = Change(each.override_id, *key, each.kind, each.amount)
    return list(wanted.values()), lost


def refusals(refused: dict[int, dict[pd.Timestamp, list[int]]], said: pd.DataFrame) -> dict[int, str]:
    """Say of each override that cannot be met in which months, and what it contradicts."""
    names = {row.override_id: f"that of {row.who} for {row.unique_id} ({row.source})" for row in said.itertuples()}
    found = {}
    for override_id, months in refused.items():
        others = sorted({other for ids in months.values() for other in ids})
        why = (
            f"contradicts {listing([names[other] for other in others])}"
            if others
            else "is below 0, which the sign policy (allow_negative in params/) forbids"
        )
        found[override_id] = f"in {listing([month(ds, short=True) for ds in months])} it {why}"
    return found


def apply_overrides(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Note what the overrides make of the runs in force where that is something new, in one transaction.

    Returns why each override that stands and is not over is not applied to the run in force, or not in all of its months.
    """
    with transaction(connection):
        return noted(connection)


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep all or nothing of what a `with` block writes."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def noted(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Do the work of `apply_overrides` within a transaction."""
    runs = connection.execute("select run_id, manifest from runs semi join latest_runs using (run_id)").fetchall()
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    found: dict[int, str] = {}
    for run_id, manifest in sorted(runs):
        found |= _noted(connection, run_id, Manifest.read(manifest), now)
    return found


def _noted(connection: duckdb.DuckDBPyConnection, run_id: str, manifest: Manifest, now: dt.datetime) -> dict[int, str]:
    """Add a revision of one run's overridden forecasts, unless the last one says the same."""
    said = connection.execute("from overrides where domain = ? order by override_id", [manifest.domain]).df()
    before = connection.execute(LAST, [run_id]).fetchone()
    if said.empty and before is None:
        return {}
    forecasts = connection.execute(FORECASTS, [run_id]).df()
    named = levels_in(forecasts["aggregation"])
    levels = connection.execute(SERIES_LEVELS, {"levels": list(named)}).df() if named else None
    rows, applied, not_applied = overridden(said, forecasts, manifest, levels)
    texts = (json.dumps(applied), json.dumps(not_applied))
    revision, *known = before or (0, "[]", "{}")
    if list(texts) != known:
        values = [run_id, manifest.domain, revision + 1, *texts, now]
        connection.execute("insert into override_revisions values (?, ?, ?, ?, ?, ?)", values)
        insert(
            connection,
            "overridden_forecasts",
            rows.assign(run_id=run_id, revision=revision + 1, domain=manifest.domain, made_at=now),
        )
    return {int(key): text for key, text in not_applied.items()}


def insert(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Append a frame to a ledger table by column name."""
    connection.register("incoming", frame)
    connection.execute(f"insert into {table} by name select * from incoming")
    connection.unregister("incoming")


def overridden(
    said: pd.DataFrame, forecasts: pd.DataFrame, manifest: Manifest, levels: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, list[str], dict[str, str]]:
    """Return what the overrides of a domain make of a run's forecast; `levels`: which sums on levels its series are in, where it has any.

    Returns
    -------
    The rows that move, as `overridden_forecasts` has them but for run, revision and time; which override counts for which months, as
    «id month» in order; and for each override that is not applied, or not in all months, why.
    """
    wanted, lost = changes(said, forecasts)
    found = override(forecasts, wanted, not manifest.params.get("allow_negative", True), levels)
    applied = [
        f"{change.override_id} {change.ds:%Y-%m}"
        for change in wanted
        if change.ds not in found.refused.get(change.override_id, {})
    ]
    people = said.set_index("override_id")
    rows = found.rows.assign(
        override_ids=[",".join(map(str, ids)) for ids in found.rows["override_ids"]],
        overridden_by=_joined(found.rows["override_ids"], people["who"]),
        override_reason=_joined(found.rows["override_ids"], people["why"]),
        cutoff=pd.Timestamp(manifest.cutoff),
        model_name=manifest.champion.name,
        own_override=found.rows["own_override"].astype("Int32"),
    )
    return rows, applied, {str(key): text for key, text in sorted((lost | refusals(found.refused, said)).items())}


def _joined(ids: Iterable[list[int]], texts: pd.Series) -> list[str]:
    """Return the different texts of each list of overrides, parted by semicolons."""
    return ["; ".join(dict.fromkeys(texts[each] for each in some)) for some in ids]
