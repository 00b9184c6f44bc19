"""The same reader for a few texts that are in no table, such as those of a page."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from forecasting.facts.cells.date_choice import date_styles
from forecasting.facts.cells.date_formats import FAMILIES
from forecasting.facts.cells.dates import DateStyle
from forecasting.facts.cells.decision import Decision
from forecasting.facts.cells.number_choice import number_styles
from forecasting.facts.cells.numbers import NumberStyle

SHAPES = [re.compile(family.shape) for family in FAMILIES.values()]


def read_numbers(
    texts: Sequence[str], stated: dict[str, object] | None = None
) -> tuple[Decision[NumberStyle], list[float | None]]:
    """Return how numbers are written, and what the chosen style, else the first candidate, reads: of any size, None where it cannot."""
    with _table(texts) as connection:
        decision = number_styles(connection, "few", "cell", stated)
        style = decision.chosen or next(iter(decision.candidates), NumberStyle("."))
        return decision, _values(connection, f"try_cast({style.text('cell')} as double)")


def read_dates(texts: Sequence[str]) -> tuple[Decision[DateStyle], list[list[dt.date | None]]]:
    """Return how dates are written, and what each of the candidates reads."""
    with _table(texts) as connection:
        decision = date_styles(connection, "few", "cell")
        return decision, [_values(connection, style.sql("cell")) for style in decision.candidates]


def read_as_any_date(texts: Sequence[str]) -> list[list[dt.date | None]]:
    """Return what each of the known ways of writing dates reads."""
    with _table(texts) as connection:
        reads = ", ".join(DateStyle(name).sql("cell") for name in FAMILIES)
        rows = connection.execute(f"select {reads} from few order by line").fetchall()
    return [list(column) for column in zip(*rows, strict=True)]


def date_ends(text: str) -> list[int]:
    """Return the places in a text at which a date that begins it may end."""
    plain = "".join(unicodedata.normalize("NFD", letter)[0].lower()[0] for letter in text)
    return [match.end() for shape in SHAPES if (match := shape.match(plain))]


@contextmanager
def _table(texts: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a session with the texts in a table `few (line, cell)`."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("create temp table few (line bigint, cell varchar)")
        connection.execute("insert into few select unnest(range(1, len($1) + 1)), unnest($1::varchar[])", [list(texts)])
        yield connection


def _values(connection: duckdb.DuckDBPyConnection, read: str) -> list:
    """Return what an expression gives for each text."""
    return [value for (value,) in connection.execute(f"select {read} from few order by line").fetchall()]
