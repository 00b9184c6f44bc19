"""The key figures of a domain: last closed month against the forecast made for it, and the next month."""

from dataclasses import dataclass
from html import escape

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report.html import tag
from forecasting.wording import (
    SPACE,
    between,
    change_pct,
    compact,
    count,
    is_known,
    is_nothing,
    month,
    percent,
)

WALK_FORWARD = "walk-forward (back-test), not a published forecast"
SHOWN = 24  # months of actuals in a sparkline


@dataclass(frozen=True)
class Kpi:
    """The totals of one domain in its unit, None where not known; `variance_pct` is in % of the forecast's size."""

    month: pd.Timestamp | None
    actual: float | None
    made: dict | None  # the forecast made for that month: predicted_value, variance, variance_pct, cutoff, horizon, …
    coming: dict | None  # the forecast of the next month: ds, predicted_value, lo_80, hi_80


def first_row(rows: pd.DataFrame) -> dict | None:
    """Return the first row as a dict, None if there is none."""
    return None if rows.empty else rows.iloc[0].to_dict()


def key_figures(domain: Domain) -> Kpi:
    """Return the key figures of a domain's total."""
    actuals, past = at(domain.actuals, "total"), at(domain.past, "total")
    last = domain.last_month
    known = first_row(actuals[actuals["ds"] == last])
    coming = at(domain.future, "total").sort_values("ds")
    return Kpi(last, known and known["y"], first_row(past[past["ds"] == last]), first_row(coming))


def origin(made: dict | None) -> str:
    """Say where the forecast of a month that is over comes from."""
    if made is None:
        return (
            "no forecast reaches this month: the history is too short for a back-test and nothing was published before"
        )
    ahead = f"{count(int(made['horizon']), 'month')} ahead, from data up to {month(made['cutoff'])}"
    return f"published, made {ahead}" if made["is_published"] else f"{WALK_FORWARD}; made {ahead}"


def kind_of(made: dict) -> str:
    """Return what a forecast of a month that is over is called: one that was not published is a back-test."""
    return "forecast" if made["is_published"] else "back-test"


def variance_text(made: dict | None, actual: float | None, unit: str) -> str:
    """Say whether the actual was above or below the forecast or back-test, and which actual if it was restated since."""
    if made is None or not is_known(made["variance"]):
        return "not known without a forecast"
    known = "" if made["actual"] == actual else f"; against {compact(made['actual'], unit)} as first known"
    kind = kind_of(made)
    side = "the same as" if made["variance"] == 0 else "above" if made["variance"] > 0 else "below"
    side = f"{side} the {kind}"
    if not is_known(made["variance_pct"]):
        return f"{side}; no percentage, because the {kind} is 0{known}"
    return f"{compact(made['variance'], unit, plus=True)}, {side}{known}"


def year_before(domain: Domain, ds: pd.Timestamp | None) -> float | None:
    """Return the total of the same month of last year, None where it is not known."""
    if ds is None:
        return None
    total = at(domain.actuals, "total").set_index("ds")["y"]
    found = total.get(ds - pd.DateOffset(months=12))
    return float(found) if is_known(found) else None


def on_year(domain: Domain, ds: pd.Timestamp | None, value: float | None) -> str:
    """Compare a month of the total with the same month of last year, «; +4.2 % on Dec 2012».

    A loss has no percentage and a small number has a huge one: there last year's number itself is more telling.
    """
    before = year_before(domain, ds)
    if before is None or not is_known(value):
        return ""
    when, change = month(ds - pd.DateOffset(months=12), short=True), change_pct(value, before)
    return (
        f"; {compact(before, domain.unit)} in {when}" if change is None else f"; {percent(change, plus=True)} on {when}"
    )


def tile(label: str, value: str, more: str, css: str = "") -> str:
    """Return one key figure."""
    parts = [tag("p", escape(label), "label"), tag("p", escape(value), "value"), tag("p", escape(more), "more")]
    return tag("div", "".join(parts), f"tile {css}".strip())


def marked(value: float | None, shown: str) -> str:
    """Put a triangle that points where a difference goes before it as written, unless it is nothing or not known."""
    if not is_known(value) or value == 0 or is_nothing(shown):
        return shown
    return f"{'▲' if value > 0 else '▼'}{SPACE}{shown}"


def variance_texts(figures: Kpi, unit: str) -> tuple[str, str, str, str]:
    """Return the difference in per cent of the forecast, or as it is where there is no percentage."""
    made = figures.made or {}
    value, share = made.get("variance"), made.get("variance_pct")
    shown = percent(share, plus=True) if is_known(share) else compact(value, unit, plus=True)
    return "Variance", marked(value, shown), variance_text(figures.made, figures.actual, unit), ""


def texts(domain: Domain) -> list[tuple[str, str, str, str]]:
    """Return the four key figures of a domain's total: of each what it is, the value, what is said below it, and its kind."""
    figures, unit = key_figures(domain), domain.unit
    made, coming = figures.made or {}, figures.coming or {}
    next_range = "no forecast was published for it"
    if coming:
        next_range = f"80{SPACE}% range {between(coming['lo_80'], coming['hi_80'], unit)}"
        next_range += on_year(domain, coming["ds"], coming["predicted_value"])
    published = made.get("is_published")
    return [
        (
            f"Actual, {month(figures.month)}",
            compact(figures.actual, unit),
            domain.measure + on_year(domain, figures.month, figures.actual),
            "",
        ),
        (
            "Forecast for that month" if published or not made else "Back-test for that month",
            compact(made.get("predicted_value"), unit),
            origin(figures.made),
            "published" if published else "walk-forward" if made else "",
        ),
        variance_texts(figures, unit),
        (f"Forecast, {month(coming.get('ds'))}", compact(coming.get("predicted_value"), unit), next_range, "next"),
    ]


def tiles_id(domain: Domain) -> str:
    """Return the id of the key figures, which follow what is chosen in the trend."""
    return f"figures-{domain.name}"


def tiles(domain: Domain) -> str:
    """Return the four key figures of a domain side by side."""
    return tag("div", "".join(tile(*each) for each in texts(domain)), "tiles", id=tiles_id(domain))
