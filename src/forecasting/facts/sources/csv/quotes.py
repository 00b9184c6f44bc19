"""Finds lines of a table that a stray pair of quotes has made part of one cell, as CSV allows."""

import re

import duckdb

from forecasting.errors import UserError
from forecasting.facts.cells import DateStyle
from forecasting.facts.sources.csv.file import CsvFile
from forecasting.facts.tables import NUMBER, quoted


def require_no_swallowed_lines(
    connection: duckdb.DuckDBPyConnection, file: CsvFile, date: str, amount: str, style: DateStyle
) -> None:
    """Raise a UserError at the first cell with line breaks that has a date and an amount where lines of the table have them."""
    if not file.quotes:
        return
    broken = " or ".join(f"contains({quoted(name)}, '\n') or contains({quoted(name)}, '\r')" for name in file.header)
    cells = f"[{', '.join(map(quoted, file.header))}] as cells"
    numbered = f"select row_number() over () as n, {cells}, {broken} as broken from {file.location}"
    rows = file.query(connection, f"select n, cells from ({numbered}) where broken order by n")
    date_at, amount_at = file.header.index(date), file.header.index(amount)
    suspects = [
        (n, line[date_at].strip(' "'))
        for n, cells in rows
        for line in lines_within(cells, file.delimiter)
        if len(line) > date_at and (len(line) <= amount_at or is_number(line[amount_at]))
    ]
    read = f"select cell from (select unnest(?::varchar[]) as cell) where {style.sql('cell')} is not null"
    dates = {cell for (cell,) in connection.execute(read, [[text for _, text in suspects]]).fetchall()}
    first = next((n for n, text in suspects if text in dates), None)
    if first:
        raise UserError(
            f"{file.name}, line {file.line_of(first)}: a quote that opens here makes the lines below part of one cell. "
            "Delete it, and the quote that closes it."
        )


def lines_within(row: list[str | None], delimiter: str) -> list[list[str]]:
    """Return the lines that a row of cells would be if the quotes around its line breaks were no quotes, parted into cells."""
    lines = []
    for index, cell in enumerate(row):
        if cell and re.search(r"[\r\n]", cell):
            first, *others = re.split(r"\r\n|\r|\n", cell)
            parts = first.split(delimiter)
            lines += [[*[""] * index, *parts]] if parts[1:] else []
            lines += [line.split(delimiter) for line in others if delimiter in line]
    return lines


def is_number(text: str) -> bool:
    """Say whether a cell is a number, or empty."""
    return not text.strip() or re.fullmatch(f"{NUMBER}|[+-]?[\\d.,]+", text.strip()) is not None
