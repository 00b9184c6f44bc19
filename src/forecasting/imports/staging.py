"""A file as one long table of text, whatever its shape: its sheets below each other, months that stand side by side as rows.

The temp table `staged` has n (1, 2 … in the file's order), sheet, line, and k1, k2 …: the file's columns, then those of the pseudo
columns that there are: (sheet), (section): the heading above the row, (heading) and (value): a column's name and its cell.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forecasting.facts import Connection, LeftOut, RawTable, literal, read_table_file
from forecasting.imports.mapping import HEADING, SECTION, SHEET, VALUE

TOTAL = re.compile(r"\W*(grand |sub-?)?totals?|\W*(gesamt|zwischen)?(summe|ergebnis)|gesamt|totale?|totaal|suma|somme")
STAGED, BAD = "staged", "staged_bad"
BLANKS = " \t\r\n\u00a0\u2007\u202f\u2009\ufeff"
NOTHING = ("NULL", "(null)", "<null>", "[NULL]", "\\N", "#N/A", "#NULL!", "--")
RULED = r"[-=_+|*~\s]+"  # a line of a list that is drawn, not written
EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@dataclass
class Parts:
    """The tables of a file: one, or one for each of a workbook's sheets by name ('' where there is one); and the sheets without one."""

    path: Path
    tables: dict[str, RawTable]
    without: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, each once, in the order in which they stand."""
        return tuple(dict.fromkeys(name for table in self.tables.values() for name in table.names))

    @property
    def typed(self) -> dict[str, str]:
        """Column → 'number' or 'date' where all its cells came typed, in all sheets."""
        found: dict[str, set[str]] = {}
        for table in self.tables.values():
            for number, name in enumerate(table.names, start=1):
                found.setdefault(name, set()).add(table.typed.get(f"c{number}", ""))
        return {name: kinds.pop() for name, kinds in found.items() if len(kinds) == 1 and "" not in kinds}

    @property
    def left_out(self) -> list[tuple[str, LeftOut]]:
        """What is no row, with its sheet."""
        return [(sheet, each) for sheet, table in self.tables.items() for each in table.left_out]


@dataclass
class Staged:
    """The table `staged`: columns maps a name, the file's or a pseudo column's, to the SQL of its text."""

    connection: Connection
    path: Path
    columns: dict[str, str]
    typed: dict[str, str]
    n_rows: int
    n_bad: int
    empty_cells: int = 0  # under headings that stand side by side
    headings: tuple[str, ...] = ()  # that stand between rows
    titles: tuple[str, ...] = ()  # what stands above the tables

    def fetch(self, sql: str) -> list[tuple]:
        """Run a query and return its rows."""
        return self.connection.execute(sql).fetchall()


def sheets_of(path: Path) -> list[str]:
    """Return the names of a workbook's sheets that can be seen, none of a file that is no workbook."""
    if path.suffix.lower() not in EXCEL:
        return []
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_path(str(path))
    except CalamineError:  # a text or a web page by this name, or damaged: the reader of files says which
        return []
    return [each.name for each in workbook.sheets_metadata if each.visible == SheetVisibleEnum.Visible]


def read_part(connection: Connection, path: Path, dialect: dict[str, Any], sheet: str | None = None) -> RawTable:
    """Read one table of a file as the dialect says."""
    own = {key: value for key, value in dialect.items() if key != "sheets"}
    return read_table_file(connection, path, {**own, "sheet": sheet} if sheet is not None else own)


