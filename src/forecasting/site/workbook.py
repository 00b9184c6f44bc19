"""The Excel workbook beside the pages: a summary, a tab per view and domain, and what every column means."""

from pathlib import Path

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from forecasting.site import adjust
from forecasting.site.editions import Edition, InForce
from forecasting.site.sheets import HEADINGS, Book
from forecasting.site.views import BY_MONTH, COLUMNS, VIEWS, Column, by_month, rows

SUMMARY = {
    "domain": Column("Domain", "text", ""),
    "measure": Column("What is forecast", "text", ""),
    "unit": Column("Unit", "text", ""),
    "last_month": Column("Actuals up to", "month", ""),
    "actual": Column("Actual of that month", "amount", ""),
    "next_month": Column("Next month", "month", ""),
    "predicted_value": Column("Forecast", "amount", ""),
    "lo_80": Column("80 % from", "amount", ""),
    "hi_80": Column("80 % to", "amount", ""),
    "months": Column("Months forecast", "count", ""),
    "model": Column("Model", "text", ""),
    "run_id": Column("Run", "text", ""),
    "prediction_time": Column("Published at (UTC)", "time", ""),
}
TABS = [Column("Tab", "text", ""), Column("What it holds", "text", "")]
CODEBOOK = [
    Column("Column", "text", ""), Column("On the tabs", "text", ""), Column("What it means", "text", ""),
    Column("Name in the database", "text", ""),
]  # fmt: skip
HOW = (
    "Total, regions, categories and series are forecast to agree: each sum is a row of its own, so filter the column "
    "«Level» before you add up."
)


def write(published: Path, target: Path, edition: Edition) -> None:
    """Write the workbook of an edition; numbers are the database's, amounts in each domain's unit."""
    title = f"Monthly forecast: {edition.company}"
    book = Book(target, title, edition.date)
    summary = book.sheet("Summary", title, edition.sentence)
    key_figures, tabs, coming = [], [], {}
    for run in edition.runs:
        found = {view.name: rows(published, run.domain, view) for view in VIEWS}
        coming[run] = found["forecast"]
        key_figures.append(summary_row(run, found["actuals"], found["forecast"]))
        tabs += domain_tabs(book, run, found)
    if coming:
        tabs.append(adjust.tab(book, coming))
    meaning = "What the columns mean"
    book.table_tab("Columns", meaning, "Amounts are in the unit that stands in the heading.", CODEBOOK, codebook(), "")
    fill_summary(book, summary, pd.DataFrame(key_figures, columns=list(SUMMARY)), [*tabs, ("Columns", f"{meaning}.")])
    book.close()


def domain_tabs(book: Book, run: InForce, found: dict[str, pd.DataFrame]) -> list[tuple[str, str]]:
    """Add the tabs of a domain from the rows of its views; return the tabs' names and what they hold."""
    measure = f"{run.title}: {run.measure}" + (f" in {run.unit}" if run.unit else "")
    tabs = []
    for view in VIEWS:
        tabs.append((f"{run.title} {view.title}", view.what))
        columns = [COLUMNS[name] for name in view.columns]
        book.table_tab(tabs[-1][0], measure, view.what, columns, found[view.name], run.unit)
        if view.name == "forecast":
            wide, columns = by_month(found["actuals"], found["forecast"])
            tabs.append((f"{run.title} by month", BY_MONTH))
            book.table_tab(tabs[-1][0], measure, BY_MONTH, columns, wide, run.unit)
    return tabs


def summary_row(run: InForce, actuals: pd.DataFrame, forecasts: pd.DataFrame) -> dict[str, object]:
    """Return the key figures of a domain: its total in the last closed month and in the next one."""
    past, coming = (table[table["aggregation"] == "total"].sort_values("ds") for table in (actuals, forecasts))
    row = {"domain": run.title, "measure": run.measure, "unit": run.unit, "months": len(coming), "run_id": run.run_id}
    if len(past):
        row |= {"last_month": past["ds"].iloc[-1], "actual": past["y"].iloc[-1]}
    if len(coming):
        names = ("predicted_value", "lo_80", "hi_80", "model", "prediction_time")
        row |= {"next_month": coming["ds"].iloc[0], **{name: coming[name].iloc[0] for name in names}}
    return row


def fill_summary(book: Book, sheet: Worksheet, figures: pd.DataFrame, tabs: list[tuple[str, str]]) -> None:
    """Write the summary: a row per domain, then the tabs with links to them."""
    book.table(sheet, HEADINGS, "Summary", list(SUMMARY.values()), figures, "")
    top = HEADINGS + len(figures) + 2
    sheet.write_string(top, 0, HOW)
    book.table(sheet, top + 2, "Tabs", TABS, pd.DataFrame(tabs), "")
    for n, (name, _) in enumerate(tabs):
        sheet.write_url(top + 3 + n, 0, f"internal:'{name}'!A1", string=name)
    book.widths(sheet, list(SUMMARY.values()), figures, "")
    sheet.set_column(0, 0, 26)


def codebook() -> pd.DataFrame:
    """Return one row per column of the tabs: heading, tabs, meaning, name in the database."""
    uses = {name: [view.title for view in VIEWS if name in view.columns] for name in COLUMNS}
    return pd.DataFrame(
        [(column.title, ", ".join(uses[name]), column.meaning, name) for name, column in COLUMNS.items() if uses[name]]
    )
