"""The tables of the check notebook, with titles, columns and values in plain English."""

import re
from html import escape
from typing import Any

from forecasting.report.html import note, table
from forecasting.report.notices import readable
from forecasting.tables import OF_CHECKS
from forecasting.wording import DASH, day, is_known, month, number, percent, share

LIMIT = 60  # rows of a check table that are shown
MONTH = re.compile(r"\d{4}-\d{2}(-01)?([T ]00:00:00(\.0+)?)?")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}([T ]00:00:00(\.0+)?)?")
NUMBERS = ("y", "expected", "change_pct", "z")  # columns that are numbers even where none is known
REPEATED = {"unique_id": ("region", "product_category"), "months": ("first_ds",)}  # what a column holds already
TABLES = {  # the most urgent first
    "sudden_falls": (
        "Sudden falls in the last month",
        "Expected is the same month of last year, or less where the level has fallen since.",
    ),
    "spikes": (
        "Months that stand out",
        "Single months of the last two years far above or below their neighbours and the same month of the years around them. Expected "
        "is the median of these.",
    ),
    "gaps": ("Months without facts", "Months inside a series for which not a single fact came in."),
    "outliers": (
        "Unusual months",
        "Months far from what the same month of the year before leads to expect. The distance is in robust standard "
        "deviations, which the outliers themselves do not stretch.",
    ),
    "series": (
        "Every series",
        "Ended: nothing for twelve months or more. Silent: nothing lately, though it was regular before. Short: fewer "
        "than 24 months. Intermittent: more than half of its months are zero. Active: all others.",
    ),
}


def title(name: str) -> str:
    """Return a table's name as a heading."""
    return TABLES[name][0] if name in TABLES else name.replace("_", " ").capitalize()


def heading(column: str) -> str:
    """Return a column's name as a heading."""
    return OF_CHECKS.get(column, column.replace("_", " ").capitalize())


def check_table(name: str, rows: list[dict[str, Any]], n: int | None = None) -> str:
    """Return one table of the check notebook, which had `n` rows where not all were kept; its columns are those of the rows."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    columns = [c for c in columns if not any(c in REPEATED.get(other, ()) for other in columns)]
    columns.sort(
        key=lambda c: list(OF_CHECKS).index(c) if c in OF_CHECKS else len(OF_CHECKS)
    )  # those without a name come last
    text = {i for i, c in enumerate(columns) if c not in NUMBERS and not any(is_known(row.get(c)) for row in rows)}
    unusual_first = sorted(rows, key=lambda row: row.get("status") == "active")
    cells = [[value_text(row.get(c), c) for c in columns] for row in unusual_first[:LIMIT]]
    hidden = (n or len(rows)) - LIMIT
    where = (
        "the check notebook, 10_check_data.ipynb"
        if (n or 0) <= len(rows)
        else f"check_{name}.parquet, in the run's folder"
    )
    more = note(f"{number(hidden)} more rows are in {where}.") if hidden > 0 else ""
    body = table(
        [heading(c) for c in columns],
        cells,
        title(name),
        text,
        "no value",
        tall=len(cells) > 12,
        sortable=len(cells) > 1,
    )
    return body + (note(TABLES[name][1]) if name in TABLES else "") + more


def value_text(value: Any, column: str = "") -> str:
    """Write a value of a check table: months by name, numbers with separators, unknown as a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column in ("share", "change_pct"):
        return share(value) if column == "share" else percent(value, plus=True)
    if isinstance(value, int | float):
        whole = is_known(value) and float(value).is_integer()
        return number(value, 0 if whole or abs(value) >= 100 else 2)
    text = "" if value is None else str(value)
    if column == "unique_id":
        name = "Total" if text == "All/All" else text.removeprefix("All/").removesuffix("/All")
        return escape(name).replace("/", "/<wbr>")
    if MONTH.fullmatch(text):
        return month(text)
    return day(text) if DAY.fullmatch(text) else escape(readable(text)) or DASH
