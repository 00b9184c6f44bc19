"""Checks a company's own CSV files before anything is built from them: their columns, and that every cell can be read.

Errors name the file, the line, the column and the cell, and what to do. Nothing is repaired: cells are only trimmed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from forecasting.errors import UserError
from forecasting.facts.csv_dates import DateError, find_format, looks_like_date, require_plausible
from forecasting.facts.csv_file import CsvFile, open_csv
from forecasting.facts.tables import TABLES, FactTable, TableSpec, listed, literal, nearest, quoted

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
NOT_FINITE = r"(?i)[+-]?(nan|inf|infinity)"
AMOUNT = "decimal(18, 4)"  # as dbt reads amounts


@dataclass(frozen=True)
class Cells:
    """The table `cells`: a row per fact with its number n and, under the contract's names, the columns as text."""

    connection: duckdb.DuckDBPyConnection
    file: CsvFile
    spec: TableSpec
    columns: dict[str, str]

    def query(self, sql: str) -> tuple:
        """Run a query and return its first row."""
        return self.connection.execute(sql).fetchone() or ()

    def place(self, column: str, row: int) -> str:
        """Return 'file, line, column' of a row."""
        header = self.columns[column]
        called = f"'{header}'" + (f" ({column})" if header != column else "")
        return f"{self.file.name}, line {self.file.line_of(row)}, column {called}"

    def fail_at_first(self, column: str, condition: str, problem: str) -> None:
        """Raise a UserError at the first row that meets the condition; it counts the others."""
        n, row = self.query(f"select count(*), min(n) from cells where {condition}")
        if not n:
            return
        (cell,) = self.query(f"select {column} from cells where n = {row}")
        said = "the cell is empty" if cell is None else f"'{cell}' is"
        more = f" ({n - 1:,} more like it)" if n > 1 else ""
        raise UserError(f"{self.place(column, row)}: {said}{problem}{more}")


def inspect_csv(
    table: str, path: Path, mapping: dict[str, str], date_format: str | None = None, alone: bool = False
) -> FactTable:
    """Check one CSV of a fact table and return what it has.

    `mapping` is what the user stated, contract's name → header. `alone`: the file is all there is, so that two columns
    under any header will do: whichever has the dates is the date.
    """
    file, spec = open_csv(path), TABLES[table]
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        named = bool(mapping) or any(alike(name, file.header) for name in spec.required)
        if alone and len(file.header) == 2 and not named:
            mapping = two_columns(connection, file)
        cells = Cells(connection, file, spec, resolve(table, file, mapping))
        n_rows = load(cells)
        require_filled(cells)
        require_numbers(cells)
        chosen = check_dates(cells, date_format)
        notes = tuple(missing_names(cells) + missing_costs(cells, n_rows) + negative_expenses(cells))
    return FactTable(table, file.name, cells.columns, n_rows, chosen, file.location, notes)


def two_columns(connection: duckdb.DuckDBPyConnection, file: CsvFile) -> dict[str, str]:
    """Return which of two columns is the date, judged by the first thousand rows, and which the amount."""
    headless = " or ".join(looks_like_date(literal(name)) for name in file.header)
    if connection.execute(f"select {headless}").fetchone()[0]:
        raise UserError(f"{file.name}, line 1: {listed(file.header)} is a fact. The first line must name the columns.")
    dates = ", ".join(f"count(*) filter (where {looks_like_date(f'trim({quoted(name)})')})" for name in file.header)
    first, second = file.query(connection, f"select {dates} from (select * from {file.location} limit 1000)")[0]
    if first == second:
        raise UserError(
            f"{file.name}: which of its columns ({listed(file.header)}) has the dates cannot be told. "
            "Call them order_date and net_amount, and write dates as 2024-01-31."
        )
    date, amount = file.header if first > second else reversed(file.header)
    return {"order_date": date, "net_amount": amount}


def alike(column: str, header: list[str]) -> list[str]:
    """Return the headers that are the contract's name but for capitals, blanks, hyphens and underscores."""
    return [name for name in header if re.sub(r"[\s_-]", "", name.lower()) == column.replace("_", "")]


def resolve(table: str, file: CsvFile, mapping: dict[str, str]) -> dict[str, str]:
    """Return contract's name → header of the columns that the file has; what the user stated comes first.

    Raises
    ------
    UserError
        If a stated or a required column is not there: lists those that are, and the one most like it.
    """
    spec, columns = TABLES[table], dict(mapping)
    require_stated(table, file, mapping)
    free = [name for name in file.header if name not in mapping.values()]
    for column in spec.columns:
        found = [] if column in columns else alike(column, free)
        if len(found) > 1:
            raise UserError(f"{file.name}: {listed(found)} could all be {column}. Rename all but one of them.")
        if found:
            columns[column] = found[0]
    missing = [column for column in spec.required if column not in columns]
    if spec.one_of and not any(column in columns for column in spec.one_of):
        missing.append(" or ".join(spec.one_of))
    if missing:
        example = missing[0].split(" or ")[0]
        raise UserError(
            f"{file.name} has no column {listed(missing)}. Found: {listed(file.header)}."
            f"{nearest(example, file.header)} Rename it, or state in params/workspaces/ what it is called: "
            f"columns: {{{table}: {{{example}: …}}}}."
        )
    return columns


