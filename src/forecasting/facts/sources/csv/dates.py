"""Finds out how the dates of a CSV column are written: one format must read every row, and only one may be possible."""

import re

import duckdb

from forecasting.errors import UserError
from forecasting.facts.tables import EARLIEST, first_line, literal

SECONDS = r"\d{1,2}:\d{2}:\d{2}"
FRACTION = r"[.,]\d{1,9}"  # of a second: databases leave it out where it is 0
HALF_DAY = r"(0?[1-9]|1[0-2]):\d{2}"
TIMES = {
    "": "",
    " %H:%M": r" \d{1,2}:\d{2}",
    " %H:%M:%S": f" {SECONDS}({FRACTION})?",
    " %H:%M:%S.%f": f" {SECONDS}{FRACTION}",
    " %I:%M %p": f" {HALF_DAY} [AaPp][Mm]",
    " %I:%M:%S %p": rf" {HALF_DAY}:\d{{2}} [AaPp][Mm]",
}
ZONE = r" ?(Z|z|UTC|GMT|[+-](0\d|1[0-4])(:?[0-5]\d)?)"  # what %z stands for, at a cell's end: how far its clock is from UTC
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
ISO_CLOCKS = {name: shape for name, shape in TIMES.items() if "%H" in name}
ISO_MOMENTS = {
    f"%Y-%m-%d{clock.replace(' ', between)}{zone}": f"{ISO_DAYS['%Y-%m-%d']}{between}{shape[1:]}{zone and ZONE}"
    for clock, shape in ISO_CLOCKS.items()
    for between in (" ", "T")
    for zone in ("", "%z")
}
# format → what a cell must look like, so that 1/2/20 is not read as the year 20; the first that fits is taken
FORMATS = {
    **{day + time: shape + clock for day, shape in ISO_DAYS.items() for time, clock in TIMES.items()},
    **ISO_MOMENTS,
    **{day + time: shape + clock for day, shape in LOCAL_DAYS.items() for time, clock in TIMES.items()},
}
# what a user may state, but what is never guessed: numbers that count from 1970 in UTC → their shape and how many make a second
EPOCHS = {"epoch seconds": (r"\d{9,10}", 1), "epoch milliseconds": (r"\d{12,13}", 1_000)}
ADVICE = "Write dates as 2024-01-31, or state their format as date_format in params/ (for example '%d/%m/%Y')"


def parsed(cell: str, date_format: str, time_zone: str | None = None) -> str:
    """Return the SQL that reads a text expression as a date, or gives null; known formats must also look like it.

    The date is that of the clock as written. Where the format ends with %z and a time zone is given, it is that of the clock there.
    """
    if date_format in EPOCHS:
        shape, per_second = EPOCHS[date_format]
        moment = f"make_timestamptz(try_cast({cell} as bigint) * {1_000_000 // per_second})"
        return f"case when regexp_full_match({cell}, '{shape}') then {day_at(moment, time_zone or 'UTC')} end"
    shape = FORMATS.get(date_format)
    text, clock = cell, date_format
    if shape:  # a fraction of a second changes no date
        text, clock = f"regexp_replace({cell}, '(:\\d\\d){FRACTION}', '\\1')", clock.replace(".%f", "")
    date = f"cast(try_strptime({text}, {literal(clock)}) as date)"
    if clock.endswith("%z"):
        shape, clock = shape or f".*{ZONE}", clock.removesuffix("%z")
        written = f"regexp_replace({text}, '{ZONE}$', '')"
        date = f"cast(try_strptime({written}, {literal(clock)}) as date)"
        if time_zone:
            offset = f"coalesce(nullif(regexp_extract({text}, '[+-]\\d\\d:?(\\d\\d)?$'), ''), '+00')"
            date = day_at(f"try_strptime({written} || {offset}, {literal(clock + '%z')})", time_zone)
    return f"case when regexp_full_match({cell}, {literal(shape)}) then {date} end" if shape else date


def date_or_error(cell: str, date_format: str, time_zone: str | None) -> str:
    """Return the SQL of a cell's date; a text that is no date, which a file may have got since it was checked, is an error."""
    date = parsed(cell, date_format, time_zone)
    return f"case when {date} is null and {cell} is not null then error('no date: ' || {cell}) else {date} end"


def day_at(moment: str, time_zone: str) -> str:
    """Return the SQL of the date that a clock in a time zone shows at a moment; a session's own zone does not count."""
    return f"cast(timezone({literal(time_zone)}, {moment}) as date)"


def has_zone(date_format: str) -> bool:
    """Say whether cells of a format are moments of the world, not of a clock on a wall."""
    return date_format.endswith("%z") or date_format in EPOCHS


def looks_like_date(cell: str) -> str:
    """Return the SQL that says whether a text expression is a date in any of the known formats."""
    return f"coalesce({', '.join(parsed(cell, name) for name in FORMATS)}) is not null"


def find_format(connection: duckdb.DuckDBPyConnection, given: str | None = None) -> str:
    """Return the format that reads every row of the table `dates (n, cell)`: the distinct texts and their first rows.

    `given` is what the user stated. It is taken where it reads every row; other files may have ISO dates.
    Raises a `DateError` that points at a row if no format fits, or more than one and they read different dates.
    """
    if given:
        given = stated_format(connection, given)
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


def stated_format(connection: duckdb.DuckDBPyConnection, given: str) -> str:
    """Return the format that a user stated, with %z where it ends with a zone.

    Raises
    ------
    UserError
        If it is not a format of dates with a month and a year.
    """
    if given in EPOCHS:
        return given
    given = re.sub(r" ?(%z|%Z|(?<!%)(Z|UTC|GMT))$", "%z", given)
    clock = given.removesuffix("%z")
    if re.search("%[zZ]", clock) or (clock != given and not re.search("%[HIT]", clock)):
        raise UserError(f"date_format '{given}': %z may only stand at the end, behind a clock such as %H:%M. {ADVICE}.")
    if not re.search("%[Yy]", given) or not re.search("%[mbB]", given):
        raise UserError(f"date_format '{given}' does not say where the month (%m) and the year (%Y) are. {ADVICE}.")
    try:
        connection.execute(f"select try_strptime('2024', {literal(given)})")
    except duckdb.Error as error:
        raise UserError(f"date_format '{given}' is not a date format ({first_line(error)}). {ADVICE}.") from None
    return given


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
    elif any(re.fullmatch(shape, text) for shape, _ in EPOCHS.values()):
        stated = next(name for name, (shape, _) in EPOCHS.items() if re.fullmatch(shape, text))
        problem = f"is not a date. If it counts from 1970, state in params/ date_format: {stated}, and time_zone."
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


def require_plausible(connection: duckdb.DuckDBPyConnection, date_format: str, time_zone: str | None = None) -> None:
    """Raise a DateError at the first date before the year 1900."""
    day = parsed("cell", date_format, time_zone)
    query = f"select n, cell from dates where {day} < {EARLIEST} order by n limit 1"
    found = connection.execute(query).fetchone()
    if found:
        raise DateError(*found, "is not a plausible date: it lies before 1900. Correct it.")
