"""The published forecasts as CSV and as Parquet: the latest run of every domain, every aggregation, the database's own values."""

from pathlib import Path

from forecasting.ledger import Published
from forecasting.report import has_csv

# Excel takes a CSV for UTF-8 only where it begins with this mark; pandas, DuckDB and R's readr skip it.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_csv(published: Path, target: Path) -> None:
    """Write the forecasts as CSV: UTF-8 with a byte order mark, ISO dates, decimal points. More than fit on a sheet are not written.

    Names are written as they are, but for an apostrophe before one that a spreadsheet would take for a formula.
    """
    if not has_csv([domain for domain in Published(published).domains().values() if domain]):
        return
    Published(published).write_coming(target, "(format csv, header)", for_spreadsheets=True)
    target.write_bytes(BYTE_ORDER_MARK + target.read_bytes())


def write_parquet(published: Path, target: Path) -> None:
    """Write the same rows as Parquet, with the database's types."""
    Published(published).write_coming(target, "(format parquet)")
