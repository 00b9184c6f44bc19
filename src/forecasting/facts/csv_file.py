"""Reads a company's CSV file as text, with nothing left to guess, and finds the line that something is wrong at."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from forecasting.errors import UserError
from forecasting.facts.tables import first_line, literal, quoted

DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvFile:
    """A CSV file: its path, the names of its columns in their order, and its delimiter."""

    path: Path
    header: list[str]
    delimiter: str

    @property
    def name(self) -> str:
        """The file's name, as messages call it."""
        return self.path.name

    @property
    def location(self) -> str:
        """The DuckDB expression that reads every cell as text; it leaves nothing to be guessed."""
        columns = ", ".join(f"{quoted(name)} := 'VARCHAR'" for name in self.header)
        return (
            f"read_csv({literal(str(self.path))}, auto_detect = false, header = true, "
            f"delim = {literal(self.delimiter)}, quote = '\"', escape = '\"', columns = struct_pack({columns}))"
        )

    def query(self, connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple]:
        """Run a query that reads the file; if it cannot be read, say at which line and why."""
        try:
            return connection.execute(sql).fetchall()
        except duckdb.Error as error:
            reason = not_utf8(self.path) or self.ragged_line()
            raise UserError(reason or f"{self.name} cannot be read as CSV: {first_line(error)}") from None

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line at which each record starts and its cells; the header is the first, empty lines are none."""
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader, start = csv.reader(file, delimiter=self.delimiter), 1
            for cells in reader:
                if cells:
                    yield start, cells
                start = reader.line_num + 1

    def line_of(self, row: int) -> int:
        """Return the line, as an editor counts it, of a row of facts; the first row is 1."""
        return next(line for index, (line, _) in enumerate(self.records()) if index == row)

    def ragged_line(self) -> str | None:
        """Return a sentence about the first line that has more or fewer cells than the header."""
        for line, cells in self.records():
            if len(cells) != len(self.header):
                return (
                    f"{self.name}, line {line}: {len(cells)} cells where the header has {len(self.header)} columns. "
                    f"Put cells that contain '{self.delimiter}' or line breaks in double quotes, or correct the line."
                )
        return None


def open_csv(path: Path) -> CsvFile:
    """Read the header of a CSV; the delimiter is the one that its line has most of.

    Raises
    ------
    UserError
        If the file is empty or not UTF-8, or two columns share a name.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline()
            delimiter = max(DELIMITERS, key=line.count)
            file.seek(0)
            cells = next(csv.reader(file, delimiter=delimiter), [])
    except UnicodeDecodeError:
        raise UserError(not_utf8(path)) from None
    if not any(cell.strip() for cell in cells):
        raise UserError(f"{path.name} is empty. Its first line must name the columns; each further line is a fact.")
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {number}"
        if name.lower() in (other.lower() for other in names):
            raise UserError(f"{path.name}, line 1: two columns are called '{name}'. Rename one of them.")
        names.append(name)
    return CsvFile(path, names, delimiter)


def not_utf8(path: Path) -> str | None:
    """Return a sentence about the first line that is not UTF-8 text."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return f"{path.name}, line {number}: not UTF-8 text. Save the file again as «CSV UTF-8»."
    return None
