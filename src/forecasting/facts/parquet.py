"""Reads Parquet files and checks their columns: dates, numbers and text, and that every value can be used."""

from pathlib import Path

import duckdb

from forecasting.errors import UserError
from forecasting.facts.tables import AMOUNT, EARLIEST, first_line, listed, nearest, one_file, quoted

Columns = dict[str, str]  # column → its kind; one that may hold nulls has a question mark
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
KINDS = {
    "date": ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "number": ("DECIMAL", "DOUBLE", "FLOAT", *(sign + size for sign in ("", "U") for size in INTEGERS)),
    "text": ("VARCHAR",),
}


def relation_of(path: Path) -> str:
    """Return the DuckDB expression that reads one Parquet file, whatever the folders above it are called."""
    return f"read_parquet({one_file(path)}, hive_partitioning = false)"


def column_types(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Return a Parquet file's columns and their types as DuckDB reads them."""
    described = f"select column_name, column_type from (describe select * from {relation_of(path)})"
    return dict(connection.execute(described).fetchall())


def check_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: dict[str, str], time_zone: str | None
) -> int:
    """Check that a Parquet file has the columns, of the right kind and filled in; return its number of rows."""
    try:
        found = column_types(connection, path)
        (n_rows,) = connection.execute(f"select count(*) from {relation_of(path)}").fetchone()
    except duckdb.Error as error:
        raise UserError(f"{path.name} cannot be read as Parquet: {first_line(error)}. Export it again.") from None
    if not n_rows:
        raise UserError(f"{path.name} is an empty table: it has columns but no rows. Export it again.")
    for column, kind in columns.items():
        require_kind(path, found, column, kind.rstrip("?"), time_zone)
    require_no_durations(path, columns)
    for column, kind in columns.items():
        require_values(connection, path, column, kind)
    return n_rows


def require_kind(path: Path, found: dict[str, str], column: str, kind: str, time_zone: str | None) -> None:
    """Raise a UserError if a column is missing or holds something else than dates, numbers or text."""
    if column not in found:
        raise UserError(f"{path.name} has no column {column}. Found: {listed(found)}.{nearest(column, found)}")
    if kind == "date" and found[column] == "TIMESTAMP WITH TIME ZONE":
        if not time_zone:
            problem = "moments without a clock of their own, whose day depends on the time zone"
            raise UserError(
                f"{path.name}, column {column}: {problem}. Set time_zone in params/, for example Europe/Berlin."
            )
    elif found[column].split("(")[0] not in KINDS[kind]:
        raise UserError(f"{path.name}, column {column}: {found[column]} where a {kind} belongs. Export it as such.")


def require_no_durations(path: Path, columns: dict[str, str]) -> None:
    """Raise a UserError if a column of numbers holds spans of time, which DuckDB reads as whole numbers."""
    import pyarrow.parquet  # only for companies with Parquet files

    schema = pyarrow.parquet.read_schema(path)
    for column, kind in columns.items():
        if (
            kind.startswith("number")
            and column in schema.names
            and pyarrow.types.is_duration(schema.field(column).type)
        ):
            found = schema.field(column).type
            raise UserError(f"{path.name}, column {column}: {found} where a number belongs. Export it as such.")


def require_values(connection: duckdb.DuckDBPyConnection, path: Path, column: str, kind: str) -> None:
    """Raise a UserError at the first null of a column that needs a value, an unusable number or an implausible date."""
    name = quoted(column)
    wrong = [] if kind.endswith("?") else [f"{name} is null"]
    if kind.startswith("number"):
        wrong.append(f"not isfinite(cast({name} as double))")
        wrong.append(f"try_cast({name} as {AMOUNT}) is null and {name} is not null")
        wrong.append(f"{name} <> 0 and try_cast({name} as {AMOUNT}) = 0")
    if kind.startswith("date"):
        wrong.append(f"cast({name} as date) < {EARLIEST}")
    if not wrong:
        return
    numbered = f"select row_number() over () as n, {name} as value from {relation_of(path)}"
    bad = f"select n, value from ({numbered}) where {' or '.join(wrong).replace(name, 'value')} order by n limit 1"
    found = connection.execute(bad).fetchone()
    if found:
        row, value = found
        said = "the value is missing" if value is None else f"{value} is not a usable {kind.rstrip('?')}"
        raise UserError(f"{path.name}, row {row}, column {column}: {said}. Correct the export.")