def stage(
    connection: Connection,
    parts: Parts,
    across: Iterable[str] = (),
    empty: Iterable[str] = (),
    fill_down: Iterable[str] = (),
) -> Staged:
    """Write the tables of a file into `staged`.

    The columns named in `across` become rows, cells like those of `empty` are empty, empty cells of `fill_down` are as the one above.
    """
    across = set(across)
    plain = [name for name in parts.names if name not in across]
    pseudo = (
        [SHEET] * (len(parts.tables) > 1)
        + [SECTION] * has_sections(connection, parts)
        + [HEADING, VALUE] * bool(across)
    )
    columns = {name: f"k{number}" for number, name in enumerate([*plain, *pseudo], start=1)}
    rows = [
        part_sql(connection, sheet, at, table, columns, across, SECTION in pseudo)
        for at, (sheet, table) in enumerate(parts.tables.items())
    ]
    listed = ", ".join(f"{column} varchar" for column in columns.values())
    connection.execute(f"create or replace temp table {STAGED} (n bigint, sheet varchar, line bigint, {listed})")
    order, cells = "part, line, place", ", ".join(filled(column, empty) for column in columns.values())
    connection.execute(
        f"insert into {STAGED} select row_number() over (order by {order}), sheet, line, {cells} "
        f"from ({' union all '.join(rows)}) order by {order}"
    )
    fill(connection, [columns[name] for name in fill_down if name in columns], [columns[name] for name in plain])
    empty = 0
    if across:
        (empty,) = connection.execute(f"select count(*) from {STAGED} where {columns[VALUE]} is null").fetchone()
        connection.execute(f"delete from {STAGED} where {columns[VALUE]} is null")
    bad = " union all ".join(
        f"select {literal(sheet)} as sheet, line, text, reason from {table.relation}_bad where not regexp_full_match(text, '{RULED}')"
        for sheet, table in parts.tables.items()
    )
    connection.execute(f"create or replace temp table {BAD} as {bad}")
    (n_rows,), (n_bad,) = (connection.execute(f"select count(*) from {name}").fetchone() for name in (STAGED, BAD))
    typed = {name: kind for name, kind in parts.typed.items() if name in plain}
    kinds = {parts.typed.get(name) for name in across}
    if across and len(kinds) == 1 and None not in kinds:
        typed[VALUE] = kinds.pop()
    titles = tuple(dict.fromkeys(each.text for _, each in parts.left_out if each.text and "above" in each.reason))
    headings = (
        [text for table in parts.tables.values() for _, text in heading_rows(connection, table)]
        if SECTION in pseudo
        else []
    )
    return Staged(connection, parts.path, columns, typed, n_rows, n_bad, empty, tuple(headings), titles)


def fill(connection: Connection, columns: list[str], texts: list[str]) -> None:
    """Write into the empty cells of columns what stands above them in the same sheet, but not in rows that say that they are a total."""
    if not columns:
        return
    total = " or ".join(
        f"coalesce(regexp_full_match(trim({text}), {literal(f'(?i){TOTAL.pattern}')}), false)" for text in texts
    )
    above = "partition by sheet order by n"
    cells = ", ".join(
        f"case when {total} then {column} else last_value({column} ignore nulls) over ({above}) end as {column}"
        for column in columns
    )
    connection.execute(f"create or replace temp table {STAGED} as select * replace ({cells}) from {STAGED}")


def part_sql(
    connection: Connection,
    sheet: str,
    at: int,
    table: RawTable,
    columns: dict[str, str],
    across: set[str],
    sections: bool,
) -> str:
    """Return the SELECT of one table's rows in the columns of `staged`."""
    own = {name: f"t.c{number}" for number, name in enumerate(table.names, start=1)}
    wide = [name for name in table.names if name in across]
    cells = {name: own.get(name, "null") for name in columns}
    cells[SHEET] = literal(sheet)
    relation, place = f"{table.relation} t", "0 as place"
    if across:
        cases = " ".join(f"when {number} then {own[name]}" for number, name in enumerate(wide)) or "when 0 then null"
        listed = ", ".join(f"({number}, {literal(unmarked(name))})" for number, name in enumerate(wide)) or "(0, null)"
        cells |= {HEADING: "h.name", VALUE: f"case h.place {cases} end"}
        relation, place = f"{relation}, (values {listed}) h(place, name)", "h.place"
    where = ""
    if sections:
        headings = heading_rows(connection, table)
        marks = [*headings, *section_ends(connection, table, headings)]
        listed = ", ".join(f"({line}, {literal(text)})" for line, text in marks) or "(-1, null)"
        relation = f"({with_sections(table, listed)}) t" + relation.removeprefix(f"{table.relation} t")
        cells[SECTION] = "nullif(t.section, '')"
        where = f" where not t.is_mark and t.line not in ({', '.join(str(line) for line, _ in headings) or '-1'})"
    chosen = ", ".join(f"{cells[name]} as {column}" for name, column in columns.items())
    return f"select {at} as part, {place}, {literal(sheet)} as sheet, cast(t.line as bigint) as line, {chosen} from {relation}{where}"


