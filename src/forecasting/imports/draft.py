"""A mapping that is being completed: what is stated stays, the rest is proposed from names and contents, or asked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from forecasting.facts import TABLES, TableSpec, number_styles
from forecasting.imports.contents import Content, Contents
from forecasting.imports.formula import parse
from forecasting.imports.mapping import PSEUDO, Mapping
from forecasting.imports.names import rank
from forecasting.imports.questions import Choice, Question
from forecasting.imports.staging import STAGED, Staged


@dataclass
class Draft:
    """The mapping so far, what the file holds, why it was proposed (evidence), and what is open."""

    mapping: Mapping
    staged: Staged
    contents: Contents
    evidence: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)  # discounts that are no share

    @property
    def spec(self) -> TableSpec:
        """What the contract asks of the table."""
        return TABLES[self.mapping.table]

    def is_open(self, column: str) -> bool:
        """Say whether nothing is stated or proposed yet of a column of the contract."""
        return column in self.spec.columns and column not in self.mapping.columns

    def take(self, column: str, value: Any, why: str) -> None:
        """Propose where a column of the contract is read from; None: it is not in the file."""
        self.mapping.columns[column] = value
        if why:
            self.evidence.append(f"{column}: {shown(value)}, {why}.")

    def free(self) -> list[Content]:
        """Return the contents of the file's columns that are not some other column of the contract, in the file's order."""
        values = self.mapping.columns.values()
        used = {name for value in values if value for name in (value.values() if isinstance(value, dict) else [value])}
        return [content for name, content in self.contents.all.items() if name not in used and name not in PSEUDO]

    def ranked(
        self, meaning: str, fits: Callable[[Content], bool], among: Iterable[Content] | None = None
    ) -> list[tuple[float, str]]:
        """Return (rank, name) of the columns whose name and content may have a meaning, the surest first."""
        named = ((rank(meaning, each.name), each) for each in (self.free() if among is None else among))
        return sorted(
            ((place, each.name) for place, each in named if place is not None and fits(each)), key=lambda pair: pair[0]
        )

    def surest(self, meaning: str, fits: Callable[[Content], bool]) -> list[str]:
        """Return the columns of the best rank, one where they all hold the same."""
        found = self.ranked(meaning, fits)
        best = [name for place, name in found if place == found[0][0]]
        if len(best) > 1 and all(self.contents.same(best[0], other) for other in best[1:]):
            self.evidence.append(f"{', '.join(best)} hold the same in every row: the first is used.")
            return best[:1]
        return best

    def ask(self, column: str, text: str, values: Iterable[Any], said: Callable[[Any], str]) -> None:
        """Leave open where a column of the contract is read from."""
        choices = tuple(Choice(said(value), {("columns", column): value}) for value in values)
        self.questions.append(Question(self.mapping.table, f"columns: {column}: {text}", choices))

    def ask_sets(self, column: str, text: str, choices: dict[str, dict[tuple[str, str | None], Any]]) -> None:
        """Leave open what is answered by several values at once: what speaks for an answer → what it sets."""
        found = tuple(Choice(said, sets) for said, sets in choices.items())
        self.questions.append(Question(self.mapping.table, f"columns: {column}: {text}", found))

    def total(self, value: str) -> str:
        """Return the sum of a column, or of a formula of columns, as people write it, with an example."""
        sources = parse(value[1:], value) if value.startswith("=") else None
        read = {name: self.number(name) for name in (sources.columns if sources else (value,))}
        example = "" if sources else f"for example {self.contents.all[value].example}, "
        if None in read.values():
            return example.removesuffix(", ")
        number = sources.sql(lambda name: read[name]) if sources else f"cast({read[value]} as decimal(38, 4))"
        ((total,),) = self.staged.fetch(f"select sum({number}) from {STAGED}")
        return f"{example}total {total or 0:,.2f}"

    def number(self, name: str) -> str | None:
        """Return the SQL of a column's numbers, None where it has none."""
        column = self.staged.columns[name]
        decision = number_styles(self.staged.connection, STAGED, column, self.mapping.numbers.get(name))
        style = decision.chosen or (decision.candidates or (None,))[0]
        return style and f"try_cast({style.sql(column)} as decimal(38, 12))"


def is_number(content: Content) -> bool:
    """Say whether a column can be amounts: numbers that are no percentages."""
    return content.is_number and not content.percent


def shown(value: Any) -> str:
    """Return where a column is read from as sentences quote it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return f"«{value.removeprefix('= ')}»" if isinstance(value, str) else "nothing"
