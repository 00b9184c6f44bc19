"""Actual against forecast of the last closed month: the total and the parts that made the difference."""

from html import escape

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report import many
from forecasting.report.charts import variance_bar
from forecasting.report.domain_page import NAMES, TALL, parts
from forecasting.report.html import Cell, callout, choosing, note, paragraph, table
from forecasting.report.rounding import CENT, sums_note
from forecasting.wording import Amounts, amounts_in, compact, count, month, percent

KEY = ["region", "product_category"]
SUMMED = ["actual", "predicted_value", "variance"]


def variance(domain: Domain, aggregation: str) -> str:
    """Return actual against forecast of the last closed month by region or category, the largest difference first.

    Nothing where there is only one.
    """
    if not parts(domain, aggregation):
        return ""
    rows, total = last_month(domain, aggregation), last_month(domain, "total")
    rows = many.chosen(domain, rows, aggregation, "worst")
    rows = rows.sort_values("variance", key=lambda v: v.abs(), ascending=False, kind="stable")
    amount = amounts_in(domain.unit, *(pd.concat([rows[column], total[column]]) for column in SUMMED))
    largest = rows["variance"].abs().max()
    cells = [variance_row(row, name(row, aggregation), amount, largest) for row in rows.to_dict("records")]
    # Without a bar, which would dwarf those of the parts.
    cells += [
        [*variance_row(row, many.total(domain, aggregation), amount, 0.0)[:-1], ""] for row in total.to_dict("records")
    ]
    head = [aggregation.capitalize(), "Actual", "Forecast", "Variance", "Variance %", "Below or above"]
    caption = many.titled(domain, f"{month(domain.last_month)} by {aggregation}", aggregation, "worst") + amount.told(
        ","
    )
    missing = "no forecast reaches this month, or the forecast is 0"
    body = table(head, cells, caption, missing=missing, tall=len(cells) > TALL, total=True, sortable=True)
    if many.sight(domain, aggregation):
        return body + many.elsewhere(domain, aggregation, "worst") + restated(domain, total)
    return body + sums_note(rows[SUMMED], total.iloc[0][SUMMED], amount) + restated(domain, total)


def variance_of_many(domain: Domain) -> str:
    """Return the same of the series furthest from their forecast, where there are too many series to show all."""
    return variance(domain, "series") if many.sight(domain, "series") else ""


def name(row: dict, aggregation: str) -> str:
    """Return the heading of a row, as HTML: a series has two lines, as in the other tables."""
    region, category = (str(row[column]) for column in KEY)
    shown = choosing(region, category, escape(region if aggregation == "series" else str(row[NAMES[aggregation]])))
    return f"{shown}<br><small>{escape(category)}</small>" if aggregation == "series" else shown


def last_month(domain: Domain, aggregation: str) -> pd.DataFrame:
    """Return the last closed month by part: unique_id, region, product_category, y, actual, predicted_value, variance, variance_pct.

    `actual` is what the variance was measured with: of a published forecast the first known value, else `y`, today's.
    """
    known, made = at(domain.actuals, aggregation), at(domain.past, aggregation)
    known = known.loc[known["ds"] == domain.last_month, ["unique_id", *KEY, "y"]]
    made = made.loc[made["ds"] == domain.last_month, [*KEY, *SUMMED, "variance_pct"]]
    rows = known.merge(made, on=KEY, how="left")
    return rows.assign(actual=rows["actual"].fillna(rows["y"]))


def restated(domain: Domain, total: pd.DataFrame) -> str:
    """Say that the month was restated since it was first known, and to what; nothing where it was not."""
    row = total.iloc[0]
    if abs(row["actual"] - row["y"]) < CENT:
        return ""
    now = escape(compact(row["y"], domain.unit))
    return note(
        f"The actuals are those first known, which the forecast was measured with; the total was restated to {now} since."
    )


def variance_row(row: dict, name: str, amount: Amounts, largest: float) -> list[str]:
    """Return one row of the variance table."""
    value, pct = row["variance"], row["variance_pct"]
    return [
        name,
        Cell(amount(row["actual"]), row["actual"]),
        Cell(amount(row["predicted_value"]), row["predicted_value"]),
        Cell(amount(value, plus=True), value),
        Cell(percent(pct, plus=True), pct),
        Cell(variance_bar(value, largest), value),
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
