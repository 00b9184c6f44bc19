"""The cells of a file that somebody uploads. However it is made, no more of it is unpacked or read than a monthly series needs."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

import pandas as pd
from openpyxl import load_workbook

from forecasting.errors import UserError
from forecasting.wording import number

MOST_ROWS = 1200  # a hundred years
MOST_COLUMNS = 100
MOST_READ = 20_000  # rows of a sheet, those without cells included
MOST_UNPACKED = 8  # MB: a workbook with a hundred years of months has a tenth of one
SEPARATORS = ("\t", ";", "|")  # a comma may be a decimal sign, so it is looked for last


def table_of_file(name: str, content: bytes) -> pd.DataFrame:
    """Return the cells of a CSV file, or of the first sheet of an Excel file that has any; the index counts rows from 0.

    `attrs["notes"]` says what was left out.
    """
    kind = PurePath(name).suffix.lower()
    if kind not in (".csv", ".txt", ".xlsx"):
        raise UserError(f"«{name}» is neither a CSV nor an Excel file (.xlsx). Save it as one of them.")
    rows, notes = _sheet(name, content) if kind == ".xlsx" else (_csv(name, content), [])
    if not any(rows):
        raise UserError(f"«{name}» is empty.")
    width = max(map(len, rows))
    table = pd.DataFrame([[*row, *[None] * (width - len(row))] for row in rows], dtype=object)
    table.attrs["notes"] = notes
    return table


def bounded(name: str, rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Return rows without the empty cells at their ends and without empty rows after the last, or refuse them as too many."""
    found: list[list[object]] = []
    filled = 0
    for place, row in enumerate(rows, 1):
        cells = _without_empty_end(row)
        if place > MOST_READ or (cells and place > MOST_ROWS + 1):
            raise UserError(
                f"«{name}» has more than {number(MOST_ROWS)} rows; a monthly series has at most {number(MOST_ROWS)}. "
                "Save the months alone as a file of their own."
            )
        if len(cells) > MOST_COLUMNS:
            raise UserError(
                f"Row {place} of «{name}» has more than {MOST_COLUMNS} columns. It needs two: the month and the value, one month a row."
            )
        if place <= MOST_ROWS + 1:
            found.append(cells)
        filled = place if cells else filled
    return found[:filled]


def _without_empty_end(row: Sequence[object]) -> list[object]:
    """Return a row up to its last cell that holds something."""
    end = len(row)
    while end and (row[end - 1] is None or (isinstance(row[end - 1], str) and not row[end - 1].strip())):
        end -= 1
    return list(row[:end])


def _sheet(name: str, content: bytes) -> tuple[list[list[object]], list[str]]:
    """Return the first sheet of an Excel file that has any cells, and a note where others have some, too."""
    _require_small(name, content)
    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        chosen: list[list[object]] = []
        others: list[str] = []
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # what the file says of its size may be anything, and empty cells up to it would be made
            if not chosen:
                chosen, title = bounded(name, sheet.iter_rows(values_only=True)), sheet.title
            elif any(any(cell is not None for cell in row) for row in sheet.iter_rows(max_row=100, values_only=True)):
                others.append(sheet.title)
    except UserError:
        raise
    except Exception as error:  # a damaged archive fails in as many ways as there are parts in it
        raise UserError(f"«{name}» cannot be opened as an Excel file. Save it again as .xlsx, or as CSV.") from error
    if not others:
        return chosen, []
    return chosen, [f"Only the sheet «{title}» was read; there are cells in «{'», «'.join(others)}», too."]


def _require_small(name: str, content: bytes) -> None:
    """Raise a UserError where a workbook, which is an archive, would be much larger unpacked than it can need."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(part.file_size for part in archive.infolist())  # no more than this is unpacked of any part
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UserError(f"«{name}» cannot be opened as an Excel file. Save it again as .xlsx, or as CSV.") from error
    if size > MOST_UNPACKED * 1_000_000:
        raise UserError(
            f"«{name}» is {number(size / 1e6)} MB large when it is unpacked, and at most {MOST_UNPACKED} MB are read. Copy the months "
            "and values into a new workbook, or save them as CSV."
        )


def _csv(name: str, content: bytes) -> list[list[object]]:
    """Return the cells of a CSV file as texts; a row with more or fewer of them than the others is refused."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((sign for sign in (*SEPARATORS, ",") if sign in first), "\t")
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        return bounded(name, _even(name, rows, separator))
    except csv.Error as error:
        raise UserError(
            f"«{name}» cannot be read as a table: {str(error).strip()}. Save it as CSV with two columns."
        ) from error


def _even(name: str, rows: Iterable[list[str]], separator: str) -> Iterator[list[str]]:
    """Yield rows, or refuse one that has more cells than the first; a comma that stands in a number makes fewer in others, too."""
    width = 0
    for place, row in enumerate(rows, 1):
        filled = len(_without_empty_end(row))
        width = width or len(row)
        if filled > width or (separator == "," and filled > 0 and 2 <= len(row) < width):
            advice = " A number that has a comma in it must stand in quotes." if separator == "," else ""
            raise UserError(
                f"Row {place} of «{name}» has {len(row)} columns («{'», «'.join(row[:4])}»), the first row has {width}. Each row must "
                f"have a month and one value.{advice}"
            )
        yield row
