"""Reads a plain text's rows by DuckDB, and proves that each line is accounted for; where it cannot be proved nothing is left of it."""

import mmap
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import duckdb

from forecasting.facts.table_files.plain_text import PlainText
from forecasting.facts.table_files.records import swallowed
from forecasting.facts.table_files.relations import rows_in
from forecasting.facts.table_files.shapes import Dialect
from forecasting.facts.tables import literal, one_file

MOST_BROKEN = 100_000  # rows with line breaks, and lines that do not fit, that are looked at one by one
LARGE = 20_000_000  # bytes: below, a file whose lines do not all fit is read record by record


def by_duckdb(
    connection: duckdb.DuckDBPyConnection, relation: str, text: PlainText, dialect: Dialect, first_line: int, width: int
) -> list[tuple[int, str]] | None:
    """Read rows into a relation, with their lines; return the lines that do not fit, or None where lines are not accounted for."""
    if (
        text.nul
        or not text.valid
        or dialect.escape != dialect.quote
        or dialect.skip_blanks
        or spaced_quotes(text.path, dialect)
    ):
        return None
    names = [f"c{number}" for number in range(1, width + 1)]
    try:
        load(connection, relation, text, dialect, first_line, names)
        if all_lines(connection, relation, text, dialect, first_line, names):
            return []
    except duckdb.Error:
        pass
    connection.execute(f"drop table if exists {relation}")
    return None if text.size < LARGE else without_odd_lines(connection, relation, text, dialect, first_line, names)


def load(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    text: PlainText,
    dialect: Dialect,
    first_line: int,
    names: Sequence[str],
    more: str = "",
) -> None:
    """Read rows into a relation, numbered as if each were one line."""
    end = {"\r\n": r"\r\n", "\n": r"\n", "\r": r"\r"}[text.line_end]
    columns = ", ".join(f"{name} := 'VARCHAR'" for name in names)
    source = (
        f"read_csv({one_file(text.path)}, auto_detect = false, hive_partitioning = false, header = false, skip = {first_line - 1}, "
        f"delim = {literal(dialect.delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(dialect.quote)}, "
        f"new_line = '{end}', columns = struct_pack({columns}){more})"
    )
    connection.execute(
        f"create temp table {relation} as select {first_line} - 1 + row_number() over () as line, * from {source}"
    )


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
        rows = connection.execute(
            f"select {', '.join(names)} from {relation} where {broken(names)} limit {MOST_BROKEN}"
        ).fetchall()
        if len(rows) == MOST_BROKEN or any(swallowed([cell or "" for cell in row], dialect.delimiter) for row in rows):
            return False
        n_breaks = number_anew(connection, relation, names) if rows else 0
    return rows_in(connection, relation) + n_breaks == text.n_lines - first_line + 1


def broken(names: Sequence[str]) -> str:
    """Return the SQL that says whether a row has a line break in a cell."""
    return " or ".join(f"contains({name}, '\n') or contains({name}, '\r')" for name in names)


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


def without_odd_lines(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    text: PlainText,
    dialect: Dialect,
    first_line: int,
    names: Sequence[str],
) -> list[tuple[int, str]] | None:
    """Read the rows that fit, of a large file in which no cell has a line break; return the other lines, blank ones too.

    Which lines DuckDB rejects is its word; that they are there, and that all others are rows, is checked against the file.
    """
    try:
        load(
            connection,
            relation,
            text,
            dialect,
            first_line,
            names,
            ", ignore_errors = true, store_rejects = true, rejects_limit = 0",
        )
        listed = "select distinct line, trim(csv_line, chr(13) || chr(10)) from reject_errors order by line limit ?"
        odd = dict(connection.execute(listed, [MOST_BROKEN]).fetchall())
        ok = (
            len(odd) < MOST_BROKEN
            and not connection.execute(f"select 1 from {relation} where {broken(names)} limit 1").fetchone()
        )
        lines = odd_lines(text, first_line, odd) if ok else None
        if lines is not None and rows_in(connection, relation) + len(lines) == text.n_lines - first_line + 1:
            make_room(connection, relation, [line for line, _ in lines])
            return lines
    except duckdb.Error:
        pass
    finally:
        connection.execute("drop table if exists reject_errors")
        connection.execute("drop table if exists reject_scans")
    connection.execute(f"drop table if exists {relation}")
    return None


def odd_lines(text: PlainText, first_line: int, odd: dict[int, str]) -> list[tuple[int, str]] | None:
    """Return the lines of a file that are blank or odd; None where one of the odd is not what stands there, or there are too many."""
    found = []
    with text.path.open(encoding="utf-8", newline="") as file:
        for line, content in islice(enumerate(file, start=1), first_line - 1, text.n_lines):
            if line in odd or content.isspace():
                plain = content.rstrip("\r\n")
                if (line in odd and plain != odd[line]) or len(found) > MOST_BROKEN:
                    return None
                found.append((line, plain))
    return found if len([line for line, _ in found if line in odd]) == len(odd) else None


def make_room(connection: duckdb.DuckDBPyConnection, relation: str, lines: Sequence[int]) -> None:
    """Number rows anew, that were numbered as if certain lines of the file did not exist."""
    places = [
        (line - before, before + 1) for before, line in enumerate(lines)
    ]  # from this number on so many lines come before
    last = dict(places)
    connection.execute(
        "create or replace temp table room as select unnest(?::bigint[]) as line, unnest(?::bigint[]) as n",
        [list(last), list(last.values())],
    )
    connection.execute(
        f"create or replace temp table {relation} as select r.line + coalesce(room.n, 0) as line, r.* exclude line "
        f"from {relation} r asof left join room on r.line >= room.line order by r.line"
    )
    connection.execute("drop table room")


def spaced_quotes(path: Path, dialect: Dialect) -> bool:
    """Say whether a file has blanks between a delimiter and a quote, which DuckDB drops."""
    sign, quote = (re.escape(text.encode()) for text in (dialect.delimiter, dialect.quote))
    pattern = re.compile(rb"(?:^|%s|[\r\n]) +%s|%s +(?:%s|[\r\n]|$)" % (sign, quote, quote, sign))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        near = content.find(b" " + dialect.quote.encode()) >= 0 or content.find(dialect.quote.encode() + b" ") >= 0
        return bool(dialect.quote) and near and pattern.search(content) is not None
