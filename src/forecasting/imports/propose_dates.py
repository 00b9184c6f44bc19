"""Proposes where the date of a fact is read from: a column, a year and a month apart, or headings that stand side by side."""

import re

from forecasting.imports.contents import Content
from forecasting.imports.draft import Draft
from forecasting.imports.mapping import HEADING, SHEET
from forecasting.imports.staging import STAGED

YEAR = r"(19|20)\d\d(\.0)?"


def propose_date(draft: Draft) -> None:
    """Complete the date of the contract, or ask."""
    column = draft.spec.date
    if not draft.is_open(column):
        return
    if HEADING in draft.staged.columns:
        return propose_heading(draft)
    named = draft.surest("date", lambda content: content.is_date and not has_years_only(draft, content.name))
    named = named or draft.surest(
        "date", lambda content: content.is_rather_date and not has_years_only(draft, content.name)
    )
    if len(named) == 1:
        return draft.take(column, named[0], "by its name and its dates")
    parts = None if named else parts_of(draft)
    if parts:
        return draft.take(column, parts, "a date of parts")
    dated = named or [each.name for each in draft.free() if each.is_date and not (each.numbers and not has_days(each))]
    if len(dated) == 1:
        return draft.take(column, dated[0], "the only column of dates")
    text = "which is the date of the row?" if dated else "no column holds dates. Name one, or {year: …, month: …}"
    draft.ask(
        column,
        text,
        dated or [each.name for each in draft.free()][:8],
        lambda name: f"for example {example(draft, name)}",
    )
    return None


def propose_heading(draft: Draft) -> None:
    """Complete the date where months or years stand side by side."""
    column, heading = draft.spec.date, draft.contents.all[HEADING]
    if heading.is_date and not has_years_only(draft, HEADING):
        return draft.take(column, HEADING, "months stand side by side")
    parts = parts_of(draft)
    if has_years_only(draft, HEADING):
        month = parts["month"] if parts and "month" in parts else next((name for name in month_columns(draft)), None)
        if month:
            return draft.take(column, {"year": HEADING, "month": month}, "years stand side by side")
    elif year := year_of_months(draft):
        return draft.take(column, {"year": year, "month": HEADING}, "months stand side by side, without their year")
    years = draft.spec.date
    draft.ask(
        years,
        "the headings are months without a year. Write the year",
        [{"year": 2024, "month": HEADING}],
        lambda _: "for example",
    )
    return None


def year_of_months(draft: Draft) -> str | None:
    """Return the column, or the sheets, that say the year of months side by side."""
    named = draft.ranked("year", lambda content: has_years_only(draft, content.name))
    if named:
        return named[0][1]
    return SHEET if SHEET in draft.staged.columns and has_years_only(draft, SHEET) else None


def parts_of(draft: Draft) -> dict[str, str] | None:
    """Return year, month and, if there is one, day as columns; None where there are not both."""
    years = draft.ranked("year", lambda content: has_years_only(draft, content.name))
    months = month_columns(draft)
    year = years[0][1] if years else SHEET if SHEET in draft.staged.columns and has_years_only(draft, SHEET) else None
    if not (year and months):
        return None
    days = draft.ranked(
        "day", lambda content: content.is_number and content.low and 1 <= content.low <= (content.high or 0) <= 31
    )
    return {"year": year, "month": months[0], **({"day": days[0][1]} if days else {})}


def month_columns(draft: Draft) -> list[str]:
    """Return the columns that are called month and hold 1 … 12 or names of months, the surest first."""
    return [name for _, name in draft.ranked("month", lambda content: holds_months(draft, content))]


def holds_months(draft: Draft, content: Content) -> bool:
    """Say whether a column holds months without a year."""
    if content.is_number:
        return content.whole and 1 <= (content.low or 0) <= (content.high or 99) <= 12
    return content.n_distinct <= 60 and are_month_names(draft, content.name)


def are_month_names(draft: Draft, name: str) -> bool:
    """Say whether all cells become dates with a year behind them."""
    from forecasting.facts import DateStyle

    read = DateStyle("%b %Y").sql(f"trim({draft.staged.columns[name]}) || ' 2024'")
    ((all_read,),) = draft.staged.fetch(
        f"select bool_and({read} is not null) from {STAGED} where {draft.staged.columns[name]} is not null"
    )
    return bool(all_read)


def has_years_only(draft: Draft, name: str) -> bool:
    """Say whether a column holds nothing but years."""
    column = draft.staged.columns[name]
    ((all_years,),) = draft.staged.fetch(
        f"select bool_and(regexp_full_match(trim({column}), '{YEAR}')) from {STAGED} where {column} is not null"
    )
    return bool(all_years)


def has_days(content: Content) -> bool:
    """Say whether numbers look like days or months written without a mark: 20240131, 202401."""
    return bool(re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(\d\d)?", content.example))


def example(draft: Draft, name: str) -> str:
    """Return the first date of a column and how many differ."""
    content = draft.contents.all[name]
    return f"{content.example}, {content.n_distinct:,} different"
