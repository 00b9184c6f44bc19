"""Months that were published before and have other values now: which, by how much, and of which series.

`Domain.restated` holds what was published and what is known now, since the forecast published before (of an earlier cutoff, where there is
one): every page that shows a forecast's basis says what became of it.
"""

from html import escape

import pandas as pd

from forecasting.contracts import ALL
from forecasting.ledger import Domain
from forecasting.report.glossary import term
from forecasting.report.html import Cell, fold, note, paragraph, table
from forecasting.report.periods import is_flow, span, together
from forecasting.run import DataWarning
from forecasting.wording import change_pct, compact, count, decimals_for, is_known, listing, month, number, percent

NAMED = 6  # months that are named one by one
MOST = 3  # series and months that are named
LARGE, SMALL = 5.0, 0.5  # % of the total of a month: from here on the forecast is in doubt; below it is a note
NAMES = {("region", "product_category"): "series", ("region",): "region", ("product_category",): "category"}


def totals(domain: Domain) -> pd.DataFrame:
    """Return the total of each restated month: ds, before, now, n (series that were restated in it), in order."""
    known = domain.actuals[domain.actuals["aggregation"] == "series"].groupby("ds")["y"].sum()
    found = domain.restated.groupby("ds").agg(changed=("change", "sum"), n=("change", "size")).reset_index()
    now = found["ds"].map(known).fillna(0.0)
    return found.assign(now=now, before=now - found["changed"])[["ds", "before", "now", "n"]]


def warnings(domain: Domain) -> list[DataWarning]:
    """Return the sentence that every page shows first, as a warning of the data; none where nothing was restated."""
    if domain.restated.empty:
        return []
    rows = totals(domain)
    size = (100 * (rows["now"] - rows["before"]) / rows["before"].where(rows["before"] != 0)).abs().max()
    severity = "low" if size < SMALL else "medium" if size < LARGE else "high"
    return [DataWarning(severity, "restated", sentence(domain, rows))]


def sentence(domain: Domain, rows: pd.DataFrame) -> str:
    """Name the months, the amount and the series that were restated; plain text."""
    n = len(rows)
    months = listing([month(ds) for ds in rows["ds"]]) if n <= NAMED else f"{count(n, 'month')}, {span(rows['ds'])}"
    before, now = (together(domain, rows[name]) for name in ("before", "now"))
    pct = change_pct(now, before)
    size = f" ({percent(pct, plus=True)})" if is_known(pct) else ""
    what = f"the total of {'these months' if n > 1 else 'this month'}" if is_flow(domain) or n == 1 else "their mean"
    moved = (
        f"{what} was {compact(before, domain.unit)} when it was published and is {compact(now, domain.unit)} now{size}"
    )
    largest = domain.restated.sort_values("change", key=abs, ascending=False, kind="stable").head(MOST)
    named = [
        f"{name(row)} in {month(row['ds'])} ({compact(row['before'], domain.unit)}, now {compact(row['now'], domain.unit)})"
        for row in largest.to_dict("records")
    ]
    of = count(domain.restated[["region", "product_category"]].drop_duplicates().shape[0], "series", "series")
    return f"Published months of {domain.name} were restated in {of}: {months}; {moved}. The largest: {listing(named)}."


def name(row: dict) -> str:
    """Return a series as people call it."""
    return "/".join(part for part in (row["region"], row["product_category"]) if part != ALL) or "the total"


def section(domain: Domain) -> str:
    """Return what was restated, by month and by series; or that nothing was."""
    if domain.restated.empty:
        return paragraph("Nothing: every month that was published before has the value that it had then.")
    lead = paragraph(
        f"{escape(sentence(domain, totals(domain)))} A month is {term('restated')} where later facts change it."
    )
    return lead + tables(domain)


def tables(domain: Domain) -> str:
    """Return the restated months and series as tables; nothing where nothing was restated."""
    if domain.restated.empty:
        return ""
    months = totals(domain)
    decimals = decimals_for(pd.concat([months["before"], months["now"]]))
    months = months.iloc[(months["now"] - months["before"]).abs().argsort(kind="stable")[::-1]]
    by_month = [
        [Cell(month(row["ds"]), f"{row['ds']:%Y-%m}"), *cells(row, decimals), number(row["n"])]
        for row in months.to_dict("records")
    ]
    by_region, by_series = (summed(domain, names, decimals) for names in (["region"], ["region", "product_category"]))
    unit = f", in {escape(domain.unit)}" if domain.unit else ""
    heads = ["As published", "Now", "Change", "Change in %"]
    return table(
        ["Month", *heads, "Series"],
        by_month,
        f"Restated months, the total, the largest change first{unit}",
        tall=len(by_month) > 12,
        sortable=True,
    ) + fold(
        "The restated regions and series",
        table(
            ["Region", *heads, "Months of a series"],
            by_region,
            f"Restated regions, all their restated months added up, the largest change first{unit}",
            sortable=True,
        )
        + table(
            ["Series", *heads, "Months"],
            by_series,
            f"Restated series, all their restated months added up, the largest change first{unit}",
            sortable=True,
        )
        + note("A series that is new in a month counts as 0 before, one that is no longer there as 0 now."),
    )


def summed(domain: Domain, names: list[str], decimals: int) -> list[list[str]]:
    """Return the rows of regions or series with all their restated months added up, the largest change first."""
    found = (
        domain.restated.groupby(names).agg(before=("before", "sum"), now=("now", "sum"), n=("ds", "size")).reset_index()
    )
    found = found.iloc[(found["now"] - found["before"]).abs().argsort(kind="stable")[::-1]]
    rows = found.to_dict("records")
    return [[escape(name({"product_category": ALL, **row})), *cells(row, decimals), number(row["n"])] for row in rows]


def cells(row: dict, decimals: int) -> list[str]:
    """Return before, now and the change as cells."""
    before, now = row["before"], row["now"]
    pct = change_pct(now, before)
    return [
        Cell(number(before, decimals), float(before)),
        Cell(number(now, decimals), float(now)),
        Cell(number(now - before, decimals, plus=True), float(now - before)),
        Cell(percent(pct, plus=True), float(pct)) if is_known(pct) else percent(None),
    ]
