"""The rows of what planners hand in: a CSV, or the sheet «Adjust» of the report's workbook; those that ask for something."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts import nearest, sheet_rows
from forecasting.planning.overriding.checks import refuse, said_of
from forecasting.planning.overriding.wishes import COLUMNS, Misread, Wish, read_wish, text_of
from forecasting.wording import listing

SHEET = "Adjust"
# What columns are called, in small letters: as in the database, and as on the sheet «Adjust»; None: shown to people alone.
NAMES = {name: name for name in COLUMNS} | {
    "level": "aggregation", "category": "product_category", "your value": "value", "your %": "percent", "%": "percent", "run": "run_id",
    "run_id": "run_id", "forecast": None, "80 % from": None, "80 % to": None, "unit": None, "in force": None,
}  # fmt: skip
WANTED = ("value", "percent")
ELSEWISE = (
    "Fill in the workbook of the present report. Or hand the same rows in as a CSV without the column «run»: they are measured against the "
    "present forecast then."
)
Row = tuple[int, dict[str, object]]


def wishes_of(path: Path, in_force: Mapping[str, str]) -> list[Wish]:
    """Return what a file asks for, row by row; rows of the sheet «Adjust» without a value and percentage ask for nothing.

    `in_force` is the run in force of each domain: rows that name a run must name this one.

    Raises
    ------
    UserError
        If the file cannot be read, belongs to another run, or a row cannot be understood; it names all such rows.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    is_sheet = path.suffix.lower() not in (".csv", ".txt", ".tsv")
    rows = list(_sheet(path) if is_sheet else _csv(path))
    filled = [(line, cells) for line, cells in rows if any(text_of(cells.get(name)) for name in WANTED)]
    asking = filled if any("run_id" in cells for _, cells in rows) else rows
    require_run(path, asking, in_force)
    wishes, problems = [], []
    for line, cells in asking:
        place = f"{path.name}, {f'{SHEET} row' if is_sheet else 'line'} {line}"
        try:
            wishes.append(read_wish(place, cells))
        except Misread as error:
            problems.append(said_of(place, error))
    refuse(problems)
    return wishes


def require_run(path: Path, rows: list[Row], in_force: Mapping[str, str]) -> None:
    """Raise a UserError where rows were filled in beside the forecast of a run that is not in force any more."""
    old: dict[tuple[str, str], list[int]] = {}
    for line, cells in rows:
        domain, run_id = text_of(cells.get("domain")).lower(), text_of(cells.get("run_id"))
        if run_id and in_force.get(domain, run_id) != run_id:
            old.setdefault((domain, run_id), []).append(line)
    problems = [
        f"{domain}: {'row' if len(lines) == 1 else 'rows'} {listing([str(line) for line in lines[:8]])}"
        f"{' and more' if len(lines) > 8 else ''} stand beside the forecast of the run {run_id}; in force is {in_force[domain]}."
        for (domain, run_id), lines in old.items()
    ]
    if problems:
        head = f"Nothing was changed: {path.name} belongs to an earlier forecast."
        raise UserError("\n".join([head, *problems, ELSEWISE]))


def _csv(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV with their lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}). Save it as CSV in UTF-8.") from None
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(";\t,", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UserError(f"{path.name}, line {reader.line_num}: {error}.") from None
    yield from _by_name(path.name, rows)


def _sheet(path: Path) -> Iterator[Row]:
    """Yield the rows of the sheet «Adjust» with their numbers; what stands above its headings is none."""
    rows = list(enumerate(sheet_rows(path, SHEET), start=1))
    top = next(
        (i for i, (_, row) in enumerate(rows) if {"domain", "who"} <= {text_of(cell).lower() for cell in row}), None
    )
    if top is None:
        raise UserError(
            f"The sheet «{SHEET}» of {path.name} has lost its headings: take the workbook of the report again."
        )
    yield from _by_name(f"{path.name}, {SHEET}", rows[top:])


def _by_name(name: str, rows: list[tuple[int, list]]) -> Iterator[Row]:
    """Yield the cells of rows that have some, by the names of their columns; the first row has the headings."""
    rows = [(line, row) for line, row in rows if any(text_of(cell) for cell in row)]
    if not rows:
        raise UserError(f"{name} is empty: its columns are {', '.join(COLUMNS)}.")
    headings = [_column(name, text_of(cell)) for cell in rows[0][1]]
    named = [heading for heading in headings if heading]
    twice = {heading for heading in named if named.count(heading) > 1}
    if twice:
        raise UserError(f"{name}: the column {listing(sorted(twice))} is there twice.")
    for line, row in rows[1:]:
        if len(row) > len(headings) and any(text_of(cell) for cell in row[len(headings) :]):
            raise UserError(
                f"{name}, line {line}: it has more cells than there are columns; is a comma in a text without quotes?"
            )
        yield line, {heading: cell for heading, cell in zip(headings, row, strict=False) if heading}


def _column(name: str, heading: str) -> str | None:
    """Return what a heading means, None where it is only shown; a unit in brackets behind it is left out."""
    plain = heading.lower().split(" (")[0].replace("_", " ")
    known = {key.replace("_", " "): value for key, value in NAMES.items()} | {"": None}
    if plain not in known:
        raise UserError(
            f"{name}: there is no column {heading!r}.{nearest(heading, NAMES)} The columns are {', '.join(COLUMNS)}."
        )
    return known[plain]
