"""The accuracy page's part on what was filled in: what would have been published at past months' ends. Never mixed with what was."""

from collections.abc import Iterable

import pandas as pd
from IPython.display import HTML

from forecasting.ledger import Domain, at
from forecasting.report import many, track_exceptions, track_tables
from forecasting.report.champion import labelled
from forecasting.report.glossary import term
from forecasting.report.html import Cell, Chart, fold, note, paragraph, table, tag
from forecasting.report.track_chart import chart
from forecasting.report.track_paths import paths_chart
from forecasting.report.track_record import ALL_LAGS, Together, all_series, load_record, measures
from forecasting.wording import amounts_in, count, month, number, share

KIND = "backfill"
LEVELS = (("total", "The total, by lag"), ("series", "Single series together, by lag"))
PARTS = (("region", "Regions together"), ("category", "Categories together"))


def lead() -> str:
    """Say what a backfill is, and that nobody saw it when it would have been made."""
    return paragraph(
        f"<strong>Made later from what was known then</strong> ({term('backfill')}): at the end of each of these months, the forecast that "
        "would have been published, with the data, the models and the choice of the model of that time. Nobody saw these forecasts "
        "then, so no figure here is among those above, nor the other way round."
    )


def is_filled(domain: Domain) -> bool:
    """Say whether anything of a domain was filled in and has met its month."""
    return bool((domain.accuracy["forecast_kind"] == KIND).any())


def parts(published: str, domains: dict[str, Domain | None]) -> list[HTML | Chart]:
    """Return what the page shows of the months that were filled in, in order: for each domain words, a chart and tables."""
    found: list[HTML | Chart] = []
    for domain in filter(None, domains.values()):
        series = many.series_in_sight(domain)
        record = load_record(published, domain.name, kind=KIND, series=series)
        if len(record):
            whole = load_record(published, domain.name, ALL_LAGS, KIND, series)
            measured = all_series(published, domain, KIND)
            tables = HTML(figures(domain, record, whole, measured))
            found += shown([words(domain, record, whole), *paths_chart(domain, whole), inside(record)])
            found += [chart(domain, record), tables]
    return found or [HTML(paragraph(nothing()))]


def shown(parts: Iterable[str | Chart]) -> list[HTML | Chart]:
    """Return the parts of a page as a notebook displays them; empty ones are left out."""
    return [HTML(part) if isinstance(part, str) else part for part in parts if part]


def inside(record: pd.DataFrame) -> str:
    """Return the title of the chart with ranges."""
    return tag("h4", track_tables.inside_title(record))


def nothing() -> str:
    """Say how months are filled in, where none were."""
    return (
        "No month that has met its actual was filled in. <code>make backfill FROM=2023-01 TO=2023-12</code> shows here what would have "
        "been published at the end of each of those months."
    )


def words(domain: Domain, record: pd.DataFrame, whole: pd.DataFrame) -> str:
    """Return the heading, when and for which cutoffs the months were filled in, and how good the forecasts of the total were."""
    made = whole["published_at"]
    days = sorted({f"{day:%Y-%m-%d}" for day in (made.min(), made.max())})
    text = f"Backfilled on {' and '.join(days)} from {cutoffs(whole)}; not published."
    return (
        tag("h3", f"{domain.title}: backfilled", id=f"backfill-{domain.name}")
        + note(text)
        + track_tables.answer(domain, record)
    )


def cutoffs(rows: pd.DataFrame) -> str:
    """Write the cutoffs of some forecasts, «12 cutoffs, Jan 2023 to Dec 2023»."""
    first, last = (month(each, short=True) for each in (rows["cutoff"].min(), rows["cutoff"].max()))
    n = count(rows["cutoff"].nunique(), "cutoff")
    return f"{n}, {first if first == last else f'{first} to {last}'}"


def figures(domain: Domain, record: pd.DataFrame, whole: pd.DataFrame, measured: list[Together] | None = None) -> str:
    """Return the tables of the months that were filled in and have met their actual; `measured`: of all series, where they are many."""
    folded = [
        fold(title, track_tables.lag_table(domain, record, level, f"{title}, by lag"), "screen")
        for level, title in PARTS
        if at(record, level)["unique_id"].nunique() > 1
    ]
    tables = [
        track_tables.lag_table(domain, record, level, f"{title}: backfilled", measured if level == "series" else None)
        for level, title in LEVELS
    ]
    return (
        fold("The figures by months ahead", "".join([*tables, *folded]))
        + (cutoff_table(domain, whole) if measured is None else many.only_in_sight(domain))
        + track_tables.months_table(domain, record)
        + note(f"Actuals count as they were first known. Lags 1, 3 and 6 months, {cutoffs(record)}.")
        + fold("Which actuals left their interval", track_exceptions.miss_tables(domain, record), "screen")
        + fold("Which forecasts lean to one side", track_exceptions.leaning_table(domain, record), "screen")
    )


def cutoff_table(domain: Domain, whole: pd.DataFrame) -> str:
    """Return one row per cutoff: which model would have been champion, and how good its forecasts of single series were."""
    rows = at(whole, "series")
    found = [(cutoff, part, measures(part)) for cutoff, part in rows.groupby("cutoff", sort=True)]
    amount = amounts_in(domain.unit, pd.Series([one.fva for *_, one in found], dtype=float))
    cells = [
        [
            Cell(month(cutoff, short=True), f"{cutoff:%Y-%m}"),
            labelled(part["model_name"].iloc[0]),
            number(one.n),
            share(one.wape),
            number(one.mase, 2),
            amount(one.fva, plus=True),
            share(one.fva_share, 0, plus=True),
        ]
        for cutoff, part, one in found
    ]
    head = ["Cutoff", "Champion of then", "Forecasts", "WAPE", "MASE", "FVA", "FVA, %"]
    caption = f"Single series, all months ahead that have come, by cutoff: backfilled{amount.told('; FVA')}"
    body = table(head, cells, caption, (0, 1), track_tables.MISSING, tall=len(cells) > track_tables.SHOWN)
    return fold("Cutoff by cutoff, with the champion of then", body)
