"""The table of the coming months: the forecast with both intervals beside the same months of last year."""

from html import escape

import pandas as pd

from forecasting.ledger import Domain, at, run_points_cut
from forecasting.report.html import note, table
from forecasting.wording import NO_PERCENTAGE, Amounts, amounts_in, change_pct, count, month, percent

COLUMNS = ["predicted_value", "lo_80", "hi_80", "lo_95", "hi_95"]
FEW = 39  # residuals below which a two-sided 95 % conformal bound cannot be had


def next_id(domain: Domain) -> str:
    """Return the id of the table of the next months."""
    return f"next-{domain.name}"


def next_months(domain: Domain) -> str:
    """Return the forecast of the total, or what is chosen, with both intervals and the same month of last year, one row per month."""
    rows = at(domain.future, "total").sort_values("ds")
    head = ["Month", "Forecast", "80 % from", "80 % to", "95 % from", "95 % to", "Same month last year", "Change"]
    head += ["With overrides"] if is_changed(rows) else []
    cells, title = month_rows(domain)
    body = table(head, cells, f"Total: {title}", missing=NO_PERCENTAGE, id_=next_id(domain))
    cut = run_points_cut(domain.manifest)
    return body + interval_note(rows) + (note(escape(cut)) if cut else "")


def is_changed(rows: pd.DataFrame) -> bool:
    """Say whether people changed one of some forecasts."""
    return bool(rows["override_value"].notna().any())


def month_rows(domain: Domain) -> tuple[list[list[str]], str]:
    """Return a row for each coming month of the total, and what the table is called, with its unit."""
    rows, known = at(domain.future, "total").sort_values("ds"), at(domain.actuals, "total").set_index("ds")["y"]
    amount = amounts_in(domain.unit, rows["predicted_value"])
    cells = [
        [
            month(row["ds"]),
            *(amount(row[column]) for column in COLUMNS),
            *last_year(known.get(row["ds"] - pd.DateOffset(months=12)), row["predicted_value"], amount),
            *([amount(row["final_value"])] if is_changed(rows) else []),
        ]
        for row in rows.to_dict("records")
    ]
    return cells, f"the next months{amount.told(',')}"


def last_year(before: float | None, forecast: float, amount: Amounts) -> list[str]:
    """Return the same month of last year and the change from it; a dash where there is no percentage."""
    return [amount(before), percent(change_pct(forecast, before), plus=True)]


def interval_note(rows: pd.DataFrame) -> str:
    """Say on how many errors the intervals of the total rest."""
    if rows.empty or rows["interval_n"].isna().all():
        return ""
    fewest = int(rows["interval_n"].min())
    text = (
        "Of ten actuals, eight should lie in the 80 % range and nineteen of twenty in the 95 % range. "
        f"Those of the total come from the model's errors in the back-test, {count(fewest, 'error')} or more for each."
    )
    if fewest < FEW:
        text += f" That is fewer than the {FEW} a 95 % interval needs, so the outer bounds are rough."
    return note(text)
