"""The data quality page: per domain what came in, what was left out and why, and what the checks found."""

from html import escape

from forecasting.contracts import DOMAINS
from forecasting.report.check_table import TABLES, check_table, title
from forecasting.report.data import Domain
from forecasting.report.html import facts, note, paragraph, table, tag
from forecasting.report.notices import readable, unfolded
from forecasting.report.numbers import DASH, count, day, decimals_for, month, number

GRAINS = {
    "daily": "daily: a month counts where the facts cover it whole",
    "monthly": "monthly: every month is whole",
}


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
    checks = (domain.manifest.get("check") or {}).get("tables") or {}
    names = sorted(checks, key=lambda key: (list(TABLES).index(key) if key in TABLES else len(TABLES), key))
    found = [check_table(key, checks[key]) for key in names if checks[key]]
    clean = [title(key).lower() for key in names if not checks[key]]
    nothing = note(f"These checks found nothing: {escape(', '.join(clean))}.") if clean else ""
    warnings = tag("div", unfolded(domain), "warnings")
    return heading + came_in(domain) + warnings + left_out(domain) + "".join(found) + nothing


def came_in(domain: Domain) -> str:
    """Return the facts that came in and the months that are used."""
    c, check = domain.calendar, domain.manifest.get("check") or {}
    total = domain.actuals[domain.actuals["aggregation"] == "series"]
    imputed, months = int(total["is_imputed"].sum()), total["ds"].nunique()
    used = f"{month(c.get('first_month'))} to {month(c.get('last_month'))}"
    pairs = [
        ("Measure", escape(f"{domain.measure}{f' in {domain.unit}' if domain.unit else ''}")),
        ("Rows of facts", number(c.get("n_facts"))),
        ("First and last fact", f"{day(c.get('first_fact'))} to {day(c.get('last_fact'))}"),
        ("How the facts are dated", GRAINS.get(c.get("grain"), DASH)),
        ("Months used", f"{number(c.get('n_months') or months)}, {used}"),
        ("Series (a region and a category each)", number(check.get("n_series") or total["unique_id"].nunique())),
        ("Values without a fact behind them (imputed)", f"{number(imputed)} of {number(len(total))} monthly values"),
    ]
    return facts(pairs)


def left_out(domain: Domain) -> str:
    """Return the months that are not used, with the reason."""
    if domain.left_out.empty:
        return note("Every month of the facts is used; none was left out.")
    rows, decimals = domain.left_out, decimals_for(domain.left_out["amount"])
    cells = [
        [
            month(row["ds"]),
            number(row["n_facts"]),
            number(row["amount"], decimals),
            escape(readable(str(row["reason"]))),
        ]
        for row in rows.to_dict("records")
    ]
    return table(["Month", "Facts", "Amount", "Why it is left out"], cells, "Months left out", (0, 3), "not known")
