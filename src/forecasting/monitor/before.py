"""What the notebook 50_monitor reads: what was published for earlier months than the present one, laid into the run folder.

Only runs that count for earlier cutoffs are asked, so publishing the present month changes nothing here. Where the content is the same,
the files keep their time.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import BOUNDS, SERIES_KEY
from forecasting.files import digest
from forecasting.ledger import Published
from forecasting.monitor.limits import WINDOW
from forecasting.run import Memory, RunFolder, Workspace, train_digest
from forecasting.series import NODE, Observed

FORECAST = [*NODE, *SERIES_KEY[1:], "cutoff", "horizon", "ds", "model_name"]
VALUES = ["predicted_value", *BOUNDS, "scale"]
DUE_COLUMNS = [*FORECAST, "status", "run_id", *VALUES, "is_fallback", "actual", "first_known"]
QUIET_COLUMNS = [*FORECAST, *VALUES, "is_fallback", "actual"]
KNOWN_COLUMNS = ["unique_id", "ds", "first_known", "known_before"]
KINDS = {"cutoff": "datetime64[ns]", "ds": "datetime64[ns]", "horizon": "int64", "is_fallback": "bool"}
NUMBERS = {*VALUES, "actual", "first_known", "known_before"}


def write_before(workspace: Workspace, domain: str, settings: dict[str, Any], rebuilt: bool) -> None:
    """Write what was published for earlier cutoffs than the training set's last month into the run folder of a domain.

    `due.parquet` (DUE_COLUMNS): every counted forecast whose month has come, of single series those of the last WINDOW months, and the
    seasonal naive stored beside it, with the actual as it is known now and as it was first known. `quiet.parquet` (QUIET_COLUMNS): what
    the champion of the last counted run and the seasonal naive would have said at that run's back-test cutoffs. `known.parquet`
    (KNOWN_COLUMNS): every published month of every series as it was first known and as it was known before these facts.
    `before.json`: `run`, the last counted run (or None), and `alarms`, the cutoffs at which the monitor asked for new models.

    Nothing is asked while neither the training set nor what is published has changed, and the warehouse was not `rebuilt`.
    """
    run = RunFolder.open(workspace.runs / domain)
    memory, asked_for = Memory.of(workspace, domain, "before"), asks_for(workspace, domain)
    published = Published(workspace.published)
    files = [run.path / name for name in ("due.parquet", "quiet.parquet", "known.parquet", "before.json")]
    if not rebuilt and memory.holds(asked_for, *files):
        return
    tables, before = asked(published, run, settings)
    for name, parts in tables.items():
        run.write_parts(name, parts)
    run.write_json("before", before)
    memory.note(asked_for)


def note_published(workspace: Workspace) -> None:
    """Note that what was asked still stands, though readers have a new file: the run just published is of no earlier month."""
    for domain in workspace.domains():
        memory = Memory.of(workspace, domain, "before")
        if memory.file.exists():
            memory.note(asks_for(workspace, domain))


def asks_for(workspace: Workspace, domain: str) -> str:
    """Return a fingerprint of the training set and of what is published."""
    return digest(train_digest(workspace, domain), [str(part) for part in Published(workspace.published).state])


def asked(
    published: Published, run: RunFolder, settings: dict[str, Any]
) -> tuple[dict[str, Iterable[pd.DataFrame]], dict[str, Any]]:
    """Return the tables by name, in parts, and the content of `before.json`; empty ones where nothing was published for an earlier month.

    The forecasts of one cutoff are a part: of many series those of all together would take gigabytes.
    """
    train, facts = run.training_set(), run.read_json("facts")
    cutoff, domain = f"{train['ds'].max():%Y-%m-%d}", run.domain
    last = published.last_counted(domain, cutoff) if published.state else None
    if last is None:
        columns = {"due": DUE_COLUMNS, "quiet": QUIET_COLUMNS, "known": KNOWN_COLUMNS}
        return {name: _parts([], of_table) for name, of_table in columns.items()}, {"run": None, "alarms": []}
    known = published.known(domain, cutoff, settings["as_of"] or facts["last_fact"])
    cutoffs, verdicts = published.due_cutoffs(domain, cutoff), published.verdicts(domain, cutoff)
    beside = BesideActuals(train, known)
    since = cutoffs["last"].max() - pd.DateOffset(months=WINDOW) if len(cutoffs) else last["cutoff"]
    due = (published.due(domain, cutoff, made_at) for made_at in cutoffs["cutoff"])
    quiet = published.back_tests(last["run_id"], last["champion"], last["cutoff"])
    tables = {
        "due": _parts((_judged(beside(rows), since) for rows in due), DUE_COLUMNS),
        "quiet": _parts(map(beside, quiet), QUIET_COLUMNS),
        "known": _parts([known[known["ds"] <= last["cutoff"]]], KNOWN_COLUMNS),
    }
    asked_for_models = [any(reason["trigger"] for reason in reasons) for reasons in verdicts["reasons"]]
    alarms = [f"{day:%Y-%m-%d}" for day in verdicts.loc[asked_for_models, "cutoff"]]
    series = published.series_of(last["run_id"]).to_dict("records")
    return tables, {"run": last_run(last, series, len(cutoffs), settings, facts), "alarms": alarms}


def last_run(
    last: dict[str, Any],
    series: list[dict[str, str]],
    n_published: int,
    settings: dict[str, Any],
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Return what `before.json` says of the last counted run, which forecast these series, of so many cutoffs that were published."""
    manifest = last["manifest"]
    return {
        "run_id": last["run_id"],
        "cutoff": f"{last['cutoff']:%Y-%m-%d}",
        "champion": last["champion"],
        "trained": manifest.trained.cutoff,
        "last_fact": manifest.facts.last_fact,
        "unit": manifest.unit,
        "unit_now": "units" if facts["measure"] == "units" else settings["currency"] or "",
        "n_published": n_published,
        "series": series,
    }


