"""Proposes the shape of a file: which sheets of a workbook, and whether months or years stand side by side."""

import re
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts import Connection, Undecided, date_styles, literal
from forecasting.imports.mapping import FILE_KEYS, Mapping
from forecasting.imports.questions import Choice, Question
from forecasting.imports.staging import Parts, read_part, sheets_of, unmarked

LEAST_MONTHS, LEAST_YEARS = 2, 2
YEAR = r"(19|20)\d\d"
ALL_SHEETS = "all"


def read_parts(connection: Connection, path: Path, mapping: Mapping) -> Parts | Question:
    """Read a file's table, or those of all its sheets where they look alike; a question where it cannot be told."""
    sheets = sheets_of(path) if "sheet" not in mapping.file else []
    try:
        if len(sheets) > 1:
            parts = read_sheets(connection, path, mapping, sheets)
            if parts:
                return parts
        return Parts(path, {"": read_part(connection, path, mapping.file)})
    except Undecided as question:
        choices = tuple(Choice(said, {("file", question.key): value}) for value, said in question.choices.items())
        return Question(mapping.table, str(question), choices)


def read_sheets(connection: Connection, path: Path, mapping: Mapping, sheets: list[str]) -> Parts | None:
    """Read all sheets with a table, where they have the same columns but for months; None where they do not and it is not stated."""
    tables, without = {}, {}
    own = {key: value for key, value in mapping.file.items() if key not in ("sheets", "header_line", "header_rows")}
    for sheet in sheets:
        try:
            table = read_part(connection, path, own, sheet)
            if table.n_rows and len(table.names) > 1:
                tables[sheet] = table
            else:
                without[sheet] = "it has no rows of two columns or more."
        except UserError as error:
            without[sheet] = str(error)
    periods = periods_among(connection, [name for table in tables.values() for name in table.names])
    alike = [[name for name in table.names if name not in periods] for table in tables.values()]
    stated = mapping.file.get("sheets") == ALL_SHEETS
    if len(tables) < 2 or not (stated or are_alike(alike, bool(periods))):
        return None
    return Parts(path, tables, without)


def are_alike(names: list[list[str]], months_across: bool) -> bool:
    """Say whether tables have the same columns: most of them, or half where months stand side by side, with sums beside them."""
    common = set.intersection(*map(set, names))
    return bool(common) and all(len(common) >= (0.4 if months_across else 0.7) * len(own) for own in names)


def periods_among(connection: Connection, names: list[str]) -> set[str]:
    """Return the names that are months or years."""
    unique = list(dict.fromkeys(names))
    return {name for name in unique if re.fullmatch(YEAR, unmarked(name).strip())} | set(
        months_among(connection, unique)
    )


def stated_dialect(parts: Parts) -> dict[str, Any]:
    """Return how a file was found to be written, as the mapping states it."""
    if len(parts.tables) > 1:
        return {"sheets": ALL_SHEETS}
    (table,) = parts.tables.values()
    return {
        key: value
        for key, value in table.dialect.to_dict().items()
        if key in FILE_KEYS and not (key == "header_rows" and value == 1)
    }


def across_of(connection: Connection, names: tuple[str, ...]) -> tuple[str | None, list[str]]:
    """Return whether months or years stand side by side, and the columns that are such."""
    months = months_among(connection, list(names))
    if len(months) >= LEAST_MONTHS:
        return "months", months
    years = [name for name in names if re.fullmatch(YEAR, unmarked(name).strip())]
    return ("years", years) if len(years) >= LEAST_YEARS else (None, [])


def columns_across(connection: Connection, names: tuple[str, ...], kind: str) -> list[str]:
    """Return the columns that are months or years, as the mapping says that they stand side by side."""
    found = (
        months_among(connection, list(names))
        if kind == "months"
        else [n for n in names if re.fullmatch(YEAR, unmarked(n).strip())]
    )
    if not found:
        raise UserError(
            f"No column's name is a {kind[:-1]}, though the mapping says across: {kind}. The columns are: {', '.join(names)}."
        )
    return found


def months_among(connection: Connection, names: list[str]) -> list[str]:
    """Return the names that are months, with a year or, where none has one, without."""
    likely = [name for name in names if re.search(r"[^\W\d]{3}|\d{4}|\d\d[-/.]\d\d", name) and len(name) <= 30]
    if not likely:
        return []
    rows = ", ".join(f"({at}, {literal(name)}, {literal(unmarked(name))})" for at, name in enumerate(likely))
    connection.execute(
        f"create or replace temp table headings as select *, cell || ' 2024' as cell_year from (values {rows}) h(line, name, cell)"
    )
    for column, condition in (("cell", "true"), ("cell_year", "regexp_full_match(cell, '\\pL+\\.?')")):
        decision = date_styles(
            connection,
            f"(select * from headings where {condition} and not regexp_full_match(cell, '\\d{{4,5}}'))",
            column,
        )
        style = decision.chosen or (decision.candidates or (None,))[0]
        if style:
            read = f"{style.sql(column)} is not null and {condition}"
            found = [
                name
                for (name,) in connection.execute(f"select name from headings where {read} order by line").fetchall()
            ]
            if found:
                return found
    return []
