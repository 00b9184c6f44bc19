"""Reads a Parquet file into a relation of text; its line is the row's number, the first is 1."""

from pathlib import Path

import duckdb

from forecasting.errors import UserError
from forecasting.facts.table_files.relations import new_name
from forecasting.facts.table_files.shapes import Dialect
from forecasting.facts.tables import first_line, one_file, quoted

NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)
DATES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")


def read_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str
) -> tuple[str, Dialect, list[str], dict[str, str]]:
    """Read a Parquet file into a relation; return its name, the dialect, the columns' names and which are typed."""
    source = f"read_parquet({one_file(path)}, hive_partitioning = false)"
    try:
        described = connection.execute(f"describe select * from {source}").fetchall()
        relation = new_name()
        cells = "".join(
            f", cast({quoted(column)} as varchar) as c{at}" for at, (column, *_) in enumerate(described, start=1)
        )
        connection.execute(f"create temp table {relation} as select row_number() over () as line{cells} from {source}")
    except duckdb.Error as error:
        raise UserError(f"{name} cannot be read as Parquet: {first_line(error)}. Write it again.") from None
    connection.execute(f"create temp table {relation}_bad (line bigint, text varchar, reason varchar)")
    typed = {f"c{at}": kind for at, (_, sql, *_) in enumerate(described, start=1) if (kind := kind_of_type(sql))}
    return relation, Dialect("", "", "", ""), [column for column, *_ in described], typed


def kind_of_type(sql: str) -> str | None:
    """Return 'number' or 'date' for DuckDB's name of a type, None for any other."""
    base = sql.partition("(")[0]
    return "number" if base in NUMBERS else "date" if base in DATES else None
