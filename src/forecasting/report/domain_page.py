"""The page of one domain: what will happen, where it comes from, how far to trust it."""

from html import escape

import pandas as pd

from forecasting.errors import UserError
from forecasting.report.charts import drawing, trend, variance_bar
from forecasting.report.data import Domain, at, load_domain
from forecasting.report.html import Chart, callout, note, paragraph, table, tag
from forecasting.report.numbers import compact, count, decimals_for, month, number, percent

NAMES = {"region": "region", "category": "product_category"}
TALL = 12  # rows from which a table scrolls in its box
FEW = 39  # residuals below which a two-sided 95 % conformal bound cannot be had


def load(published: str, name: str) -> Domain:
    """Return the domain of a page.

    Raises
    ------
    UserError
        If nothing has been published for it.
    """
    found = load_domain(published, name)
    if found is None:
        raise UserError(f"{published} holds no forecasts of {name}: run `make report`, or choose another domain.")
    return found


def header(domain: Domain) -> str:
    """Return the page's title, the answer in a sentence and the domain's warnings."""
    future = at(domain.future, "total")
    text = f"{domain.measure.capitalize()}, known up to {month(domain.last_month)}"
    if len(future):
        text += (
            f"; forecast for {count(len(future), 'month')}, {month(future['ds'].min())} to {month(future['ds'].max())}"
        )
    boxes = "".join(callout(w["text"], w.get("severity", "note")) for w in domain.warnings)
    return (
        tag("h1", domain.title)
        + paragraph(escape(text) + ".", "lead")
        + (tag("div", boxes, "warnings") if boxes else "")
    )


def trend_chart(domain: Domain) -> Chart:
    """Return the trend of the total; every region, category and series can be chosen."""
    text = f"{domain.title} in {escape(domain.unit) or 'its own unit'} by month. "
    if not domain.past["is_published"].all():
        text += (
            "Dotted with open circles: walk-forward forecasts (a back-test, not published), what the model would say, "
            "each from data up to its own cutoff, the latest one that reaches the month. "
        )
    text += (
        "Dashed with diamonds: published forecasts. "
        if domain.has_history
        else "Dashed with diamonds: the next months. "
    )
    text += "Shaded: 80 % (dark) and 95 % (light) intervals. The vertical line is the end of the known months."
    return trend(domain, f"trend-{domain.name}", text)


def parts(domain: Domain, aggregation: str) -> list[str]:
    """Return the names of the regions, categories or series; empty where there is only one."""
    names = sorted(at(domain.actuals, aggregation)["unique_id"].unique())
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
    more = (
        note(f"The {limit} largest are shown; {hidden} more are in the tables and the chart above.")
        if hidden > 0
        else ""
    )
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
    return tag("figure", picture + tag("figcaption", f"<strong>{escape(name)}</strong><br>{escape(text)}"), "panel")


def next_months(domain: Domain) -> str:
    """Return the forecast of the total with both intervals, one row per month."""
    rows = at(domain.future, "total").sort_values("ds")
    decimals = decimals_for(rows["predicted_value"])
    columns = ["predicted_value", "lo_80", "hi_80", "lo_95", "hi_95"]
    cells = [[month(row["ds"]), *(number(row[c], decimals) for c in columns)] for row in rows.to_dict("records")]
    head = ["Month", "Forecast", "80 % from", "80 % to", "95 % from", "95 % to"]
    return table(head, cells, in_unit(domain, "Forecast of the total"), missing="not known") + interval_note(rows)


def interval_note(rows: pd.DataFrame) -> str:
    """Say on how many residuals the intervals of the total rest."""
    if rows.empty or rows["interval_n"].isna().all():
        return ""
    fewest = int(rows["interval_n"].min())
    text = f"The intervals come from the model's errors in the back-test: {count(fewest, 'residual')} or more for each."
    if fewest < FEW:
        text += f" That is fewer than the {FEW} a 95 % interval needs, so the outer bounds are rough."
    return note(text)


