"""A series as somebody brings it, pasted, typed or in a file, read into months and values. Nothing is repaired or guessed."""

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

import pandas as pd

from forecasting.dashboard.month_text import ADVICE, as_months, next_months, starts_with_month
from forecasting.dashboard.number_text import as_numbers
from forecasting.errors import UserError
from forecasting.serving import SeriesError, checked_series
from forecasting.wording import count, number

MOST_ROWS = 1200  # a hundred years
MOST_TYPED = 120  # ten years
MOST_FAULTS = 5  # told at once
SEPARATORS = ("\t", ";", "|")  # a comma may be a decimal sign, so it is looked for last


class Row(NamedTuple):
    """One row: its number as the person counts, the month's cell (None where there is no such column) and the value's."""

    number: int
    month: object
    value: object


@dataclass(frozen=True)
class Brought:
    """A series that can be forecast: months '2024-01' without gaps, their values, and what was noticed while reading it."""

    months: list[str]
    values: list[float]
    notes: list[str]

    @property
    def table(self) -> pd.DataFrame:
        """The series as `ds, y`, one row per month."""
        return pd.DataFrame({"ds": pd.to_datetime(self.months, format="%Y-%m"), "y": self.values})


def from_text(text: str, first_month: str, decimal: str | None = None) -> Brought:
    """Read what was pasted: a month and a value in each line, or values alone that begin with `first_month` ('2024-01').

    Raises
    ------
    UserError
        If it is no series; says which rows and what to do.
    """
    return from_rows(rows_of_text(text), first_month, decimal)


def rows_of_text(text: str) -> list[Row]:
    """Split a text into rows; months across a line, as in many spreadsheets, are turned into rows."""
    lines = [(place, line.strip(" \r")) for place, line in enumerate(text.splitlines(), 1) if line.strip()]
    cells = [_cells(line) for _, line in lines]
    if len(cells) in (1, 2) and min(map(len, cells)) > 2 and len({len(row) for row in cells}) == 1:
        across = list(zip(*cells, strict=True))
        return [Row(place, row[0] if len(row) == 2 else None, row[-1]) for place, row in enumerate(across, 1)]
    found = [(place, _month_and_value(row)) for (place, _), row in zip(lines, cells, strict=True)]
    if not any(month is not None and value for _, (month, value) in found):
        return [Row(place, None, value or month) for place, (month, value) in found]
    pairs = [(place, *(row if row[0] is not None else (row[1], ""))) for place, row in found]
    return [Row(*pair) for pair in pairs]


def _cells(line: str) -> list[str]:
    """Split a line at the sign that separates its columns."""
    separator = next((sign for sign in SEPARATORS if sign in line), None)
    return [cell.strip().strip('"') for cell in line.split(separator)] if separator else [line]


def _month_and_value(cells: list[str]) -> tuple[str | None, str]:
    """Return a row's month, None where there is none, and its value."""
    if len(cells) > 1:
        return cells[0], cells[1]
    found = starts_with_month(cells[0])
    if found is None:
        month, comma, value = cells[0].partition(", ")
        return (month, value.strip()) if comma else (None, cells[0])
    return found[0], found[1].strip('"')


def from_file(name: str, content: bytes, columns: tuple[int, int] | None, decimal: str | None = None) -> Brought:
    """Read a CSV or Excel file; `columns` are the places of months and values, None for the first two."""
    table = table_of_file(name, content)
    if table.shape[1] < 2 and columns is None:
        raise UserError("The file has one column. It needs two: the month and the value.")
    month, value = columns or (0, 1)
    rows = zip(table.index, table.iloc[:, month], table.iloc[:, value], strict=True)
    return from_rows([Row(place + 1, a, b) for place, a, b in rows if not (_empty(a) and _empty(b))], "", decimal)


def table_of_file(name: str, content: bytes) -> pd.DataFrame:
    """Return the cells of a CSV file, or of the first sheet of an Excel file, that has any; the index counts rows from 0."""
    kind = PurePath(name).suffix.lower()
    if kind not in (".csv", ".txt", ".xlsx"):
        raise UserError(f"«{name}» is neither a CSV nor an Excel file (.xlsx). Save it as one of them.")
    table = _sheet(name, content) if kind == ".xlsx" else _csv(name, content)
    if table.empty:
        raise UserError(f"«{name}» is empty.")
    if len(table) > MOST_ROWS + 1:
        raise UserError(f"«{name}» has {number(len(table))} rows; a monthly series has at most {number(MOST_ROWS)}.")
    return table


def _sheet(name: str, content: bytes) -> pd.DataFrame:
    """Return the first sheet of an Excel file that has any cells."""
    try:
        sheets = pd.read_excel(
            io.BytesIO(content), sheet_name=None, header=None, engine="openpyxl", nrows=MOST_ROWS + 2
        )
    except Exception as error:  # a damaged archive fails in as many ways as there are parts in it
        raise UserError(f"«{name}» cannot be opened as an Excel file. Save it again as .xlsx, or as CSV.") from error
    return next((sheet for sheet in sheets.values() if not sheet.empty), pd.DataFrame())


