"""One row of what a planner hands in, understood cell by cell; what is not understood is said with its place, never guessed."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from forecasting.contracts import AGGREGATIONS
from forecasting.intervals import PERCENT, VALUE

COLUMNS = (
    "domain", "aggregation", "region", "product_category", "unique_id", "month", "value", "percent", "who", "why", "until",
)  # fmt: skip
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ISO_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?")
NAMED_MONTH = re.compile(r"([A-Za-z]{3,9})\.? +(\d{4})")
LONGEST = {"who": 100, "why": 500}
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
COMMA = re.compile(r"[+-]?\d+,\d*")
OPEN = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


class Misread(Exception):
    """A cell, or row, that cannot be understood; the text says what was found and what to write."""


@dataclass(frozen=True)
class Wish:
    """What a row asks for; names as written, «» where none. `first_month` None: from the first month forecast."""

    place: str
    domain: str
    aggregation: str
    region: str
    category: str
    unique_id: str
    first_month: dt.date | None
    until: dt.date
    kind: str
    amount: float
    who: str
    why: str


def read_wish(place: str, cells: Mapping[str, object]) -> Wish:
    """Return what a row asks for; `cells` are texts, numbers or dates by the names of COLUMNS, empty or missing where nothing is said.

    Raises
    ------
    Misread
        If it cannot be understood.
    """
    first, last = (month_of(name, cells.get(name)) for name in ("month", "until"))
    if first is None and last is None:
        raise Misread("it says neither «month» nor «until»: write the month, as 2025-07, or until when it is to hold")
    until = last or first
    if first is not None and until < first:
        raise Misread(f"«until» {until:%Y-%m} lies before «month» {first:%Y-%m}")
    kind, amount = wanted(cells.get("value"), cells.get("percent"))
    level = text_of(cells.get("aggregation"))
    level = level.lower() if level.lower() in AGGREGATIONS else level
    names = {name: text_of(cells.get(name)) for name in ("domain", "region", "product_category", "unique_id")}
    return Wish(
        place, names["domain"].lower(), level, names["region"], names["product_category"], names["unique_id"], first, until, kind,
        amount, required("who", cells.get("who")), required("why", cells.get("why")),
    )  # fmt: skip


def text_of(cell: object) -> str:
    """Return a cell as text without blanks around it; «» where there is nothing. An apostrophe before a formula's sign is no part of it."""
    text = "" if cell is None else " ".join(str(cell).split())
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") else text


def required(name: str, cell: object) -> str:
    """Return a text that must be there."""
    text = text_of(cell)
    if not text:
        what = {"who": "who changes it", "why": "why it is changed"}[name]
        raise Misread(f"«{name}» is empty: an override says {what}")
    if len(text) > LONGEST[name]:
        raise Misread(f"«{name}» has {len(text)} characters; at most {LONGEST[name]} are kept")
    return text


def month_of(name: str, cell: object) -> dt.date | None:
    """Return the first day of the month of a cell, None where it is empty; of a date its month counts."""
    if isinstance(cell, dt.date):  # a datetime is one too
        return dt.date(cell.year, cell.month, 1)
    text = text_of(cell)
    if not text:
        return None
    iso, named = ISO_MONTH.fullmatch(text), NAMED_MONTH.fullmatch(text)
    try:
        if iso:
            return dt.date(int(iso[1]), int(iso[2]), int(iso[3] or 1)).replace(day=1)
        if named:
            return dt.date(int(named[2]), MONTHS.index(named[1].lower()[:3]) + 1, 1)
    except ValueError:
        pass
    raise Misread(f"«{name}» {text!r} is no month: write it as 2025-07")


def wanted(value: object, percent: object) -> tuple[str, float]:
    """Return the kind of an override and its amount: a value or a percentage, one of them."""
    given = {name: cell for name, cell in ((VALUE, value), (PERCENT, percent)) if text_of(cell)}
    if len(given) != 1:
        both = "both a value and a percentage" if given else "neither a value nor a percentage"
        raise Misread(f"it has {both}: fill in one of «value» and «percent»")
    ((kind, cell),) = given.items()
    return kind, number_of(kind, cell)


def number_of(name: str, cell: object) -> float:
    """Return the number of a cell. 1234.5, 1,234,567.8, 1234,5 and 5 % are read; what has two readings is refused."""
    if isinstance(cell, bool):
        raise Misread(f"«{name}» {cell} is not a number")
    if isinstance(cell, int | float):
        found = float(cell)
    else:
        text = re.sub(r"[\s\u00a0\u202f]", "", text_of(cell)).replace("−", "-")
        text = text[:-1] if name == PERCENT and text.endswith("%") else text
        if OPEN.fullmatch(text):
            raise Misread(f"«{name}» {text!r} may be {text.replace(',', '')} or {text.replace(',', '.')}: write one")
        if GROUPED.fullmatch(text):
            text = text.replace(",", "")
        elif COMMA.fullmatch(text):
            text = text.replace(",", ".")
        if not PLAIN.fullmatch(text):
            hint = " (a formula without its result)" if text.startswith("=") else ""
            raise Misread(f"«{name}» {str(cell)[:40]!r} is not a number{hint}: write it as 1234.5")
        found = float(text)
    if not math.isfinite(found) or abs(found) >= 1e15:
        raise Misread(f"«{name}» {cell} is no amount that can be forecast")
    return found
