"""Reads a text file into a relation: by DuckDB where its lines are what they seem, else record by record."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from forecasting.errors import UserError
from forecasting.facts.table_files.by_duckdb import by_duckdb
from forecasting.facts.table_files.headers import Cells, place
from forecasting.facts.table_files.left_out import RULE
from forecasting.facts.table_files.plain_text import PlainText, plain
from forecasting.facts.table_files.records import Record, records
from forecasting.facts.table_files.relations import Row, new_name, store
from forecasting.facts.table_files.shapes import Dialect, LeftOut, Notes, require_columns
from forecasting.facts.table_files.writing import SEP, writing_of

HEAD, HEAD_LETTERS = 500, 1_000_000  # records, and characters, that decide how a file is read


def read_text(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, stated: Mapping[str, Any], folder: Path, notes: Notes
) -> tuple[str, Dialect, tuple[Cells, ...], int]:
    """Read a text file into a relation; return its name, the dialect, the cells of the header's rows and the width.

    Raises
    ------
    UserError
        If it cannot be told how the file is written; Undecided where that may be stated.
    """
    text = plain(path, name, stated.get("encoding"), folder, notes)
    if text.mixed_ends:
        notes.evidence.append(f"Lines end in several ways, all are read: {text.mixed_ends}.")
    writing = writing_of(text.path, name, stated, notes)
    head = list(islice(records(head_lines(text.path), writing), HEAD))
    filled = [record for record in head if any(cell.strip() for cell in record.cells) and not is_frame(record)]
    if not filled:
        raise UserError(f"{name} is empty: it has no line with text.")
    placed = place(name, [(record.line, record.cells) for record in filled], stated, notes)
    width = width_of_table(name, placed.header, [record for record in filled if record.line >= placed.first_line])
    note_above(head, placed.header_line or placed.first_line, notes)
    dialect = Dialect(text.encoding, *writing, header_line=placed.header_line, header_rows=max(len(placed.header), 1))
    relation = new_name()
    least = max([len_filled(row) for row in placed.header], default=width)
    odd = by_duckdb(connection, relation, text, dialect, placed.first_line, width)
    if odd is None:
        store(connection, relation, width, rows_of(text, dialect, placed.first_line, least, width))
    else:
        found = (next(records([content], writing))._replace(line=line) for line, content in odd)
        store(connection, relation, width, (row_of(record, least, width) for record in found))
    return relation, dialect, placed.header, width


def head_lines(path: Path) -> list[str]:
    """Return the first lines of a plain text."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(file_lines(file, HEAD_LETTERS))


def file_lines(file: Iterator[str], most: int) -> Iterator[str]:
    """Yield lines until so many characters are read."""
    for line in file:
        yield line
        most -= len(line)
        if most < 0:
            return


def is_sep(record: Record) -> bool:
    """Say whether a record is the line that states the delimiter."""
    return record.line <= 2 and SEP.fullmatch(record.text) is not None


def is_frame(record: Record) -> bool:
    """Say whether a record is no part of any table: the line that states the delimiter, or one drawn of dashes."""
    return is_sep(record) or RULE.fullmatch(record.text) is not None


def len_filled(row: Cells) -> int:
    """Return a row's length without the empty cells at its end."""
    return max((at for at, cell in enumerate(row, start=1) if cell and cell.strip()), default=0)


def width_of_table(name: str, header: Sequence[Cells], body: Sequence[Record]) -> int:
    """Return how many columns a table has: as many as its header, else as most of its rows."""
    if header:
        width = max(map(len, header))
    else:
        widths = Counter(len(record.cells) for record in body if not record.fault)
        width = max(widths, key=lambda one: (widths[one], one), default=1)
    require_columns(name, width)
    return width


def note_above(head: Sequence[Record], line: int, notes: Notes) -> None:
    """Note the lines above a table."""
    for record in head:
        if record.line < line:
            reason = "states the delimiter" if is_sep(record) else "above the table" if record.text.strip() else "blank"
            notes.left_out.append(LeftOut(record.line, record.text, reason))


def rows_of(text: PlainText, dialect: Dialect, first_line: int, least: int, width: int) -> Iterator[Row]:
    """Yield the rows of a table, record by record."""
    with text.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        for record in records(file, dialect.writing):
            if record.line >= first_line:
                yield row_of(record, least, width)


def row_of(record: Record, least: int, width: int) -> Row:
    """Return a record as a row; one that has fewer cells than its header, or more that are filled, says so instead."""
    nothing: list[str | None] = [None] * width
    cells, fault = record.cells, record.fault
    if not fault and not record.text.strip():
        return record.line, None, None, *nothing
    if not fault and len(cells) != width:
        if least <= len(cells) < width or len_filled(cells) <= width < len(cells):
            cells = [*cells[:width], *nothing[len(cells) :]]
        else:
            fault = f"{len(cells)} cell{'s' * (len(cells) != 1)} where the table has {width} columns"
    return (record.line, record.text, fault, *nothing) if fault else (record.line, None, None, *cells)