def require_stated(table: str, file: CsvFile, mapping: dict[str, str]) -> None:
    """Raise a UserError if the user states a column that the contract or the file does not know."""
    known = TABLES[table].columns
    for column, header in mapping.items():
        if column not in known:
            raise UserError(
                f"columns: {table} has no column '{column}'. Known: {listed(known)}."
                f"{nearest(column, known)} Correct params/."
            )
        if header not in file.header:
            raise UserError(
                f"{file.name} has no column '{header}', which params/ states for {column}. "
                f"Found: {listed(file.header)}.{nearest(str(header), file.header)}"
            )


def load(cells: Cells) -> int:
    """Read the file into the table `cells`, trimmed, empty cells as nulls; return the number of rows."""
    file = cells.file
    texts = ", ".join(f"nullif(trim({quoted(header)}), '') as {column}" for column, header in cells.columns.items())
    numbered = f"select row_number() over () as n, {texts} from {file.location}"
    file.query(cells.connection, f"create temp table cells as {numbered}")
    (n_rows,) = cells.query("select count(*) from cells")
    if not n_rows:
        raise UserError(f"{file.name} is an empty table: it names columns but has no rows. Add a line per fact.")
    return n_rows


def require_filled(cells: Cells) -> None:
    """Raise a UserError at the first empty cell of a required column."""
    for column in cells.spec.required:
        cells.fail_at_first(column, f"{column} is null", ". Fill it in, or delete the line.")
    offered = [column for column in cells.spec.one_of if column in cells.columns]
    filled = [f"count({column}) = count(*)" for column in offered]
    if filled and not any(cells.query(f"select {', '.join(filled)} from cells")):
        either = f". One of {' and '.join(offered)} must be filled in, in every row."
        advice = either if offered[1:] else ". Fill it in, or delete the line."
        cells.fail_at_first(offered[0], f"{offered[0]} is null", advice)


def require_numbers(cells: Cells) -> None:
    """Raise a UserError at the first cell of a number's column that is not a finite number below 10^14."""
    for column in cells.spec.numbers:
        if column not in cells.columns:
            continue
        optional = "" if column in cells.spec.required else ", or leave the cell empty"
        cells.fail_at_first(
            column,
            f"regexp_full_match({column}, {literal(NOT_FINITE)})",
            f" not a finite number. Correct it{optional}.",
        )
        cells.fail_at_first(
            column,
            f"not regexp_full_match({column}, {literal(NUMBER)})",
            " text where a number belongs. Write 1001.18: a decimal point, no currency sign, no thousands separator"
            f"{optional}.",
        )
        cells.fail_at_first(
            column,
            f"{column} is not null and try_cast({column} as {AMOUNT}) is null",
            " too large: amounts must be below 10^14. Choose a larger unit.",
        )


def check_dates(cells: Cells, given: str | None) -> str:
    """Return the one format that reads every date.

    Raises
    ------
    UserError
        At a date that cannot be read, that could be read in two ways, or that lies centuries away.
    """
    column = cells.spec.date
    cells.query(f"create temp table dates as select min(n) as n, {column} as cell from cells group by {column}")
    try:
        chosen = find_format(cells.connection, given)
        require_plausible(cells.connection, chosen)
    except DateError as error:
        raise UserError(f"{cells.place(column, error.row)}: '{error.text}' {error}") from None
    return chosen


def missing_names(cells: Cells) -> list[str]:
    """Return a note for each of region and category that the file does not have; expenses may concern all regions."""
    named = [] if "net_amount" not in cells.spec.columns else ["region", "product_category"]
    return [f"{cells.file.name} has no {name}: it is 'All'." for name in named if name not in cells.columns]


def missing_costs(cells: Cells, n_rows: int) -> list[str]:
    """Return a note on the sales without a cost where others have one: profit leaves them out."""
    if "cost_amount" not in cells.columns:
        return []
    n, row, amount = cells.query(
        f"select count(*), min(n), sum(cast(net_amount as {AMOUNT})) from cells where cost_amount is null"
    )
    if not n:
        return []
    return [
        f"{n:,} of {n_rows:,} sales in {cells.file.name} have no cost (the first is line {cells.file.line_of(row)}): "
        f"profit leaves them out, and with them a net amount of {amount:,.2f}."
    ]


def negative_expenses(cells: Cells) -> list[str]:
    """Return a note if most expenses are negative, as some books have them: they would add to profit."""
    if cells.spec is not TABLES["expenses"]:
        return []
    (mostly,) = cells.query(f"select avg(cast(cast(amount as {AMOUNT}) < 0 as integer)) > 0.5 from cells")
    advice = "money spent is a positive amount, so these add to profit. Turn the signs if that is not meant."
    return [f"Most amounts in {cells.file.name} are negative: {advice}"] if mostly else []
