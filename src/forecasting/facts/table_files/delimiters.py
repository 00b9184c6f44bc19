"""Finds the sign between the cells of a text file: the one that parts its lines most evenly into cells that are whole."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from forecasting.facts.table_files.kinds import kind_of
from forecasting.facts.table_files.records import records
from forecasting.facts.table_files.shapes import Notes, Undecided

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
SEP = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)


class Parted(NamedTuple):
    """How a delimiter parts lines: the width of most records, the share of records that have it, the share of cells that are values."""

    delimiter: str
    width: int
    even: float
    values: float


def stated_in_file(lines: Sequence[str]) -> str | None:
    """Return the delimiter that a first line such as `sep=;` states."""
    first = next((line for line in lines if line.strip()), "")
    found = SEP.fullmatch(first.strip("\r\n"))
    return found[1] if found else None


def delimiter_of(name: str, lines: Sequence[str], quote: str, notes: Notes) -> str:
    """Return the delimiter of a file's first lines; '' would be a table of one column, which any delimiter reads."""
    if stated := stated_in_file(lines):
        notes.evidence.append(f"The delimiter is {called(stated)}: the first line states it.")
        return stated
    found = [parted(lines, delimiter, quote) for delimiter in DELIMITERS]
    able = [one for one in found if one.width > 1]
    if not able:
        notes.evidence.append(
            "The table has one column: no line has a comma, semicolon, tab or vertical bar between cells."
        )
        return ","
    best = max(able, key=lambda one: (round(one.even * one.values, 2), one.width))
    rivals = [
        one
        for one in able
        if one is not best and (one.even * one.values, one.width) == (best.even * best.values, best.width)
    ]
    if rivals:
        both = [best, *rivals]
        listed = " or ".join(called(one.delimiter) for one in both)
        raise Undecided(
            f"{name}: its lines can be parted by {listed}, each into {best.width} cells. State the `delimiter`.",
            "delimiter",
            {one.delimiter: called(one.delimiter) for one in both},
        )
    notes.evidence.append(
        f"The delimiter is {called(best.delimiter)}: it parts {best.even:.0%} of the first lines into {best.width} cells."
    )
    return best.delimiter


def parted(lines: Sequence[str], delimiter: str, quote: str) -> Parted:
    """Return how a delimiter parts lines."""
    rows = [record.cells for record in records(lines, delimiter, quote) if record.text.strip() and not record.fault]
    widths = Counter(map(len, rows))
    if not widths:
        return Parted(delimiter, 1, 0.0, 0.0)
    width, _ = max(widths.items(), key=lambda one: (one[1] * (one[0] > 1), one[0]))
    same = [row for row in rows if len(row) == width]
    cells = [cell for row in same for cell in row if cell.strip()]
    whole = sum(1 for cell in cells if kind_of(cell) != "text" or not any(sign in cell for sign in ";\t|"))
    return Parted(delimiter, width, len(same) / len(rows), whole / len(cells) if cells else 0.0)


def called(delimiter: str) -> str:
    """Return a delimiter's name, for a sentence."""
    return f"a {DELIMITERS[delimiter]}" if delimiter in DELIMITERS else f"'{delimiter}'"