class BesideActuals:
    """Puts beside forecasts what came: `actual`, as it is known now, and `first_known`."""

    def __init__(self, train: pd.DataFrame, known: pd.DataFrame) -> None:
        first = known.assign(ds=known["ds"].astype("datetime64[ns]"))[["unique_id", "ds", "first_known"]]
        before = train.merge(first, on=["unique_id", "ds"], how="left")
        before = before.assign(y=before["first_known"].fillna(before["y"]))
        self.now, self.then = Observed.of(train), Observed.of(before)

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return those forecasts from one cutoff that have an actual of their own kind, with it.

        A series that is no longer there, and the sums that it was in, have none.
        """
        rows = rows.assign(cutoff=rows["cutoff"].astype("datetime64[ns]"), ds=rows["ds"].astype("datetime64[ns]"))
        node, month = self.now.hierarchy.numbers(rows), rows["ds"]
        actual, first_known = self.now.y(node, month), self.then.y(node, month)
        kept = (node >= 0) & self.now.is_comparable(node, month) & np.isfinite(actual)
        return rows.assign(actual=actual, first_known=first_known)[kept]


def _judged(rows: pd.DataFrame, since: pd.Timestamp) -> pd.DataFrame:
    """Return rows without those of single series up to a month. They are read all the same: they tell which sums can be compared."""
    return rows[(rows["aggregation"] != "series") | (rows["ds"] > since)]


def _parts(tables: Iterable[pd.DataFrame], columns: list[str]) -> Iterator[pd.DataFrame]:
    """Yield these columns of tables, in their types; before them a table without rows, so that there is one in any case."""
    kinds = {name: KINDS.get(name, "float64" if name in NUMBERS else "str") for name in columns}
    yield pd.DataFrame(columns=columns).astype(kinds)
    for table in tables:
        yield table[columns].astype(kinds).reset_index(drop=True)
