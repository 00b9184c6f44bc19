"""The cells of a file that somebody uploads, by the reader of all table files. However it is made, no more is read than a series needs."""

import datetime as dt
import re
import tempfile
from pathlib import Path, PurePath

import pandas as pd

from forecasting.errors import UserError
from forecasting.facts import Limits, RawTable, Undecided, connect, read_table_file, sheets_with_cells
from forecasting.wording import number

MOST_ROWS = 1200  # a hundred years
MOST_COLUMNS = 100
MOST_MB = 8  # also unpacked: a workbook with a hundred years of months has a tenth of it
LIMITS = Limits(unpacked=MOST_MB * 1_000_000, workbook=MOST_MB * 1_000_000, cells=2_000_000)
SEPARATORS = ("\t", ";", "|")  # a comma may be a decimal sign, so it is looked for last


def table_of_file(name: str, content: bytes) -> pd.DataFrame:
    """Return the cells of a CSV file, or of the first sheet of an Excel file that has any; the index counts rows from 0.

    Cells that Excel knows as numbers or dates are such, all others texts, None where empty. `attrs["notes"]` says what was left out,
    `attrs["heading"]` whether the first row names the columns.

    Raises
    ------
    UserError
        If it is no such file, too large, or has rows that do not fit.
    """
    kind = PurePath(name).suffix.lower()
    if kind not in (".csv", ".txt", ".xlsx"):
        raise UserError(f"«{name}» is neither a CSV nor an Excel file (.xlsx). Save it as one of them.")
    if len(content) > MOST_MB * 1_000_000:
        raise UserError(
            f"«{name}» is {number(len(content) / 1e6)} MB large, and at most {MOST_MB} MB are read. Save the months alone."
        )
    with tempfile.TemporaryDirectory(prefix="upload-") as folder, connect() as connection:
        path = Path(folder) / re.sub(r"[^\w. -]", "_", PurePath(name).name)[-80:]
        path.write_bytes(content)
        sheets = sheets_with_cells(path, LIMITS) if kind == ".xlsx" else []
        try:
            table = read_table_file(connection, path, {"sheet": sheets[0]} if sheets else {}, LIMITS)
        except Undecided as question:
            choices = ", ".join(f"{value} {why}".strip() for value, why in question.choices.items())
            raise UserError(
                f"«{name}» can be read in several ways ({question.key}: {choices}). Save it again as «CSV UTF-8»."
            ) from None
        require_even(
            name,
            table,
            connection.execute(f"select line, text, reason from {table.relation}_bad order by line").fetchall(),
        )
        rows = connection.execute(f"select * from {table.relation} order by line").fetchall()
    return as_frame(table, rows, notes_of(table, sheets))


def require_even(name: str, table: RawTable, bad: list[tuple[int, str, str]]) -> None:
    """Raise a UserError about the first row that has more or fewer cells than the others, or about more of them than a series has."""
    if bad:
        line, text, reason = bad[0]
        comma = " A number that has a comma in it must stand in quotes." if table.dialect.delimiter == "," else ""
        raise UserError(
            f"«{name}» cannot be read as a table: row {line} («{text[:60]}») has {reason}. Each row must have a month and one value.{comma}"
        )
    if len(table.names) > MOST_COLUMNS:
        raise UserError(
            f"«{name}» has more than {MOST_COLUMNS} columns. It needs two: the month and the value, one month a row."
        )
    if table.n_rows > MOST_ROWS:
        raise UserError(
            f"«{name}» has more than {number(MOST_ROWS)} rows; a monthly series has at most {number(MOST_ROWS)}. "
            "Save the months alone as a file of their own."
        )


def notes_of(table: RawTable, sheets: list[str]) -> list[str]:
    """Return what was left out, a sentence each."""
    others = (
        [f"Only the sheet «{sheets[0]}» was read; there are cells in «{'», «'.join(sheets[1:])}», too."]
        if sheets[1:]
        else []
    )
    return others + [
        f"Row {one.line} («{one.text[:60]}») was left out: it is {one.reason}." for one in table.left_out if one.text
    ]


def as_frame(table: RawTable, rows: list[tuple], notes: list[str]) -> pd.DataFrame:
    """Return rows of text, the heading first where there is one, as numbers and dates where the file has such."""
    kinds = [table.typed.get(column) for column in table.columns]
    found = {line - 1: [typed(cell, kind) for cell, kind in zip(cells, kinds, strict=True)] for line, *cells in rows}
    heading = {table.dialect.header_line - 1: list(table.names)} if table.dialect.header_line else {}
    frame = pd.DataFrame.from_dict(heading | found, orient="index", dtype=object)
    frame.attrs |= {"notes": notes, "heading": bool(heading)}
    return frame


def typed(cell: str | None, kind: str | None) -> object:
    """Return a cell as the number or date that Excel has."""
    if cell is None or kind is None:
        return cell
    if kind == "date":
        return dt.datetime.fromisoformat(cell)
    value = float(cell)
    return int(value) if value.is_integer() else value
