"""What the facts contract asks of each fact table, and what was found of it: shared by the checks of all sources."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

# SQL: an earlier date is a slip of the pen. Dates that lie apart from the others, also in the future, are judged once all are known
# (dbt/models/doubts, training_set/doubts).
EARLIEST = "date '1900-01-01'"
AMOUNT = "decimal(18, 4)"  # as dbt reads amounts
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
Connection = duckdb.DuckDBPyConnection  # to files that DuckDB reads into memory; databases are the ledger's
Run = Callable[[str], list[tuple]]  # runs a SELECT and returns its rows


@dataclass(frozen=True)
class Memory:
    """What DuckDB may take while it reads facts. limit: as it writes sizes, '4GB'; empty: its own default, 80 % of the machine's.

    spill: the folder for what does not fit, None: as DuckDB has it, for what is small.
    """

    limit: str | None = None
    spill: Path | None = None


@dataclass(frozen=True)
class Reading:
    """What `params/` says of how facts are read: format of dates and decimal mark (csv), whose clock dates moments, the currency, and which
    columns `levels:` groups series by.
    """

    date_format: str | None = None
    time_zone: str | None = None
    decimal_mark: str | None = None
    currency: str | None = None
    groups: tuple[str, ...] = ()
    memory: Memory = Memory()


@dataclass(frozen=True)
class TableSpec:
    """A fact table of the contract: one row per event, with a date, numbers and texts.

    `required` columns must be there and filled in every row; of `one_of`, if there are any, at least one must be.
    """

    date: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    required: tuple[str, ...]
    one_of: tuple[str, ...] = ()

    def amount(self, columns: Iterable[str]) -> str:
        """Return the column that is added up, of those that there are."""
        return next(name for name in (*self.required[1:], *self.one_of) if name in columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the table, the date first."""
        return (self.date, *self.numbers, *self.texts)


TABLES = {
    "sales": TableSpec(
        date="order_date",
        numbers=("net_amount", "quantity", "cost_amount"),
        texts=("region", "product_category", "product"),
        required=("order_date", "net_amount"),
    ),
    "inventory": TableSpec(
        date="snapshot_date",
        numbers=("quantity_on_hand", "unit_cost", "inventory_value"),
        texts=("region", "product_category", "product"),
        required=("snapshot_date",),
        one_of=("quantity_on_hand", "inventory_value"),
    ),
    "expenses": TableSpec(
        date="expense_date", numbers=("amount",), texts=("region",), required=("expense_date", "amount")
    ),
}


def grouping_columns(levels: dict[str, list[str]]) -> tuple[str, ...]:
    """Return the columns that `levels:` of params/ names, each once."""
    return tuple(dict.fromkeys(name for names in levels.values() for name in names))


def spec_of(table: str, groups: tuple[str, ...] = ()) -> TableSpec:
    """Return what the contract asks of a fact table; `groups` are further columns of texts, which sales and inventory may have."""
    spec = TABLES[table]
    return replace(spec, texts=(*spec.texts, *groups)) if groups and "product_category" in spec.texts else spec


@dataclass(frozen=True)
class FactTable:
    """A fact table that passed the checks: the file, its columns as the contract calls them, and how it is read.

    columns: contract's name → the file's name; columns_unused: those of the file that are none of them. total: the sum of the
    column total_of over all rows. date_format: how the dates of a CSV are written. location: the DuckDB expression that reads the
    file, cells: contract's name → the SQL that reads it from a row; both are handed to dbt, and empty where its models know them.
    """

    name: str
    file: str
    columns: dict[str, str]
    n_rows: int
    date_format: str = ""
    location: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    columns_unused: tuple[str, ...] = ()
    first_date: dt.date | None = None
    last_date: dt.date | None = None
    total: Decimal | None = None
    total_of: str = ""


@dataclass(frozen=True)
class FactsSummary:
    """What came in, checked: the fact tables of a source, by name. time_zone: by whose clock moments became dates. groups: columns that
    `levels:` groups series by.
    """

    source: str
    facts: Path
    tables: dict[str, FactTable]
    time_zone: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the facts do not give, and so what is not built; a sentence each."""
        found = [note for domain in ("sales", "inventory", "profit") for note in self.notes_for(domain)]
        return tuple(dict.fromkeys(found))

    def notes_for(self, domain: str) -> tuple[str, ...]:
        """Return the notes that a reader of one domain must know; what is missing altogether is told with sales."""
        own = {"sales": ["sales"], "inventory": ["inventory"], "profit": ["expenses"]}[domain]
        found = [note for name in own if name in self.tables for note in self.tables[name].notes]
        has_cost = "cost_amount" in self.tables["sales"].columns
        if domain == "sales" and "inventory" not in self.tables:
            found.append("There are no inventory facts: inventory is not forecast.")
        if domain == "sales" and not has_cost:
            found.append(f"{self.tables['sales'].file} has no cost_amount: profit is not forecast.")
        if domain == "profit" and has_cost and "expenses" not in self.tables:
            found.append("There are no expenses: profit is gross profit, net amount minus cost.")
        return tuple(found)

    def dbt_vars(self) -> dict[str, Any]:
        """Return what dbt must be told with --vars, beside as_of."""
        tables = {
            name: {"location": table.location, "cells": table.cells}
            for name, table in self.tables.items()
            if table.location
        }
        facts = one_file(self.facts)[1:-1]
        return {
            "source": self.source,
            "facts": facts,
            "tables": tables,
            "time_zone": self.time_zone,
            "level_columns": list(self.groups),
        }


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ' Did you mean …?' for the most alike of the known names, or nothing."""
    alike = get_close_matches(name.lower(), {str(k).lower(): k for k in known}, n=1, cutoff=0.6)
    spelled = {str(k).lower(): k for k in known}
    return f" Did you mean '{spelled[alike[0]]}'?" if alike else ""


def listed(names: Iterable[str]) -> str:
    """Return names as people list them, or 'nothing'."""
    return ", ".join(str(name) for name in names) or "nothing"


def quoted(name: str) -> str:
    """Return a name quoted as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text quoted as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def connect(time_zone: str | None = None, memory: Memory | None = None) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB session that takes moments by the clock of a time zone, else of UTC: never by that of the machine."""
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    connection.execute(f"set TimeZone = {literal(time_zone or 'UTC')}")
    memory = memory or Memory()
    if memory.limit:
        connection.execute(f"set memory_limit = {literal(memory.limit)}")
    if memory.spill:
        connection.execute(f"set temp_directory = {literal(str(memory.spill))}")
    return connection


def one_file(path: Path) -> str:
    """Return a file's path as a SQL string that DuckDB reads as this one file, not as a pattern of names."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def first_line(error: Exception) -> str:
    """Return the first line of an error's text."""
    return str(error).strip().splitlines()[0]
