"""Checks the Parquet files of a fact table as one table: which column is which, that all files agree, and that every value can be used.

Errors name the file, the row, the column and the value, and what to do. Nothing is repaired: text is only trimmed.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from forecasting.errors import UserError
from forecasting.facts import notes
from forecasting.facts.parquet import (
    KINDS,
    MOMENT,
    NOTHING,
    WHOLE,
    always_fits,
    column_types,
    require_kind,
    what_is_said,
    wrong_values,
)
from forecasting.facts.rounding import rounding_notes
from forecasting.facts.sources.parquet.tree import Tree
from forecasting.facts.stated import alike, resolve
from forecasting.facts.tables import AMOUNT, FactTable, Reading, TableSpec, connect, quoted, spec_of
from forecasting.facts.unused import currency_notes, likely_names

TEXT_TOO = (*WHOLE, "UUID")  # numbers and ids of products are names as good as others
FAMILIES = {
    **dict.fromkeys(KINDS["date"], "date"), **dict.fromkeys(WHOLE, "whole"), "DECIMAL": "decimal",
    "FLOAT": "float", "DOUBLE": "float", "VARCHAR": "text", NOTHING: "nothing",
}  # fmt: skip
TOGETHER = ({"whole", "decimal"}, {"whole", "float"})  # of numbers, what may stand in different files of a table


@dataclass(frozen=True)
class TreeTable:
    """The files of a fact table under check. types: file → its columns and their types; keys: the folders' keys that are columns too."""

    connection: duckdb.DuckDBPyConnection
    table: str
    tree: Tree
    types: dict[str, dict[str, str]]
    keys: tuple[str, ...]
    groups: tuple[str, ...] = ()

    @property
    def spec(self) -> TableSpec:
        """What the contract asks of the table, and `groups`, columns that `levels:` groups series by."""
        return spec_of(self.table, self.groups)

    @property
    def name(self) -> str:
        """What messages call it: the file, or the folder with a stroke."""
        return self.tree.name if self.tree.root is None else f"{self.tree.name}/"

    @property
    def header_place(self) -> str:
        """Where the names of the columns stand."""
        return self.name

    @cached_property
    def names(self) -> list[str]:
        """All columns of all files, written as where they are met first, then the folders' keys."""
        spelled: dict[str, str] = {}
        for found in self.types.values():
            for name in found:
                spelled.setdefault(name.lower(), name)
        return [*spelled.values(), *self.keys]

    @property
    def header(self) -> list[str]:
        """The names, which are unique as they are."""
        return self.names

    def explain_missing(self, wanted: Iterable[str]) -> None:
        """Nothing of a Parquet file tells why it lacks a column."""

    @cached_property
    def location(self) -> str:
        """The DuckDB expression that reads all files."""
        return self.tree.location(bool(self.keys))

    def kind_of(self, column: str) -> str:
        """Return the kind of a contract's column; with a question mark where it may be null."""
        spec = self.spec
        kind = "date" if column == spec.date else "number" if column in spec.numbers else "text"
        return kind if column in spec.required else f"{kind}?"

    def fits(self, header: str) -> bool:
        """Say whether a column's type, in every file, holds no number that cannot be used as it is; the folders' keys are text."""
        own = [
            {name.lower(): type_ for name, type_ in types.items()}.get(header.lower(), "")
            for types in self.types.values()
        ]
        return all(map(always_fits, own))

    def query(self, sql: str) -> list[tuple]:
        """Run a query on the files."""
        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise UserError(
                f"{self.name} cannot be read: {str(error).splitlines()[0].rstrip('.')}. Export it again."
            ) from None

    def first(self, condition: str, value: str) -> tuple[str, Any, int]:
        """Return the place of the first row that meets a condition, a value in it, and how many rows do."""
        rows = f"select filename as f, file_row_number as n, {value} as v from {self.location} where {condition}"
        ((count, found),) = self.query(f"select count(*), arg_min(row(f, n, v), row(f, n)) from ({rows})")
        if not count:
            return "", None, 0
        file, row, shown = found
        by_path = {str(path): name for name, path in self.tree.files.items()}
        place = f"{by_path.get(file, Path(file).name)}, row {row + 1}" if self.tree.own else self.name
        return place, shown, count


