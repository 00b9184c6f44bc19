"""Months as people write them, read as the dates of facts are; where two styles differ, the one without gaps counts."""

import datetime as dt
from collections.abc import Sequence

from forecasting.errors import UserError
from forecasting.facts import date_ends, read_as_any_date, read_dates

ADVICE = "Write months as 2024-01 or Jan 2024."


def starts_with_month(text: str) -> tuple[str, str, str] | None:
    """Return a line as a month, the sign after it («» for blanks alone) and the rest; None where it does not begin with a month."""
    best = max((end for end in date_ends(text) if _ends(text, end)), default=0)
    if not best:
        return None
    rest = text[best:].strip()
    sign = rest[:1] if rest[:1] in (",", ";", "|") else ""
    return text[:best], sign, rest[len(sign) :].strip()


def are_months(texts: Sequence[str]) -> list[bool]:
    """Say of each text whether it is a month in any way of writing it."""
    return [any(map(_month, dates)) for dates in zip(*read_as_any_date(texts), strict=True)]


def are_consecutive(texts: Sequence[str]) -> bool:
    """Say whether texts are months, written in one way, that follow one another."""
    return any(_consecutive(list(map(_month, dates))) for dates in read_as_any_date(texts))


def _ends(text: str, place: int) -> bool:
    """Say whether a word ends at a place."""
    return place == len(text) or text[place] in " \t,;|"


def as_months(cells: Sequence[object]) -> list[str | None]:
    """Return each cell as '2024-01', None where it is no month.

    Raises
    ------
    UserError
        If two styles read every row and which is meant cannot be told, as of 01/02/2024 alone.
    """
    found = [_month(cell) if isinstance(cell, dt.date) and cell == cell else None for cell in cells]
    places = [place for place, month in enumerate(found) if month is None]
    for place, month in zip(places, _read([str(cells[place]) for place in places]), strict=True):
        found[place] = month
    return found


def _read(texts: list[str]) -> list[str | None]:
    """Return the months of texts in the style that fits, None where it does not fit."""
    if not texts:
        return []
    decision, readings = read_dates(texts)
    if not readings or decision.candidates[0].date_format.startswith("excel"):  # 45322: no month that people write
        return [None] * len(texts)
    months = {tuple(map(_month, reading)): None for reading in readings}
    if decision.doubt and len(months) > 1:
        months = {reading: None for reading in months if _consecutive(reading)}
    if decision.doubt and len(months) != 1:
        example = decision.doubt.text.strip()
        raise UserError(f"It cannot be told which month «{example}» is: the day or the month may come first. {ADVICE}")
    return list(next(iter(months)))


def _month(date: dt.date | None) -> str | None:
    """Return the month of a date as '2024-01'; None where there is none, or outside of 1900 to 2099."""
    return f"{date:%Y-%m}" if date and 1900 <= date.year < 2100 else None


def _consecutive(months: Sequence[str | None]) -> bool:
    """Say whether months follow one another without gaps."""
    numbers = [12 * int(month[:4]) + int(month[5:]) for month in months if month]
    return 0 < len(numbers) == len(months) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def next_months(first: str, n: int) -> list[str]:
    """Return `n` months from '2024-01' on."""
    start = 12 * int(first[:4]) + int(first[5:7]) - 1
    return [f"{(start + k) // 12}-{(start + k) % 12 + 1:02d}" for k in range(n)]
