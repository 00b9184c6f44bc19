"""Reads a sheet of an Excel or LibreOffice workbook into a relation."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from forecasting.errors import UserError
from forecasting.facts.table_files.headers import Cells, column_kinds, place
from forecasting.facts.table_files.kinds import kind_of
from forecasting.facts.table_files.relations import Row, column_names, new_name, store
from forecasting.facts.table_files.shapes import Dialect, LeftOut, Limits, Notes, Undecided, require_columns
from forecasting.facts.table_files.workbook_parts import SAVE, keeps_errors, lost_cells, require_small

HEAD = 500  # rows that decide how a sheet is read
Value = int | float | str | bool | dt.date | dt.time | dt.timedelta


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet as Excel has them, '' where there is nothing; the row of the first is 1, as Excel counts."""

    title: str
    rows: list[list[Value]]

    @property
    def filled(self) -> list[tuple[int, list[str | None]]]:
        """The first rows that have cells, with their numbers, as text."""
        found = []
        for line, row in enumerate(self.rows, start=1):
            texts = [as_text(cell) for cell in row]
            if any(text and text.strip() for text in texts):
                found.append((line, texts))
            if len(found) == HEAD:
                break
        return found


def read_workbook(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    stated: Mapping[str, Any],
    notes: Notes,
    limits: Limits,
) -> tuple[str, Dialect, tuple[Cells, ...], int, Sheet]:
    """Read a sheet into a relation; return its name, the dialect, the cells of the header's rows, the width and the sheet.

    Raises
    ------
    UserError
        If the workbook cannot be opened or the sheet is empty; Undecided where several sheets have tables and none is stated.
    """
    sheet = read_sheet(path, name, stated.get("sheet"), notes, limits)
    filled = sheet.filled
    if not filled:
        raise UserError(f"{name}: the sheet '{sheet.title}' is empty.")
    placed = place(f"{name}, sheet '{sheet.title}'", filled, stated, notes)
    start = placed.header_line or placed.first_line
    notes.left_out += [
        LeftOut(line, " | ".join(filter(None, row)), "above the table") for line, row in filled if line < start
    ]
    width = max(map(len, sheet.rows))
    require_columns(f"{name}, sheet '{sheet.title}',", width)
    relation = new_name()
    store(connection, relation, width, table_rows(sheet.rows, placed.first_line, width))
    dialect = Dialect(
        "", "", "", "", sheet.title, header_line=placed.header_line, header_rows=max(len(placed.header), 1)
    )
    return relation, dialect, placed.header, width, sheet


def read_sheet(path: Path, name: str, stated: str | None, notes: Notes, limits: Limits) -> Sheet:
    """Return the sheet that is stated, or the only one with a table; merged texts and dates stand in each row that they reach over."""
    with opened(path, name, limits) as workbook:
        title = the_sheet(path, name, workbook, stated, notes, limits)
        lost = lost_cells(path, name, title, limits.cells)
        sheet = workbook.get_sheet_by_name(title)
        rows = cells_of(sheet)
        merged = sheet.merged_cell_ranges or []
    if not keeps_errors(path):
        notes.evidence.append(
            "Of a workbook of this kind a cell with an error, such as #N/A, reads as empty; of .xlsx it is read as text."
        )
    put_back(rows, lost, title, notes)
    fill_down(rows, merged, title, notes)
    return Sheet(title, rows)


def sheet_rows(path: Path, title: str) -> list[list[Value]]:
    """Return the cells of one sheet of a workbook as Excel has them, row by row, '' where there is nothing; the first is row 1.

    Of a formula its result; one whose result is not stored is its text, '=…'.

    Raises
    ------
    UserError
        If the workbook cannot be opened, or has no such sheet.
    """
    return read_sheet(path, path.name, title, Notes(), Limits()).rows


