"""The files that lie beside the report's pages: their names and what they hold, for those who write them and for those who link them."""

from collections.abc import Iterable

from forecasting.ledger import Domain
from forecasting.wording import listing, number

EXCEL_ROWS = 1_048_576  # what a sheet of Excel can hold
MOST_ROWS = 100_000  # of a tab of the workbook: beyond, it holds no single series
SERIES = "series"  # the folder of what is too much for a page or a tab
WORKBOOK = "forecasts.xlsx"
CSV = "forecasts.csv"
PARQUET = "forecasts.parquet"
PDF = "report.pdf"
BRIEF = "brief.pdf"
ARCHIVE = "report.zip"

FILES = {
    WORKBOOK: "Excel workbook: a sheet for each view of the report, with real numbers and dates.",
    CSV: "The forecasts in force with their 80 % and 95 % ranges, one row per domain, level, series and month.",
    PARQUET: "The same rows as Parquet, with their types, for BI tools, Python and R.",
    BRIEF: "Two pages to mail: what comes, what to look at, a chart and the months of each domain.",
    PDF: "The whole report to print or to hand out.",
    ARCHIVE: "All pages and files together, to mail or to keep: unpack it and open index.html.",
}


def has_csv(domains: Iterable[Domain]) -> bool:
    """Say whether the forecasts of all domains fit on a sheet of Excel: where they do not, there is no CSV, which is made for it."""
    return sum(domain.n_forecasts for domain in domains) < EXCEL_ROWS


def missing(domains: list[Domain]) -> dict[str, str]:
    """Return what files lack because there are more series than a sheet can hold, by the files' names."""
    found = {}
    much = [domain.name for domain in domains if domain.n_values > MOST_ROWS]
    if much:
        found[WORKBOOK] = (
            f"The tabs of {listing(much)} that would have more than {number(MOST_ROWS)} rows hold the total, regions and categories; the "
            f"series are in {PARQUET} and in the folder {SERIES}/, as Parquet."
        )
    if not has_csv(domains):
        n = sum(domain.n_forecasts for domain in domains)
        found[CSV] = f"Left out: its {number(n)} rows are more than a sheet of Excel can hold. {PARQUET} has them."
    return found
