"""Writes tables into an Excel workbook: real numbers and dates, text that stays text, tables with filters, frozen headings."""

from datetime import datetime
from pathlib import Path
from textwrap import wrap

import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from forecasting.report import EXCEL_ROWS
from forecasting.site.views import Column
from forecasting.wording import count, decimals_for, is_known

HEADINGS = 3  # the row of the headings, from 0: below the title, what the tab shows, and an empty row
OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
FORMATS = {"count": "#,##0", "ratio": "0.00", "share": "0.0%", "month": "mmm yyyy", "date": "d mmm yyyy",
           "time": "yyyy-mm-dd hh:mm"}  # fmt: skip
WIDTHS = {"amount": 14, "count": 10, "ratio": 10, "share": 11, "month": 11, "date": 13, "time": 17, "flag": 11}
TEXTS = ("text", "flag")  # kinds of columns that hold words
LINE = 15  # points: the height of a row with one line
BUTTON = 4  # characters that the filter's button covers in a heading
WIDEST = 44  # characters from which a column of text does not grow
MOST_FROZEN = 4  # columns of names that stay in sight: more would leave no room on a small screen
EPOCH = pd.Timestamp("1899-12-30")  # day 0 of Excel's calendar


class Book:
    """A workbook that is being written. The same content gives the same bytes: `made` is the date it bears."""

    def __init__(self, target: Path, title: str, made: datetime) -> None:
        self.file = xlsxwriter.Workbook(target, OPTIONS)
        self.file.set_properties({"title": title, "created": made})
        self.title = self.file.add_format({"bold": True, "font_size": 14})
        self.soft = self.file.add_format({"font_color": "#566273", "text_wrap": True, "valign": "top"})
        head = {"bold": True, "text_wrap": True, "valign": "top"}
        self.heading = self.file.add_format(head)
        self.above_numbers = self.file.add_format(
            head | {"align": "right", "indent": 2}
        )  # room for the filter's button
        self.known: dict[str, object] = {}

    def close(self) -> None:
        """Write the file."""
        self.file.close()

    def number_format(self, pattern: str) -> object:
        """Return the cell format of a number, the same one for the same pattern."""
        look = {"num_format": pattern, "align": "right", "indent": 1}  # so that none touches the text beside it
        return self.known.setdefault(pattern, self.file.add_format(look))

    def sheet(self, name: str, title: str, what: str) -> Worksheet:
        """Add a tab that begins with a title and a sentence, printed on A4 across."""
        sheet = self.file.add_worksheet(name)
        sheet.write_string(0, 0, title, self.title)
        sheet.write_string(1, 0, what, self.file.add_format({"font_color": "#566273"}))
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        return sheet

    def table_tab(
        self, name: str, title: str, what: str, columns: list[Column], rows: pd.DataFrame, unit: str
    ) -> Worksheet:
        """Add a tab that holds one table and return it; `rows` has the columns in this order, `unit` is what the amounts are counted in.

        What an Excel sheet cannot hold is left out, and the sentence at the top says so.
        """
        room = EXCEL_ROWS - HEADINGS - 1
        if len(rows) > room:
            what = (
                f"{what} Only the first {count(room, 'row')} of {count(len(rows), 'row')} fit on a sheet. {ELSEWHERE}"
            )
        sheet = self.sheet(name, title, what if len(rows) else f"{what} There are no rows yet.")
        self.table(sheet, HEADINGS, name, columns, rows.head(room), unit)
        self.widths(sheet, columns, rows, unit)
        sheet.freeze_panes(HEADINGS + 1, min(MOST_FROZEN, first_number(columns)))
        sheet.repeat_rows(HEADINGS)
        return sheet

    def table(
        self, sheet: Worksheet, top: int, name: str, columns: list[Column], rows: pd.DataFrame, unit: str
    ) -> None:
        """Write a table whose headings stand in row `top`; one without rows has its headings only."""
        headings = [heading(column, unit) for column in columns]
        looks = [self.heading if column.kind in TEXTS else self.above_numbers for column in columns]
        for i, (column, values) in enumerate(zip(columns, rows.items(), strict=True)):
            sheet.write_string(top, i, headings[i], looks[i])
            self.column(sheet, top + 1, i, column.kind, values[1])
        sheet.set_row(top, LINE * lines(columns, headings, rows))
        if len(rows):
            described = [{"header": text, "header_format": look} for text, look in zip(headings, looks, strict=True)]
            style = {
                "name": "".join(filter(str.isalnum, name.title())),
                "columns": described,
                "style": "Table Style Light 1",
            }
            sheet.add_table(top, 0, top + len(rows), len(columns) - 1, style)

    def widths(self, sheet: Worksheet, columns: list[Column], rows: pd.DataFrame, unit: str) -> None:
        """Make the columns of a tab as wide as these contents need."""
        for i, (column, name) in enumerate(zip(columns, rows, strict=True)):
            sheet.set_column(i, i, width(column, heading(column, unit), rows[name]))

    def column(self, sheet: Worksheet, top: int, i: int, kind: str, values: pd.Series) -> None:
        """Write the cells of one column; unknown values stay empty."""
        if kind in TEXTS:
            for n, value in enumerate(values):
                if not pd.isna(value):
                    sheet.write_string(top + n, i, ("yes" if value else "no") if kind == "flag" else str(value))
            return
        pattern = FORMATS.get(kind) or amount_pattern(values)
        form = self.number_format(pattern)
        for n, value in enumerate(serial(values) if kind in ("month", "date", "time") else values.tolist()):
            if is_known(value):
                sheet.write_number(top + n, i, value, form)


ELSEWHERE = "All forecasts are in forecasts.parquet, everything else in the published database."


def first_number(columns: list[Column]) -> int:
    """Return how many columns of names stand before the first number: they stay in sight."""
    return next((i for i, column in enumerate(columns) if column.kind not in ("text", "month")), len(columns))


def heading(column: Column, unit: str) -> str:
    """Return the heading of a column, with the unit where it holds amounts."""
    return f"{column.title} ({unit})" if unit and column.kind == "amount" else column.title


def amount_pattern(values: pd.Series) -> str:
    """Return the number format of amounts: thousands separators, decimals that suit the whole column."""
    decimals = decimals_for(values)
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def serial(values: pd.Series) -> list[float]:
    """Return dates as Excel counts them, in days; unknown ones are nan."""
    return ((pd.to_datetime(values) - EPOCH) / pd.Timedelta(days=1)).tolist()


def width(column: Column, text: str, values: pd.Series) -> float:
    """Return a column's width in characters: that of its kind, of its longest word, or of its longest text."""
    longest = max((len(word) for word in text.split()), default=0) + BUTTON
    if column.kind == "text":
        found = max((len(str(value)) for value in values.dropna().unique()), default=0) + 2
        return min(max(found, longest), WIDEST)
    return max(WIDTHS[column.kind], longest)


def lines(columns: list[Column], headings: list[str], rows: pd.DataFrame) -> int:
    """Return how many lines the longest heading takes in its column."""
    return max(
        len(wrap(text, int(width(column, text, rows[name]) - BUTTON)))
        for column, text, name in zip(columns, headings, rows, strict=True)
    )
