"""The answer of a domain's page in a sentence: what the coming months bring."""

from html import escape

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report.html import paragraph
from forecasting.report.periods import is_flow, span, together
from forecasting.wording import change_pct, compact, month, percent

SAME = 0.05  # per cent: a change that would be shown as 0.0 %


def in_short(domain: Domain) -> str:
    """Say in a sentence what the coming months bring: together, of a stock where it ends, and the highest and lowest month."""
    rows = at(domain.future, "total").sort_values("ds")
    if rows.empty:
        return paragraph("No forecast was published.")
    points = rows.set_index("ds")["predicted_value"]
    text = f"Expected for {span(points.index)}: {coming_flow(domain, points) if is_flow(domain) else coming_stock(domain, points)}."
    if len(points) > 2 and points.max() > points.min():
        high, low = points.idxmax(), points.idxmin()
        text += (
            f" Highest in {month(high)} ({escape(compact(points[high], domain.unit))}), "
            f"lowest in {month(low)} ({escape(compact(points[low], domain.unit))})."
        )
    return paragraph(text)


def coming_flow(domain: Domain, points: pd.Series) -> str:
    """Return the sum of the coming months, against the same months of last year."""
    known = at(domain.actuals, "total").set_index("ds")["y"]
    value = together(domain, points)
    before = together(domain, (known.get(ds - pd.DateOffset(years=1), float("nan")) for ds in points.index))
    text = f"<strong>{escape(compact(value, domain.unit))}</strong>{' together' if len(points) > 1 else ''}"
    change = change_pct(value, before)
    if change is not None and abs(change) < SAME:
        return f"{text}, as in the same months of last year"
    if change is not None:
        return f"{text}, {percent(change, plus=True)} on the same months of last year"
    return text if before is None else f"{text}; {escape(compact(before, domain.unit))} in the same months of last year"


def coming_stock(domain: Domain, points: pd.Series) -> str:
    """Return the stock at the end of the last coming month, against that of the last known month."""
    known = at(domain.actuals, "total").set_index("ds")["y"]
    value, before = points.iloc[-1], known.get(domain.last_month)
    change = change_pct(value, before)
    since = f"after {escape(compact(before, domain.unit))} at the end of {month(domain.last_month)}"
    text = f"<strong>{escape(compact(value, domain.unit))}</strong> at the end of {month(points.index[-1])}, {since}"
    return text if change is None else f"{text} ({percent(change, plus=True)})"
