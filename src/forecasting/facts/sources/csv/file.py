"""Reads a company's CSV file as text, with nothing left to guess, and finds the line that something is wrong at."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from forecasting.errors import UserError
from forecasting.facts.source import require_file
from forecasting.facts.sources.csv.text import SAVE, has_quotes, not_utf8
from forecasting.facts.tables import literal, one_file, quoted

DELIMITERS = (",", ";", "\t", "|")
MOST_COLUMNS, MOST_LETTERS = 1_000, 50_000  # of a header, which is handed over to dbt on a command line
HEAD = 1_000_000  # the header must end within so many characters
LONGEST_CELL = 2_000_000  # as DuckDB has it
csv.field_size_limit(LONGEST_CELL)
LINE_ENDS = {"\n": "LF", "\r\n": "CR LF", "\r": "CR", "": "nothing"}


@dataclass(frozen=True)
class CsvFile:
    """A CSV file: its path, what its header says, and how it is written.

    names: as the header has them, '' where it has none. header: the same, made unique: 'column 3', 'Note (column 4)'.
    above: lines before the header, empty ones and `sep=;`. quotes: whether there are any.
    """

    path: Path
    names: list[str]
    header: list[str]
    delimiter: str
    line_end: str
    above: int
    quotes: bool

    @property
    def name(self) -> str:
        """The file's name, as messages call it."""
        return self.path.name

    @property
    def location(self) -> str:
        """The DuckDB expression that reads every cell as text; it leaves nothing to be guessed."""
        columns = ", ".join(f"{quoted(name)} := 'VARCHAR'" for name in self.header)
        end = self.line_end.replace("\r", r"\r").replace("\n", r"\n")
        return (
            f"read_csv({one_file(self.path)}, auto_detect = false, hive_partitioning = false, header = false, "
            f"skip = {self.above + 1}, delim = {literal(self.delimiter)}, quote = '\"', escape = '\"', "
            f"new_line = '{end}', columns = struct_pack({columns}))"
        )

    def query(self, connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple]:
        """Run a query that reads the file; if it cannot be read, say at which line and why."""
        try:
            return connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise UserError(self.what_is_wrong() or self.unknown_error(str(error))) from None

    def unknown_error(self, said: str) -> str:
        """Return a sentence about an error that only DuckDB sees."""
        line = re.search(r"Error on Line: (\d+)", said)
        return f"{self.name}{f', line {line[1]}' if line else ''}: it cannot be read as CSV. {SAVE}"

    def what_is_wrong(self) -> str | None:
        """Return a sentence about the first line that cannot be read."""
        if reason := not_utf8(self.path):
            return reason
        try:
            for _ in self.records(strict=True):
                pass
        except UserError as error:
            return str(error)
        return self.odd_line()

    def odd_line(self) -> str | None:
        """Return a sentence about the first line that ends otherwise than the header, or has more or fewer cells."""
        for line, cells, end in self.records():
            if end not in (self.line_end, ""):
                return f"{self.name}, {other_end(line, end, self.line_end)}"
            if cells and len(cells) != len(self.header) and cells[len(self.header) :] != [""]:
                return (
                    f"{self.name}, line {line}: {len(cells)} cells where the header has {len(self.header)} columns. "
                    f"Put cells that contain '{self.delimiter}' or line breaks in double quotes, or correct or delete the line."
                )
        return None

    def records(self, strict: bool = False) -> Iterator[tuple[int, list[str], str]]:
        """Yield the line at which each record starts, its cells, none if it is empty, and its line's end; the header is the first."""
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            lines = [""]  # the last line that was read
            reader = csv.reader(remembered(file, lines), delimiter=self.delimiter, strict=strict)
            start = 1
            while True:
                try:
                    cells = next(reader, None)
                except csv.Error as error:
                    raise malformed(self.name, start, reader.line_num, str(error)) from None
                if cells is None:
                    return
                if start > self.above:
                    yield start, cells, end_of(lines[0])
                start = reader.line_num + 1

    @property
    def header_place(self) -> str:
        """The file's name and the line that names its columns."""
        return f"{self.name}, line {self.line_of(0)}"

    def explain_missing(self, wanted: Iterable[str]) -> None:
        """Raise a UserError if one of the next lines names the wanted columns: something stands above the header."""
        for line, cells, _ in islice(self.records(), 1, 50):
            letters = {re.sub(r"[\s_-]", "", cell.lower()) for cell in cells}
            if all(re.sub(r"[\s_-]", "", name.lower()) in letters for name in wanted):
                raise UserError(
                    f"{self.name}, line {line}: this line names the columns; it must be the first. Delete what is above it."
                )

    def line_of(self, row: int) -> int:
        """Return the line, as an editor counts it, of a row of facts; the first row is 1, the header's is 0."""
        filled = (line for line, cells, _ in self.records() if cells)
        return next(islice(filled, row, None))


