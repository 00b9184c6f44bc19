"""Finds out how the dates of a column are written."""

import duckdb

from forecasting.errors import UserError
from forecasting.facts.cells.date_formats import FAMILIES, Family
from forecasting.facts.cells.dates import ADVICE, DateStyle, folded
from forecasting.facts.cells.decision import READINGS, TEXTS, Column, Decision, choose, several_of
from forecasting.facts.tables import first_line, literal

ENOUGH = 2_000  # texts that show which families are to be tried
FEW_YEARS, MANY_DAYS, MOST_OF = (
    10,
    20,
    0.95,
)  # different parts of a date that are years, and days of a month; of the texts


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
        return as_stated(texts, DateStyle.from_yaml(stated, time_zone))
    if not texts.n_cells:
        return Decision(None, (), ("The column is empty.",), 0, 0, (), "The column is empty.")
    styles = [DateStyle(family.name, time_zone) for family in by_years(texts, likely(texts))]
    texts.read(styles)
    choice = choose(texts, styles)
    if not choice.best and are_serials(texts):
        return date_styles(connection, relation, column, {"date_format": "excel serial"})
    place = choice.best[0] if choice.best else 0
    best = tuple(labelled(texts, styles[i], i) for i in choice.best)
    faults = texts.faults(best[0] if best else styles[0], place)
    counts = texts.n_cells, sum(fault.n for fault in faults), faults
    question = choice.question if best else f"No cell of the column is a date: {texts.count('true')[1]}."
    if question:
        return Decision(None, best, (question,), *counts, question, choice.doubt)
    return Decision(best[0], best[:1], tuple(evidence_of(texts, best[0], styles, place)), *counts)


def as_stated(texts: Column, style: DateStyle) -> Decision[DateStyle]:
    """Return how the style that a mapping states reads a column."""
    require_format(texts.connection, style)
    texts.read([style])
    faults = texts.faults(style, 0)
    said = said_of(texts, style, 0)
    if style.date_format == "excel serial":
        said.append(
            "They count days as Excel does from 1900 on. Where the workbook counts from 1904, state date_format: excel serial 1904."
        )
    return Decision(style, (style,), tuple(said), texts.n_cells, sum(fault.n for fault in faults), faults)


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


def by_years(texts: Column, families: list[Family]) -> list[Family]:
    """Return the families without those that have years of two digits where days must stand.

    Years before days are meant only where the last part has more values than the first; beyond doubt where it has as many as days do.
    """
    found = families
    for family in [one for one in families if one.name.startswith("%y") and len(families) > 1]:
        sign, day = family.name[2], family.days
        parts = f"regexp_extract(t, {literal(day)}, ['y', 'm', 'd'])"
        split = (
            f"select regexp_full_match(t, {literal(family.shape)}) as fits, {parts} as p "
            f"from (select {folded('cell')} as t from {TEXTS})"
        )
        ((years, days, n, n_all),) = texts.query(
            "select count(distinct p.y) filter (where fits), count(distinct p.d) filter (where fits), "
            f"count(*) filter (where fits), count(*) from ({split})"
        )
        rivals = [one for one in families if one.name in (f"%d{sign}%m{sign}%Y", f"%m{sign}%d{sign}%Y")]
        sure = days >= MANY_DAYS and years <= FEW_YEARS
        if rivals and (years >= days or (sign == "." and not sure)):
            found = [one for one in found if one != family]
        elif sure and n >= MOST_OF * n_all:
            found = [one for one in found if one not in rivals]
    return found


def labelled(texts: Column, style: DateStyle, place: int) -> DateStyle:
    """Return a style called by the format that all its cells are written in, where there is one; it reads the same."""
    labels = FAMILIES[style.date_format].labels()
    fits = ", ".join(f"bool_and(regexp_full_match(t, {literal(shape)}))" for shape in labels.values())
    sample = (
        f"select {folded('cell')} as t from {READINGS} where r{place} is not null order by hash(cell) limit {ENOUGH}"
    )
    ((*found,),) = texts.query(f"select {fits} from ({sample})")
    for label in (label for label, fit in zip(labels, found, strict=True) if fit):
        unlike = f"r{place} is not null and not regexp_full_match({folded('cell')}, {literal(labels[label])})"
        if not texts.count(unlike, READINGS)[0]:
            return DateStyle(label, style.time_zone)
    return style


def are_serials(texts: Column) -> bool:
    """Say whether all cells with a digit may be days as Excel counts them."""
    read = DateStyle("excel serial").sql("cell")
    ((n, ok),) = texts.query(
        f"select count(*), bool_and({read} is not null) from {TEXTS} where regexp_matches(cell, '\\d')"
    )
    return bool(n and ok)


def said_of(texts: Column, style: DateStyle, place: int) -> list[str]:
    """Return in plain sentences what the style at a place reads."""
    read = f"r{place} is not null"
    n, first = texts.count(read, READINGS)
    ((earliest, latest),) = texts.query(f"select min(r{place}), max(r{place}) from {READINGS}")
    span = f", {earliest} to {latest}, the first {first}" if n else ""
    said = [f"{n:,} of {several_of(texts.n_cells, 'cell')} can be read as {style.date_format}{span}."]
    short, example = texts.count(f"{read} and not regexp_matches(cell, '\\d{{4}}')", READINGS)
    if short and example:
        ((date,),) = texts.query(f"select min(r{place}) from {READINGS} where line = {example.line}")
        said.append(f"{short:,} have years of two digits, 00 to 68 for 2000 to 2068: {example} is {date}.")
    return said


def beyond_twelve(other: DateStyle) -> str:
    """Return why days that are no months cannot be read with day and month the other way round."""
    places = {"%m": "first", "%d": "second"}
    place = places.get(other.date_format[:2])
    return f", they have a day above 12 in the {place} place" if place and "%b" not in other.date_format else ""


def evidence_of(texts: Column, chosen: DateStyle, styles: list[DateStyle], place: int) -> list[str]:
    """Return in plain sentences why dates are read as the style at a place reads them, which is called by another format."""
    said = said_of(texts, chosen, place)
    for i, (other, n) in enumerate(zip(styles, texts.n_read(len(styles)), strict=True)):
        only, example = texts.count(f"r{place} is not null and r{i} is null", READINGS)
        if i != place and n and only:
            said.append(f"{only:,} cannot be read as {other.date_format}{beyond_twelve(other)}: {example}.")
        elif i != place and n:
            said.append(f"All read alike as {other.date_format}.")
    return said
