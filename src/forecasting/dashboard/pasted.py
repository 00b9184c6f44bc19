"""A series as somebody brings it, pasted, typed or in a file, read into months and values. Nothing is repaired or guessed."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pandas as pd

from forecasting.dashboard.month_text import (
    ADVICE,
    are_consecutive,
    are_months,
    as_months,
    next_months,
    starts_with_month,
)
from forecasting.dashboard.number_text import NothingToRead, as_numbers, require_digits
from forecasting.dashboard.table_file import MOST_ROWS, SEPARATORS, table_of_file
from forecasting.errors import UserError
from forecasting.serving import SeriesError, checked_series
from forecasting.wording import count, number

MOST_TYPED = 120  # ten years
MOST_FAULTS = 5  # told at once


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
    NothingToRead
        If there is no digit in it.
    UserError
        If it is no series; says which rows and what to do.
    """
    require_digits(text)
    return from_rows(rows_of_text(text), first_month, decimal)


def rows_of_text(text: str) -> list[Row]:
    """Split a text into rows; months across a line, as in many spreadsheets, are turned into rows.

    Raises
    ------
    UserError
        If a line may be more than a month and a value.
    """
    lines = [(place, line.strip(" \r")) for place, line in enumerate(text.splitlines(), 1) if line.strip()]
    cells = [_cells(line) for _, line in lines]
    if _is_across(cells):
        across = list(zip(*cells, strict=True))
        rows = [Row(place, row[0] if len(row) == 2 else None, row[-1]) for place, row in enumerate(across, 1)]
        _require_no_year(rows)
        return rows
    found = [(place, _month_and_value(place, row)) for (place, _), row in zip(lines, cells, strict=True)]
    if any(month is not None and value for _, (month, value) in found):
        return [Row(place, *(row if row[0] is not None else (row[1], ""))) for place, row in found]
    alone = [Row(place, None, value or month) for place, (month, value) in found]
    _require_values(alone)
    _require_no_year(alone)
    return alone


def _cells(line: str) -> list[str]:
    """Split a line at the sign that separates its columns; empty ones at its end are none."""
    separator = next((sign for sign in SEPARATORS if sign in line), None)
    cells = [cell.strip().strip('"') for cell in line.split(separator)] if separator else [line]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells


def _is_across(cells: list[list[str]]) -> bool:
    """Say whether one line of values, or one of months above one of values, goes across; a month at the left is no value."""
    if len(cells) not in (1, 2) or min(map(len, cells)) <= 2 or len({len(row) for row in cells}) > 1:
        return False
    months = are_months(cells[0])
    return all(months[1:]) if len(cells) == 2 else all(months) or not months[0]


def _month_and_value(place: int, cells: list[str]) -> tuple[str | None, str]:
    """Return a row's month, None where there is none, and its value."""
    if len(cells) > 2:
        raise UserError(
            f"Row {place} has {len(cells)} columns («{'», «'.join(map(shown, cells[:4]))}»). Bring two, the month and the value; of a file "
            "the columns can be chosen."
        )
    if len(cells) == 2:
        return cells[0], cells[1]
    found = starts_with_month(cells[0])
    if found is None:
        month, comma, value = cells[0].partition(", ")
        return (month, value.strip()) if comma else (None, cells[0])
    month, sign, value = found
    if re.search(r":\d\d,\d+$", month):  # a part of a second, or the value
        raise _one_or_several(place, cells[0])
    if len(value) > 1 and value[0] == value[-1] == '"':
        return month, value.strip('"')
    parts = value.split(sign or None)
    if len(parts) > 1 and (sign or all(any(map(str.isdigit, part)) for part in parts)):
        raise _one_or_several(place, value)
    return month, value


def _require_values(rows: list[Row]) -> None:
    """Raise a UserError where what was brought without months may be months without values, or rows that are numbered."""
    texts = [str(row.value) for row in rows]
    if len(texts) > 1 and are_consecutive(texts):
        raise UserError(
            f"Row 1: «{shown(texts[0])}» and those that follow look like months without values. Put a value beside each."
        )
    for row, text in zip(rows, texts, strict=True):
        if re.search(r"\d\s+\d", text):
            raise _one_or_several(row.number, text)
    firsts = [text.partition(",")[0].strip() for text in texts]
    if len(texts) > 1 and all("," in text and first.isdecimal() for text, first in zip(texts, firsts, strict=True)):
        numbers = [int(first) for first in firsts]
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            raise _one_or_several(rows[0].number, texts[0])


def _require_no_year(rows: list[Row]) -> None:
    """Raise a UserError where the first of values without months may be the year of those that follow, or all are years."""
    texts = [str(row.value).strip() for row in rows if row.month is None]
    years = [bool(re.fullmatch(r"(19|20)\d\d", text)) for text in texts]
    follow = (
        all(years) and [*map(int, texts)] == [*range(int(texts[0]), int(texts[0]) + len(texts))] if texts else False
    )
    if len(texts) > 1 and years[0] and (follow or not any(years[1:])):
        raise UserError(
            f"Row {rows[0].number}: «{texts[0]}» may be a year or a value. Leave a year out; if it is a value, put its month beside each."
        )


def _one_or_several(place: int, text: str) -> UserError:
    """Return the question what a text is in which the sign between columns may also stand between thousands or before decimals."""
    return UserError(
        f"Row {place}: «{shown(text)}» may be one number or several columns. Put a tab or a semicolon between the month and the value, and "
        "bring no other column."
    )


def from_file(name: str, content: bytes, columns: tuple[int, int] | None, decimal: str | None = None) -> Brought:
    """Read a CSV or Excel file; `columns` are the places of months and values, None where the file has no others.

    Raises
    ------
    UserError
        If it is no series, or it is not known which columns are meant; says which rows and what to do.
    """
    table = table_of_file(name, content)
    if table.shape[1] < 2 and columns is None:
        raise UserError("The file has one column. It needs two: the month and the value.")
    if table.shape[1] > 2 and columns is None:
        raise UserError(
            f"The file has {table.shape[1]} columns. Choose which one holds the months and which one the values."
        )
    month, value = columns or (0, 1)
    cells = zip(table.index, table.iloc[:, month], table.iloc[:, value], strict=True)
    rows = [Row(place + 1, a, b) for place, a, b in cells if not (_empty(a) and _empty(b))]
    notes = [*table.attrs["notes"]]
    if table.attrs["heading"] and rows:
        notes.append(heading_note(rows.pop(0)))
    found = from_rows(rows, "", decimal)
    return replace(found, notes=[*notes, *found.notes])


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
        If there is none (NothingToRead), if a cell is no month or no number, or the months leave gaps; says where.
    """
    if not rows:
        raise NothingToRead("There is nothing to forecast yet.")
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
    return rows[1:], [heading_note(first)]


def heading_note(row: Row) -> str:
    """Return the sentence about a row that was taken for a heading."""
    cells = [str(cell).strip() for cell in (row.month, row.value) if cell is not None]
    return f"Row {row.number} («{', '.join(cells)}») was taken for a heading."


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
    """Return what stands in a cell, shortened; nothing of an empty one."""
    if _empty(cell):
        return ""
    text = f"{cell:%Y-%m-%d}" if isinstance(cell, dt.date) else str(cell).strip()
    return text if len(text) <= 30 else text[:30] + "…"
