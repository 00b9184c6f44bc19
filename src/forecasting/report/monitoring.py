"""What the monitor says of each domain: in a sentence on the first page, beside its limits on the page on accuracy."""

from html import escape
from typing import Any

from forecasting.ledger import Domain
from forecasting.report.html import bullets, fold, note, table, tag
from forecasting.report.notices import readable
from forecasting.run import Monitoring
from forecasting.wording import DASH, month, number

ADVICE = {
    "ok": "Nothing needs to be done.",
    "watch": "Look again next month.",
    "recalibrate": "The intervals learn from what came due; nothing needs to be done.",
    "retrain": "New models are to be trained.",
    "ask a person": "Somebody who knows the company has to look.",
}
MEASURES = {
    "level_shift": "Level: error of the total, 2 or 3 months",
    "breadth": "Breadth: error that all series share, 2 or 3 months",
    "loss": "Loss of the series against the back-tests, 2 or 3 months",
    "tracking_signal": "Tracking signal of the total, one month ahead",
    "worse_than_naive": "Loss of the series ÷ the seasonal naive's",
    "coverage_80": "Coverage of the 80 % interval, difference to the back-tests",
    "coverage_95": "Coverage of the 95 % interval, difference to the back-tests",
    "new_series": "Share of series that no model has seen",
    "vanished": "Share of series that went",
    "restated": "Share of the last two years that was restated",
}


def section(domains: dict[str, Domain | None]) -> str:
    """Return what the last months say of each domain: its verdict, why, and what to do; nothing before a month has come due."""
    shown = [domain for domain in domains.values() if domain]
    if all(is_new(domain.monitor) for domain in shown):
        return ""
    text = (
        "A limit is what quiet months of this company's own past exceed so seldom that false alarms stay as rare as "
        '<code>params/</code> asks. The measures stand under <a href="accuracy.html#came-due">accuracy</a>.'
    )
    return tag("h2", "What the last months say") + bullets([said(domain) for domain in shown]) + note(text)


def said(domain: Domain) -> str:
    """Return a domain's verdict with its reasons as one item (HTML)."""
    found = domain.monitor
    trained = found.verdict == "retrain" and not domain.manifest.keeps_models
    advice = "New models were trained in this run." if trained else ADVICE[found.verdict]
    head = f"<strong>{escape(domain.title)}: {escape(found.verdict)}.</strong> {advice}"
    texts = [escape(readable(reason["text"])) for reason in found.reasons]
    return f"{head} {texts[0]}" if len(texts) == 1 else head + bullets(texts)


def is_new(found: Monitoring) -> bool:
    """Say whether nothing has come due of a domain yet, or its run is older than the monitor."""
    return not found.measures


def measures(domains: dict[str, Domain | None]) -> str:
    """Return for each domain what was measured on what came due, beside its limits; nothing where nothing came due."""
    parts = [one(domain) for domain in domains.values() if domain and not is_new(domain.monitor)]
    if not parts:
        return ""
    return tag("h3", "What came due, beside its limits", id_="came-due") + "".join(parts)


def one(domain: Domain) -> str:
    """Return the table of a domain's measures and the rest of what was looked at, folded."""
    found = domain.monitor.measures
    limited = [row for row in found if row["code"] in MEASURES]
    cells = [[MEASURES[row["code"]], span(row), value(row["value"]), value(row["watch"]), value(row["limit"]), escape(row["verdict"])]
             for row in limited]  # fmt: skip
    caption = f"{domain.title}, published forecasts that came due up to {month(domain.last_month)}"
    head = ["Measure", "Months", "Measured", "Watch from", "Limit", "Verdict"]
    shown = table(head, cells, caption, text=(0, 1, 5), missing="no such limit")
    others = [escape(readable(row["text"])) for row in found if row["code"] not in MEASURES and row["value"]]
    more = fold("What else was looked at", bullets(others)) if others else ""
    return fold(f"{domain.title}: what was measured, and its limits", shown + more)


def span(row: dict[str, Any]) -> str:
    """Write the months that a measure rests on."""
    first, last = row.get("first_month"), row.get("last_month")
    if not first:
        return DASH
    return month(first, short=True) if first == last else f"{month(first, short=True)} to {month(last, short=True)}"


def value(known: float | None) -> str:
    """Write a measure or a limit."""
    return DASH if known is None else number(known, 2)
