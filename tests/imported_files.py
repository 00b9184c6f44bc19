"""Files as shops, banks and bookkeeping programs write them, for the tests of make import, and what an import of one leaves."""

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter

from forecasting.imports import import_file


@dataclass(frozen=True)
class Imported:
    """What an import left: the facts' file and its rows by column, the quarantine's rows, and the record."""

    file: Path
    quarantine: list[dict[str, str]]
    record: dict[str, Any]

    @cached_property
    def facts(self) -> list[dict[str, Any]]:
        """The rows of the facts."""
        with duckdb.connect() as connection:
            found = connection.execute("select * from read_parquet($path)", {"path": str(self.file)})
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def total(self, column: str) -> Decimal:
        """Return the exact sum of a column."""
        with duckdb.connect() as connection:
            return connection.execute(
                f"select sum({column}) from read_parquet($path)", {"path": str(self.file)}
            ).fetchone()[0]

    def by_month(self, column: str) -> dict[str, Decimal]:
        """Return the sum of a column for each month, 2024-01 → sum."""
        found: dict[str, Decimal] = {}
        date = next(iter(self.facts[0]))
        for row in self.facts:
            key = row[date].strftime("%Y-%m")
            found[key] = found.get(key, Decimal(0)) + row[column]
        return found


def imported(
    root: Path, file: Path, table: str = "sales", mapping: str | None = None, name: str = "acme", **options: Any
) -> Imported:
    """Import a file without a terminal and return what that left; `mapping`: what params/imports/<name>.yml says before."""
    if mapping is not None:
        path = root / "params" / "imports" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mapping, encoding="utf-8")
    import_file(root, name, str(file), table, **{"yes": True, **options})
    return left_by(root, file, table, name)


def left_by(root: Path, file: Path, table: str = "sales", name: str = "acme") -> Imported:
    """Return what the last import of a file left."""
    data = root / "data" / name
    record = json.loads((data / "imports.json").read_text(encoding="utf-8"))[table]
    stem = next(stem for stem, entry in record.items() if entry["file"] == file.name)
    bad = data / "quarantine" / f"{table}-{stem}.csv"
    quarantine = list(csv.DictReader(bad.open(encoding="utf-8", newline=""))) if bad.exists() else []
    return Imported(data / "facts" / table / f"{stem}.parquet", quarantine, record[stem])


def text_file(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """Write a text file as another system would."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def workbook(
    folder: Path, name: str, sheets: dict[str, list[list[Any]]], formats: dict[int, str] | None = None
) -> Path:
    """Write a workbook: sheet → rows of values; formats: column → number format, as dates need one."""
    path = folder / name
    with xlsxwriter.Workbook(path) as book:
        shown = {column: book.add_format({"num_format": text}) for column, text in (formats or {}).items()}
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    if value is not None:
                        sheet.write(at, column, value, shown.get(column))
    return path
