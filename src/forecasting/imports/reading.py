"""The rows of a file under the contract's names and in its types: the temp table `read_rows`, a row per row of `staged`.

It has the columns of `staged`; the columns of the contract that the mapping knows; price, of the rule on prices; and for each column
of the contract why_<column>: a plain reason where the row has no value that can be used, else null.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from forecasting.facts import AMOUNT, EARLIEST, TABLES, DateStyle, NumberStyle, literal
from forecasting.imports.mapping import Mapping
from forecasting.imports.staging import STAGED, Staged

READ = "read_rows"
BLANKS = literal(" \t\r\n\u00a0\u2007\u202f\u2009\ufeff")

UNSEEN = "\u00ad\u200b\u200e\u200f\u2060\ufeff"


@dataclass
class Styles:
    """How the cells of each column are read: by the file's name. A column that came typed needs no style."""

    numbers: dict[str, NumberStyle] = field(default_factory=dict)
    dates: dict[str, DateStyle] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """The SQL of one value: `value`, and `why` it cannot be used, null where it can or where the cell is empty and may be."""

    value: str
    why: str


class Reader:
    """Turns what a mapping says of a column into SQL over `staged`."""

    def __init__(self, staged: Staged, mapping: Mapping, styles: Styles) -> None:
        self.staged, self.mapping, self.styles = staged, mapping, styles
        self.spec = TABLES[mapping.table]

    def text(self, name: str) -> str:
        """Return the SQL of a cell without blanks around it, null where it is empty."""
        return trimmed(self.staged.columns[name])

    def name(self, name: str) -> str:
        """Return the SQL of a cell as a name, as pages show it: one blank for several, nothing unseen; null where it is empty."""
        seen = f"regexp_replace({self.staged.columns[name]}, '[{UNSEEN}]', '', 'g')"
        return trimmed(f"regexp_replace({seen}, '[\\s\\x{{00A0}}]+', ' ', 'g')")

    def number(self, name: str) -> str:
        """Return the SQL of a cell as an exact number, null where it is none."""
        return f"x_{self.staged.columns[name]}"

    def why_no_number(self, name: str) -> str:
        """Return the SQL of why a cell is no number, null where it is one or empty."""
        return f"w_{self.staged.columns[name]}"

    def read_texts(self) -> str:
        """Read each text of the used columns once; return the SELECT of `staged` with x_<column>: the value, w_<column>: why not."""
        joins = []
        for name in self.mapping.number_columns():
            cell, style = self.staged.columns[name], self.styles.numbers.get(name)
            value = f"try_cast({style.sql('cell') if style else trimmed('cell')} as decimal(38, 12))"
            why = f"coalesce({style.why('cell')}, 'too large')" if style else "'no number'"
            joins.append(self.join(cell, value, quoting(name, why, "cell")))
        stated = self.mapping.columns[self.spec.date]
        if isinstance(stated, str) and stated in self.styles.dates:
            cell, style = self.staged.columns[stated], self.styles.dates[stated]
            joins.append(self.join(cell, style.sql("cell"), style.why("cell")))
        return f"select * from {STAGED}" + "".join(joins)

    def join(self, column: str, value: str, why: str) -> str:
        """Write the different texts of a column with their values, and return the SQL that joins them."""
        texts = f"texts_{column}"
        self.staged.connection.execute(
            f"create or replace temp table {texts} as select cell as {column}, v as x_{column}, "
            f"case when v is null and {trimmed('cell')} is not null then {why} end as w_{column} "
            f"from (select cell, {value} as v from (select distinct {column} as cell from {STAGED} where {column} is not null))"
        )
        return f" left join {texts} using ({column})"

    def amount(self, column: str) -> Cell:
        """Return the SQL of a number of the contract, rounded to its four decimals."""
        formula, sources = self.mapping.formula(column), self.mapping.sources(column)
        exact = formula.sql(self.number) if formula else self.number(sources[0])
        value = f"try_cast({self.signed(column, exact)} as {AMOUNT})"
        unread = ", ".join(self.why_no_number(name) for name in sources)
        empty = " and ".join(f"{self.text(name)} is null" for name in sources)
        missing = literal(f"{', '.join(sources)}: the cell is empty")
        no_result = literal(
            "the formula gives no number: a cell is empty, divided by zero, or too large" if formula else "too large"
        )
        why = f"case when {value} is null then coalesce({unread}, case when {empty} then {missing} else {no_result} end) end"
        if column not in self.required():
            why = f"case when {value} is null then coalesce({unread}) end"
        return Cell(value, why)

    def signed(self, column: str, value: str) -> str:
        """Return the SQL of a number with its sign turned where the row says that it counts the other way."""
        turned = " or ".join(is_one_of(self.name(name), values) for name, values in self.mapping.minus_where.items())
        return f"case when {turned} then -({value}) else {value} end" if turned and column != "unit_cost" else value

    def required(self) -> tuple[str, ...]:
        """Return the columns without which a row is no fact."""
        known = [name for name in self.spec.one_of if self.mapping.columns.get(name)]
        return (*self.spec.required, *known[:1])

    def date_text(self, stated: Any) -> str:
        """Return the SQL of the text that a date is read from: a cell, or one put together of a year, a month and a day."""
        if isinstance(stated, str):
            return self.staged.columns[stated]
        return text_of_parts({name: self.part(value) for name, value in stated.items()})

    def part(self, stated: Any) -> str:
        """Return the SQL of a year, month or day as text without decimals: of a column, or the same for all rows."""
        text = self.text(stated) if isinstance(stated, str) else literal(str(stated))
        return f"regexp_replace({text}, '\\.0+$', '')"

    def date(self) -> Cell:
        """Return the SQL of the day of a fact."""
        stated = self.mapping.columns[self.spec.date]
        text, named = self.date_text(stated), ", ".join(self.mapping.sources(self.spec.date)) or self.spec.date
        style = self.styles.dates.get(date_key(stated))
        if isinstance(stated, str) and style:
            value, why = f"x_{text}", f"w_{text}"
        else:
            value = style.sql(text) if style else f"try_cast(left({text}, 10) as date)"
            why = style.why(text) if style else "'no date'"
        value = f"case when {value} >= {EARLIEST} then {value} end"
        said = quoting(named, f"coalesce({why}, 'a date before 1900')", text)
        empty = literal(f"{named}: the cell is empty")
        return Cell(
            value, f"case when {value} is null then case when {trimmed(text)} is null then {empty} else {said} end end"
        )

    def text_cell(self, column: str) -> Cell:
        """Return the SQL of a text of the contract."""
        stated = self.mapping.columns[column]
        return Cell(literal(str(stated["value"])) if isinstance(stated, dict) else self.name(stated), "null")

    def cell(self, column: str) -> Cell:
        """Return the SQL of a column of the contract."""
        if column == self.spec.date:
            return self.date()
        return self.amount(column) if column in self.spec.numbers else self.text_cell(column)

    def known_columns(self) -> list[str]:
        """Return the contract's columns that the mapping reads from somewhere, in the contract's order."""
        return [column for column in self.spec.columns if self.mapping.columns.get(column)]