def by_part(domain: Domain, aggregation: str) -> str:
    """Return the forecast by region, category or series: one row each, one column per month, the 80 % range below."""
    rows = at(domain.future, aggregation).sort_values(["region", "product_category", "ds"])
    if not parts(domain, aggregation):
        return only_one(aggregation)
    months = sorted(rows["ds"].unique())
    decimals, groups = decimals_for(rows["predicted_value"]), rows.groupby(["region", "product_category"], sort=False)
    names = ["region", "product_category"] if aggregation == "series" else [NAMES[aggregation]]
    cells = [part_row(group, names, months, decimals) for _, group in groups]
    caption = in_unit(domain, f"Forecast by {aggregation}, with its 80 % range")
    heads = [name.replace("product_category", "category").capitalize() for name in names]
    body = table(
        [*heads, *(month(ds, short=True) for ds in months)],
        cells,
        caption,
        range(len(names)),
        "no forecast",
        len(cells) > TALL,
    )
    return body + fallback_note(rows)


def part_row(group: pd.DataFrame, names: list[str], months: list, decimals: int) -> list[str]:
    """Return the row of one part; a dagger marks a fallback."""
    mark = "&nbsp;†" if group["is_fallback"].any() else ""
    by_month = group.set_index("ds")
    labels = [escape(str(group[name].iloc[0])) for name in names]
    labels[-1] += mark
    cells = []
    for ds in months:
        if ds not in by_month.index:
            cells.append(number(None))
            continue
        row = by_month.loc[ds]
        low, high = number(row["lo_80"], decimals), number(row["hi_80"], decimals)
        cells.append(f"{number(row['predicted_value'], decimals)}<br><small>{low} to {high}</small>")
    return [*labels, *cells]


def fallback_note(rows: pd.DataFrame) -> str:
    """Say what the dagger means, where there is one."""
    n = rows.loc[rows["is_fallback"].astype(bool), "unique_id"].nunique()
    if not n:
        return ""
    return note(
        f"† {count(n, 'row')} rest on a fallback: one too short for the model gets the seasonal naive or its mean, "
        "one that has ended 0."
    )


def variance(domain: Domain, aggregation: str) -> str:
    """Return actual against forecast of the last closed month by region or category, the largest difference first.

    Nothing where there is only one.
    """
    if not parts(domain, aggregation):
        return ""
    column, last = NAMES[aggregation], domain.last_month
    known = at(domain.actuals, aggregation)
    known = known.loc[known["ds"] == last, [column, "y"]]
    made = at(domain.past, aggregation)
    made = made.loc[made["ds"] == last, [column, "predicted_value", "variance", "variance_pct"]]
    rows = known.merge(made, on=column, how="left")
    rows = rows.sort_values("variance", key=lambda v: v.abs(), ascending=False, kind="stable")
    decimals, largest = decimals_for(rows["y"]), rows["variance"].abs().max()
    cells = [variance_row(row, column, decimals, largest) for row in rows.to_dict("records")]
    head = [aggregation.capitalize(), "Actual", "Forecast", "Variance", "Variance %", "Below or above"]
    caption = in_unit(domain, f"{month(last)} by {aggregation}")
    return table(
        head, cells, caption, missing="no forecast reaches this month, or the forecast is 0", tall=len(cells) > TALL
    )


def variance_row(row: dict, column: str, decimals: int, largest: float) -> list[str]:
    """Return one row of the variance table."""
    return [
        escape(row[column]),
        number(row["y"], decimals),
        number(row["predicted_value"], decimals),
        number(row["variance"], decimals, plus=True),
        percent(row["variance_pct"], plus=True),
        variance_bar(row["variance"], largest),
    ]


def variance_origin(domain: Domain) -> str:
    """Say what kind of forecast the last month is compared with."""
    rows = at(domain.past, "total")
    rows = rows[rows["ds"] == domain.last_month]
    if rows.empty:
        return callout("No forecast reaches the last closed month: the history is too short for a back-test.")
    row = rows.iloc[0]
    if row["is_published"]:
        return paragraph(f"Compared with the published forecast made from data up to {month(row['cutoff'])}.")
    return paragraph(
        "Nothing was published for this month. It is compared with the <strong>walk-forward (back-test)</strong> "
        f"forecast made from data up to {month(row['cutoff'])}, {count(int(row['horizon']), 'month')} ahead. The "
        "percentage is of the forecast's size."
    )


def in_unit(domain: Domain, text: str) -> str:
    """Add the unit to a caption."""
    return f"{text}, in {domain.unit}" if domain.unit else text