@dataclass(frozen=True)
class Reckoned:
    """What the rows of a fact table add up to. n_filled: contract's column → how many of its cells are filled; total: of the amounts."""

    n_rows: int
    n_filled: dict[str, int]
    first_date: dt.date | None
    last_date: dt.date | None
    total: Decimal | None


def inspect_tree(table: str, tree: Tree, mapping: dict[str, str], reading: Reading, alone: bool = False) -> FactTable:
    """Check the Parquet files of a fact table and return what it has.

    `mapping` is what the user stated, contract's name → theirs. `alone`: one file is all there is, so that a date and a number under
    any name will do.
    """
    with connect(reading.time_zone, reading.memory) as connection:
        types = {shown: column_types(connection, path, shown) for shown, path in tree.files.items()}
        found = TreeTable(connection, table, tree, types, usable_keys(tree, types), reading.groups)
        columns = resolve(table, found, mapping or (two_columns(found) if alone else {}), reading.groups)
        for column, header in columns.items():
            require_one_kind(found, column, header, reading.time_zone)
        return fact_table(found, columns, require_usable(found, columns), reading)


def usable_keys(tree: Tree, types: dict[str, dict[str, str]]) -> tuple[str, ...]:
    """Return the keys of a tree's folders if they can be read as columns: none is a column of the files, or a key of folders above."""
    above = {part.split("=", 1)[0].lower() for part in (tree.root.parts if tree.root else ()) if "=" in part}
    own = {key.lower() for key in tree.keys}
    inside = {name.lower() for found in types.values() for name in found}
    return () if inside & (own | above) or own & above else tree.keys


def two_columns(found: TreeTable) -> dict[str, str]:
    """Return the date and the amount of a file of two columns, if the contract's names are not in it; else nothing."""
    (types,) = found.types.values()
    if len(types) != 2 or any(alike(name, found) for name in found.spec.required):
        return {}
    dates = [name for name, type_ in types.items() if type_ in (*KINDS["date"], MOMENT)]
    numbers = [name for name, type_ in types.items() if type_.split("(")[0] in KINDS["number"]]
    return {"order_date": dates[0], "net_amount": numbers[0]} if dates and numbers else {}


def require_one_kind(found: TreeTable, column: str, header: str, time_zone: str | None) -> None:
    """Raise a UserError at the first file in which a column is missing, of a wrong kind, or of another kind than in the first file."""
    if header in found.keys:
        if column in found.spec.numbers:
            raise UserError(
                f"{found.name}: {column} is the name of folders, {header}=…, where a number belongs. Export it as a column."
            )
        return
    kind, families = found.kind_of(column).rstrip("?"), {}
    for file, types in found.types.items():
        type_ = {name.lower(): own for name, own in types.items()}.get(header.lower())
        if type_ is None:
            raise UserError(
                f"{file} has no column {header}, which other files of {found.name} have ({column}). Export all files of a table alike."
            )
        if type_ != NOTHING or column in found.spec.required:
            require_kind(file, header, type_, kind, time_zone, text=TEXT_TOO)
            families.setdefault(FAMILIES.get(type_.split("(")[0], type_), (file, type_))
        if len(families) > 1 and not (kind == "number" and set(families) in TOGETHER):
            (one, first), (other, second) = list(families.values())[:2]
            raise UserError(
                f"{other}, column {header}: {second}, in {one} it is {first}. Export all files of a table with the same types."
            )


