"""Reads a sheet of an Excel or LibreOffice workbook into a relation."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from forecasting.errors import UserError
from forecasting.facts.table_files.headers import Cells, place
from forecasting.facts.table_files.relations import Row, new_name, store
from forecasting.facts.table_files.shapes import Dialect, LeftOut, Notes, Undecided

HEAD = 500  # rows that decide how a sheet is read
Value = int | float | str | bool | dt.date | dt.time | dt.timedelta


def read_workbook(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, stated: Mapping[str, Any], notes: Notes
) -> tuple[str, Dialect, tuple[Cells, ...], int, dict[str, str]]:
    """Read a sheet into a relation; return its name, the dialect, the cells of the header's rows, the width and the typed columns.

    Raises
    ------
    UserError
        If the workbook cannot be opened; Undecided where several sheets have cells and none is stated.
    """
    with opened(path, name) as workbook:
        title = the_sheet(name, workbook, stated.get("sheet"), notes)
        rows = list(sheet_rows(workbook.get_sheet_by_name(title)))
    grid = [(line, [as_text(cell) for cell in row]) for line, row in rows]
    filled = [(line, row) for line, row in grid if any(row)]
    if not filled:
        raise UserError(f"{name}: the sheet '{title}' is empty.")
    placed = place(f"{name}, sheet '{title}'", filled[:HEAD], stated, notes)
    start = placed.header_line or placed.first_line
    notes.left_out += [
        LeftOut(line, " | ".join(filter(None, row)), "above the table") for line, row in filled if line < start
    ]
    width = max(len(row) for _, row in filled)
    relation = new_name()
    store(connection, relation, width, table_rows(grid, placed.first_line, width))
    typed = {
        f"c{at + 1}": kind
        for at in range(width)
        if (kind := column_kind([row[at] for line, row in rows if line >= placed.first_line]))
    }
    dialect = Dialect("", "", "", "", title, header_line=placed.header_line, header_rows=max(len(placed.header), 1))
    return relation, dialect, placed.header, width, typed


def opened(path: Path, name: str) -> CalamineWorkbook:
    """Return a workbook, or raise a UserError about why it cannot be opened."""
    try:
        return load_workbook(str(path))
    except PasswordError:
        raise UserError(f"{name} is protected by a password. Save it without one.") from None
    except (CalamineError, OSError, ValueError) as error:
        raise UserError(
            f"{name} cannot be opened as a workbook: {str(error)[:200]}. Save it again as .xlsx, or as CSV."
        ) from None


def the_sheet(name: str, workbook: CalamineWorkbook, stated: str | None, notes: Notes) -> str:
    """Return the sheet that is stated, or the only one that has cells."""
    sheets = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    titles = [one.name for one in sheets]
    if stated is not None:
        if stated not in titles:
            raise UserError(f"{name} has no sheet '{stated}'. It has {', '.join(titles)}.")
        return stated
    visible = [one.name for one in sheets if one.visible == SheetVisibleEnum.Visible]
    able = [title for title in visible if has_table(workbook.get_sheet_by_name(title))]
    if len(able) > 1:
        raise Undecided(
            f"{name} has {len(able)} sheets with a table: {', '.join(able)}. State which one as `sheet`.",
            "sheet",
            dict.fromkeys(able, ""),
        )
    found = able or [title for title in visible if workbook.get_sheet_by_name(title).total_height] or titles
    if not found:
        raise UserError(f"{name} has no sheet with cells.")
    if len(sheets) > 1:
        notes.evidence.append(
            f"The sheet '{found[0]}' is read: it is the only visible one with a table, of {len(sheets)}."
        )
    return found[0]


def has_table(sheet: CalamineSheet) -> bool:
    """Say whether a sheet has at least two rows and two columns with cells."""
    return sheet.height >= 2 and sheet.width >= 2


def sheet_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[Value]]]:
    """Yield the rows of a sheet with their numbers, as Excel counts rows and columns."""
    if sheet.start is None:
        return
    left = [""] * sheet.start[1]
    for number, row in enumerate(sheet.iter_rows(), start=1):
        yield number, [*left, *row]


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


def table_rows(grid: list[tuple[int, list[str | None]]], first_line: int, width: int) -> Iterator[Row]:
    """Yield the rows of a table."""
    for line, row in grid:
        if line >= first_line:
            yield line, None, None, *row, *[None] * (width - len(row))


def column_kind(cells: list[Value]) -> str | None:
    """Return 'number' or 'date' where all cells of a column that has any are such."""
    filled = [cell for cell in cells if cell != ""]
    if filled and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in filled):
        return "number"
    return "date" if filled and all(isinstance(cell, dt.date) for cell in filled) else None
