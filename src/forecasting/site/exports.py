"""The published forecasts as CSV and as Parquet: the latest run of every domain, every aggregation, the database's own values."""

from pathlib import Path

from forecasting.ledger import Published

# Excel takes a CSV for UTF-8 only where it begins with this mark; pandas, DuckDB and R's readr skip it.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_csv(published: Path, target: Path) -> None:
    """Write the forecasts as CSV: UTF-8 with a byte order mark, ISO dates, decimal points.

    Names are written as they are, but for an apostrophe before one that a spreadsheet would take for a formula.
    """
    Published(published).write_coming(target, "(format csv, header)", for_spreadsheets=True)
    target.write_bytes(BYTE_ORDER_MARK + target.read_bytes())


def write_parquet(published: Path, target: Path) -> None:
    """Write the same rows as Parquet, with the database's types."""
    Published(published).write_coming(target, "(format parquet)")
