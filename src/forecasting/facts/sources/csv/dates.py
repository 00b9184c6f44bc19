"""The dates of a CSV: one style must read every row, and only one may be possible."""

import re
from collections.abc import Callable

import duckdb

from forecasting.facts.cells import DateStyle, Decision, date_styles
from forecasting.facts.cells.dates import ADVICE, EPOCHS, TOO_EARLY, any_date

DATES = "(select n as line, cell from dates)"


class DateError(Exception):
    """A row whose date cannot be used: its number (the first is 1) and text; the message continues «'text' …»."""

    def __init__(self, row: int, text: str, problem: str):
        super().__init__(problem)
        self.row, self.text = row, text


def find_style(
    connection: duckdb.DuckDBPyConnection, given: str | None = None, time_zone: str | None = None
) -> DateStyle:
    """Return the style that reads every row of the table `dates (n, cell)`: the distinct texts and their first rows.

    `given` is what the user stated. It is taken where it reads every row; other files may have ISO dates.
    Raises a `DateError` that points at a row if no style fits, or more than one and they read different dates.
    """
    stated = {"date_format": given} if given else None
    decision = as_given = date_styles(connection, DATES, "cell", stated, time_zone)
    if given and decision.n_unread:
        decision = date_styles(connection, DATES, "cell", None, time_zone)
        if not (decision.chosen and decision.chosen.date_format.startswith("%Y")):
            decision = as_given
    if decision.doubt and not decision.n_unread:
        (first, one), (second, other) = decision.doubt.readings
        raise DateError(
            decision.doubt.line,
            decision.doubt.text,
            f"can be read as {first} ({one}) and as {second} ({other}), and every row allows both. "
            "State in params/ which it is: date_format.",
        )
    if decision.faults or not decision.chosen:
        raise unreadable(connection, as_given if given else decision, given)
    if decision.chosen.date_format.startswith("excel") and not given:
        ((row, text),) = connection.execute("select n, cell from dates order by n limit 1").fetchall()
        raise DateError(
            row, text, "is not a date. If it counts days as Excel does, state in params/ date_format: excel serial."
        )
    return decision.chosen


def unreadable(connection: duckdb.DuckDBPyConnection, decision: Decision[DateStyle], given: str | None) -> DateError:
    """Return the error for the first row that the given, or else the style that reads most rows, cannot read."""
    first = min(decision.faults, key=lambda fault: fault.line)
    text = first.text
    if first.reason == TOO_EARLY:
        problem = "is not a plausible date: it lies before 1900. Correct it."
    elif given:
        problem = f"is not a date as date_format '{given}' writes it. Correct the cell, or date_format in params/."
    elif decision.candidates:
        name = decision.candidates[0].date_format
        problem = f"is not a date written as '{name}', as others are; one format must read every row. {ADVICE}."
    elif stated := next((name for name, (shape, _) in EPOCHS.items() if re.fullmatch(shape, text)), None):
        problem = f"is not a date. If it counts from 1970, state in params/ date_format: {stated}, and time_zone."
    else:
        problem = f"is not a date. {ADVICE}."
    return DateError(first.line, text, problem)


def date_reader(given: str | None) -> Callable[[str], str]:
    """Return what makes the SQL of a text's date in the stated format, else in any of the known ones."""
    return DateStyle.from_yaml({"date_format": given}).sql if given else any_date


def or_error(cell: str, value: str, kind: str) -> str:
    """Return the SQL of a cell's value; a text that is none, which a file may have got since it was checked, is an error."""
    return f"coalesce({value}, case when {cell} is not null then error('no {kind}: ' || {cell}) end)"
