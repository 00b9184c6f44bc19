"""Reads any file of a table as text with line numbers."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from forecasting.facts.table_files.headers import Cells
from forecasting.facts.table_files.left_out import leave_out
from forecasting.facts.table_files.parquet_table import read_parquet
from forecasting.facts.table_files.relations import drop_empty_columns, rows_in
from forecasting.facts.table_files.shapes import USUAL, Limits, Notes, RawTable, checked, header_names
from forecasting.facts.table_files.text_table import read_text
from forecasting.facts.table_files.unpacking import form_of, unpacked
from forecasting.facts.table_files.workbook import read_workbook, typed_columns


def read_table_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    stated: Mapping[str, Any] | None = None,
    limits: Limits = USUAL,
) -> RawTable:
    """Read a CSV, TSV, Excel or Parquet file, also in .gz or .zip, as text: one row of the relation per row of its table.

    stated: what a mapping says of the dialect, by the names of `Dialect`; it is found where nothing is said.

    Raises
    ------
    UserError
        If it is no such file, or damaged; Undecided, with the values to choose from, where the file leaves open how it is written.
    """
    said = checked(stated, path.name)
    notes = Notes()
    with tempfile.TemporaryDirectory(prefix="table-") as folder:
        file, member = unpacked(path, said.get("member"), Path(folder), limits.unpacked)
        form = form_of(file, path.name)
        header: tuple[Cells, ...]
        typed: dict[str, str] = {}
        if form == "parquet":
            relation, dialect, columns, typed = read_parquet(connection, file, path.name)
            header, width = (columns,), len(columns)
        elif form == "workbook":
            relation, dialect, header, width, sheet = read_workbook(connection, file, path.name, said, notes, limits)
        else:
            relation, dialect, header, width = read_text(connection, file, path.name, said, Path(folder), notes)
    names = header_names(header, width)
    if form != "parquet":
        leave_out(connection, relation, header, dialect, notes)
    if form == "workbook":
        typed = typed_columns(connection, relation, sheet)
    named = [any(at < len(row) and (row[at] or "").strip() for row in header) for at in range(width)]
    names, typed = drop_empty_columns(connection, relation, names, named, typed, notes)
    return RawTable(
        path,
        replace(dialect, member=member),
        relation,
        names,
        typed,
        tuple(sorted(notes.left_out, key=lambda one: one.line)),
        tuple(notes.evidence),
        rows_in(connection, relation),
        rows_in(connection, f"{relation}_bad"),
    )
