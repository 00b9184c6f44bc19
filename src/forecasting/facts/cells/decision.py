"""How the cells of a column are written, decided over all of them: what was decided, or the question that is left, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

import duckdb

from forecasting.facts.tables import quoted

TEXTS, READINGS = "texts_of_column", "readings_of_column"  # temp tables
ODD_BLANKS = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\r\n\v\f"
)
UNSEEN = "\ufeff\u200b\u200e\u200f\u2060"


class Reader(Protocol):
    """What gives the SQL of a cell's value, null where it cannot be read."""

    def sql(self, cell: str) -> str: ...  # noqa: D102


class Style(Reader, Protocol):
    """A way of writing numbers or dates."""

    def why(self, cell: str) -> str: ...  # noqa: D102
    def to_yaml(self) -> dict[str, object]: ...  # noqa: D102


S = TypeVar("S", bound=Style)


@dataclass(frozen=True)
class Fault:
    """Cells that a style cannot read: why, how many, and the first of them with its line."""

    reason: str
    n: int
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.n:,} × {self.reason}: {shown(self.text, self.line)}"


@dataclass(frozen=True)
class Doubt:
    """A cell that two styles read differently: its text and first line, and both readings with how each is stated."""

    text: str
    line: int
    readings: tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Decision(Generic[S]):
    """How a column is written.

    chosen: the one style that reads it, None where it cannot be told; `question` is then a sentence that names the choices and what
    to state, and `doubt` the cell that may be either, if that is the reason. candidates: the styles that read the most cells.
    evidence: plain sentences. n_cells: cells that are not empty, n_unread: those of them that the chosen style, else the first
    candidate, cannot read; `faults` has them by kind, the most frequent first.
    """

    chosen: S | None
    candidates: tuple[S, ...]
    evidence: tuple[str, ...]
    n_cells: int
    n_unread: int
    faults: tuple[Fault, ...] = ()
    question: str = ""
    doubt: Doubt | None = None


@dataclass(frozen=True)
class Example:
    """A text of a column and the line where it first stands."""

    text: str
    line: int

    def __str__(self) -> str:
        return shown(self.text, self.line)


def shown(text: str, line: int) -> str:
    """Return a cell as sentences quote it."""
    short = text.strip() if len(text.strip()) <= 40 else text.strip()[:40] + "…"
    return f"'{short}' (line {line})"


def several_of(n: int, name: str) -> str:
    """Return a number of things in words."""
    return f"{n:,} {name}{'s' * (n != 1)}"


def trimmed(cell: str) -> str:
    """Return the SQL of a cell with plain blanks inside and none around."""
    blanks = " " * len(ODD_BLANKS)
    full = f"trim(translate({cell}, '{ODD_BLANKS + UNSEEN}', '{blanks}'))"
    return f"case when regexp_full_match({cell}, '[ -~]*') then trim({cell}) else {full} end"  # translate is slow


class Column:
    """The distinct texts of a column, each with its first line and how often it stands there, and how styles read them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, relation: str, column: str):
        self.connection = connection
        name = quoted(column)
        self.query(
            f"create or replace temp table {TEXTS} as select {name} as cell, min(line) as line, count(*) as n from {relation} "
            f"where {trimmed(name)} <> '' group by {name}"
        )
        ((n_cells,),) = self.query(f"select coalesce(sum(n), 0) from {TEXTS}")
        self.n_cells = int(n_cells)

    def query(self, sql: str) -> list[tuple]:
        """Run a statement and return its rows."""
        return self.connection.execute(sql).fetchall()

    def count(self, condition: str, table: str = TEXTS) -> tuple[int, Example | None]:
        """Return how many cells meet a condition, and the first."""
        ((n, line, text),) = self.query(f"select sum(n), min(line), min_by(cell, line) from {table} where {condition}")
        return (int(n), Example(text, line)) if n else (0, None)

    def read(self, styles: Sequence[Reader]) -> None:
        """Read all cells by each style into the columns r0, r1 … of the table of readings."""
        columns = ", ".join(f"{style.sql('cell')} as r{i}" for i, style in enumerate(styles))
        self.query(f"create or replace temp table {READINGS} as select *, {columns} from {TEXTS}")

    def n_read(self, n_styles: int) -> list[int]:
        """Return how many cells each style reads."""
        counts = ", ".join(f"coalesce(sum(n) filter (where r{i} is not null), 0)" for i in range(n_styles))
        (found,) = self.query(f"select {counts} from {READINGS}")
        return [int(n) for n in found]

    def faults(self, style: Style, place: int | None = None) -> tuple[Fault, ...]:
        """Return what a style cannot read, by kind; of the table of readings those that have none in the style's place."""
        unread = f"{READINGS} where r{place} is null" if place is not None else TEXTS
        if not self.query(f"select 1 from {unread} limit 1"):
            return ()
        rows = self.query(
            f"select why, sum(n), min(line), min_by(cell, line) from (select *, {style.why('cell')} as why from {unread}) "
            "where why is not null group by why order by 2 desc, 3"
        )
        return tuple(Fault(why, int(n), line, text) for why, n, line, text in rows)


