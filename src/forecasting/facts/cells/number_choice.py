"""Finds out how the numbers of a column are written."""

from dataclasses import replace

import duckdb

from forecasting.facts.cells.currencies import KNOWN, family_of
from forecasting.facts.cells.decision import TEXTS, Column, Decision, Example, choose
from forecasting.facts.cells.numbers import MARKS, NumberStyle, plain, signs_of
from forecasting.facts.tables import listed, literal

WITHIN = "0123456789.,' ()+-%"  # what stands in a number itself
CALLED = {".": "decimal point", ",": "decimal comma"}


def number_styles(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, stated: dict[str, object] | None = None
) -> Decision[NumberStyle]:
    """Return how the numbers of a column are written: the one style that reads the most cells, or a question.

    relation: what may stand after FROM, with the line of each row as `line` and the column as text. stated: what a mapping says
    (decimal_mark, currency, percent); what it does not say is found out.

    Raises
    ------
    UserError
        If a stated value is none that there is.
    """
    known, texts = NumberStyle.from_yaml(stated or {}), Column(connection, relation, column)
    if not texts.n_cells:
        return Decision(known, (known,), ("The column is empty.",), 0, 0)
    currencies = currencies_of(texts)
    names = [known.currency] if known.currency else list(currencies) or [None]
    percents = [known.percent] if "percent" in (stated or {}) else percents_of(texts)
    marks = [known.decimal_mark] if known.decimal_mark else list(MARKS)
    styles = [NumberStyle(mark, name, percent) for name in names for percent in percents for mark in marks]
    n_read = texts.read([Comparable(style) for style in styles])
    choice = choose(texts, styles, n_read)
    best = tuple(styles[i] for i in choice.best)
    if not best and stated and len(styles) == 1:
        best = (styles[0],)
    if not best:
        first = texts.count("true")[1]
        question = f"No cell of the column is a number: {first}."
        return Decision(None, (), (question,), texts.n_cells, texts.n_cells, texts.faults(styles[0]), question)
    chosen = best[0] if choice.chosen is not None or len(styles) == 1 else None
    question = choice.question
    if chosen and choice.alike and {style.decimal_mark for style in best} == set(MARKS):
        chosen = replace(chosen, decimal_mark=None)
        best = (chosen,)
    if len(names) > 1:
        chosen, question = None, several(currencies)
    faults = texts.faults(chosen or best[0])
    evidence = evidence_of(texts, chosen or best[0], currencies) if chosen else (question,)
    return Decision(chosen, best, evidence, texts.n_cells, sum(fault.n for fault in faults), faults, question)


class Comparable:
    """A style whose readings are numbers, so that 1 and 1.0 are the same."""

    def __init__(self, style: NumberStyle):
        self.style = style

    def sql(self, cell: str) -> str:
        """Return the SQL of a number."""
        return f"cast({self.style.sql(cell)} as decimal(18, 4))"


def currencies_of(texts: Column) -> dict[str, tuple[int, Example]]:
    """Return the currencies that stand at numbers, as most write them: in how many cells, and the first."""
    around = f"trim(translate({plain('cell')}, {literal(WITHIN)}, ''))"
    rows = texts.query(
        f"select around, sum(n) as n, min(line), min_by(cell, line) from (select *, {around} as around from {TEXTS} "
        f"where regexp_matches(cell, '[0-9]')) where around <> '' and length(around) <= 8 group by around order by n desc, 3"
    )
    found: dict[str, tuple[str, int, Example]] = {}
    for around, n, line, text in rows:
        family = family_of(around)
        if family:
            called = around if around.casefold() in KNOWN else family
            name, before, first = found.get(family, (called, 0, Example(text, line)))
            found[family] = (name, before + int(n), min(first, Example(text, line), key=lambda example: example.line))
    return {name: (n, first) for name, n, first in found.values()}


def percents_of(texts: Column) -> list[bool]:
    """Return whether cells may be percentages, or some of them."""
    return [False, True] if texts.count("contains(cell, '%')")[0] else [False]


def several(currencies: dict[str, tuple[int, Example]]) -> str:
    """Return the question which of several currencies is meant."""
    met = listed(f"{name} at {n:,} cells, the first {first}" for name, (n, first) in currencies.items())
    return f"The column has several currencies: {met}. State currency; amounts of others are then faults."


def evidence_of(texts: Column, style: NumberStyle, currencies: dict[str, tuple[int, Example]]) -> tuple[str, ...]:
    """Return in plain sentences why numbers are read like this."""
    read = f"{style.sql('cell')} is not null"
    n_read, first = texts.count(read)
    said = [f"{n_read:,} of {texts.n_cells:,} cells are numbers" + (f", the first {first}." if first else ".")]
    if style.decimal_mark:
        other = replace(style, decimal_mark=MARKS[style.decimal_mark])
        only, example = texts.count(f"{read} and {other.sql('cell')} is null")
        said.append(
            f"{only:,} of them can only be read with a {CALLED[style.decimal_mark]}: {example}."
            if only
            else f"They are read with a {CALLED[style.decimal_mark]}, as stated."
        )
    else:
        said.append("None has a decimal mark: all read alike with a point or a comma.")
    said += [f"{name} stands at {n:,} cells, the first {example}." for name, (n, example) in currencies.items()]
    kinds = {
        "{n:,} have a percent sign and are divided by 100: {example}.": "contains(cell, '%')",
        "{n:,} have parentheses for a minus: {example}.": f"{signs_of(plain('cell'))} = '()'",
        "{n:,} have the minus behind: {example}.": f"regexp_matches({plain('cell')}, '[0-9][^0-9]*-[^0-9]*$')",
        "{n:,} are a dash, read as 0: {example}.": f"not regexp_matches(cell, '[0-9]') and contains({plain('cell')}, '-')",
    }
    for sentence, condition in kinds.items():
        n, example = texts.count(f"{read} and {condition}")
        said += [sentence.format(n=n, example=example)] if n else []
    return tuple(said)