def require_usable(found: TreeTable, columns: dict[str, str]) -> Reckoned:
    """Return what the rows add up to, in one reading of all files.

    Raises
    ------
    UserError
        If there are no rows, or at the first value that cannot be used.
    """
    wrong = {column: wrong_value(found, column, header) for column, header in columns.items()}
    counts = ", ".join(f"count(*) filter (where {condition or 'false'})" for condition in wrong.values())
    filled = ", ".join(f"count({quoted(header)})" for header in columns.values())
    day, amount = (quoted(columns[column]) for column in (found.spec.date, found.spec.amount(columns)))
    ((n_rows, n_wrong, n_filled, first, last, total),) = found.query(
        f"select count(*), [{counts}], [{filled}], min(try_cast({day} as date)), max(try_cast({day} as date)), "
        f"sum(try_cast({amount} as {AMOUNT})) from {found.location}"
    )
    if not n_rows:
        raise UserError(f"{found.name} is an empty table: it has columns but no rows. Export it again.")
    for (column, header), n in zip(columns.items(), n_wrong, strict=True):
        if n:
            place, value, _ = found.first(wrong[column], quoted(header))
            said = what_is_said(value, found.kind_of(column)) + (f" ({n - 1:,} more like it)" if n > 1 else "")
            raise UserError(f"{place}, column {header}: {said}. Correct the export.")
    reckoned = Reckoned(n_rows, dict(zip(columns, n_filled, strict=True)), first, last, total)
    offered = {column: columns[column] for column in found.spec.one_of if column in columns}
    if offered and all(reckoned.n_filled[column] < n_rows for column in offered):
        header = next(iter(offered.values()))
        place, _, _ = found.first(f"{quoted(header)} is null", "null")
        raise UserError(
            f"{place}, column {header}: the value is missing. One of {' and '.join(offered)} must be filled in, in every row."
        )
    return reckoned


def wrong_value(found: TreeTable, column: str, header: str) -> str:
    """Return the SQL that is true where a column's value cannot be used, «» where every value can."""
    cell, kind = quoted(header), found.kind_of(column)
    if header in found.keys and column == found.spec.date:
        return f"coalesce(try_cast({cell} as date) < date '1900-01-01' or not isfinite(try_cast({cell} as date)), true)"
    return " or ".join(wrong_values(cell, kind, found.fits(header)))


def cell_sql(found: TreeTable, column: str, header: str) -> str:
    """Return the SQL by which dbt reads a column, before it is cast: text is trimmed as that of a CSV is."""
    cell = quoted(header)
    if found.kind_of(column).startswith("text"):
        text = f"cast({cell} as varchar)"
        return f"case when nullif(trim({text}), '') is not null then trim({text}, ' ') end"
    return f"cast({cell} as date)" if column == found.spec.date else cell


def fact_table(found: TreeTable, columns: dict[str, str], rows: Reckoned, reading: Reading) -> FactTable:
    """Return what files that passed the checks have."""
    spec = found.spec
    cells = {column: cell_sql(found, column, header) for column, header in columns.items()}
    unused = [name for name in found.names if name not in columns.values()]
    return FactTable(
        found.table, found.name, columns, rows.n_rows, location=found.location, cells=cells,
        notes=tuple(notes_of(found, columns, unused, rows, reading)), columns_unused=tuple(unused),
        first_date=rows.first_date, last_date=rows.last_date, total=rows.total, total_of=spec.amount(columns),
    )  # fmt: skip


def notes_of(
    found: TreeTable, columns: dict[str, str], unused: list[str], rows: Reckoned, reading: Reading
) -> list[str]:
    """Return what a reader must know of files that passed the checks, a sentence each."""
    said = [
        *notes.missing_names(found.spec, found.name, columns),
        *likely_names(found.spec, found.table, found.name, columns, unused),
    ]
    if rows.n_filled.get("cost_amount", rows.n_rows) < rows.n_rows:
        no_cost = f"{quoted(columns['cost_amount'])} is null"
        place, _, n = found.first(no_cost, "null")
        amount = f"cast({quoted(columns['net_amount'])} as {AMOUNT})"
        ((lost,),) = found.query(f"select sum({amount}) from {found.location} where {no_cost}")
        said.append(notes.missing_costs(found.name, n, rows.n_rows, place if found.tree.own else "", lost))
    if found.table == "expenses":
        ((mostly,),) = found.query(
            f"select avg(cast({quoted(columns['amount'])} < 0 as integer)) > 0.5 from {found.location}"
        )
        said += [notes.negative_expenses(found.name)] if mostly else []
    numbers = {
        columns[name]: columns[name] for name in found.spec.numbers if name in columns and not found.fits(columns[name])
    }
    said += rounding_notes(found.query, found.location, found.name, numbers)
    return [*said, *currency_notes(found.query, found.location, found.name, unused, reading.currency)]
