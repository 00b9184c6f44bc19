"""The workbook's tab «Adjust»: the coming months of every series and sum, with empty cells for what a planner wants instead.

`make override FILE=forecasts.xlsx` reads it back. Each row names the run that its forecast is of, so that a workbook which belongs to an
earlier forecast is recognised.
"""

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from forecasting.planning import SHEET
from forecasting.site.editions import InForce
from forecasting.site.sheets import EXCEL_ROWS, HEADINGS, Book
from forecasting.site.views import COLUMNS, Column

WHAT = (
    "Fill in «Your value» or «Your %» (10: 10 % up), «Who» and «Why»; «Until» where it is to hold for later months too. Save, then "
    "make override FILE=…"
)
TO_FILL = {
    "value": Column("Your value", "amount", ""), "percent": Column("Your %", "ratio", ""), "who": Column("Who", "text", ""),
    "why": Column("Why", "text", ""), "until": Column("Until", "month", ""),
}  # fmt: skip
SHOWN = {
    "domain": Column("Domain", "text", ""), **{name: COLUMNS[name] for name in ("aggregation", "region", "product_category", "ds")},
    "unit": Column("Unit", "text", ""), "predicted_value": COLUMNS["predicted_value"],
    "override_value": Column("In force", "amount", ""),
}  # fmt: skip
WIDE = {"who": 16, "why": 34}


def tab(book: Book, found: dict[InForce, pd.DataFrame]) -> tuple[str, str]:
    """Add the tab from the forecast rows of each run in force; return its name and what it holds."""
    rows = pd.concat([part.assign(domain=run.domain, unit=run.unit) for run, part in found.items()], ignore_index=True)
    rows = rows.assign(**{name: pd.NA for name in TO_FILL})
    columns = {**SHOWN, **TO_FILL, "run_id": COLUMNS["run_id"]}
    book.table_tab(SHEET, "What would you forecast?", WHAT, list(columns.values()), rows[list(columns)], "")
    fill_in(book, book.file.get_worksheet_by_name(SHEET), list(columns), min(len(rows), EXCEL_ROWS - HEADINGS - 1))
    return SHEET, "Every coming month with empty cells for what you want instead; make override reads it back."


def fill_in(book: Book, sheet: Worksheet, columns: list[str], n: int) -> None:
    """Colour the cells that are to be filled in, and let them take only what can be meant."""
    soft = {name: book.file.add_format({"bg_color": "#fff8e1", **_pattern(name)}) for name in TO_FILL}
    for name, form in soft.items():
        i = columns.index(name)
        sheet.set_column(i, i, WIDE.get(name, 13), None)
        for row in range(HEADINGS + 1, HEADINGS + 1 + n):
            sheet.write_blank(row, i, None, form)
    for name in ("value", "percent"):
        i = columns.index(name)
        rule = {"validate": "decimal", "criteria": "between", "minimum": -1e15, "maximum": 1e15, "error_title": "Not a number",
                "error_message": "Write a number, such as 1234.5."}  # fmt: skip
        sheet.data_validation(HEADINGS + 1, i, HEADINGS + max(n, 1), i, rule)


def _pattern(name: str) -> dict[str, str]:
    return {"num_format": {"value": "General", "percent": "General", "until": "mmm yyyy"}.get(name, "@")}
