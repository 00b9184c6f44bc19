"""The page of one domain: what will happen and where it comes from."""

from html import escape

import pandas as pd

from forecasting.errors import UserError
from forecasting.ledger import Domain, Published, at
from forecasting.models import model_name
from forecasting.report import many, stability
from forecasting.report.charts import drawing, trend
from forecasting.report.chosen import followed
from forecasting.report.glossary import term
from forecasting.report.html import Cell, Chart, choosing, note, paragraph, table, tag
from forecasting.report.notices import boxes
from forecasting.report.order import natural_order, natural_rank
from forecasting.report.rounding import sums_note
from forecasting.wording import (
    DASH,
    Amounts,
    amounts_in,
    compact,
    count,
    is_known,
    month,
    number,
)

NAMES = {"region": "region", "category": "product_category"}
MARKS = {"is_fallback": "†", "was_cut": "‡"}
TALL = 12  # rows from which a table scrolls in its box


def load(published: str, name: str) -> Domain:
    """Return the domain of a page.

    Raises
    ------
    UserError
        If nothing has been published for it.
    """
    found = Published(published).domain(name, whole=False)
    if found is None:
        raise UserError(f"{published} holds no forecasts of {name}: run `make report`, or choose another domain.")
    return found


def header(domain: Domain) -> str:
    """Return the page's title and what it covers."""
    future = at(domain.future, "total")
    text = f"{domain.measure.capitalize()}, known up to {month(domain.last_month)}"
    if len(future):
        text += (
            f"; forecast for {count(len(future), 'month')}, {month(future['ds'].min())} to {month(future['ds'].max())}"
        )
    return tag("h1", domain.title) + paragraph(escape(text) + ".", "lead")


def warnings(domain: Domain) -> str:
    """Return the domain's warnings; the notes among them folded."""
    found = boxes([domain], named=False)
    return tag("div", found, "warnings") if found else ""


def trend_chart(domain: Domain) -> Chart:
    """Return the trend of the total; every region, category and series can be chosen."""
    text = f"{domain.title} in {escape(domain.unit) or 'its own unit'} by month. "
    if not domain.past["is_published"].all():
        text += (
            f"Dotted with open circles: {term('walk-forward')} forecasts, a back-test that was not published: what the model would "
            "have said with the data of the time, each month from the latest start that reaches it. "
        )
    text += (
        "Dashed with diamonds: published forecasts. "
        if domain.has_history
        else "Dashed with diamonds: the next months. "
    )
    text += (
        f"Shaded: 80 % (dark) and 95 % (light) {term('intervals')}. The vertical line is the end of the known months."
    )
    return followed(domain, trend(domain, f"trend-{domain.name}", text))


def parts(domain: Domain, aggregation: str) -> list[str]:
    """Return the names of the regions, categories or series in natural order; empty where there is only one."""
    names = natural_order(at(domain.actuals, aggregation)["unique_id"].unique())
    return names if len(names) > 1 else []


def only_one(aggregation: str) -> str:
    """Say that there is nothing to compare."""
    return note(f"The facts know one {aggregation} only, so there is nothing to show by {aggregation}.")


def small_multiples(domain: Domain, aggregation: str, limit: int = 24) -> str:
    """Return a small drawing for each region or category, the largest first; nothing where there is only one."""
    if not parts(domain, aggregation):
        return ""
    column, actuals, future = NAMES[aggregation], at(domain.actuals, aggregation), at(domain.future, aggregation)
    size = actuals["y"].abs().groupby(actuals[column]).sum().sort_values(ascending=False, kind="stable")
    cells = [
        panel(name, actuals[actuals[column] == name], future[future[column] == name], domain.unit)
        for name in size.index[:limit]
    ]
    hidden = len(size) - limit
    where = (
        "found by their names above the trend"
        if many.sight(domain, aggregation)
        else "in the tables and the chart above"
    )
    more = note(f"The {limit} largest are shown; {number(hidden)} more are {where}.") if hidden > 0 else ""
    return tag("div", "".join(cells), "panels") + more


def panel(name: str, actuals: pd.DataFrame, future: pd.DataFrame, unit: str) -> str:
    """Return one small drawing with its name and the next month's forecast."""
    nxt = future.sort_values("ds").head(1)
    text = (
        f"{month(nxt['ds'].iloc[0], short=True)}: {compact(nxt['predicted_value'].iloc[0], unit)}"
        if len(nxt)
        else "no forecast"
    )
    picture = drawing(
        actuals, future, f"{name}: the last {min(len(actuals), 36)} months and the forecast; {text}", months=36
    )
    region, category = actuals[["region", "product_category"]].iloc[0]
    named = choosing(region, category, f"<strong>{escape(name)}</strong>")
    return tag("figure", picture + tag("figcaption", f"{named}<br>{escape(text)}"), "panel")


