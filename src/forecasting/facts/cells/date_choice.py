"""Finds out how the dates of a column are written."""

import duckdb

from forecasting.errors import UserError
from forecasting.facts.cells.date_formats import FAMILIES, Family
from forecasting.facts.cells.dates import ADVICE, DateStyle, folded
from forecasting.facts.cells.decision import READINGS, TEXTS, Column, Decision, choose
from forecasting.facts.tables import first_line, literal

ENOUGH = 2_000  # texts that show which families are to be tried


def date_styles(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    stated: dict[str, object] | None = None,
    time_zone: str | None = None,
) -> Decision[DateStyle]:
    """Return how the dates of a column are written: the one style that reads the most cells, or a question.

    relation: what may stand after FROM, with the line of each row as `line` and the column as text. stated: what a mapping says
    (date_format); else it is found out. Days of Excel (45322) are proposed where every number of the column may be one.

    Raises
    ------
    UserError
        If the stated format is none.
    """
    texts = Column(connection, relation, column)
    if stated and stated.get("date_format"):
        style = DateStyle.from_yaml(stated, time_zone)
        require_format(connection, style)
        n_read = texts.count(f"{style.sql('cell')} is not null")
        said = f"{n_read[0]:,} of {texts.n_cells:,} cells are dates written as {style.date_format}, as stated."
        faults = texts.faults(style)
        return Decision(style, (style,), (said,), texts.n_cells, sum(fault.n for fault in faults), faults)
    styles = [DateStyle(family.name, time_zone) for family in likely(texts)]
    n_read = texts.read(styles)
    choice = choose(texts, styles, n_read)
    best = tuple(labelled(texts, styles[i], i) for i in choice.best)
    if are_serials(texts, n_read):
        best, choice = (DateStyle("excel serial"),), None
    if not best:
        first = texts.count("true")[1]
        question = f"No cell of the column is a date: {first}." if first else "The column is empty."
        faults = texts.faults(styles[0])
        return Decision(None, (), (question,), texts.n_cells, texts.n_cells, faults, question)
    chosen = best[0] if choice is None or choice.chosen is not None else None
    faults = texts.faults(best[0])
    question = choice.question if choice else ""
    evidence = evidence_of(texts, chosen, styles, n_read) if chosen else (question,)
    return Decision(chosen, best, evidence, texts.n_cells, sum(fault.n for fault in faults), faults, question)


def require_format(connection: duckdb.DuckDBPyConnection, style: DateStyle) -> None:
    """Raise a UserError if DuckDB does not know a format that a user stated."""
    try:
        connection.execute("select " + style.sql("'2024'"))
    except duckdb.Error as error:
        raise UserError(
            f"date_format '{style.date_format}' is not a date format ({first_line(error)}). {ADVICE}."
        ) from None


def likely(texts: Column) -> list[Family]:
    """Return the families that read some of the texts, of many those that read some of a sample; all where none does."""
    families = list(FAMILIES.values())
    counts = ", ".join(f"count(*) filter (where regexp_full_match(t, {literal(family.shape)}))" for family in families)
    some = f"select {folded('cell')} as t from {TEXTS} order by hash(cell) limit {ENOUGH}"
    ((*found,),) = texts.query(f"select {counts} from ({some})")
    return [family for family, n in zip(families, found, strict=True) if n] or families


def labelled(texts: Column, style: DateStyle, place: int) -> DateStyle:
    """Return a style called by the format that all its cells are written in, where there is one; it reads the same."""
    labels = FAMILIES[style.date_format].labels()
    fits = ", ".join(f"bool_and(regexp_full_match(t, {literal(shape)}))" for shape in labels.values())
    ((*found,),) = texts.query(
        f"select {fits} from (select {folded('cell')} as t from {READINGS} where r{place} is not null)"
    )
    label = next((label for label, all_fit in zip(labels, found, strict=True) if all_fit), style.date_format)
    return DateStyle(label, style.time_zone)


def are_serials(texts: Column, n_read: list[int]) -> bool:
    """Say whether all cells with a digit may be days as Excel counts them, and no family of dates reads any."""
    read = DateStyle("excel serial").sql("trim(cell)")
    ((n, ok),) = texts.query(
        f"select count(*), bool_and({read} is not null) from {TEXTS} where regexp_matches(cell, '\\d')"
    )
    return bool(n and ok and not any(n_read))


def evidence_of(texts: Column, style: DateStyle, styles: list[DateStyle], n_read: list[int]) -> tuple[str, ...]:
    """Return in plain sentences why dates are read like this."""
    day = style.sql("cell")
    n, first = texts.count(f"{day} is not null")
    ((earliest, latest),) = texts.query(f"select min({day}), max({day}) from {TEXTS}")
    said = [
        f"{n:,} of {texts.n_cells:,} cells are dates written as {style.date_format}, {earliest} to {latest}, the first {first}."
    ]
    if style.date_format == "excel serial":
        said.append(
            "They are numbers of days as Excel counts them from 1900; where a workbook counts from 1904, state date_format: "
            "excel serial 1904."
        )
        return tuple(said)
    chosen = next(i for i, other in enumerate(styles) if other.family is style.family)
    for i, other in enumerate(styles):
        only, example = texts.count(f"r{chosen} is not null and r{i} is null", READINGS)
        if i != chosen and n_read[i] and only:
            said.append(f"{only:,} of them cannot be read as {other.date_format}: {example}.")
    short, example = texts.count(f"r{chosen} is not null and not regexp_matches(cell, '\\d{{4}}')", READINGS)
    if short:
        ((date,),) = texts.query(f"select min(r{chosen}) from {READINGS} where line = {example.line}")
        said.append(f"{short:,} have years of two digits, 00 to 68 for 2000 to 2068: {example} is {date}.")
    return tuple(said)
