"""Finds out how the dates of a CSV column are written: one format must read every row, and only one may be possible."""

import re

import duckdb

from forecasting.errors import UserError
from forecasting.facts.tables import EARLIEST, first_line, literal

TIMES = {"": "", " %H:%M": r" \d{1,2}:\d{2}", " %H:%M:%S": r" \d{1,2}:\d{2}:\d{2}"}
ISO_DAYS = {
    "%Y-%m-%d": r"\d{4}-\d{1,2}-\d{1,2}",
    "%Y/%m/%d": r"\d{4}/\d{1,2}/\d{1,2}",
    "%Y.%m.%d": r"\d{4}\.\d{1,2}\.\d{1,2}",
    "%Y%m%d": r"\d{8}",
    "%Y-%m": r"\d{4}-\d{1,2}",
}
LOCAL_DAYS = {
    "%d/%m/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%m/%d/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%d-%m-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%m-%d-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%d.%m.%Y": r"\d{1,2}\.\d{1,2}\.\d{4}",
    "%d/%m/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "%m/%d/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "%d.%m.%y": r"\d{1,2}\.\d{1,2}\.\d{2}",
    "%d %b %Y": r"\d{1,2} [A-Za-z]{3} \d{4}",
    "%d-%b-%Y": r"\d{1,2}-[A-Za-z]{3}-\d{4}",
    "%d-%b-%y": r"\d{1,2}-[A-Za-z]{3}-\d{2}",
    "%b %d, %Y": r"[A-Za-z]{3} \d{1,2}, \d{4}",
    "%B %d, %Y": r"[A-Za-z]{3,} \d{1,2}, \d{4}",
    "%b %Y": r"[A-Za-z]{3} \d{4}",
    "%B %Y": r"[A-Za-z]{3,} \d{4}",
}
ISO_MOMENTS = {
    "%Y-%m-%dT%H:%M:%S": r"\d{4}-\d{1,2}-\d{1,2}T\d{2}:\d{2}:\d{2}",
    "%Y-%m-%dT%H:%M:%SZ": r"\d{4}-\d{1,2}-\d{1,2}T\d{2}:\d{2}:\d{2}Z",
    "%Y-%m-%d %H:%M:%S.%f": r"\d{4}-\d{1,2}-\d{1,2} \d{2}:\d{2}:\d{2}\.\d+",
}
# format → what a cell must look like, so that 1/2/20 is not read as the year 20; the first that fits is taken
FORMATS = {
    **{day + time: shape + clock for day, shape in ISO_DAYS.items() for time, clock in TIMES.items()},
    **ISO_MOMENTS,
    **{day + time: shape + clock for day, shape in LOCAL_DAYS.items() for time, clock in TIMES.items()},
}
ADVICE = "Write dates as 2024-01-31, or state their format as date_format in params/ (for example '%d/%m/%Y')"


def parsed(cell: str, date_format: str) -> str:
    """Return the SQL that reads a text expression as a date, or gives null; known formats must also look like it."""
    date = f"cast(try_strptime({cell}, {literal(date_format)}) as date)"
    shape = FORMATS.get(date_format)
    return f"case when regexp_full_match({cell}, {literal(shape)}) then {date} end" if shape else date


def looks_like_date(cell: str) -> str:
    """Return the SQL that says whether a text expression is a date in any of the known formats."""
    return f"coalesce({', '.join(parsed(cell, name) for name in FORMATS)}) is not null"


def find_format(connection: duckdb.DuckDBPyConnection, given: str | None = None) -> str:
    """Return the format that reads every row of the table `dates (n, cell)`: the distinct texts and their first rows.

    `given` is what the user stated. It is taken where it reads every row; other files may have ISO dates.
    Raises a `DateError` that points at a row if no format fits, or more than one and they read different dates.
    """
    if given:
        require_format(connection, given)
        if count_unread(connection, [given], "dates")[given] == 0:
            return given
    formats = likely_formats(connection, [name for name in FORMATS if not given or name.startswith("%Y")])
    unread = count_unread(connection, formats, "dates")
    fitting = [name for name, n in unread.items() if n == 0]
    if not fitting:
        raise unreadable(connection, given or min(unread, key=lambda name: unread[name]), bool(given))
    for other in fitting[1:]:
        require_same(connection, fitting[0], other)
    return fitting[0]


def require_format(connection: duckdb.DuckDBPyConnection, given: str) -> None:
    """Raise a UserError if what the user stated is not a format of dates with a month and a year."""
    if not re.search("%[Yy]", given) or not re.search("%[mbB]", given):
        raise UserError(f"date_format '{given}' does not say where the month (%m) and the year (%Y) are. {ADVICE}.")
    try:
        connection.execute(f"select try_strptime('2024', {literal(given)})")
    except duckdb.Error as error:
        raise UserError(f"date_format '{given}' is not a date format ({first_line(error)}). {ADVICE}.") from None


def likely_formats(connection: duckdb.DuckDBPyConnection, formats: list[str]) -> list[str]:
    """Return the formats that read some of a hundred texts (all if none does): the others need not be tried."""
    unread = count_unread(connection, formats, "(from dates order by n limit 100)")
    most = max(unread.values())
    return [name for name, n in unread.items() if n < most] or formats


def count_unread(connection: duckdb.DuckDBPyConnection, formats: list[str], dates: str) -> dict[str, int]:
    """Return, for each format, how many of the distinct texts it cannot read."""
    counts = ", ".join(f"count(*) - count({parsed('cell', name)})" for name in formats)
    row = connection.execute(f"select {counts} from {dates}").fetchone()
    return dict(zip(formats, row or (), strict=True))


class DateError(Exception):
    """A row whose date cannot be used: its number (the first is 1) and text; the message continues «'text' …»."""

    def __init__(self, row: int, text: str, problem: str):
        super().__init__(problem)
        self.row, self.text = row, text


def unreadable(connection: duckdb.DuckDBPyConnection, best: str, given: bool) -> DateError:
    """Return the error for the first row that the given, or else the format that reads most rows, cannot read."""
    read = parsed("cell", best)
    first_unread = f"select count({read}), min(n) filter (where {read} is null) from dates"
    n_read, row = connection.execute(first_unread).fetchone()
    (text,) = connection.execute(f"select cell from dates where n = {row}").fetchone()
    if given:
        problem = f"is not a date as date_format '{best}' writes it. Correct the cell, or date_format in params/."
    elif n_read:
        problem = f"is not a date written as '{best}', as others are; one format must read every row. {ADVICE}."
    else:
        problem = f"is not a date. {ADVICE}."
    return DateError(row, text, problem)


def require_same(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    """Raise a DateError if two formats that read every row read different dates."""
    a, b = parsed("cell", one), parsed("cell", other)
    found = connection.execute(f"select n, cell, {a}, {b} from dates where {a} <> {b} order by n limit 1").fetchone()
    if found:
        row, text, first, second = found
        problem = (
            f"can be read as {first} ('{one}') and as {second} ('{other}'), and every row allows both. "
            "State in params/ which it is: date_format."
        )
        raise DateError(row, text, problem)


def require_plausible(connection: duckdb.DuckDBPyConnection, date_format: str) -> None:
    """Raise a DateError at the first date before the year 1900."""
    day = parsed("cell", date_format)
    query = f"select n, cell from dates where {day} < {EARLIEST} order by n limit 1"
    found = connection.execute(query).fetchone()
    if found:
        raise DateError(*found, "is not a plausible date: it lies before 1900. Correct it.")
