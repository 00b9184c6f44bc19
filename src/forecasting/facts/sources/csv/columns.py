"""Tells which of the two columns of a CSV has the dates and which the amounts, where neither is called so."""

import duckdb

from forecasting.errors import UserError
from forecasting.facts.sources.csv.dates import date_reader
from forecasting.facts.sources.csv.file import CsvFile
from forecasting.facts.tables import listed, literal, quoted


def two_columns(connection: duckdb.DuckDBPyConnection, file: CsvFile, date_format: str | None) -> dict[str, str]:
    """Return which of two columns is the date, judged by the first thousand rows, and which the amount."""
    read = date_reader(None)
    headless = " or ".join(f"{read(literal(name))} is not null" for name in file.names)
    if connection.execute(f"select {headless}").fetchone()[0]:
        line = file.line_of(0)
        raise UserError(
            f"{file.name}, line {line}: {listed(file.names)} is a fact. The first line must name the columns."
        )
    read = date_reader(date_format)
    dates = ", ".join(f"count({read(f'trim({quoted(name)})')})" for name in file.header)
    first, second = file.query(connection, f"select {dates} from (select * from {file.location} limit 1000)")[0]
    if first == second:
        written = f"as date_format '{date_format}' writes them" if date_format else "as 2024-01-31"
        raise UserError(
            f"{file.name}: which of its columns ({listed(file.header)}) has the dates cannot be told. "
            f"Call them order_date and net_amount, and write dates {written}."
        )
    date, amount = file.names if first > second else reversed(file.names)
    return {"order_date": date, "net_amount": amount}
