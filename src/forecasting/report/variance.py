"""Actual against forecast of the last closed month: the total and the parts that made the difference."""

from html import escape

from forecasting.report.charts import variance_bar
from forecasting.report.data import Domain, at
from forecasting.report.domain_page import NAMES, TALL, in_unit, parts
from forecasting.report.html import callout, paragraph, table
from forecasting.report.numbers import count, decimals_for, month, number, percent


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
    cells += total_row(domain, decimals)
    head = [aggregation.capitalize(), "Actual", "Forecast", "Variance", "Variance %", "Below or above"]
    caption = in_unit(domain, f"{month(last)} by {aggregation}")
    missing = "no forecast reaches this month, or the forecast is 0"
    return table(head, cells, caption, missing=missing, tall=len(cells) > TALL, total=True)


def total_row(domain: Domain, decimals: int) -> list[list[str]]:
    """Return the total's row without a bar, which would dwarf those of the parts; nothing where it is not known."""
    known, made = (at(rows, "total") for rows in (domain.actuals, domain.past))
    known = known.loc[known["ds"] == domain.last_month, ["ds", "y"]]
    rows = known.merge(made[["ds", "predicted_value", "variance", "variance_pct"]], on="ds", how="left")
    return [
        [*variance_row({**row, "name": "Total"}, "name", decimals, 0.0)[:-1], ""] for row in rows.to_dict("records")
    ]


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
