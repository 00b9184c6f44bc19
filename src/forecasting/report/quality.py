"""The data quality page: per domain what came in, what was left out and why, and what the checks found."""

import re
from html import escape
from typing import Any

from forecasting.contracts import DOMAINS
from forecasting.report.data import Domain
from forecasting.report.html import callout, facts, note, paragraph, table, tag
from forecasting.report.numbers import DASH, count, day, decimals_for, is_known, month, number, share

LIMIT = 60  # rows of a check table that are shown
GRAINS = {
    "daily": "daily facts: a month counts where the facts cover it whole",
    "monthly": "monthly facts: every month is whole",
}
MONTH = re.compile(r"\d{4}-\d{2}(-01)?([T ]00:00:00(\.0+)?)?")
WORDS = {
    "ds": "Month",
    "y": "Value",
    "unique_id": "Series",
    "product_category": "Category",
    "n_facts": "Facts",
    "z": "Robust z",
    "change_pct": "Change %",
    "n_months": "Months",
    "n_nonzero": "Not zero",
    "n_imputed": "Imputed",
    "n_negative": "Negative",
    "last_nonzero_month": "Last value in",
    "share": "Share of the last year",
    "first_ds": "First",
    "last_ds": "Last",
}
FIRST = ["aggregation", "unique_id", "status", "ds", "first_month", "last_month", "first_ds", "last_ds", "months"]
REPEATED = {"region", "product_category"}  # columns that the series' name holds already
DAY = re.compile(r"\d{4}-\d{2}-\d{2}([T ]00:00:00(\.0+)?)?")


def header(domains: dict[str, Domain | None]) -> str:
    """Return the page's title and what it is about."""
    n = sum(len(d.warnings) for d in domains.values() if d)
    found = f"The checks found {count(n, 'thing')} to look at." if n else "The checks found nothing to warn of."
    return tag("h1", "Data quality") + paragraph(f"What came in, what was left out and why. {found}", "lead")


def sections(domains: dict[str, Domain | None]) -> str:
    """Return one section per domain."""
    return "".join(section(name, domains.get(name)) for name in DOMAINS)


def section(name: str, domain: Domain | None) -> str:
    """Return what is known of one domain's data."""
    heading = tag("h2", name.capitalize(), id=f"quality-{name}")
    if domain is None:
        return heading + paragraph("No facts came in for it, or nothing has been published.")
    boxes = "".join(callout(w["text"], w.get("severity", "note")) for w in domain.warnings)
    checks = (domain.manifest.get("check") or {}).get("tables") or {}
    found = [check_table(key, rows) for key, rows in sorted(checks.items()) if rows]
    clean = [words(key).lower() for key, rows in sorted(checks.items()) if not rows]
    nothing = note(f"Nothing found by these checks: {escape(', '.join(clean))}.") if clean else ""
    return heading + came_in(domain) + tag("div", boxes, "warnings") + left_out(domain) + "".join(found) + nothing


def came_in(domain: Domain) -> str:
    """Return the facts that came in and the months that are used."""
    c, check = domain.calendar, domain.manifest.get("check") or {}
    total = domain.actuals[domain.actuals["aggregation"] == "series"]
    imputed, months = int(total["is_imputed"].sum()), total["ds"].nunique()
    pairs = [
        ("Measure", escape(f"{domain.measure}{f' in {domain.unit}' if domain.unit else ''}")),
        ("Facts", number(c.get("n_facts"))),
        ("First and last fact", f"{day(c.get('first_fact'))} to {day(c.get('last_fact'))}"),
        ("Grain", GRAINS.get(c.get("grain"), DASH)),
        (
            "Months used",
            f"{number(c.get('n_months') or months)}, {month(c.get('first_month'))} to {month(c.get('last_month'))}",
        ),
        ("Series", number(check.get("n_series") or total["unique_id"].nunique())),
        ("Imputed", f"{count(imputed, 'month of a series', 'months of series')} of {number(len(total))}"),
    ]
    return facts(pairs)


def left_out(domain: Domain) -> str:
    """Return the months that are not used, with the reason."""
    if domain.left_out.empty:
        return note("Every month of the facts is used; none was left out.")
    rows, decimals = domain.left_out, decimals_for(domain.left_out["amount"])
    cells = [
        [month(row["ds"]), escape(str(row["reason"])), number(row["n_facts"]), number(row["amount"], decimals)]
        for row in rows.to_dict("records")
    ]
    return table(["Month", "Why it is left out", "Facts", "Amount"], cells, "Months left out", range(2), "not known")


def check_table(name: str, rows: list[dict[str, Any]]) -> str:
    """Return one table of the check notebook; its columns are those of the rows."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    columns = [c for c in columns if "unique_id" not in columns or c not in REPEATED]
    columns.sort(key=lambda c: FIRST.index(c) if c in FIRST else len(FIRST))
    text = {i for i, c in enumerate(columns) if not any(is_known(row.get(c)) for row in rows)}
    unusual_first = sorted(rows, key=lambda row: row.get("status") == "active")
    cells = [
        [share(row.get(c)) if c == "share" else value_text(row.get(c)) for c in columns]
        for row in unusual_first[:LIMIT]
    ]
    hidden = len(rows) - LIMIT
    more = note(f"{number(hidden)} more rows are in the check notebook, 10_check_data.ipynb.") if hidden > 0 else ""
    body = table([words(c) for c in columns], cells, words(name), text, "no value", tall=len(cells) > 12)
    return body + more


def value_text(value: Any) -> str:
    """Write a value of a check table: months by name, numbers with separators, unknown as a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        whole = is_known(value) and float(value).is_integer()
        return number(value, 0 if whole or abs(value) >= 100 else 2)
    text = "" if value is None else str(value)
    if MONTH.fullmatch(text):
        return month(text)
    return day(text) if DAY.fullmatch(text) else escape(text) or DASH


def words(name: str) -> str:
    """Write a column's or table's name as words."""
    return WORDS.get(name, name.replace("_", " ").capitalize())
