"""Published files with any rows at all in the tables that BI tools are given, in the shape that dbt's contracts and the ledger say."""

import datetime as dt
import math
import random
import struct
import sys
from functools import cache
from pathlib import Path

import duckdb
import yaml

from dbt_sql import DBT, macros
from forecasting.ledger.tables import FOR_BI

TEXTS = (
    "",
    " ",
    "North",
    "NULL",
    "\\N",
    "\\.",
    '"',
    '"a"',
    "a,b",
    "two\nlines",
    "cr\r",
    "\r\n",
    "\t",
    "'",
    "Ünï©ode 😀",
    "=1+1",
    "%s",
)
FLOATS = (
    0.0,
    -0.0,
    math.nan,
    math.inf,
    -math.inf,
    5e-324,
    sys.float_info.max,
    0.1 + 0.2,
    1 / 3,
    -1e22,
    123456789.123456789,
)
DATES = (dt.date(1, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31))
TIMES = (dt.datetime(1970, 1, 1), dt.datetime(2024, 3, 31, 2, 30), dt.datetime(9999, 12, 30, 23, 59, 59, 999999))
Rows = dict[str, list[tuple]]


@cache
def shapes() -> dict[str, tuple[dict[str, str], tuple[str, ...]]]:
    """Return each table's columns with their types, and its key."""
    found = {}
    for path in (DBT / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            grain = [test["grain"]["arguments"]["columns"] for test in model.get("data_tests", []) if "grain" in test]
            columns = {
                column["name"]: column["data_type"] for column in model.get("columns", []) if "data_type" in column
            }
            found[model["name"]] = columns, tuple(grain[0] if grain else ())
    with duckdb.connect() as connection:
        connection.execute(macros("ledger").ledger_version_1())
        columns = dict(connection.execute("select column_name, column_type from (describe forecasts)").fetchall())
        key = "select constraint_column_names from duckdb_constraints() where table_name = 'forecasts' and constraint_type = 'PRIMARY KEY'"
        (names,) = connection.execute(key).fetchone()
    found["forecasts"] = {name: kind.lower() for name, kind in columns.items()}, tuple(names)
    return {name: found[name] for name in FOR_BI}


def value(kind: str, rng: random.Random) -> object:
    """Return any value of a type, often one that is easily lost."""
    special = rng.random() < 0.5
    if kind == "varchar":
        return rng.choice(TEXTS) if special else "".join(rng.choice("abcÄ ,;\"'\n\\") for _ in range(rng.randint(1, 8)))
    if kind == "double":
        return rng.choice(FLOATS) if special else struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0]
    if kind == "date":
        return rng.choice(DATES) if special else dt.date.fromordinal(rng.randint(1, dt.date.max.toordinal()))
    if kind == "timestamp":
        return (
            rng.choice(TIMES)
            if special
            else dt.datetime(1990, 1, 1) + dt.timedelta(microseconds=rng.randint(0, 10**15))
        )
    if kind == "boolean":
        return special
    bits = {"integer": 31, "bigint": 63}[kind]
    return rng.choice((0, 1, 2**bits - 1, -(2**bits))) if special else rng.randint(-(2**bits), 2**bits - 1)


def any_rows(rng: random.Random, n: int = 4) -> Rows:
    """Return up to `n` rows for each table, no two with the same key; nothing but the key is always known."""
    found: Rows = {}
    for name, (columns, key) in shapes().items():
        rows = {}
        for _ in range(rng.randint(0, n)):
            row = {
                column: None if column not in key and rng.random() < 0.1 else value(kind, rng)
                for column, kind in columns.items()
            }
            rows[tuple(row[column] for column in key)] = tuple(row.values())
        found[name] = list(rows.values())
    return found


def by_key(table: str, rows: list[tuple]) -> dict[tuple, tuple]:
    """Return rows of a table by their key."""
    columns, key = shapes()[table]
    places = [list(columns).index(column) for column in key]
    return {tuple(row[place] for place in places): row for row in rows}


def later(rows: Rows, rng: random.Random) -> Rows:
    """Return what is published next: some rows are gone, some have other values, some are new."""
    new = any_rows(rng)
    for name, old in rows.items():
        columns, key = shapes()[name]
        for row in by_key(name, [row for row in old if rng.random() < 0.8]).values():
            if rng.random() < 0.5:
                cells = zip(columns.items(), row, strict=True)
                row = tuple(cell if column in key else value(kind, rng) for (column, kind), cell in cells)
            new[name] = list((by_key(name, new[name]) | by_key(name, [row])).values())
    return new


def write(path: Path, rows: Rows, published_at: dt.datetime) -> Path:
    """Write a published file of these rows and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)
    with duckdb.connect(str(scratch)) as connection:
        connection.begin()
        for name, (columns, _) in shapes().items():
            typed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            connection.execute(f'create table "{name}" ({typed})')
            if rows[name]:
                connection.executemany(f'insert into "{name}" values ({", ".join("?" * len(columns))})', rows[name])
        connection.execute("create table publications (domain varchar, run_id varchar, published_at timestamp)")
        connection.execute("insert into publications values ('sales', 'run', ?)", [published_at])
        connection.commit()
    return scratch.replace(path)