def _csv(name: str, content: bytes) -> pd.DataFrame:
    """Return the cells of a CSV file as texts."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((sign for sign in (*SEPARATORS, ",") if sign in first), "\t")
    try:
        return pd.read_csv(
            io.StringIO(text), sep=separator, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False,
            nrows=MOST_ROWS + 2, names=range(first.count(separator) + 1), index_col=False, on_bad_lines="error",
        )  # fmt: skip
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(
            f"«{name}» cannot be read as a table: {str(error).strip()}. Save it as CSV with two columns."
        ) from error


def typed_months(first_month: str) -> pd.DataFrame:
    """Return the table that is filled in by hand: columns month and value, without values yet."""
    return pd.DataFrame(
        {"Month": next_months(first_month, MOST_TYPED), "Value": pd.Series(index=range(MOST_TYPED), dtype=float)}
    )


def from_typed(table: pd.DataFrame) -> Brought:
    """Read the table that was filled in by hand; the months before the first value and after the last are left out.

    Raises
    ------
    UserError
        If a month between them has no value.
    """
    known = table["Value"].notna().to_numpy().nonzero()[0]
    part = table.iloc[known[0] : known[-1] + 1] if len(known) else table.iloc[:0]
    return from_rows([Row(place + 1, month, value) for place, month, value in part.itertuples(name=None)], "")


def from_rows(rows: Sequence[Row], first_month: str, decimal: str | None = None) -> Brought:
    """Check rows and return them as a series; a heading in the first row is left out, and said.

    Raises
    ------
    UserError
        If a cell is no month or no number, or the months leave gaps; says where.
    """
    if not rows:
        raise UserError("There is nothing to forecast yet. Bring at least one month and its value.")
    if len(rows) > MOST_ROWS + 1:
        raise UserError(f"There are {number(len(rows))} rows; a monthly series has at most {number(MOST_ROWS)}.")
    dated = rows[0].month is not None
    rows, notes = _without_heading(rows, dated)
    values = as_numbers([row.value for row in rows], decimal)
    months = as_months([row.month for row in rows]) if dated else next_months(first_month, len(rows))
    faults = [found for cells in zip(rows, months, values, strict=True) if (found := _fault(*cells))]
    if faults:
        raise UserError(_together(faults))
    return _checked(rows, list(months), list(values), notes)


def _without_heading(rows: Sequence[Row], dated: bool) -> tuple[Sequence[Row], list[str]]:
    """Leave out a first row in which neither cell is a month or a number."""
    first = rows[0]
    cells = [str(cell).strip() for cell in ((first.month, first.value) if dated else (first.value,))]
    is_heading = len(rows) > 1 and all(cell and not any(sign.isdigit() for sign in cell) for cell in cells)
    if not is_heading:
        return rows, []
    return rows[1:], [f"Row {first.number} («{', '.join(cells)}») was taken for a heading."]


def _fault(row: Row, month: str | None, value: float | None) -> tuple[str, str] | None:
    """Return what is wrong with a row and what to do about it; None where nothing is."""
    if month is None:
        what = "the month is missing" if _empty(row.month) else f"«{shown(row.month)}» is no month"
        return f"Row {row.number}: {what}.", ADVICE
    if value is None and _empty(row.value):
        return f"Row {row.number}: {month} has no value.", "Write 0 where there was nothing."
    if value is None:
        advice = "Write numbers as digits only, without a currency or a unit."
        return f"Row {row.number}: «{shown(row.value)}» is no number.", advice
    return None


def _together(faults: Sequence[tuple[str, str]]) -> str:
    """Return the first faults and each advice once."""
    more = len(faults) - MOST_FAULTS
    rest = [f"{count(more, 'more row')} cannot be read either."] if more > 0 else []
    advice = dict.fromkeys(text for _, text in faults)
    return " ".join([*(text for text, _ in faults[:MOST_FAULTS]), *rest, *advice])


def _checked(rows: Sequence[Row], months: list[str], values: list[float], notes: list[str]) -> Brought:
    """Check that months follow one another, the other way round too, and that every value can be used."""
    if len(months) > 1 and months[0] > months[-1]:
        rows, months, values = rows[::-1], months[::-1], values[::-1]
        notes = [*notes, "The latest month came first; the order was turned round."]
    try:
        checked_series(months, values)
    except SeriesError as error:
        place = error.where.partition(".")[2]
        raise UserError(f"Row {rows[int(place)].number}: {error}" if place else str(error)) from error
    return Brought(months, values, notes)


def _empty(cell: object) -> bool:
    """Say whether a cell holds nothing."""
    return (
        cell is None
        or (isinstance(cell, str) and not cell.strip())
        or (not isinstance(cell, str) and bool(pd.isna(cell)))
    )


def shown(cell: object) -> str:
    """Return what stands in a cell, shortened."""
    text = f"{cell:%Y-%m-%d}" if isinstance(cell, dt.date) else str(cell).strip()
    return text if len(text) <= 30 else text[:30] + "…"