@contextmanager
def opened(path: Path, name: str, limits: Limits) -> Iterator[CalamineWorkbook]:
    """Open a workbook, or raise a UserError about why it, or something in it, cannot be read."""
    require_small(path, name, limits.workbook)
    try:
        with load_workbook(str(path)) as workbook:
            yield workbook
    except PasswordError:
        raise UserError(f"{name} is protected by a password. Save it without one.") from None
    except (UserError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the reader, in Rust, may panic at a damaged file, which is no Exception
        raise UserError(f"{name} cannot be opened as a workbook ({str(error)[:100]}). {SAVE}") from None


def sheets_with_cells(path: Path, limits: Limits) -> list[str]:
    """Return the names of a workbook's sheets that have cells and are not hidden.

    Raises
    ------
    UserError
        If the workbook cannot be opened, or is too large.
    """
    with opened(path, path.name, limits) as workbook:
        sheets = visible_sheets(path, path.name, workbook, limits)
        return [title for title in sheets if workbook.get_sheet_by_name(title).start is not None]


def visible_sheets(path: Path, name: str, workbook: CalamineWorkbook, limits: Limits) -> list[str]:
    """Return the sheets that are not hidden, of a workbook in which none is too large to be looked into."""
    found = [one.name for one in sheets_of(workbook) if one.visible == SheetVisibleEnum.Visible]
    for title in found:
        lost_cells(path, name, title, limits.cells)
    return found


def sheets_of(workbook: CalamineWorkbook) -> list[SheetMetadata]:
    """Return what is known of the sheets that have cells, not charts or macros."""
    return [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]


def the_sheet(
    path: Path, name: str, workbook: CalamineWorkbook, stated: str | None, notes: Notes, limits: Limits
) -> str:
    """Return the sheet that is stated, or the only one that has a table."""
    titles = [one.name for one in sheets_of(workbook)]
    if stated is not None:
        if stated not in titles:
            raise UserError(f"{name} has no sheet '{stated}'. It has {', '.join(titles)}.")
        return stated
    visible = visible_sheets(path, name, workbook, limits)
    found = [title for title in visible if has_table(workbook.get_sheet_by_name(title))]
    found = found or [title for title in visible if workbook.get_sheet_by_name(title).start is not None]
    if len(found) > 1:
        listed = ", ".join(found)
        raise Undecided(
            f"{name} has {len(found)} sheets with a table: {listed}. State which one as `sheet`.",
            "sheet",
            dict.fromkeys(found, ""),
        )
    if not found:
        raise UserError(
            f"{name} has no sheet that has cells and is not hidden. State the `sheet`, one of {', '.join(titles)}."
        )
    if len(titles) > 1:
        notes.evidence.append(
            f"The sheet '{found[0]}' is read: of {len(titles)} it is the only one with a table that is not hidden."
        )
    return found[0]


def has_table(sheet: CalamineSheet) -> bool:
    """Say whether a sheet has a table: three rows of two cells and more, and a column of dates or numbers."""
    rows = [[as_text(cell) for cell in row] for row, _ in zip(sheet.iter_rows(), range(HEAD), strict=False)]
    broad = [[kind_of(cell) for cell in row] for row in rows if sum(1 for cell in row if cell) > 1]
    return len(broad) >= 3 and any(kind in ("date", "number") for kind in column_kinds(broad))


def cells_of(sheet: CalamineSheet) -> list[list[Value]]:
    """Return the cells of a sheet from its first row and column on."""
    if sheet.start is None:
        return []
    return [[*[""] * sheet.start[1], *row] for row in sheet.iter_rows()]


def put_back(rows: list[list[Value]], lost: Mapping[tuple[int, int], str], title: str, notes: Notes) -> None:
    """Write errors such as #N/A, and formulas without a value, into their cells, which the reader leaves empty."""
    for (row, column), text in lost.items():
        if row < len(rows) and column < len(rows[row]) and rows[row][column] == "":
            rows[row][column] = text
    n_formulas = sum(1 for text in lost.values() if text.startswith("="))
    if n_formulas:
        advice = "Open the workbook in Excel and save it, so that they are worked out."
        notes.evidence.append(
            f"{n_formulas:,} formulas of the sheet '{title}' have no value stored: read as their text. {advice}"
        )


def fill_down(
    rows: list[list[Value]], merged: Sequence[tuple[tuple[int, int], tuple[int, int]]], title: str, notes: Notes
) -> None:
    """Write a text or date that is merged over several rows into each of them; a number stays where it is, that it is counted once."""
    n_filled = 0
    for (top, left), (bottom, _) in merged:
        value = rows[top][left] if top < len(rows) and left < len(rows[top]) else ""
        if top == bottom or value == "" or (isinstance(value, int | float) and not isinstance(value, bool)):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if left < len(row) and row[left] == "":
                row[left] = value
        n_filled += 1
    if n_filled:
        notes.evidence.append(
            f"{n_filled:,} cells of the sheet '{title}' are merged over several rows: their text counts for each."
        )


def as_text(cell: Value) -> str | None:
    """Return a cell as plain text: numbers with a point, dates as 2024-01-31."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return format(Decimal(f"{cell:.15g}"), "f")  # Excel knows 15 digits
    if isinstance(cell, dt.datetime):
        return str(cell.date()) if cell.time() == dt.time() else str(cell)
    return str(cell)


def table_rows(rows: Sequence[Sequence[Value]], first_line: int, width: int) -> Iterator[Row]:
    """Yield the rows of a table."""
    for line, row in enumerate(rows[first_line - 1 :], start=first_line):
        yield line, None, None, *map(as_text, row), *[None] * (width - len(row))


def typed_columns(connection: duckdb.DuckDBPyConnection, relation: str, sheet: Sheet) -> dict[str, str]:
    """Return which columns of a relation came as 'number' or 'date' in every cell that its rows have."""
    lines = [line for (line,) in connection.execute(f"select line from {relation} order by line").fetchall()]
    found = {}
    for at, name in enumerate(column_names(connection, relation)):
        cells = [row[at] for line in lines if at < len(row := sheet.rows[line - 1]) and row[at] != ""]
        if kind := kind_of_cells(cells):
            found[name] = kind
    return found


def kind_of_cells(cells: Sequence[Value]) -> str | None:
    """Return 'number' or 'date' where all cells of a column that has any are such."""
    if cells and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells):
        return "number"
    return "date" if cells and all(isinstance(cell, dt.date) for cell in cells) else None
