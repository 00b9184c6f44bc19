"""What the columns of a file hold, judged by a sample of its rows: how many cells are dates, numbers, how many differ."""

import re
from dataclasses import dataclass
from functools import cached_property

from forecasting.facts import date_styles, number_styles
from forecasting.imports.staging import STAGED, Staged

SAMPLE, SAMPLE_ROWS, LOOKED_AT = "sampled", 5_000, 200
# What may be a date or a number at first sight: only such columns are looked at closely.
LIKE_DATE = re.compile(
    r"\D{0,3}(\d{1,4}[-/. ]+(\d{1,2}|[^\W\d]{3,}\.?)[-/., ]+\d{2,4}|(19|20)\d\d[-/. ]?M?\d{1,2}|[^\W\d]{3,}.*\d\d|\d{1,2}[-/.](19|20)\d\d|"
    r"\d{1,2}[^\W\d]{3,}\d{2,4}|\d{5}|\d{6}|\d{8}|(19|20)\d\d[-/. ]?[^\W\d]{3,})\b.*"
)
LIKE_NUMBER = re.compile(r"(?!.*[/:])(?=.*\d|[-–— ]+$)(\D{0,6}[\d.,'’\s\u00a0\u202f\u2009]*([eE][+-]?\d+)?\D{0,6})")
MOSTLY = 0.8  # of the cells of a column are what it is taken for
MOST_SERIES = {0: 250, 1: 250, 2: 80, 3: 60, 4: 60}  # distinct names of a region or category, by how sure its name is


@dataclass(frozen=True)
class Content:
    """A column's cells: how many are filled and differ (all rows), the shares that are dates and numbers, an example (the sample)."""

    name: str
    n_filled: int
    n_distinct: int
    dates: float
    numbers: float
    percent: bool
    low: float | None
    high: float | None
    whole: bool
    example: str

    @property
    def is_date(self) -> bool:
        """Whether nearly all cells are dates."""
        return self.dates >= MOSTLY

    @property
    def is_rather_date(self) -> bool:
        """Whether most cells are dates; the others may be totals, or faults."""
        return self.dates >= 0.5

    @property
    def is_number(self) -> bool:
        """Whether nearly all cells are numbers."""
        return self.numbers >= MOSTLY


class Contents:
    """The contents of a staged file's columns, by name."""

    def __init__(self, staged: Staged, decided: dict[str, dict]) -> None:
        self.staged, self.decided = staged, decided
        step = max(1, staged.n_rows // SAMPLE_ROWS)
        staged.connection.execute(
            f"create or replace temp table {SAMPLE} as select * from {STAGED} where n % {step} = 0 or n = 1"
        )

    @cached_property
    def all(self) -> dict[str, Content]:
        """The content of every column."""
        counts = ", ".join(f"count({k}), count(distinct {k})" for k in self.staged.columns.values())
        (found,) = self.staged.fetch(f"select {counts} from {STAGED}")
        return {
            name: self.content(name, column, found[2 * at], found[2 * at + 1])
            for at, (name, column) in enumerate(self.staged.columns.items())
        }

    def content(self, name: str, column: str, n_filled: int, n_distinct: int) -> Content:
        """Return what one column holds."""
        examples = self.staged.fetch(f"select {column} from {SAMPLE} where {column} is not null limit 1")
        example = examples[0][0].strip()[:40] if examples else ""
        kind = self.staged.typed.get(name)
        if not n_filled:
            return Content(name, 0, 0, 0.0, 0.0, False, None, None, False, "")
        dates = 1.0 if kind == "date" else 0.0
        if not kind and self.looks_like(column, LIKE_DATE):
            dates = self.share(date_styles(self.staged.connection, SAMPLE, column))
        if kind == "number" and re.fullmatch(r"(19|20)\d{4}|(19|20)\d{6}|\d{5}", example):
            dates = self.share(date_styles(self.staged.connection, SAMPLE, column))
        if kind == "date" or not self.looks_like(column, LIKE_NUMBER):
            return Content(name, n_filled, n_distinct, dates, 0.0, False, None, None, False, example)
        stated = self.decided.get(name)
        decision = number_styles(self.staged.connection, SAMPLE, column, stated)
        style = decision.chosen or (decision.candidates[0] if decision.candidates else None)
        low = high = None
        whole = False
        if style:
            value = f"try_cast({style.sql(column)} as double)"
            ((low, high, whole),) = self.staged.fetch(
                f"select min(v), max(v), bool_and(v = floor(v)) from (select {value} as v from {SAMPLE})"
            )
        percent = bool(style and style.percent)
        return Content(
            name, n_filled, n_distinct, dates, self.share(decision), percent, low, high, bool(whole), example
        )

    def looks_like(self, column: str, shape: re.Pattern) -> bool:
        """Say whether half of the first different cells of the sample have a shape."""
        sql = f"select distinct trim({column}) from {SAMPLE} where {column} is not null limit {LOOKED_AT}"
        cells = [cell for (cell,) in self.staged.fetch(sql)]
        return 2 * sum(1 for cell in cells if shape.fullmatch(cell)) >= len(cells)

    @staticmethod
    def share(decision) -> float:
        """Return which share of a column's cells can be read."""
        return 1 - decision.n_unread / decision.n_cells if decision.n_cells else 0.0

    def same(self, one: str, other: str) -> bool:
        """Say whether two columns hold the same in every row."""
        a, b = self.staged.columns[one], self.staged.columns[other]
        ((differ,),) = self.staged.fetch(f"select count(*) from {STAGED} where trim({a}) is distinct from trim({b})")
        return not differ

    def same_parts(self, one: str, other: str) -> bool:
        """Say whether two columns part the rows alike, as a code and its name do."""
        a, b = (f"coalesce({self.staged.columns[name]}, '')" for name in (one, other))
        counts = f"count(distinct {a}), count(distinct {b}), count(distinct ({a}, {b}))"
        ((n_one, n_other, n_both),) = self.staged.fetch(f"select {counts} from {STAGED}")
        return n_one == n_other == n_both
