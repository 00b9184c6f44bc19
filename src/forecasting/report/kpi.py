"""The key figures of a domain: last closed month against the forecast made for it, and the next month."""

from dataclasses import dataclass
from html import escape

import pandas as pd

from forecasting.report.charts import drawing
from forecasting.report.data import Domain, at
from forecasting.report.html import paragraph, tag
from forecasting.report.numbers import DASH, SPACE, between, compact, count, is_known, month, percent

WALK_FORWARD = "walk-forward (back-test), not a published forecast"


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


def variance_text(made: dict | None, actual: float | None, unit: str) -> str:
    """Say whether the actual was above or below the forecast, and which actual if the month was restated since."""
    if made is None or not is_known(made["variance"]):
        return "not known without a forecast"
    known = "" if made["actual"] == actual else f"; against {compact(made['actual'], unit)} as first known"
    side = (
        "as forecast"
        if made["variance"] == 0
        else "above the forecast"
        if made["variance"] > 0
        else "below the forecast"
    )
    if not is_known(made["variance_pct"]):
        return f"{side}; no percentage, because the forecast is 0{known}"
    return f"{percent(made['variance_pct'], plus=True)}, {side}{known}"


def tile(label: str, value: str, more: str, extra: str = "", css: str = "") -> str:
    """Return one key figure (texts, `extra` is HTML)."""
    parts = [tag("p", escape(label), "label"), tag("p", escape(value), "value"), tag("p", escape(more), "more"), extra]
    return tag("div", "".join(parts), f"tile {css}".strip())


def tiles(domain: Domain) -> str:
    """Return the four key figures of a domain side by side."""
    figures, unit = key_figures(domain), domain.unit
    made, coming = figures.made or {}, figures.coming or {}
    value = made.get("variance")
    mark = f"▲{SPACE}" if is_known(value) and value > 0 else f"▼{SPACE}" if is_known(value) and value < 0 else ""
    next_range = "no forecast was published for it"
    if coming:
        next_range = f"80 % range {between(coming['lo_80'], coming['hi_80'], unit)}"
    kind = "published" if made.get("is_published") else "walk-forward"
    return tag(
        "div",
        "".join(
            [
                tile(f"Actual, {month(figures.month)}", compact(figures.actual, unit), domain.measure, spark(domain)),
                tile(
                    "Forecast for that month",
                    compact(made.get("predicted_value"), unit),
                    origin(figures.made),
                    css=kind,
                ),
                tile(
                    "Variance",
                    mark + compact(value, unit, plus=True),
                    variance_text(figures.made, figures.actual, unit),
                ),
                tile(
                    f"Forecast, {month(coming.get('ds'))}",
                    compact(coming.get("predicted_value"), unit),
                    next_range,
                    css="next",
                ),
            ]
        ),
        "tiles",
    )


def spark(domain: Domain) -> str:
    """Return the domain's last two years and its forecast as a small line."""
    total, future = at(domain.actuals, "total"), at(domain.future, "total")
    label = f"{domain.title} of the last {min(len(total), 24)} months and the next {len(future)}, as a line"
    return drawing(total, future, label)


def champion_text(domain: Domain) -> str:
    """Say in plain words which model forecasts and whether it beats the same month of last year."""
    champion = domain.manifest.get("champion") or {}
    model = escape(model_name(domain.champion))
    mine, naive = champion.get("mase_held_out"), champion.get("seasonal_naive_mase_held_out")
    if domain.champion == "seasonal_naive":
        return paragraph(
            "No model beat the seasonal naive, which repeats the same month of last year, on the cutoffs used to "
            "choose. So <strong>the seasonal naive itself makes the forecast</strong>."
        )
    text = f"The forecast is made by <strong>{model}</strong>. "
    if not (is_known(mine) and is_known(naive) and naive > 0):
        beats = champion.get("beats_seasonal_naive")
        word = {True: "beats", False: "does not beat"}.get(beats, "could not be compared with")
        return paragraph(
            text + f"In the walk-forward back-test it {word} the seasonal naive (the same month of last year)."
        )
    text += f"On the cutoffs held out from the choice its mean scaled error (MASE) is {mine:.2f}; the seasonal naive, "
    text += f"which repeats the same month of last year, has {naive:.2f}. "
    gain = 100 * (1 - mine / naive)
    if gain > 0:
        return paragraph(text + f"So its error is {percent(gain, 0)} smaller: it beats the seasonal naive.")
    return paragraph(
        text + "So it <strong>does not beat the seasonal naive there</strong>; it was the best on the earlier cutoffs. "
        "Take its forecasts with caution."
    )


def model_name(name: str) -> str:
    """Write a model's name with spaces."""
    return name.replace("_", " ") or DASH
