"""Finds which column of a CSV is which of the contract: by what the user states, else by its name."""

import re
from collections.abc import Iterable
from functools import partial
from itertools import islice

import duckdb

from forecasting.errors import UserError
from forecasting.facts.sources.csv.dates import looks_like_date, parsed, stated_format
from forecasting.facts.sources.csv.file import CsvFile
from forecasting.facts.tables import TABLES, listed, literal, nearest, quoted


def two_columns(connection: duckdb.DuckDBPyConnection, file: CsvFile, date_format: str | None) -> dict[str, str]:
    """Return which of two columns is the date, judged by the first thousand rows, and which the amount."""
    headless = " or ".join(looks_like_date(literal(name)) for name in file.names)
    if connection.execute(f"select {headless}").fetchone()[0]:
        line = file.line_of(0)
        raise UserError(
            f"{file.name}, line {line}: {listed(file.names)} is a fact. The first line must name the columns."
        )
    read = partial(parsed, date_format=stated_format(connection, date_format)) if date_format else None
    dates = ", ".join(
        f"count(*) filter (where {f'{read(cell)} is not null' if read else looks_like_date(cell)})"
        for cell in (f"trim({quoted(name)})" for name in file.header)
    )
    first, second = file.query(connection, f"select {dates} from (select * from {file.location} limit 1000)")[0]
    if first == second:
        written = f"as date_format '{date_format}' writes them" if date_format else "as 2024-01-31"
        raise UserError(
            f"{file.name}: which of its columns ({listed(file.header)}) has the dates cannot be told. "
            f"Call them order_date and net_amount, and write dates {written}."
        )
    date, amount = file.names if first > second else reversed(file.names)
    return {"order_date": date, "net_amount": amount}


def alike(column: str, file: CsvFile) -> list[str]:
    """Return the headers that are the contract's name but for capitals, blanks, hyphens and underscores."""
    return [
        header
        for name, header in zip(file.names, file.header, strict=True)
        if re.sub(r"[\s_-]", "", name.lower()) == column.replace("_", "")
    ]


def resolve(table: str, file: CsvFile, mapping: dict[str, str]) -> dict[str, str]:
    """Return contract's name → header of the columns that the file has; what the user stated comes first.

    Raises
    ------
    UserError
        If a stated or a required column is not there: lists those that are, and the one most like it.
    """
    spec, columns = TABLES[table], stated_columns(table, file, mapping)
    for column in spec.columns:
        found = [] if column in columns else [name for name in alike(column, file) if name not in columns.values()]
        if len(found) > 1:
            raise UserError(f"{file.name}: {listed(found)} could all be {column}. Rename all but one of them.")
        if found:
            columns[column] = found[0]
    missing = [column for column in spec.required if column not in columns]
    if spec.one_of and not any(column in columns for column in spec.one_of):
        missing.append(" or ".join(spec.one_of))
    if missing:
        require_header_on_top(file, spec.required)
        example = missing[0].split(" or ")[0]
        raise UserError(
            f"{file.name} has no column {listed(missing)}. Found: {found_names(file)}."
            f"{nearest(example, file.header)} Rename it, or state in params/workspaces/ what it is called: "
            f"columns: {{{table}: {{{example}: …}}}}."
        )
    return columns


def stated_columns(table: str, file: CsvFile, mapping: dict[str, str]) -> dict[str, str]:
    """Return contract's name → header as the user states them.

    Raises
    ------
    UserError
        If the contract or the file does not know a column, or one is stated for two.
    """
    known, columns = TABLES[table].columns, {}
    for column, stated in mapping.items():
        if column not in known:
            raise UserError(
                f"columns: {table} has no column '{column}'. Known: {listed(known)}."
                f"{nearest(str(column), known)} Correct params/."
            )
        name = " ".join(str(stated).split())
        if name not in file.names:
            require_header_on_top(file, [str(header) for header in mapping.values()])
            raise UserError(
                f"{file.name} has no column '{stated}', which params/ states for {column}. "
                f"Found: {found_names(file)}.{nearest(name, file.header)}"
            )
        if file.names.count(name) > 1:
            line = file.line_of(0)
            raise UserError(f"{file.name}, line {line}: two columns are called '{name}'. Rename one of them.")
        other = next((one for one, header in columns.items() if header == file.header[file.names.index(name)]), None)
        if other:
            raise UserError(
                f"columns: {table} has {other} and {column} in one column, '{name}'. State one of them in params/."
            )
        columns[column] = file.header[file.names.index(name)]
    return columns


def found_names(file: CsvFile) -> str:
    """Return a file's columns as a message lists them."""
    more = len(file.header) - 40
    return listed(name[:60] for name in file.header[:40]) + (f" and {more:,} more" if more > 0 else "")


def require_header_on_top(file: CsvFile, wanted: Iterable[str]) -> None:
    """Raise a UserError if one of the next lines names the wanted columns: something stands above the header."""
    for line, cells, _ in islice(file.records(), 1, 50):
        letters = {re.sub(r"[\s_-]", "", cell.lower()) for cell in cells}
        if all(re.sub(r"[\s_-]", "", name.lower()) in letters for name in wanted):
            raise UserError(
                f"{file.name}, line {line}: this line names the columns; it must be the first. Delete what is above it."
            )
