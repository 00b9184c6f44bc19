"""Finds which column of a file is which of the contract: by what the user states in params/, else by its name."""

import re
from collections.abc import Iterable
from typing import Any, Protocol

from forecasting.errors import UserError
from forecasting.facts.tables import TABLES, TableSpec, listed, nearest, spec_of


class HasColumns(Protocol):
    """A file of facts. names: of its columns, as it has them; header: the same, made unique; header_place: where they stand."""

    name: str
    header_place: str
    names: list[str]
    header: list[str]

    def explain_missing(self, wanted: Iterable[str]) -> None:
        """Raise a UserError if the file shows why it has no columns of these names."""


def require_stated_tables(columns: dict[str, Any]) -> None:
    """Raise a UserError if `columns` of params/ names something else than fact tables, or states no names for one."""
    for name, mapping in columns.items():
        if name not in TABLES:
            known = f"Known: {listed(TABLES)}.{nearest(name, TABLES)}"
            raise UserError(f"columns: '{name}' is not a fact table. {known} Correct params/.")
        if not isinstance(mapping, dict):
            example = f"{{{name}: {{{TABLES[name].date}: Day}}}}"
            raise UserError(f"columns: {name} must name columns, for example {example}. Correct params/.")


def alike(column: str, file: HasColumns) -> list[str]:
    """Return the headers that are the contract's name but for capitals, blanks, hyphens and underscores."""
    return [
        header
        for name, header in zip(file.names, file.header, strict=True)
        if re.sub(r"[\s_-]", "", name.lower()) == column.replace("_", "")
    ]


def resolve(table: str, file: HasColumns, mapping: dict[str, str], groups: tuple[str, ...] = ()) -> dict[str, str]:
    """Return contract's name → header of the columns that the file has; what the user stated comes first.

    `groups`: columns beside those of the contract, by which `levels:` groups series.

    Raises
    ------
    UserError
        If a stated or a required column is not there: lists those that are, and the one most like it.
    """
    spec = spec_of(table, groups)
    columns = stated_columns(spec, table, file, mapping)
    for column in spec.columns:
        found = [] if column in columns else [name for name in alike(column, file) if name not in columns.values()]
        if len(found) > 1:
            raise UserError(f"{file.name}: {listed(found)} could all be {column}. Rename all but one of them.")
        if found:
            columns[column] = found[0]
    missing = [column for column in spec.required if column not in columns]
    if spec.one_of and not any(column in columns for column in spec.one_of):
        missing.append(" or ".join(spec.one_of))
    if missing:
        file.explain_missing(spec.required)
        example = missing[0].split(" or ")[0]
        raise UserError(
            f"{file.name} has no column {listed(missing)}. Found: {found_names(file)}."
            f"{nearest(example, file.header)} Rename it, or state in params/workspaces/ what it is called: "
            f"columns: {{{table}: {{{example}: …}}}}."
        )
    return columns


def stated_columns(spec: TableSpec, table: str, file: HasColumns, mapping: dict[str, str]) -> dict[str, str]:
    """Return contract's name → header as the user states them.

    Raises
    ------
    UserError
        If the contract or the file does not know a column, or one is stated for two.
    """
    known, columns = spec.columns, {}
    for column, stated in mapping.items():
        if column not in known:
            raise UserError(
                f"columns: {table} has no column '{column}'. Known: {listed(known)}."
                f"{nearest(str(column), known)} Correct params/."
            )
        name = " ".join(str(stated).split())
        if name not in file.names:
            file.explain_missing([str(header) for header in mapping.values()])
            raise UserError(
                f"{file.name} has no column '{stated}', which params/ states for {column}. "
                f"Found: {found_names(file)}.{nearest(name, file.header)}"
            )
        if file.names.count(name) > 1:
            raise UserError(f"{file.header_place}: two columns are called '{name}'. Rename one of them.")
        other = next((one for one, header in columns.items() if header == file.header[file.names.index(name)]), None)
        if other:
            raise UserError(
                f"columns: {table} has {other} and {column} in one column, '{name}'. State one of them in params/."
            )
        columns[column] = file.header[file.names.index(name)]
    return columns


def found_names(file: HasColumns) -> str:
    """Return a file's columns as a message lists them."""
    more = len(file.header) - 40
    return listed(name[:60] for name in file.header[:40]) + (f" and {more:,} more" if more > 0 else "")
