"""What restated months did to the forecasts, and which publication found which months changed."""

from html import escape

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report.glossary import term
from forecasting.report.html import Cell, fold, note, paragraph, table
from forecasting.report.periods import is_flow, span, together
from forecasting.report.restatements import cells
from forecasting.wording import change_pct, compact, count, day, decimals_for, is_known, month, number, percent

PARTS = {"region": "region", "category": "product_category"}


def section(domain: Domain) -> str:
    """Return the effect on the forecasts in force and the history of restatements; nothing where nothing was ever restated."""
    return effect(domain) + history(domain)


def in_force(domain: Domain) -> pd.DataFrame:
    """Return the rows of `Domain.effects` of the run in force."""
    return domain.effects[domain.effects["run_id"] == domain.manifest.run_id]


def effect(domain: Domain) -> str:
    """Say what the restatement did to the forecasts in force, for the total and by region and category, the largest first."""
    rows = in_force(domain)
    total = at(rows, "total").sort_values("ds")
    if total.empty:
        return ""
    before, now = (together(domain, total[name]) for name in ("before", "now"))
    pct = change_pct(now, before)
    size = f", {percent(pct, plus=True)}" if is_known(pct) else ""
    what = "adds up to" if is_flow(domain) and len(total) > 1 else "is on average" if len(total) > 1 else "is"
    text = (
        f"<strong>What that did to the forecast</strong>: for {span(total['ds'])} it {what} {escape(compact(now, domain.unit))}{size} on "
        f"the {escape(compact(before, domain.unit))} that the same model says from the past as it was known for the forecast before."
    )
    why = (
        "The model is the present one in both cases: what it learned of the restated months when it was trained is in both. Series "
        "that are new, or no longer there, are as they are now."
    )
    by_month = rows_of({month(row["ds"]): row for row in total.to_dict("records")}, total)
    parts = [fold_part(domain, rows, part) for part in PARTS]
    return paragraph(text) + effect_table(domain, "Month", by_month, "the total") + "".join(parts) + note(why)


def rows_of(named: dict[str, dict], rows: pd.DataFrame) -> list[list[str]]:
    """Return one row of cells per name."""
    decimals = decimals_for(pd.concat([rows["before"], rows["now"]]))
    return [[escape(name), *cells(row, decimals)] for name, row in named.items()]


def fold_part(domain: Domain, rows: pd.DataFrame, part: str) -> str:
    """Return the effect by region or category over all coming months, the largest first; nothing where there is only one."""
    column, mine = PARTS[part], at(rows, part)
    if mine[column].nunique() < 2:
        return ""
    found = {
        str(name): {key: together(domain, group[key]) for key in ("before", "now")}
        for name, group in mine.groupby(column, observed=True)
    }
    found = dict(sorted(found.items(), key=lambda item: -abs(item[1]["now"] - item[1]["before"])))
    over = f"by {part}, {span(mine['ds'])} {'added up' if is_flow(domain) else 'on average'}"
    return fold(f"The effect by {part}", effect_table(domain, part.capitalize(), rows_of(found, mine), over))


def effect_table(domain: Domain, head: str, rows: list[list[str]], of: str) -> str:
    """Return the forecast from the past as known before and as known now, one row per month or part."""
    unit = f", in {domain.unit}" if domain.unit else ""
    titles = [head, "From the past as known before", "This forecast", "Effect", "Effect in %"]
    return table(titles, rows, f"What the restatement did to the forecast: {of}{unit}", sortable=True)


def history(domain: Domain) -> str:
    """Return every publication that found published months changed, the last one first; nothing where none did."""
    if domain.restatements.empty:
        return ""
    rows = [publication(domain, found) for _, found in domain.restatements.groupby("run_id", sort=False)]
    unit = f", in {domain.unit}" if domain.unit else ""
    head = [
        "Published (UTC)",
        "Data up to",
        "Months",
        "Series",
        "Change",
        "Largest change of a region",
        "Effect on its forecast",
    ]
    caption = f"Publications that found published months changed, the last one first{unit}"
    body = table(head, rows, caption, (0, 1, 2, 5), "not measured")
    text = (
        "The change is the sum over all restated months and series, against what was known before that publication; the effect is on the "
        f"total of all months that it forecast. Accuracy counts what was first known, so months that are {term('restated')} change no "
        "figure of it; <code>make accuracy</code> shows it as any run published it."
    )
    return fold(f"When months were restated: {count(len(rows), 'publication')}", body + note(text))


def publication(domain: Domain, found: pd.DataFrame) -> list[str]:
    """Return the row of one publication: when, which months, how much, where most, and what it did to its forecast."""
    run, decimals = found.iloc[0], decimals_for(found["now"])
    regions = found.groupby("region")["change"].sum().sort_values(key=abs, ascending=False, kind="stable")
    total = at(domain.effects[domain.effects["run_id"] == run["run_id"]], "total")
    moved = together(domain, total["change"])
    months = count(found["ds"].nunique(), "month")
    return [
        Cell(
            f"{day(run['published_at'])}<br><small>{escape(run['run_id'])}</small>",
            f"{run['published_at']:%Y-%m-%d %H:%M}",
        ),
        month(run["cutoff"], short=True),
        f"{months}<br><small>{span(found['ds'])}</small>",
        number(found["unique_id"].nunique()),
        Cell(number(found["change"].sum(), decimals, plus=True), float(found["change"].sum())),
        f"{escape(str(regions.index[0]))}<br><small>{number(regions.iloc[0], decimals, plus=True)}</small>",
        Cell(number(moved, decimals, plus=True), moved),
    ]
