"""Finds the row that names a table's columns: the last row of words above the first row of dates and numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.table_files.kinds import YEAR, is_period, kind_of
from forecasting.facts.table_files.shapes import Notes

LONGEST_NAME = 300  # characters: a longer cell is a note
Cells = Sequence[str | None]


@dataclass(frozen=True)
class Header:
    """Where the names stand in the first rows of a file: at which of them and over how many; at is None where there are none."""

    at: int | None
    rows: int
    first_row: int  # the first row of the table itself
    why: str


def find_header(rows: Sequence[Cells], lines: Sequence[int]) -> Header:
    """Find the header in the first rows of a file, of which none is blank, and which stand at these lines."""
    kinds = [[kind_of(cell) for cell in row] for row in rows]
    columns = column_kinds(body_of(kinds))
    first = next((at for at in range(len(rows)) if is_data(rows, at, kinds, columns)), None)
    if first is None:
        return header_of_texts(rows)
    for at in range(first - 1, max(first - 5, -1), -1):
        if names_columns(rows[at], columns):
            below = f"below it are {found_below(columns)}"
            stands_alone = at == 0 or lines[at - 1] + 1 < lines[at]  # a blank line parts it from what is above
            return Header(at, 1, at + 1, below) if stands_alone else joined(rows, at, below)
    return Header(None, 0, first, "the first row of dates and numbers has no row of names above it")


def body_of(kinds: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return the rows that are surely below a table's header: the lower half of those with several cells."""
    several = [row for row in kinds if sum(1 for kind in row if kind) > 1] or kinds
    return several[len(several) // 2 :]


def found_below(columns: Sequence[str]) -> str:
    """Return which kinds of values a table has."""
    return " and ".join(f"{kind}s" for kind in ("date", "number") if kind in columns)


def column_kinds(kinds: Sequence[Sequence[str]]) -> list[str]:
    """Return the kind of each column: what most of its cells are, 'text' where none prevails, '' where nearly all are empty."""
    found = []
    for at in range(max(map(len, kinds), default=0)):
        counts = Counter(row[at] for row in kinds if at < len(row) and row[at])
        kind, n = counts.most_common(1)[0] if counts else ("", 0)
        found.append("" if n == 0 else kind if n > 0.5 * counts.total() else "text")
    return found


def is_data(rows: Sequence[Cells], at: int, kinds: Sequence[Sequence[str]], columns: Sequence[str]) -> bool:
    """Say whether a row has the values that the table's columns have: at least half of the dates and numbers, as most rows."""
    own = kinds[at]
    places = [place for place, kind in enumerate(columns) if kind in ("date", "number")]
    same = [place for place in places if place < len(own) and own[place] == columns[place]]
    filled = [place for place in places if place < len(own) and own[place]]
    named = headings(rows[at], same) if len(same) > 1 else ""
    if named and at + 1 < len(rows) and headings(rows[at + 1], same) != named:
        return False  # 2019, 2020, 2021 over columns of numbers
    return bool(same) and 2 * len(same) >= len(filled) and 3 * len(filled) >= len(places)


def headings(row: Cells, places: Sequence[int]) -> str:
    """Return 'years' or '1, 2, 3' where cells of a row are such, all of them, as columns may be called; '' where they are not."""
    cells = [(row[place] or "").strip() if place < len(row) else "" for place in places]
    if all(map(YEAR.fullmatch, cells)):
        return "years"
    return "1, 2, 3" if len(cells) > 2 and cells == [str(n) for n in range(1, len(cells) + 1)] else ""


def names_columns(row: Cells, columns: Sequence[str]) -> bool:
    """Say whether a row can name the columns: words or periods, over at least half of the columns that have values."""
    cells = [(at, cell.strip()) for at, cell in enumerate(row) if cell and cell.strip()]
    used = [at for at, kind in enumerate(columns) if kind]
    over = sum(1 for at, _ in cells if at in used)
    if 2 * over < len(used) or len(cells) < min(2, len(used)) or any(len(cell) > LONGEST_NAME for _, cell in cells):
        return False
    values = [at for at, cell in cells if kind_of(cell) != "text" and not is_period(cell)]
    return not values or headings(row, values) == "1, 2, 3"


def joined(rows: Sequence[Cells], at: int, why: str) -> Header:
    """Return the header at a row, with the row above it where that names columns which this one leaves without a name of their own."""
    above = rows[at - 1]
    names = stripped(rows[at])
    body = rows[at + 1 :]
    used = [place for place, cell in enumerate(stripped(above)) if cell and is_filled(body, place)]
    missing = [place for place in used if not (names[place : place + 1] or [""])[0]]
    alike = len(used) > 1 and has_twins(names)
    if not (missing or alike) or not all(kind_of(cell) in ("text", "") or is_period(cell) for cell in above):
        return Header(at, 1, at + 1, why)
    return Header(at - 1, 2, at + 1, f"{why}, and the names of some columns are a row higher")


def is_filled(rows: Sequence[Cells], place: int) -> bool:
    """Say whether a quarter of rows has something in a column."""
    return 4 * sum(1 for row in rows if place < len(row) and (row[place] or "").strip()) >= len(rows)


def stripped(row: Cells) -> list[str]:
    """Return cells without the blanks around them."""
    return [(cell or "").strip() for cell in row]


def has_twins(names: Sequence[str]) -> bool:
    """Say whether a name is there twice."""
    found = [name.casefold() for name in names if name]
    return len(set(found)) < len(found)


def spread(header: Sequence[Cells]) -> tuple[Cells, ...]:
    """Return a header's rows; where the last has names twice, one above them holds for the columns to its right, too."""
    if len(header) < 2 or not has_twins(stripped(header[-1])):
        return tuple(header)
    upper: list[str] = []
    for at, cell in enumerate(stripped(header[0])):
        under = at < len(header[-1]) and header[-1][at]
        upper.append(cell or (upper[-1] if upper and under else ""))
    return upper, *header[1:]


def header_of_texts(rows: Sequence[Cells]) -> Header:
    """Return the first row that names all columns of a table of words alone."""
    width = max((sum(1 for cell in row if cell and cell.strip()) for row in rows), default=0)
    for at, row in enumerate(rows):
        cells = [cell.strip().casefold() for cell in row if cell and cell.strip()]
        if len(cells) == width and len(set(cells)) == width:
            return Header(
                at,
                1,
                at + 1,
                "it is the first row with a text for each column; there are no dates or numbers below to tell by",
            )
    return Header(None, 0, 0, "no row has a text of its own for each column")


@dataclass(frozen=True)
class Placed:
    """Where a table stands in a file: the line and the cells of its header's rows, none where it has none, and its first line.

    above: the places, in the rows it was found in, that stand before it.
    """

    header_line: int | None
    header: tuple[Cells, ...]
    first_line: int
    above: tuple[int, ...]


def place(name: str, rows: Sequence[tuple[int, Cells]], stated: Mapping[str, Any], notes: Notes) -> Placed:
    """Find the header in the first rows of a file, of which none is blank, or take it from what the mapping states.

    Raises
    ------
    UserError
        If there is no row at the line that is stated.
    """
    cells = [row for _, row in rows]
    if "header_line" in stated and stated["header_line"] is not None:
        at = next((at for at, (line, _) in enumerate(rows) if line == stated["header_line"]), None)
        if at is None:
            raise UserError(
                f"{name}: header_line is {stated['header_line']}, and there is no row with cells in that line."
            )
        found = Header(at, stated.get("header_rows", 1), at + stated.get("header_rows", 1), "it is stated")
    elif "header_line" in stated:
        found = Header(None, 0, table_begins(cells), "it is stated")
    else:
        found = find_header(cells, [line for line, _ in rows])
    start = found.first_row if found.at is None else found.at
    end = rows[found.first_row - 1][0] + 1 if found.first_row else rows[0][0]
    first_line = rows[found.first_row][0] if found.first_row < len(rows) else end
    line = None if found.at is None else rows[found.at][0]
    said = "No line names the columns" if line is None else f"Line {line} names the columns"
    notes.evidence.append(f"{said}: {found.why}.")
    header = () if found.at is None else spread(cells[found.at : found.first_row])
    return Placed(line, header, first_line, tuple(range(start)))


def table_begins(rows: Sequence[Cells]) -> int:
    """Return the first row that has as many cells filled as most rows: where a table without names begins."""
    counts = [sum(1 for cell in row if cell and cell.strip()) for row in rows]
    usual = Counter(counts).most_common(1)[0][0] if counts else 0
    return next((at for at, n in enumerate(counts) if n >= usual), 0)
