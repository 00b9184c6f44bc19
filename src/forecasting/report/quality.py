"""The data quality page: per domain what came in, what was left out and why, and what the checks found."""

from html import escape

import numpy as np
import pandas as pd

from forecasting.contracts import DOMAINS, FLOWS
from forecasting.ledger import Domain, at
from forecasting.report import restatement_effect, restatements
from forecasting.report.check_table import TABLES, check_table, title
from forecasting.report.glossary import term
from forecasting.report.html import facts, note, paragraph, table, tag
from forecasting.report.notices import all_of, readable, unfolded
from forecasting.report.tests_table import tests
from forecasting.wording import DASH, compact, count, day, decimals_for, month, number, share

GRAINS = {
    "daily": "daily: a month counts where the facts cover it whole",
    "weekly": "one date every week or two: a month counts where no further date belongs to it",
    "monthly": "the same dates every month: a month with all of them is whole",
}


def header(domains: dict[str, Domain | None]) -> str:
    """Return the page's title and what it is about."""
    n = sum(len(all_of(d)) for d in domains.values() if d)
    found = f"The checks found {count(n, 'thing')} to look at." if n else "The checks found nothing to warn of."
    failed = sum(row["n"] - row["passed"] for d in domains.values() if d for row in d.manifest.tests)
    passed = f" {count(failed, 'test')} did not pass." if failed else " Every test of the data passed."
    lead = f"What came in, what was tested, filled in and left out, and why. {found}{passed if any(domains.values()) else ''}"
    links = ", ".join(f'<a href="#quality-{name}">{name}</a>' for name in DOMAINS if domains.get(name))
    return tag("h1", "Data quality") + paragraph(lead, "lead") + (note(f"Sections: {links}.") if links else "")


def sections(domains: dict[str, Domain | None]) -> str:
    """Return one section per domain."""
    return "".join(section(name, domains.get(name)) for name in DOMAINS)


def section(name: str, domain: Domain | None) -> str:
    """Return what is known of one domain's data."""
    heading = tag("h2", name.capitalize(), id=f"quality-{name}")
    if domain is None:
        return heading + paragraph("No facts came in for it, or nothing has been published.")
    checks = domain.manifest.check.tables
    names = sorted(checks, key=lambda key: (list(TABLES).index(key) if key in TABLES else len(TABLES), key))
    n_rows = domain.manifest.check.n_rows
    found = [check_table(key, checks[key], n_rows.get(key)) for key in names if checks[key]]
    clean = [title(key).lower() for key in names if not checks[key]]
    nothing = note(f"These checks found nothing: {escape(', '.join(clean))}.") if clean else ""
    parts = [
        ("What came in", came_in(domain) + tag("div", unfolded(domain), "warnings")),
        ("What was tested", tests(domain.manifest.tests)),
        ("What was filled in", imputed(domain)),
        ("What was restated", restatements.section(domain) + restatement_effect.section(domain)),
        ("What was left out", open_month(domain) + left_out(domain)),
        ("What is unusual", "".join(found) + nothing),
    ]
    anchors = {"What was restated": {"id": f"restated-{name}"}}
    return heading + "".join(tag("h3", title, **anchors.get(title, {})) + content for title, content in parts)


def came_in(domain: Domain) -> str:
    """Return the facts that came in and the months that are used."""
    c, series = domain.calendar, at(domain.actuals, "series")
    months, n_series = series["ds"].nunique(), domain.manifest.check.n_series or domain.n_series
    used = f"{month(c.get('first_month'))} to {month(c.get('last_month'))}"
    pairs = [
        ("Measure", escape(f"{domain.measure}{f' in {domain.unit}' if domain.unit else ''}")),
        ("Rows of facts", number(c.get("n_facts"))),
        ("First and last fact", f"{day(c.get('first_fact'))} to {day(c.get('last_fact'))}"),
        ("How the facts are dated", GRAINS.get(c.get("grain"), DASH)),
        ("Months used", f"{number(c.get('n_months') or months)}, {used}"),
        ("Series (a region and a category each)", number(n_series)),
    ]
    return facts(pairs)


def imputed(domain: Domain) -> str:
    """Say which monthly values have no fact behind them, what stands in their place, and in how many series."""
    filled, of = domain.imputed, domain.n_values
    if not filled.n_values:
        return paragraph("Nothing: every monthly value of every series has a fact behind it.")
    rule = (
        "A month without a single fact inside a series counts as 0, because nothing was booked."
        if domain.name in FLOWS
        else "Where a region was not counted, its last count is carried forward, for at most three months."
    )
    recent = count(filled.n_last_month, "of them is", "of them are")
    when = (
        f"; {recent} of the last month"
        if filled.last == domain.last_month
        else f"; the latest is of {month(filled.last)}"
    )
    return paragraph(
        f"{number(filled.n_values)} of {number(of)} monthly values ({share(filled.n_values / of)}), in "
        f"{count(filled.n_series, 'series', 'series')}, are {term('imputed')}: no fact stands behind them{when}. {rule} "
        "They are flagged in the training set."
    )


def third_last_business_day(ds: pd.Timestamp) -> pd.Timestamp:
    """Return the third-last day from Monday to Friday of a month: facts that reach it cover the month whole."""
    following = np.datetime64((ds + pd.offsets.MonthBegin(1)).date(), "D")
    return pd.Timestamp(np.busday_offset(following, -3, roll="forward"))


def open_month(domain: Domain) -> str:
    """Say which month has begun and is not whole yet, and when it will count."""
    rows = domain.left_out[domain.left_out["ds"] > domain.last_month].sort_values("ds")
    if rows.empty:
        return paragraph(f"No month is open: the facts end with {month(domain.last_month)}, which is whole.")
    row = rows.iloc[0]
    known = f"So far it has {count(int(row['n_facts']), 'row')} of facts and {compact(row['amount'], domain.unit)}."
    if "as of" in row["reason"]:
        counts = "It counts once the report is made as of its end or later."
    elif domain.calendar.get("grain") == "daily":
        counts = (
            f"It counts once the facts reach {day(third_last_business_day(row['ds']))}, its third-last business day"
        )
        counts += ", and the expenses reach it too." if "expenses" in row["reason"] else "."
    else:
        counts = "It counts once all its facts have come in."
    return paragraph(
        f"<strong>{month(row['ds'])} is not whole yet.</strong> {known} {counts} Nothing is forecast from it."
    )


def left_out(domain: Domain) -> str:
    """Return the months that are not used, with the reason."""
    if domain.left_out.empty:
        return note("Every month of the facts is used; none was left out.")
    unit = f", amount in {domain.unit}" if domain.unit else ""
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
    return table(
        ["Month", "Facts", "Amount", "Why it is left out"], cells, f"Months left out{unit}", (0, 3), "not known"
    )
