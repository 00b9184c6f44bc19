"""Publishes into PostgreSQL: the whole of a published file in one transaction, so that readers see the old state or the new."""

import datetime as dt
import tempfile
from pathlib import Path

from forecasting.ledger import private_copy
from forecasting.ledger.postgres import connection, loading, shape
from forecasting.ledger.postgres.schema import Schema
from forecasting.ledger.reader import NothingPublished
from forecasting.run import Workspace

# Our times come without a zone and are in UTC, whatever the server's or the role's own setting. A publisher that hangs lets go.
SESSION = """
    set local timezone = 'UTC';
    set local datestyle = 'ISO, YMD';
    set local idle_in_transaction_session_timeout = '10min'
"""


def publish(workspace: Workspace, schema: str, readers: list[str]) -> str:
    """Bring a schema of the server to the state of the workspace's published file; return what is there now, in a sentence.

    The same published twice writes nothing more; of two at once the second waits; what is older than what is there is refused.
    `readers`: roles that are given the right to read.

    Raises
    ------
    UserError
        If nothing has been published yet, or the server refuses or cannot be reached.
    """
    connection.target()  # before anything is read: a setting that lacks is said at once
    if not workspace.published.exists():
        raise NothingPublished(
            f"Nothing has been published in the workspace «{workspace.name}» yet: `make report` does it."
        )
    published = private_copy.cursor(workspace.published)
    tables = shape.tables(published, workspace.root / "dbt")
    (latest,) = published.execute("select max(published_at) from publications").fetchone()
    with tempfile.TemporaryDirectory(prefix="fc-postgres-") as scratch, connection.transaction(schema) as cursor:
        cursor.execute(SESSION)
        place = Schema(cursor, schema)
        place.bring_up(tables)
        place.take(workspace.name, latest.replace(tzinfo=dt.UTC))
        for table in tables:
            loading.load(published, place, table, Path(scratch))
        place.let_read(readers, tables)
    return f"PostgreSQL, schema «{schema}»: {len(tables)} tables as published on {latest:%Y-%m-%d at %H:%M:%S} UTC."
