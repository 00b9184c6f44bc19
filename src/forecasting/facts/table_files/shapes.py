"""What a table file is found to be: how it is written, its rows as text, and what of it is no row."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.table_files.records import Writing
from forecasting.facts.tables import nearest


@dataclass(frozen=True)
class Dialect:
    """How a file is written, as a mapping states it.

    delimiter and quote: '' where there are none (Excel, Parquet). escape: what makes a quote inside quotes a character: itself, doubled,
    or a backslash. skip_blanks: whether blanks behind a delimiter are none of the cell's. sheet: of a workbook. header_line: the line, as
    an editor or Excel counts from 1, at which the names begin, None where there are none. header_rows: how many rows they take.
    member: the file inside a .zip.
    """

    encoding: str = "utf-8"
    delimiter: str = ""
    quote: str = '"'
    escape: str = '"'
    skip_blanks: bool = False
    sheet: str | None = None
    header_line: int | None = None
    header_rows: int = 1
    member: str | None = None

    @property
    def writing(self) -> Writing:
        """How the cells of a text are written."""
        return Writing(self.delimiter, self.quote, self.escape, self.skip_blanks)

    def to_dict(self) -> dict[str, Any]:
        """Return the dialect as plain values: those that matter for a file of its kind, and are not the usual ones."""
        usual = Dialect()
        found = {name: value for name, value in asdict(self).items() if value and value != getattr(usual, name)}
        if self.delimiter:
            found |= {"encoding": self.encoding} | ({} if self.quote else {"quote": ""})
        return found | ({"header_line": self.header_line} if self.delimiter or self.sheet else {})


@dataclass(frozen=True)
class LeftOut:
    """Rows of a file that are not facts: the line of the first, its text, why, and how many follow each other (1, but of blank rows)."""

    line: int
    text: str
    reason: str
    rows: int = 1


@dataclass(frozen=True)
class RawTable:
    """A file's table as text in a DuckDB temp table; `n_rows` in it, `n_bad` in `<relation>_bad`."""

    path: Path
    dialect: Dialect
    relation: str
    names: tuple[str, ...]
    typed: dict[str, str]
    left_out: tuple[LeftOut, ...]
    evidence: tuple[str, ...]
    n_rows: int
    n_bad: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns, in the order of `names`: c1, c2 …."""
        return tuple(f"c{number}" for number in range(1, len(self.names) + 1))


@dataclass(frozen=True)
class Limits:
    """How much of a file is read: bytes that an archive may unpack to, a workbook, and cells in the rectangle that a sheet's cells span."""

    unpacked: int = 8_000_000_000  # ten times 5 million order lines
    workbook: int = 1_000_000_000  # a million rows of twenty columns
    cells: int = 40_000_000


USUAL = Limits()
MOST_COLUMNS = 2_000


def require_columns(name: str, width: int) -> None:
    """Raise a UserError where a table has more columns than are read."""
    if width > MOST_COLUMNS:
        raise UserError(
            f"{name} has {width:,} columns, at most {MOST_COLUMNS:,} are read. Leave out those that are not needed."
        )


class Undecided(UserError):
    """A question that the file leaves open: `key` of the dialect, and the values that it may be stated as, each with what speaks for it."""

    def __init__(self, message: str, key: str, choices: Mapping[Any, str]) -> None:
        super().__init__(message)
        self.key, self.choices = key, dict(choices)


@dataclass
class Notes:
    """What is noticed while a file is read."""

    evidence: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def checked(stated: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """Return what a mapping states of a file's dialect, or raise a UserError about the first value that cannot be meant."""
    found = dict(stated or {})
    known = [one.name for one in fields(Dialect)]
    for key, value in found.items():
        if key not in known:
            raise UserError(
                f"{name}: '{key}' is nothing that a file's dialect has ({', '.join(known)}).{nearest(key, known)}"
            )
        if key in ("delimiter", "quote", "escape") and not (isinstance(value, str) and len(value) <= 1):
            raise UserError(f"{name}: {key} is {value!r}. It must be one character, or '' where there is none.")
        if (
            key in ("header_line", "header_rows")
            and not is_place(value)
            and not (key == "header_line" and value is None)
        ):
            raise UserError(
                f"{name}: {key} is {value!r}. It must be a whole number from 1"
                + (", or nothing." if key == "header_line" else ".")
            )
        if key == "skip_blanks" and not isinstance(value, bool):
            raise UserError(f"{name}: skip_blanks is {value!r}. It must be true or false.")
        if key in ("sheet", "member") and value is not None:
            found[key] = str(value)
    if "encoding" in found:
        found["encoding"] = known_encoding(str(found["encoding"]), name)
    return found


def is_place(value: object) -> bool:
    """Say whether a value is a whole number from 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def known_encoding(encoding: str, name: str) -> str:
    """Return an encoding as Python calls it, or raise a UserError if there is none of the name that text is written in."""
    try:
        "a".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, TypeError, UnicodeError):
        raise UserError(
            f"{name}: encoding is '{encoding}', which is unknown. Usual ones are utf-8, utf-16, cp1252."
        ) from None


def header_names(rows: Sequence[Sequence[str | None]], width: int) -> tuple[str, ...]:
    """Return a name for each column: the words of the header's rows below each other, made unique, else 'column 3'."""
    taken: set[str] = set()
    found = []
    for at in range(width):
        words = [" ".join((row[at] or "").split()) for row in rows if at < len(row)]
        name = " ".join(dict.fromkeys(word for word in words if word))
        own = (
            name
            if name and name.casefold() not in taken
            else f"{name} (column {at + 1})"
            if name
            else f"column {at + 1}"
        )
        while own.casefold() in taken:
            own += "*"
        taken.add(own.casefold())
        found.append(own)
    return tuple(found)
