"""Reads a text file into a relation: by DuckDB where its lines are what they seem, else record by record."""

import mmap
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from forecasting.errors import UserError
from forecasting.facts.table_files.headers import Cells, place
from forecasting.facts.table_files.plain_text import PlainText, plain
from forecasting.facts.table_files.records import Record, records, swallowed
from forecasting.facts.table_files.relations import Row, new_name, rows_in, store
from forecasting.facts.table_files.shapes import Dialect, LeftOut, Notes
from forecasting.facts.table_files.writing import SEP, writing_of
from forecasting.facts.tables import literal, one_file

HEAD, HEAD_LETTERS = 500, 1_000_000  # records, and characters, that decide how a file is read
MOST_COLUMNS = 2_000
MOST_BROKEN = 100_000  # rows with line breaks that are looked at one by one


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
    writing = writing_of(text.path, name, stated, notes)
    head = list(islice(records(head_lines(text.path), writing), HEAD))
    filled = [record for record in head if any(cell.strip() for cell in record.cells) and not is_sep(record)]
    if not filled:
        raise UserError(f"{name} is empty: it has no line with text.")
    placed = place(name, [(record.line, record.cells) for record in filled], stated, notes)
    width = width_of_table(name, placed.header, [record for record in filled if record.line >= placed.first_line])
    note_above(head, placed.header_line or placed.first_line, notes)
    dialect = Dialect(text.encoding, *writing, header_line=placed.header_line, header_rows=max(len(placed.header), 1))
    relation = new_name()
    least = max([len_filled(row) for row in placed.header], default=width)
    if not by_duckdb(connection, relation, text, dialect, placed.first_line, width):
        store(connection, relation, width, rows_of(text, dialect, placed.first_line, least, width))
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
    if width > MOST_COLUMNS:
        raise UserError(
            f"{name} has {width:,} columns, at most {MOST_COLUMNS:,} are read. Leave out those that are not needed."
        )
    return width


def note_above(head: Sequence[Record], line: int, notes: Notes) -> None:
    """Note the lines above a table."""
    for record in head:
        if record.line < line:
            reason = "states the delimiter" if is_sep(record) else "above the table" if record.text.strip() else "blank"
            notes.left_out.append(LeftOut(record.line, record.text, reason))


def rows_of(text: PlainText, dialect: Dialect, first_line: int, least: int, width: int) -> Iterator[Row]:
    """Yield the rows of a table; one that has fewer cells than its header, or more that are filled, says so instead."""
    nothing: list[str | None] = [None] * width
    with text.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        for record in records(file, dialect.writing):
            if record.line < first_line:
                continue
            cells = record.cells
            fault = record.fault
            if not fault and len(cells) != width and record.text.strip():
                if least <= len(cells) < width or len_filled(cells) <= width < len(cells):
                    cells = [*cells[:width], *nothing[len(cells) :]]
                else:
                    fault = f"{len(cells)} cells where the table has {width} columns"
            if fault:
                yield record.line, record.text, fault, *nothing
            elif record.text.strip():
                yield record.line, None, None, *cells
            else:
                yield record.line, None, None, *nothing


def by_duckdb(
    connection: duckdb.DuckDBPyConnection, relation: str, text: PlainText, dialect: Dialect, first_line: int, width: int
) -> bool:
    """Read a file's rows by DuckDB, with their lines; say whether each line is accounted for, else nothing is left of it."""
    if (
        text.nul
        or not text.valid
        or dialect.escape != dialect.quote
        or dialect.skip_blanks
        or spaced_quotes(text.path, dialect)
    ):
        return False
    end = {"\r\n": r"\r\n", "\n": r"\n", "\r": r"\r"}[text.line_end]
    names = [f"c{number}" for number in range(1, width + 1)]
    columns = ", ".join(f"{name} := 'VARCHAR'" for name in names)
    source = (
        f"read_csv({one_file(text.path)}, auto_detect = false, hive_partitioning = false, header = false, skip = {first_line - 1}, "
        f"delim = {literal(dialect.delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(dialect.quote)}, "
        f"new_line = '{end}', columns = struct_pack({columns}))"
    )
    try:
        connection.execute(
            f"create temp table {relation} as select {first_line} - 1 + row_number() over () as line, * from {source}"
        )
        if all_lines(connection, relation, text, dialect, first_line, names):
            connection.execute(f"create temp table {relation}_bad (line bigint, text varchar, reason varchar)")
            return True
    except duckdb.Error:
        pass
    connection.execute(f"drop table if exists {relation}")
    return False


def all_lines(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    text: PlainText,
    dialect: Dialect,
    first_line: int,
    names: Sequence[str],
) -> bool:
    """Number the rows anew where cells have line breaks; say whether rows and line breaks add up to the file's lines."""
    n_breaks = 0
    if dialect.quote and text.quotes:
        broken = " or ".join(f"contains({name}, '\n') or contains({name}, '\r')" for name in names)
        rows = connection.execute(
            f"select {', '.join(names)} from {relation} where {broken} limit {MOST_BROKEN}"
        ).fetchall()
        if len(rows) == MOST_BROKEN or any(swallowed([cell or "" for cell in row], dialect.delimiter) for row in rows):
            return False
        n_breaks = number_anew(connection, relation, names) if rows else 0
    return rows_in(connection, relation) + n_breaks == text.n_lines - first_line + 1


def number_anew(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]) -> int:
    """Add to each row's line the line breaks in the cells of the rows above it; return how many there are."""
    breaks = " + ".join(f"coalesce(len(regexp_replace({name}, '[^\r\n]|\r(\n)', '\\1', 'g')), 0)" for name in names)
    counted = f"select *, {breaks} as breaks from {relation}"
    above = "coalesce(sum(breaks) over (order by line rows between unbounded preceding and 1 preceding), 0)"
    connection.execute(
        f"create or replace temp table {relation} as select cast(line + {above} as bigint) as line, * exclude (line, breaks), breaks "
        f"from ({counted}) order by line"
    )
    (n_breaks,) = connection.execute(f"select sum(breaks) from {relation}").fetchone() or (0,)
    connection.execute(f"alter table {relation} drop column breaks")
    return int(n_breaks)


def spaced_quotes(path: Path, dialect: Dialect) -> bool:
    """Say whether a file has blanks between a delimiter and a quote, which DuckDB drops."""
    sign, quote = (re.escape(text.encode()) for text in (dialect.delimiter, dialect.quote))
    pattern = re.compile(rb"(?:^|%s|[\r\n]) +%s|%s +(?:%s|[\r\n]|$)" % (sign, quote, quote, sign))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        near = content.find(b" " + dialect.quote.encode()) >= 0 or content.find(dialect.quote.encode() + b" ") >= 0
        return bool(dialect.quote) and near and pattern.search(content) is not None