def trimmed(cell: str) -> str:
    """Return the SQL of a cell without blanks around it, null where it is empty."""
    return f"nullif(trim({cell}, {BLANKS}), '')"


def quoting(name: str, why: str, cell: str) -> str:
    """Return the SQL of a reason with the column's name before it and the cell behind it."""
    return f"{literal(name + ': ')} || {why} || ' («' || left({trimmed(cell)}, 40) || '»)'"


def date_key(stated: Any) -> str:
    """Return under which name of `dates` the style of a date is stated."""
    return stated if isinstance(stated, str) else "parts"


def text_of_parts(parts: dict[str, str]) -> str:
    """Return the SQL of a date's text from its parts: 2024-01-31, or 31 Jan 2024 where the month is a word."""
    if "day_month" in parts:  # 3101 or 101: the last two digits are the month
        padded = f"lpad({parts['day_month']}, 4, '0')"
        return f"{parts['year']} || '-' || right({padded}, 2) || '-' || left({padded}, 2)"
    year, month, day = parts["year"], parts["month"], parts.get("day")
    numbered = f"{year} || '-' || lpad(ltrim({month}, '0'), 2, '0')" + (
        f" || '-' || lpad({day}, 2, '0')" if day else ""
    )
    worded = (f"{day} || ' ' || " if day else "") + f"{month} || ' ' || {year}"
    return f"case when regexp_full_match({month}, '0*\\d{{1,2}}') then {numbered} else {worded} end"


def is_one_of(text: str, values: list[str]) -> str:
    """Return the SQL that says whether a text is one of some, whatever their capitals."""
    return f"coalesce(lower({text}) in ({', '.join(literal(value.strip().lower()) for value in values)}), false)"


def read_rows(staged: Staged, mapping: Mapping, styles: Styles) -> Reader:
    """Write `read_rows` and return what it was read by."""
    reader = Reader(staged, mapping, styles)
    values, whys = [], []
    for column in reader.known_columns():
        cell = reader.cell(column)
        values.append(f", {cell.value} as {column}")
        whys.append(f", {cell.why.replace(cell.value, column)} as why_{column}")
    price = mapping.rule_detail("prices").get("column")
    values.append(f", {reader.number(price) if price else 'null'} as price")
    inner = f"select *{''.join(values)} from ({reader.read_texts()})"
    staged.connection.execute(f"create or replace temp table {READ} as select *{''.join(whys)} from ({inner})")
    return reader


def each(reader: Reader, of: Callable[[str], str], joined: str = ", ") -> str:
    """Return a text for each known column of the contract, joined."""
    return joined.join(of(column) for column in reader.known_columns())
