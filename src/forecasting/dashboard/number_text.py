"""Numbers as people write them, «1,234.50», «1.234,50», «1 234,5», «(12)»: one decimal sign for all, and none is guessed."""

import re
from collections.abc import Sequence

from forecasting.errors import UserError

DOT, COMMA = ".", ","
SPACE = r"[\s'’]"  # between groups of thousands; \s is every kind of blank
SIGN = r"[+\-−–]?"


def _written(decimal: str, group: str) -> re.Pattern[str]:
    """Return what a number looks like with this decimal sign and this sign, or a blank, between thousands: the same one throughout."""
    whole = rf"(?:[1-9]\d{{0,2}}(?P<group>{re.escape(group)}|{SPACE})\d{{3}}(?:(?P=group)\d{{3}})*|\d+)"
    digits = rf"(?P<digits>{whole}(?:{re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+)"
    return re.compile(rf"(?P<sign>{SIGN})\s*{digits}(?:e(?P<power>[+-]?\d+))?", re.IGNORECASE)


STYLES = {DOT: _written(DOT, COMMA), COMMA: _written(COMMA, DOT)}


def as_numbers(cells: Sequence[object], decimal: str | None = None) -> list[float | None]:
    """Return each cell as a number, None where it is none; `decimal` is «.» or «,», None where the cells are to tell.

    Raises
    ------
    UserError
        If the cells do not tell, as «1,234» alone does not.
    """
    if decimal is None:
        decimal = _decimal_of([cell for cell in cells if isinstance(cell, str)])
    return [_one(cell, decimal) for cell in cells]


def _decimal_of(texts: list[str]) -> str:
    """Return the decimal sign with which most texts are numbers; where both give the same numbers, it does not matter."""
    readings = {sign: [_one(text, sign) for text in texts] for sign in STYLES}
    known = {sign: sum(value is not None for value in values) for sign, values in readings.items()}
    if known[DOT] != known[COMMA]:
        return max(known, key=lambda sign: known[sign])
    differing = [text for text, a, b in zip(texts, *readings.values(), strict=True) if a != b]
    if differing:
        raise UserError(
            f"«{differing[0].strip()}» may be a number with thousands or one with decimals. Choose the decimal sign below."
        )
    return DOT


def _one(cell: object, decimal: str) -> float | None:
    """Return one cell as a number."""
    if isinstance(cell, bool) or cell is None:
        return None
    if not isinstance(cell, str):
        return float(cell) if isinstance(cell, int | float) and cell == cell else None
    text = cell.strip()
    negative = text.startswith("(") and text.endswith(")")  # as accountants write it
    match = STYLES[decimal].fullmatch(text[1:-1].strip() if negative else text)
    if match is None or (negative and match["sign"]):
        return None
    plain = match["digits"].replace(match["group"] or " ", "").replace(decimal, ".")
    size = float(plain + (f"e{match['power']}" if match["power"] else ""))
    return -size if negative or match["sign"] not in ("", "+") else size
