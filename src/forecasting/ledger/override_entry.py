"""How overrides come into the ledger: the rows of one file or form together, or none of them."""

import datetime as dt
import json
from dataclasses import asdict

import duckdb
import pandas as pd

from forecasting.errors import UserError
from forecasting.files import write_if_changed
from forecasting.ledger import database as warehouse
from forecasting.ledger.overrides import Said, insert, noted, transaction
from forecasting.ledger.publishing import publish_copy
from forecasting.run import Workspace

CHANGED = "overrides/changed.json"
NEEDED = {"overrides", "override_revisions", "overridden_forecasts", "counted_overrides"}


def add_overrides(workspace: Workspace, said: list[Said]) -> list[int]:
    """Add overrides to a workspace's ledger, apply them to the runs in force and replace the published copy; return their ids.

    The caller holds the workspace. What is not published yet still waits for `make report`.

    Raises
    ------
    UserError
        If nothing has been published yet, the ledger is of an older version, or one of them cannot be met: then none is added.
    """
    if not workspace.published.exists():
        raise UserError(
            f"Nothing has been published in the workspace «{workspace.name}» yet, so there is no forecast to override: "
            "run `make report` first."
        )
    with warehouse.connect(workspace.warehouse, read_only=False) as connection:
        require_ledger(connection)
        with transaction(connection):
            new = _inserted(connection, said)
            _require_met(said, new, noted(connection))
        write_if_changed(
            workspace.data / CHANGED, json.dumps({"last_override": new[-1]}) + "\n"
        )  # Make looks at its time
        publish_copy(connection, workspace.published, time_of=workspace.published.stat())
    return new


def require_ledger(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise a UserError unless the warehouse has what overrides are kept in."""
    names = {name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()}
    if not names >= NEEDED:
        raise UserError(
            "What is published was written by a version of the project that knew no overrides: run `make report`, then this command again."
        )


def _inserted(connection: duckdb.DuckDBPyConnection, said: list[Said]) -> list[int]:
    """Insert the rows and return their ids, which go on from the last."""
    (first,) = connection.execute("select coalesce(max(override_id), 0) + 1 from overrides").fetchone()
    new = list(range(first, first + len(said)))
    rows = pd.DataFrame([asdict(each) for each in said]).assign(
        override_id=new, made_at=dt.datetime.now(dt.UTC).replace(tzinfo=None)
    )
    typed = {"amount": "float64", "withdraws": "Int32", "first_month": "datetime64[us]", "until": "datetime64[us]"}
    insert(connection, "overrides", rows.astype(typed))
    return new


def _require_met(said: list[Said], new: list[int], not_applied: dict[int, str]) -> None:
    """Raise a UserError, which takes all back, where a new override cannot be met; name it and what it contradicts."""
    failed = [f"{each.source}: {not_applied[key]}." for key, each in zip(new, said, strict=True) if key in not_applied]
    if failed:
        raise UserError("\n".join(["Nothing was changed, because not all of it can be met.", *failed]))
