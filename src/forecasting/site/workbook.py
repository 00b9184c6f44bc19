"""The Excel workbook beside the pages: a summary, a tab per view and domain, and what every column means."""

from pathlib import Path

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from forecasting.contracts import AGGREGATIONS
from forecasting.ledger import Published
from forecasting.report import MOST_ROWS, PARQUET, SERIES, sums
from forecasting.site import adjust, native
from forecasting.site.editions import Edition, InForce
from forecasting.site.sheets import HEADINGS, Book
from forecasting.site.views import BY_MONTH, COLUMNS, VIEWS, Column, View, by_month, is_too_long, rows
from forecasting.wording import number

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
    "year": Column("Outlook for", "text", ""),
    "year_value": Column("Outlook", "amount", ""),
    "year_low": Column("Outlook, 80 % from", "amount", ""),
    "year_high": Column("Outlook, 80 % to", "amount", ""),
    "year_before": Column("The year before", "amount", ""),
    "months": Column("Months forecast", "count", ""),
    "model": Column("Model", "text", ""),
    "run_id": Column("Run", "text", ""),
    "prediction_time": Column("Published at (UTC)", "time", ""),
}
CHART_ROWS = 16  # of the summary that a chart covers
TABS = [Column("Tab", "text", ""), Column("What it holds", "text", "")]
CODEBOOK = [
    Column("Column", "text", ""), Column("On the tabs", "text", ""), Column("What it means", "text", ""),
    Column("Name in the database", "text", ""),
]  # fmt: skip
SUMS = tuple(level for level in AGGREGATIONS if level != "series")
HOW = (
    "Total, regions, categories and series are forecast to agree: each sum is a row of its own, so filter the column "
    "«Level» before you add up."
)


def write(published: Path, target: Path, edition: Edition) -> None:
    """Write the workbook of an edition; numbers are the database's, amounts in each domain's unit."""
    title = f"Monthly forecast: {edition.company}"
    book = Book(target, title, edition.date)
    summary = book.sheet("Summary", title, edition.sentence)
    key_figures, tabs, coming, charts = [], [], {}, []
    for run in edition.runs:
        less = {view.name: left_out(published, run, view, target.parent) for view in VIEWS}
        found = {
            view.name: rows(published, run.domain, view, SUMS if less[view.name] else AGGREGATIONS) for view in VIEWS
        }
        coming[run] = found["forecast"]
        key_figures.append(summary_row(run, found["actuals"], found["forecast"]) | outlook(published, run))
        charts.append(native.chart(book, run, found["actuals"], found["forecast"]))
        tabs += domain_tabs(book, run, found, less)
    if coming:
        tabs.append(adjust.tab(book, coming))
    meaning = "What the columns mean"
    book.table_tab("Columns", meaning, "Amounts are in the unit that stands in the heading.", CODEBOOK, codebook(), "")
    figures, tabs = pd.DataFrame(key_figures, columns=list(SUMMARY)), [*tabs, ("Columns", f"{meaning}.")]
    fill_summary(book, summary, figures, [chart for chart in charts if chart], tabs)
    book.close()


def left_out(published: Path, run: InForce, view: View, folder: Path) -> str:
    """Say that a tab goes without single series, and in which file they are, which is written; «» where it holds all."""
    if not is_too_long(published, run.domain, view):
        return ""
    file = PARQUET
    if view.write:
        (folder / SERIES).mkdir(exist_ok=True)
        file = f"{SERIES}/{run.domain}_{view.name}.parquet"
        view.write(Published(published), run.domain, folder / file)
    return f" The single series are left out, because they would make more than {number(MOST_ROWS)} rows; they are in {file}."


def domain_tabs(
    book: Book, run: InForce, found: dict[str, pd.DataFrame], less: dict[str, str]
) -> list[tuple[str, str]]:
    """Add the tabs of a domain from the rows of its views; return the tabs' names and what they hold, and what of `less` they do not."""
    measure = f"{run.title}: {run.measure}" + (f" in {run.unit}" if run.unit else "")
    tabs = []
    for view in VIEWS:
        what = view.what + less[view.name]
        tabs.append((f"{run.title} {view.title}", what))
        columns = [COLUMNS[name] for name in view.columns]
        sheet = book.table_tab(tabs[-1][0], measure, what, columns, found[view.name], run.unit)
        native.coloured(sheet, run.domain)
        native.bars(sheet, columns, len(found[view.name]))
        if view.name == "forecast":
            wide, columns = by_month(found["actuals"], found["forecast"])
            what = BY_MONTH + (less["actuals"] or less["forecast"])
            tabs.append((f"{run.title} by month", what))
            native.coloured(book.table_tab(tabs[-1][0], measure, what, columns, wide, run.unit), run.domain)
    return tabs


def outlook(published: Path, run: InForce) -> dict[str, object]:
    """Return what the year comes to, as the first page says it; nothing where that is not known."""
    reader = Published(published)
    domain = reader.domain(run.domain, ("total",))
    found = sums.year_end(domain, reader.paths(run.domain))
    if found is None:
        return {}
    ends = {"year_low": found.low, "year_high": found.high, "year_before": found.before}
    return {"year": sums.name(found), "year_value": found.value} | ends


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


def fill_summary(
    book: Book, sheet: Worksheet, figures: pd.DataFrame, charts: list[object], tabs: list[tuple[str, str]]
) -> None:
    """Write the summary: a row per domain, their charts side by side, then the tabs with links to them."""
    book.table(sheet, HEADINGS, "Summary", list(SUMMARY.values()), figures, "")
    top = HEADINGS + len(figures) + 2
    for n, chart in enumerate(charts):
        sheet.insert_chart(top, 0, chart, {"x_offset": n * (native.SIZE["width"] + 10)})
    top += CHART_ROWS if charts else 0
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