def by_part(domain: Domain, aggregation: str, kind: str = "largest") -> str:
    """Return the forecast by region, category or series: one row each, one column per month, the 80 % range below.

    Where there are many, the first of a `kind`: the largest, or those that change most.
    """
    every = at(domain.future, aggregation).sort_values(["region", "product_category", "ds"], key=natural_rank)
    if not parts(domain, aggregation):
        return only_one(aggregation)
    rows = many.chosen(domain, every, aggregation, kind)
    months, total = sorted(rows["ds"].unique()), at(domain.future, "total")
    amount = amounts_in(domain.unit, rows["predicted_value"], total["predicted_value"])
    groups = rows.groupby(["region", "product_category"], sort=False)
    cells = [part_row(part_name(group, aggregation), group, months, amount) for _, group in groups]
    cells.append(part_row(many.total(domain, aggregation), total, months, amount))
    caption = many.titled(domain, f"Forecast by {aggregation}, with its 80 % range", aggregation, kind) + amount.told(
        ","
    )
    head = "Region and category" if aggregation == "series" else aggregation.capitalize()
    body = table(
        [head, *(month(ds, short=True) for ds in months)],
        cells,
        caption,
        missing="no forecast",
        tall=len(cells) > TALL,
        total=True,
        sortable=True,
        find=aggregation if len(cells) > TALL and not many.sight(domain, aggregation) else "",
    )
    if found := many.sight(domain, aggregation):
        return (
            body + many.elsewhere(domain, aggregation, kind) + fallback_note(found.n_fallback) + cut_note(domain, rows)
        )
    wide = rows.pivot(index="unique_id", columns="ds", values="predicted_value")
    return (
        body
        + sums_note(wide, total.set_index("ds")["predicted_value"], amount)
        + fallback_note(rows.loc[rows["is_fallback"].astype(bool), "unique_id"].nunique())
        + cut_note(domain, rows)
    )


def part_name(group: pd.DataFrame, aggregation: str) -> str:
    """Return the heading of a row: a series has two lines, as the numbers beside it; daggers mark what was not forecast or cut."""
    marks = [sign for name, sign in MARKS.items() if group[name].fillna(False).any()]
    mark = "&nbsp;" + " ".join(marks) if marks else ""
    region, category = (str(group[name].iloc[0]) for name in ("region", "product_category"))
    if aggregation == "series":
        return f"{choosing(region, category, escape(region))}<br><small>{escape(category)}{mark}</small>"
    return choosing(region, category, escape(region if aggregation == "region" else category)) + mark


def part_row(label: str, group: pd.DataFrame, months: list, amount: Amounts) -> list[str]:
    """Return the row of one part: its forecasts, each with its range below."""
    by_month = group.set_index("ds")
    cells = []
    for ds in months:
        if ds not in by_month.index:
            cells.append(Cell(DASH, None))
            continue
        row = by_month.loc[ds]
        text = f"{amount(row['predicted_value'])}<br><small>{amount(row['lo_80'])} to {amount(row['hi_80'])}</small>"
        if is_known(row["override_value"]):
            text += f"<br><small>override: {amount(row['override_value'])}</small>"
        cells.append(Cell(text, float(row["predicted_value"])))
    return [label, *cells]


def changing_most(domain: Domain) -> str:
    """Return the forecast of the series that change most on the year, where there are too many to show all."""
    if not many.sight(domain, "series"):
        return ""
    return tag("h4", "What changes most on the year") + by_part(domain, "series", "changed")


def fallback_note(n: int) -> str:
    """Say what the dagger means, where `n` rows have one."""
    if not n:
        return ""
    return note(
        f"† {count(n, 'row rests', 'rows rest')} on a {term('fallback')}: a series too short for the model gets the same month of "
        "last year or its mean, one in its first year the season and growth of those like it at its own level, one that has ended 0."
    )


def cut_note(domain: Domain, rows: pd.DataFrame) -> str:
    """Say what the double dagger means, where there is one."""
    n = rows.loc[rows["was_cut"].fillna(False).astype(bool), "unique_id"].nunique()
    if not n:
        return ""
    whose = "" if rows["aggregation"].eq("series").all() else ", or that of a series in it,"
    return note(
        f"‡ In {count(n, 'row')} the forecast of a month{whose} was below 0 and was cut to 0, because {domain.name} may not be below 0."
    )


def made_by(domain: Domain) -> str:
    """Say where to read how good the forecasts were and how they are made, with the run that made these."""
    return (
        stability.sentence(domain)
        + paragraph(
            'How good the forecasts were, month by month: <a href="accuracy.html">accuracy over time</a>. What the model is, what it '
            f'was compared with, its settings and data: <a href="model_card.html#{domain.name}">model card</a>.'
        )
        + note(
            f"Run <code>{escape(domain.manifest.run_id)}</code>, {escape(model_name(domain.champion))}, "
            f"data up to {month(domain.last_month)}."
        )
    )
