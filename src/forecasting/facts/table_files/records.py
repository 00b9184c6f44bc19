"""Parts text into records, one at a time, with the line at which each starts; a record that is broken costs its first line alone."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST_CELL = 2_000_000  # characters, as DuckDB has it
MOST_LINES = 1_000  # of one record: a quote that is not closed by then is a slip
DAMAGED = re.compile("[\udc80-\udcff]")  # how Python keeps bytes that are no text
csv.field_size_limit(LONGEST_CELL)


class Record(NamedTuple):
    """A record: the line it starts at, its text without the last line end, its cells, and what is wrong with it, '' where nothing is."""

    line: int
    text: str
    cells: list[str]
    fault: str


class Writing(NamedTuple):
    """How cells are written: the sign between them, their quotes ('' for none), what makes a quote within quotes a character, itself or a
    backslash, and whether blanks behind a delimiter are none of the cell's."""

    delimiter: str
    quote: str = '"'
    escape: str = '"'
    skip_blanks: bool = False


class Lines:
    """Lines of a text with the number of the next one; some can be put back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.source, self.back, self.next, self.taken = iter(lines), deque[str](), 1, list[str]()

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MOST_LINES:
            raise StopIteration
        line = self.back.popleft() if self.back else next(self.source)
        self.taken.append(line)
        self.next += 1
        return line

    def put_back(self) -> None:
        """Put back the line taken last."""
        self.back.appendleft(self.taken.pop())
        self.next -= 1

    def keep_first(self) -> None:
        """Put back all lines taken but the first."""
        self.back.extendleft(reversed(self.taken[1:]))
        self.next -= len(self.taken) - 1
        del self.taken[1:]


def records(lines: Iterable[str], writing: Writing) -> Iterator[Record]:
    """Yield the records of a text; those with a damaged character, a NUL, or a quote that does not fit have a fault and one cell."""
    source = Lines(lines)
    delimiter, quote = writing.delimiter, writing.quote
    while True:
        source.taken.clear()
        start = source.next
        line = next(source, None)
        if line is None:
            return
        plain = line.rstrip("\r\n")
        if "\0" in plain or (not plain.isascii() and DAMAGED.search(plain)):
            shown = plain.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            fault = "a NUL character" if "\0" in plain else "bytes that are no letters in the file's encoding"
            yield Record(start, shown, [shown], fault)
        elif not quote or quote not in line:
            cells = plain.split(delimiter) if delimiter else [plain]
            yield Record(start, plain, [cell.lstrip(" ") for cell in cells] if writing.skip_blanks else cells, "")
        else:
            yield quoted_record(source, start, plain, writing)


def quoted_record(source: Lines, start: int, first: str, writing: Writing) -> Record:
    """Return the record that begins with a line that has quotes, with as many more lines as it needs."""
    source.put_back()
    doubled = writing.escape == writing.quote
    reader = csv.reader(
        source,
        delimiter=writing.delimiter or "\0",
        quotechar=writing.quote,
        doublequote=doubled,
        escapechar=None if doubled else writing.escape,
        skipinitialspace=writing.skip_blanks,
        strict=True,
    )
    try:
        cells = next(reader)
        if len(source.taken) == 1 or not swallowed(cells, writing.delimiter):
            return Record(start, "".join(source.taken).rstrip("\r\n"), cells, "")
        fault = "a quote opens here that makes the lines below part of one cell"
    except (csv.Error, StopIteration) as error:
        fault = quote_fault(str(error), len(source.taken))
    source.keep_first()
    return Record(start, first, [first], fault)


def quote_fault(error: str, lines: int) -> str:
    """Return what is wrong with the quotes of a record."""
    if "field larger" in error:
        return f"a cell of more than {LONGEST_CELL:,} characters"
    return (
        "a quote opens here and is never closed"
        if lines > 1 or "end of data" in error
        else "text follows a closing quote"
    )


def swallowed(cells: list[str], delimiter: str) -> bool:
    """Say whether a cell holds lines that would be lines of the table if the quotes around them were none."""
    width = len(cells)
    for at, cell in enumerate(cells):
        if delimiter and delimiter in cell and ("\n" in cell or "\r" in cell):
            first, *middle, last = cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            within = [at + 1 + first.count(delimiter), *(1 + line.count(delimiter) for line in middle)]
            if all(found == width for found in within) and last.count(delimiter) == at:
                return True
    return False
