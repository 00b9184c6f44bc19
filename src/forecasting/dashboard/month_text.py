"""Months as people write them: one format must read every row, and where two do that differ, the one without gaps counts."""

import datetime as dt
import re
from collections.abc import Sequence

from forecasting.errors import UserError
from forecasting.facts import FORMATS as DATES

MONTHS = {
    "%Y/%m": r"\d{4}/\d{1,2}",
    "%Y.%m": r"\d{4}\.\d{1,2}",
    "%Y%m": r"\d{6}",
    "%m/%Y": r"\d{1,2}/\d{4}",
    "%m.%Y": r"\d{1,2}\.\d{4}",
    "%m-%Y": r"\d{1,2}-\d{4}",
    "%b-%Y": r"[A-Za-z]{3}-\d{4}",
    "%b-%y": r"[A-Za-z]{3}-\d{2}",
    "%b %y": r"[A-Za-z]{3} \d{2}",
    "%Y %b": r"\d{4} [A-Za-z]{3}",
}
FORMATS = DATES | MONTHS  # what `strptime` reads, and what a text must look like for it
SHAPES = {name: re.compile(shape) for name, shape in FORMATS.items()}
ADVICE = "Write months as 2024-01 or Jan 2024."


def starts_with_month(text: str) -> tuple[str, str, str] | None:
    """Return a line as a month, the sign after it («» for blanks alone) and the rest; None where it does not begin with a month."""
    found = [match.end() for shape in SHAPES.values() if (match := shape.match(text)) and _ends(text, match.end())]
    best = max(found, default=0)
    if not best:
        return None
    rest = text[best:].strip()
    sign = rest[:1] if rest[:1] in (",", ";", "|") else ""
    return text[:best], sign, rest[len(sign) :].strip()


def is_month(text: str) -> bool:
    """Say whether a text is a month in any way of writing it."""
    return any(_one(text.strip(), name) for name in FORMATS)


def are_consecutive(texts: Sequence[str]) -> bool:
    """Say whether texts are months, written in one way, that follow one another."""
    return any(_consecutive([_one(text.strip(), name) for text in texts]) for name in FORMATS)


def _ends(text: str, place: int) -> bool:
    """Say whether a word ends at a place."""
    return place == len(text) or text[place] in " \t,;|"


def as_months(cells: Sequence[object]) -> list[str | None]:
    """Return each cell as '2024-01', None where it is no month.

    Raises
    ------
    UserError
        If two formats read every row and which is meant cannot be told, as of 01/02/2024 alone.
    """
    found = [f"{cell:%Y-%m}" if isinstance(cell, dt.date) and cell == cell else None for cell in cells]
    places = [place for place, month in enumerate(found) if month is None]
    for place, month in zip(places, _read([str(cells[place]).strip() for place in places]), strict=True):
        found[place] = month
    return found


def _read(texts: list[str]) -> list[str | None]:
    """Return the months of texts by the format that fits, None where it does not fit."""
    readings = [reading for name in FORMATS if any(reading := [_one(text, name) for text in texts])]
    if not readings:
        return [None] * len(texts)
    most = max(sum(month is not None for month in reading) for reading in readings)
    best = {tuple(reading): None for reading in readings if sum(month is not None for month in reading) == most}
    if len(best) > 1:
        best = {reading: None for reading in best if _consecutive(reading)}
    if len(best) != 1:
        example = next(text for text in texts if text)
        raise UserError(f"It cannot be told which month «{example}» is: the day or the month may come first. {ADVICE}")
    return list(next(iter(best)))


def _one(text: str, name: str) -> str | None:
    """Return a text as '2024-01' if it is written in this format and there is such a day, from 1900 to 2099."""
    if not SHAPES[name].fullmatch(text):
        return None
    try:
        date = dt.datetime.strptime(text, name)
    except ValueError:
        return None
    return f"{date:%Y-%m}" if 1900 <= date.year < 2100 else None


def _consecutive(months: Sequence[str | None]) -> bool:
    """Say whether months follow one another without gaps."""
    numbers = [12 * int(month[:4]) + int(month[5:]) for month in months if month]
    return 0 < len(numbers) == len(months) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def next_months(first: str, n: int) -> list[str]:
    """Return `n` months from '2024-01' on."""
    start = 12 * int(first[:4]) + int(first[5:7]) - 1
    return [f"{(start + k) // 12}-{(start + k) % 12 + 1:02d}" for k in range(n)]
