"""Reads Parquet files and checks their columns: dates, numbers and text, and that every value can be used."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from forecasting.errors import UserError
from forecasting.facts.tables import AMOUNT, EARLIEST, first_line, listed, nearest, one_file, quoted

Columns = dict[str, str]  # column → its kind; one that may hold nulls has a question mark
WHOLE = tuple(sign + size for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"))
SMALL = tuple(sign + size for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER"))
MOMENT, NOTHING = "TIMESTAMP WITH TIME ZONE", "nothing but nulls"
KINDS = {
    "date": ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "number": ("DECIMAL", "DOUBLE", "FLOAT", *WHOLE),
    "text": ("VARCHAR",),
}


def relation_of(path: Path) -> str:
    """Return the DuckDB expression that reads one Parquet file, whatever the folders above it are called."""
    return f"read_parquet({one_file(path)}, hive_partitioning = false)"


def column_types(connection: duckdb.DuckDBPyConnection, path: Path, name: str = "") -> dict[str, str]:
    """Return a Parquet file's columns and their types as DuckDB reads them, but for spans of time and columns without any value.

    DuckDB reads both as whole numbers. `name`: what messages call the file.

    Raises
    ------
    UserError
        If it is no Parquet file that can be read.
    """
    import pyarrow  # only for companies with Parquet files
    import pyarrow.parquet

    described = f"select column_name, column_type from (describe select * from {relation_of(path)})"
    try:
        types = dict(connection.execute(described).fetchall())
        schema = pyarrow.parquet.read_schema(path)
    except (duckdb.Error, pyarrow.ArrowException) as error:
        size = "is empty (0 bytes)" if not path.stat().st_size else f"cannot be read as Parquet: {first_line(error)}"
        raise UserError(f"{name or path.name} {size.rstrip('.')}. Export it again.") from None
    for field in schema:
        if field.name in types and pyarrow.types.is_duration(field.type):
            types[field.name] = str(field.type)
        if field.name in types and pyarrow.types.is_null(field.type):
            types[field.name] = NOTHING
    return types


def check_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: dict[str, str], time_zone: str | None
) -> int:
    """Check that a Parquet file has the columns, of the right kind and filled in; return its number of rows."""
    found = column_types(connection, path)
    (n_rows,) = connection.execute(f"select count(*) from {relation_of(path)}").fetchone()
    if not n_rows:
        raise UserError(f"{path.name} is an empty table: it has columns but no rows. Export it again.")
    for column, kind in columns.items():
        if column not in found:
            raise UserError(f"{path.name} has no column {column}. Found: {listed(found)}.{nearest(column, found)}")
        require_kind(path.name, column, found[column], kind.rstrip("?"), time_zone)
    for column, kind in columns.items():
        require_values(connection, path, column, kind)
    return n_rows


def require_kind(
    file: str, column: str, found: str, kind: str, time_zone: str | None, text: Iterable[str] = ()
) -> None:
    """Raise a UserError if a column's type is none of dates, numbers or text, as it must be; `text`: what is taken for text as well."""
    known = (*KINDS[kind], *text) if kind == "text" else KINDS[kind]
    if kind == "date" and found == MOMENT:
        if not time_zone:
            problem = "moments without a clock of their own, whose day depends on the time zone"
            raise UserError(f"{file}, column {column}: {problem}. Set time_zone in params/, for example Europe/Berlin.")
    elif found.split("(")[0] not in known:
        advice = " or hand it in as CSV, of which text is read" if found == "VARCHAR" else ""
        raise UserError(f"{file}, column {column}: {found} where a {kind} belongs. Export it as such{advice}.")


def always_fits(type_: str) -> bool:
    """Say whether every value of a type of numbers can be used as it is: finite, not too large, and with four decimals at most."""
    decimal = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", type_)
    if decimal:
        digits, decimals = map(int, decimal.groups())
        return decimals <= 4 and digits - decimals <= 14
    return type_ in SMALL


def wrong_values(name: str, kind: str, fits: bool = False) -> list[str]:
    """Return the SQL of what makes a value of a kind unusable: nulls where there is no question mark, implausible dates, numbers.

    `fits`: the column's type holds no number that cannot be used.
    """
    wrong = [] if kind.endswith("?") else [f"{name} is null"]
    if kind.startswith("number") and not fits:
        wrong.append(f"not isfinite(cast({name} as double))")
        wrong.append(f"try_cast({name} as {AMOUNT}) is null and {name} is not null")
        wrong.append(f"{name} <> 0 and try_cast({name} as {AMOUNT}) = 0")
    if kind.startswith("date"):
        wrong.append(f"cast({name} as date) < {EARLIEST} or not isfinite(cast({name} as date))")
    return wrong


def require_values(connection: duckdb.DuckDBPyConnection, path: Path, column: str, kind: str) -> None:
    """Raise a UserError at the first null of a column that needs a value, an unusable number or an implausible date."""
    wrong = wrong_values("value", kind)
    if not wrong:
        return
    numbered = f"select row_number() over () as n, {quoted(column)} as value from {relation_of(path)}"
    found = connection.execute(
        f"select n, value from ({numbered}) where {' or '.join(wrong)} order by n limit 1"
    ).fetchone()
    if found:
        row, value = found
        raise UserError(f"{path.name}, row {row}, column {column}: {what_is_said(value, kind)}. Correct the export.")


def what_is_said(value: Any, kind: str) -> str:
    """Return what is wrong with a value, in words."""
    return "the value is missing" if value is None else f"{value} is not a usable {kind.rstrip('?')}"
