"""What a reader must know of a CSV that passed the checks, a sentence each."""

from functools import partial

from forecasting.facts import notes
from forecasting.facts.cells import DateStyle, NumberStyle
from forecasting.facts.cells.currencies import is_currency
from forecasting.facts.cells.dates import has_zone
from forecasting.facts.notes import missing_names
from forecasting.facts.rounding import rounding_notes
from forecasting.facts.sources.csv.cells import Cells
from forecasting.facts.tables import AMOUNT, Reading
from forecasting.facts.unused import currency_notes, likely_names


def notes_of(
    cells: Cells, n_rows: int, styles: dict[str, DateStyle | NumberStyle], reading: Reading, unused: list[str]
) -> list[str]:
    """Return what a reader must know of a file that passed the checks, a sentence each."""
    file = cells.file
    run = partial(file.query, cells.connection)
    numbers = [name for name in cells.spec.numbers if name in cells.columns]
    return [
        *missing_names(cells.spec, file.name, cells.columns),
        *likely_names(cells.spec, cells.table, file.name, cells.columns, unused),
        *missing_costs(cells, n_rows),
        *negative_expenses(cells),
        *zone_notes(file.name, styles[cells.spec.date].date_format, reading.time_zone),
        *sign_notes(cells, {name: styles[name] for name in numbers}, reading.currency),
        *rounding_notes(run, "cells", file.name, {name: cells.columns[name] for name in numbers}),
        *currency_notes(run, file.location, file.name, unused, reading.currency),
    ]


def zone_notes(file: str, date_format: str, time_zone: str | None) -> list[str]:
    """Return a note if the dates say how far their clock is from UTC, and no setting says whose clock counts."""
    if time_zone or not has_zone(date_format):
        return []
    advice = "Set time_zone in params/, for example Europe/Berlin, for the months of the clock there."
    return [f"The dates of {file} carry offsets from UTC, and its months are those of the clock as written. {advice}"]


def sign_notes(cells: Cells, styles: dict[str, NumberStyle], currency: str | None) -> list[str]:
    """Return a note on each column of numbers with percent signs, or with those of another currency than the setting says."""
    said = []
    for column, style in styles.items():
        place = f"the column '{cells.columns[column]}' of {cells.file.name}"
        if style.percent:
            said.append(f"The numbers of {place} are percentages: 12% is 0.12.")
        if style.currency and not is_currency(style.currency, currency):
            shown = f"'{currency}'" if currency else "not set"
            said.append(f"The amounts of {place} carry {style.currency}; currency in params/ is {shown}.")
    return said


def missing_costs(cells: Cells, n_rows: int) -> list[str]:
    """Return a note on the sales without a cost where others have one: profit leaves them out."""
    if "cost_amount" not in cells.columns:
        return []
    n, row, amount = cells.query(
        f"select count(*), min(n), sum(cast(net_amount as {AMOUNT})) from cells where cost_amount is null"
    )
    if not n:
        return []
    return [notes.missing_costs(cells.file.name, n, n_rows, f"line {cells.file.line_of(row)}", amount)]


def negative_expenses(cells: Cells) -> list[str]:
    """Return a note if most expenses are negative, as some books have them: they would add to profit."""
    if cells.table != "expenses":
        return []
    (mostly,) = cells.query(f"select avg(cast(cast(amount as {AMOUNT}) < 0 as integer)) > 0.5 from cells")
    return [notes.negative_expenses(cells.file.name)] if mostly else []
