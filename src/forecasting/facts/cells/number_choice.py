"""Finds out how the numbers of a column are written."""

import dataclasses
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from forecasting.facts.cells.currencies import FAMILIES, KNOWN, family_of
from forecasting.facts.cells.decision import READINGS, TEXTS, Column, Decision, Example, choose, several_of
from forecasting.facts.cells.numbers import MARKS, NumberStyle, plain
from forecasting.facts.tables import AMOUNT, listed

AROUND = r"[^0-9.,'' ()+%-][^0-9()+%,-]*"  # what is no part of a number itself
CALLED = {".": "decimal point", ",": "decimal comma"}
# what is said of cells, and which they are
KINDS = {
    "a percent sign and are divided by 100": "contains(cell, '%')",
    "parentheses for a minus": "contains(cell, '(')",
    "the minus behind": "regexp_matches(cell, '[0-9][^0-9eE]*[−–—-]')",
    "no digit but a dash, and are read as 0": "not regexp_matches(cell, '[0-9]')",
}
Currencies = dict[str, tuple[int, Example]]  # as most cells write them → at how many numbers they stand, and the first


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
    styles = [
        NumberStyle(mark, currency, percent)
        for currency in ([known.currency] if known.currency else list(currencies) or [None])
        for percent in ([known.percent] if "percent" in (stated or {}) else percents_of(texts))
        for mark in ([known.decimal_mark] if known.decimal_mark else MARKS)
    ]
    texts.read([Comparable(style) for style in styles])
    choice = choose(texts, styles)
    place = choice.best[0] if choice.best else 0
    chosen, best = styles[place], tuple(styles[i] for i in choice.best)
    faults = texts.faults(chosen, place)
    counts = texts.n_cells, sum(fault.n for fault in faults), faults
    question = choice.question
    if len({style.currency for style in styles}) > 1:
        question = several(currencies)
    elif not best and len(styles) > 1:
        question = f"No cell of the column is a number: {texts.count('true')[1]}."
    if question:
        return Decision(
            None, best, (question,), *counts, question, choice.doubt if question == choice.question else None
        )
    evidence = tuple(evidence_of(texts, styles, place, currencies))
    if {style.decimal_mark for style in best} == set(MARKS):
        chosen = replace(chosen, decimal_mark=None)
    return Decision(chosen, (chosen,), evidence, *counts)


def table_number_styles(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    stated: dict[str, object] | None = None,
) -> dict[str, Decision[NumberStyle]]:
    """Return how each column of one file is written: where one alone does not tell its decimal mark, the others' counts for it."""
    found = {column: number_styles(connection, relation, column, stated) for column in columns}
    marks = {decision.chosen.decimal_mark: column for column, decision in found.items() if decision.chosen}
    marks.pop(None, None)
    if len(marks) != 1:
        return found
    ((mark, witness),) = marks.items()
    for column, decision in found.items():
        if decision.doubt and "decimal_mark" in decision.question:
            again = number_styles(connection, relation, column, {**(stated or {}), "decimal_mark": mark})
            as_others = f"The column alone does not tell the decimal mark; it is that of {witness}: {CALLED[mark]}."
            found[column] = dataclasses.replace(again, evidence=(as_others, *again.evidence))
    return found


class Comparable:
    """A style whose readings are numbers, so that 1 and 1.0 are the same."""

    def __init__(self, style: NumberStyle):
        self.style = style

    def sql(self, cell: str) -> str:
        """Return the SQL of a number."""
        return f"cast({self.style.sql(cell)} as {AMOUNT})"


def currencies_of(texts: Column) -> Currencies:
    """Return the currencies that stand at numbers."""
    rows = texts.query(
        f"select trim(around) as around, sum(n) as n, min(line), min_by(cell, line) from (select *, regexp_extract("
        f"{plain('cell')}, '{AROUND}') as around from {TEXTS} where not regexp_full_match(cell, '[0-9.,-]*')) "
        "where around <> '' and length(around) <= 8 and regexp_matches(cell, '[0-9]') group by around order by n desc, 3"
    )
    found: dict[str, tuple[str, int, Example]] = {}
    for around, n, line, text in rows:
        family = family_of(around)
        if family:
            known = around if around.casefold() in KNOWN else FAMILIES[family][0]
            name, before, first = found.get(family, (known, 0, Example(text, line)))
            found[family] = (name, before + int(n), min(first, Example(text, line), key=lambda example: example.line))
    return {name: (n, first) for name, n, first in found.values()}


def percents_of(texts: Column) -> list[bool]:
    """Return whether cells may be percentages, or some of them."""
    return [False, True] if texts.count("contains(cell, '%')")[0] else [False]


def several(currencies: Currencies) -> str:
    """Return the question which of several currencies is meant."""
    met = listed(f"{name} at {several_of(n, 'cell')}, the first {first}" for name, (n, first) in currencies.items())
    return f"The column has several currencies: {met}. State currency; amounts of others are then faults."


def evidence_of(texts: Column, styles: list[NumberStyle], place: int, currencies: Currencies) -> list[str]:
    """Return in plain sentences why numbers are read as the style at a place reads them."""
    style, read = styles[place], f"r{place} is not null"
    n, first = texts.count(read, READINGS)
    said = [
        f"{n:,} of {several_of(texts.n_cells, 'cell')} can be read as numbers" + (f", the first {first}." if n else ".")
    ]
    rivals = [
        i for i, other in enumerate(styles) if i != place and replace(other, decimal_mark=style.decimal_mark) == style
    ]
    for rival in rivals:
        only, example = texts.count(f"{read} and r{rival} is null", READINGS)
        said.append(
            f"{only:,} can only be read with a {CALLED[style.decimal_mark or '.']}: {example}."
            if only
            else "Each reads alike with a decimal point or a decimal comma."
        )
    said += [
        f"{name} stands at {several_of(n, 'cell')}, the first {example}." for name, (n, example) in currencies.items()
    ]
    for kind, condition in KINDS.items():
        n, example = texts.count(f"{read} and {condition}", READINGS)
        said += [f"{n:,} of them have {kind}: {example}."] if n else []
    return said