def filled(column: str, empty: Iterable[str]) -> str:
    """Return the SQL of a cell, null where it holds a word that stands for nothing."""
    words = ", ".join(literal(word) for word in empty)
    return f"case when trim({column}) not in ({words}) then {column} end" if words else column


def words_for_nothing(connection: Connection, parts: Parts) -> list[str]:
    """Return which of the words that databases write for nothing stand in the file."""
    found: set[str] = set()
    for table in parts.tables.values():
        any_cell = "[" + ", ".join(f"trim({column})" for column in table.columns) + "]"
        counts = ", ".join(f"bool_or(list_contains({any_cell}, {literal(word)}))" for word in NOTHING)
        (row,) = connection.execute(f"select {counts} from {table.relation}").fetchall()
        found |= {word for word, there in zip(NOTHING, row, strict=True) if there}
    return sorted(found)


def unmarked(heading: str) -> str:
    """Return a heading without the mark of a footnote at its end: «Sep. 2021(p)», «2020*», «May 2024 1)»."""
    return re.sub(r"\s*(\(\w{1,2}\)|[*†‡]+| \d\))$", "", heading)


def with_sections(table: RawTable, listed: str) -> str:
    """Return the SELECT of a table's rows with the heading that stands above each."""
    own = ", ".join(table.columns)
    marks = f"select *, true as is_mark from (values {listed}) h(line, heading)"
    both = f"select line, {own}, null as heading, false as is_mark from {table.relation} union all by name {marks}"
    upto = "order by line, heading nulls last rows between unbounded preceding and current row"
    return f"select *, last_value(heading ignore nulls) over ({upto}) as section from ({both})"


def section_ends(connection: Connection, table: RawTable, headings: list[tuple[int, str]]) -> list[tuple[float, str]]:
    """Return where a part of a table ends with its total, «Total Income» of what stands below «Income»: behind that line, and ''."""
    first = f"trim(coalesce({', '.join(table.columns[:3])}), {literal(BLANKS)})"
    own = connection.execute(f"select line, {first} from {table.relation} where {first} is not null").fetchall()
    totals = {
        f"{word} {text}".casefold() for _, text in headings for word in ("total", "summe", "gesamt", "totale", "totaal")
    }
    totals |= {f"{text} total".casefold() for _, text in headings}
    lines = [(each.line, each.text.split(" | ")[0].strip()) for each in table.left_out]
    return [(line + 0.5, "") for line, text in sorted({*own, *lines}) if text and text.casefold() in totals]


def has_sections(connection: Connection, parts: Parts) -> bool:
    """Say whether headings stand between the rows of any table."""
    return any(heading_rows(connection, table) for table in parts.tables.values())


def heading_rows(connection: Connection, table: RawTable) -> list[tuple[int, str]]:
    """Return line and text of the headings between a table's rows: one cell with text, in one of the first columns, and no other.

    Where rows with one cell are usual (a third or more), they are rows.
    """
    width = len(table.names)
    if width < 3:
        return []
    filled = " + ".join(f"({column} is not null)::int" for column in table.columns)
    first = f"coalesce({', '.join(table.columns[:3])})"
    sql = f"select line, trim({first}, {literal(BLANKS)}) from {table.relation} where {filled} = 1 and {first} is not null order by line"
    found = [
        (line, text) for line, text in connection.execute(sql).fetchall() if any(letter.isalpha() for letter in text)
    ]
    (n_rows, last) = connection.execute(
        f"select count(*), max(line) from {table.relation} where {filled} > 1"
    ).fetchone()
    if not n_rows or len(found) * 3 >= n_rows:
        return []
    return [(line, text) for line, text in found if line < last]
