"""Tables and lists of a domain with more series, regions or categories than a page can show: those in sight, and where the others are."""

import pandas as pd

from forecasting.ledger import Domain, InSight
from forecasting.report.files import PARQUET
from forecasting.report.html import note
from forecasting.wording import count, number

PLURALS = {"region": "regions", "category": "categories", "series": "series"}
KINDS = {
    "largest": ("the {n} largest of {of}", "Largest: by what they came to in the last twelve months."),
    "worst": ("the {n} furthest from their forecast, of {of}", "Furthest: by the size of the difference."),
    "changed": ("the {n} with the largest change on the year, of {of}", "Change: of the next month on the same month of last year."),
}  # fmt: skip


def sight(domain: Domain, aggregation: str) -> InSight | None:
    """Return what is in sight of a level, None where all of it is shown."""
    return domain.in_sight.get(aggregation)


def chosen(domain: Domain, rows: pd.DataFrame, aggregation: str, kind: str) -> pd.DataFrame:
    """Return the rows of one level that a table shows, all of them where there are few; of many those of a kind, the first first."""
    found = sight(domain, aggregation)
    if found is None:
        return rows
    places = {name: i for i, name in enumerate(getattr(found, kind))}
    rows = rows[rows["unique_id"].isin(places)]
    return rows.loc[rows["unique_id"].map(places).sort_values(kind="stable").index]


def series_in_sight(domain: Domain) -> list[str] | None:
    """Return the series that are read one by one, None where all are."""
    found = sight(domain, "series")
    return None if found is None else found.names


def only_in_sight(domain: Domain) -> str:
    """Say that tables of single series are of those in sight; nothing where all are."""
    found = sight(domain, "series")
    if found is None:
        return ""
    return note(
        f"Of the {number(found.n)} series, those that the domain's page shows are listed below: the largest, the furthest from their "
        "forecast and those that change most. The figures above are of all."
    )


def titled(domain: Domain, text: str, aggregation: str, kind: str) -> str:
    """Add to a caption which of many parts a table shows; nothing where it shows all."""
    found = sight(domain, aggregation)
    if found is None:
        return text
    of = f"{number(found.n)} {PLURALS[aggregation]}"
    return f"{text}: {KINDS[kind][0].format(n=len(getattr(found, kind)), of=of)}"


def total(domain: Domain, aggregation: str) -> str:
    """Return what a table calls its last row: where it does not show all parts, that row is no sum of those above it."""
    found = sight(domain, aggregation)
    return "Total" if found is None else f"Total of all {number(found.n)}"


def elsewhere(domain: Domain, aggregation: str, kind: str) -> str:
    """Say by what the shown ones were chosen and where the others are; nothing where all are shown."""
    if sight(domain, aggregation) is None:
        return ""
    page = f"{domain.name}.html"
    return note(
        f'{KINDS[kind][1]} Any other is found by its name above the <a href="{page}#trend-{domain.name}">trend</a>, and all are in '
        f'<a href="{PARQUET}">{PARQUET}</a>.'
    )


def how_many(domain: Domain) -> str:
    """Write how many series, regions and categories there are, «100,000 series, 500 regions and 200 categories»; of those in sight."""
    found = [
        (level, domain.in_sight[level].n) for level in ("series", "region", "category") if level in domain.in_sight
    ]
    words = [count(n, level, PLURALS[level]) for level, n in found]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