@dataclass(frozen=True)
class Choice:
    """The places of the styles that read the most cells; the first is chosen, and the others read the same, unless there is a question."""

    best: list[int]
    question: str = ""
    doubt: Doubt | None = None


def choose(column: Column, styles: Sequence[Style]) -> Choice:
    """Return the style that reads the most cells, where no other can be meant.

    Another can be meant if it reads as many, or cells that this one cannot, and if there are cells that both read, but differently.
    """
    n_read = column.n_read(len(styles))
    most = max(n_read)
    if not most:
        return Choice([])
    best = [i for i, n in enumerate(n_read) if n == most]
    first = best[0]
    for other in [i for i, n in enumerate(n_read) if n and i != first]:
        only = column.count(f"r{first} is null and r{other} is not null", READINGS)
        differ = column.count(f"r{first} <> r{other}", READINGS)
        as_many = other in best
        if differ[0] and (as_many or only[0]):
            return Choice(best, *_two_meanings(column, styles, first, other, only[1]))
        if as_many and only[0]:
            return Choice(best, _two_ways(column, styles, first, other))
    return Choice(best)


def _two_meanings(
    column: Column, styles: Sequence[Style], one: int, other: int, only: Example | None
) -> tuple[str, Doubt]:
    """Return the question about cells that two styles read differently, and the first of them."""
    ((cell, line, a, b),) = column.query(
        f"select cell, line, r{one}, r{other} from {READINGS} where r{one} <> r{other} order by line limit 1"
    )
    (first, second), keys = _told_apart(styles[one], styles[other])
    mixed = column.count(f"r{one} is not null and r{other} is null", READINGS)[1]
    proof = f" {mixed} can only be the first, {only} only the second." if mixed and only else ""
    question = f"{shown(cell, line)} may be {plainly(a)} ({first}) or {plainly(b)} ({second}): state {keys}.{proof}"
    return question, Doubt(cell, line, ((plainly(a), first), (plainly(b), second)))


def plainly(value: object) -> str:
    """Return a number or date as people read it, without zeros that say nothing."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _two_ways(column: Column, styles: Sequence[Style], one: int, other: int) -> str:
    """Return the question about a column of which as many cells are written in one way as in another."""
    (first, second), keys = _told_apart(styles[one], styles[other])
    a = column.count(f"r{one} is not null and r{other} is null", READINGS)[1]
    b = column.count(f"r{one} is null and r{other} is not null", READINGS)[1]
    return f"{a} is written in one way ({first}), {b} in another ({second}), and as many cells are: state {keys}."


def _told_apart(one: Style, other: Style) -> tuple[tuple[str, str], str]:
    """Return how two styles are stated where they differ, and what must be stated."""
    a, b = one.to_yaml(), other.to_yaml()
    keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
    said = tuple(", ".join(f"{key}: {stated(style.get(key))}" for key in keys) for style in (a, b))
    return (said[0], said[1]), " and ".join(keys)


def stated(value: object) -> str:
    """Return a value as it is written in YAML."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else f"'{value}'"
