"""Fills a table: by COPY into a table of this transaction alone, then one statement on the server that writes what differs."""

from pathlib import Path

import duckdb
from psycopg import sql

from forecasting.ledger.postgres.schema import Schema, listed
from forecasting.ledger.postgres.shape import Table

# The ledger is only added to: what PostgreSQL knows of earlier runs stays there though the data folder be lost.
ONLY_ADDED_TO = ("forecasts",)
AT_ONCE = 1 << 20  # bytes
STAGED = "create temporary table {staged} (like {table}) on commit drop"
FILL = "copy {staged} ({columns}) from stdin (format csv)"
REMOVE = "delete from {table} as old where not exists (select from {staged} as new where {same})"
# Two rows are the same if their bits are: not a number is itself, and -0 is another zero.
WRITE = """
    insert into {table} as old ({columns}) select {columns} from {staged}
    on conflict ({key}) do update set {values} where old *<> excluded
"""


def load(published: duckdb.DuckDBPyConnection, schema: Schema, table: Table, scratch: Path) -> None:
    """Make a table of the schema hold what the published file holds; rows that are the same are not written again.

    `scratch`: a folder for the rows as CSV, which both databases read and write without a loss: text as it is, floats in full.
    """
    file = scratch / "rows.csv"
    published.execute(f"""copy "{table.name}" to '{str(file).replace("'", "''")}' (format csv, header false)""")
    names = tuple(column.name for column in table.columns)
    rest = [name for name in names if name not in table.key]
    parts = {
        "table": schema.at(table.name), "staged": sql.Identifier("pg_temp", f"new_{table.name}"), "columns": listed(names),
        "key": listed(table.key),
        "same": sql.SQL(" and ").join(equal(("old", name), ("new", name)) for name in table.key),
        "values": sql.SQL(", ").join(equal((name,), ("excluded", name)) for name in rest),
    }  # fmt: skip
    statements = {name: sql.SQL(text).format(**parts) for name, text in
                  {"staged": STAGED, "fill": FILL, "remove": REMOVE, "write": WRITE}.items()}  # fmt: skip
    schema.cursor.execute(statements["staged"])
    with schema.cursor.copy(statements["fill"]) as copy, file.open("rb") as rows:
        while chunk := rows.read(AT_ONCE):
            copy.write(chunk)
    if table.name not in ONLY_ADDED_TO:
        schema.cursor.execute(statements["remove"])
    schema.cursor.execute(statements["write"])


def equal(left: tuple[str, ...], right: tuple[str, ...]) -> sql.Composed:
    """Return `left = right` of two columns for a statement."""
    return sql.SQL("{} = {}").format(sql.Identifier(*left), sql.Identifier(*right))