def malformed(file: str, first: int, last: int, reason: str) -> UserError:
    """Return the error for a record, between two lines of a file, that Python cannot read as CSV."""
    place = f"line {first}" if first == last else f"lines {first} to {last}"
    if "field larger" in reason:
        problem = f"a cell of more than {LONGEST_CELL:,} characters. Close the quote that opens it, or shorten it."
    elif "end of data" in reason:
        place, problem = f"line {first}", "a quote opens here and is never closed. Close or delete it."
    else:
        problem = "text follows a closing quote. Write a quote inside a cell twice, or delete it."
    return UserError(f"{file}, {place}: {problem}")


def other_end(line: int, end: str, header_end: str) -> str:
    """Return the sentence about a line that ends otherwise than the header; it continues «file, »."""
    ends = f"it ends with {LINE_ENDS[end]}, the header with {LINE_ENDS[header_end]}"
    return f"line {line}: {ends}. Save the file again, so that all lines end alike."


def remembered(lines: Iterator[str], last: list[str]) -> Iterator[str]:
    """Yield lines; the one that was yielded last is in `last`."""
    for line in lines:
        last[0] = line
        yield line


def end_of(line: str) -> str:
    """Return how a line ends: with LF, CR LF, CR or nothing."""
    return line[len(line.rstrip("\r\n")) :]


def open_csv(path: Path) -> CsvFile:
    """Read the header of a CSV; the delimiter is what parts it most, or what a first line such as `sep=;` states.

    Raises
    ------
    UserError
        If it is no file of UTF-8 text, is empty, or its header cannot be read.
    """
    require_file(path)
    quotes = has_quotes(path)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = list(io.StringIO(file.read(HEAD), newline=""))
    filled = (number for number, line in enumerate(lines) if line.strip())
    above, delimiters = next(filled, 0), DELIMITERS
    if lines and (stated := re.fullmatch(r"sep=(.)", lines[above].strip("\r\n"), re.IGNORECASE)):
        above, delimiters = next(filled, len(lines)), (stated[1],)
    cells, last, delimiter = read_header(path, lines, above, delimiters)
    if not any(cell.strip() for cell in cells):
        raise UserError(f"{path.name} is empty. Its first line must name the columns; each further line is a fact.")
    if "\ufffd" in "".join(cells):
        raise UserError(not_utf8(path) or f"{path.name}, line {above + 1}: a character was lost. {SAVE}")
    for found, most, what in (
        (len(cells), MOST_COLUMNS, "columns"),
        (sum(map(len, cells)), MOST_LETTERS, "characters"),
    ):
        if found > most:
            limit = f"{found:,} {what} in the header, at most {most:,} are read"
            raise UserError(f"{path.name}, line {above + 1}: {limit}. Leave out columns that are not needed.")
    with path.open("rb") as file:
        marked = file.read(3) == b"\xef\xbb\xbf"
    if marked and not above and re.search(r"[\r\n]", cells[0]):  # DuckDB does not see the quote behind such a mark
        raise UserError(f"{path.name}, line 1: the first column's name has a line break. Write it in one line.")
    for number, line in enumerate(lines[:above], start=1):
        if end_of(line) != end_of(last):
            raise UserError(f"{path.name}, {other_end(number, end_of(line), end_of(last))}")
    names = [" ".join(cell.split()) for cell in cells]
    return CsvFile(path, names, unique(names), delimiter, end_of(last) or "\n", above, quotes)


def read_header(path: Path, lines: list[str], above: int, delimiters: tuple[str, ...]) -> tuple[list[str], str, str]:
    """Return the most cells that a delimiter parts the header into, the last of its lines, and the delimiter."""
    found: list[tuple[list[str], str, str]] = []
    for delimiter in delimiters:
        reader = csv.reader(lines[above:], delimiter=delimiter, strict=True)
        try:
            cells = next(reader, [])
            found.append((cells, lines[above + reader.line_num - 1] if cells else "", delimiter))
        except csv.Error as error:
            problem = malformed(path.name, above + 1, above + reader.line_num, str(error))
    if not found:
        raise problem
    return max(found, key=lambda head: len(head[0]))


def unique(names: list[str]) -> list[str]:
    """Return the names of columns, with their number where the header has none or has the name already."""
    taken: set[str] = set()
    found = []
    for number, name in enumerate(names, start=1):
        numbered = f"{name} (column {number})" if name else f"column {number}"
        own = name if name and name.casefold() not in taken else numbered
        while own.casefold() in taken:
            own += "*"
        taken.add(own.casefold())
        found.append(own)
    return found
