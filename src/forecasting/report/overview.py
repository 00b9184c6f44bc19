"""The first page: warnings, the key figures of every domain, how they were made."""

from html import escape

from IPython.display import HTML

from forecasting.contracts import DOMAINS
from forecasting.report.champion import champion_text
from forecasting.report.charts import trend
from forecasting.report.data import Domain
from forecasting.report.html import Chart, bullets, callout, note, paragraph, tag
from forecasting.report.kpi import key_figures, on_year, tiles
from forecasting.report.notices import boxes, texts_of
from forecasting.report.numbers import between, compact, listing, month


def header(domains: dict[str, Domain | None]) -> str:
    """Return the page's title and what it covers."""
    present = [d for d in domains.values() if d]
    company = next((d.manifest["workspace"] for d in present if d.manifest.get("workspace")), "")
    title = tag("h1", f"Monthly forecast{': ' + escape(company) if company else ''}")
    if not present:
        return title + paragraph("Nothing has been published yet. <code>make report</code> builds the forecasts.")
    return title + covered(present)


def covered(domains: list[Domain]) -> str:
    """Say up to which month each domain is known."""
    months: dict[str, list[str]] = {}
    for domain in domains:
        months.setdefault(month(domain.last_month), []).append(domain.name)
    parts = [f"{listing(names)} up to {last}" for last, names in months.items()]
    return paragraph(f"Actuals: {', '.join(parts)}.", "lead")


def answers(domains: dict[str, Domain | None]) -> str:
    """Return the answer in a sentence for each domain."""
    return bullets([answer(d) for d in domains.values() if d])


def answer(domain: Domain) -> str:
    """Return the next month's forecast as a sentence; one that a warning puts in doubt says so."""
    coming, unit = key_figures(domain).coming, domain.unit
    name = f'<a href="{domain.name}.html">{domain.title}</a>'
    if not coming:
        return f"{name}: no forecast was published."
    doubt = " In doubt: see the warning." if texts_of(domain, "high") else ""
    value, between_ = compact(coming["predicted_value"], unit), between(coming["lo_80"], coming["hi_80"], unit)
    change = on_year(domain, coming["ds"], coming["predicted_value"]).removeprefix("; ")
    return (
        f"{name} in {month(coming['ds'])}: <strong>{escape(value)}</strong> expected{f' ({change})' if change else ''}; "
        f"80 % range {escape(between_)}.{doubt}"
    )


def warnings(domains: dict[str, Domain | None]) -> str:
    """Return the warnings of all domains, most severe first, the notes folded, and what is missing."""
    present = [d for d in domains.values() if d]
    if not present:
        return ""
    found = boxes(present)
    if not any(texts_of(d, severity) for d in present for severity in ("high", "medium")):
        found = paragraph("The checks of the data found nothing that puts the forecasts in doubt.") + found
    missing = [name for name in DOMAINS if domains.get(name) is None]
    if missing:
        found += callout(
            f"There is no forecast of {listing(missing)}: no facts came in for it, or nothing was published."
        )
    link = 'What came in, what was left out and why: <a href="data_quality.html">data quality</a>.'
    return tag("div", found + note(f"A series is one region and product category. {link}"), "warnings")


def history_note(domains: dict[str, Domain | None]) -> str:
    """Say for which domains no published forecast can be compared with an actual yet."""
    new = [d.name for d in domains.values() if d and not d.has_history]
    if not new:
        return ""
    return note(
        f"No month that was forecast and published for {listing(new)} has ended yet. So last month is compared with a "
        "back-test, also called walk-forward: what the same model would have said with the data of the time."
    )


def section(domain: Domain) -> str:
    """Return the key figures of one domain, with what the champion is worth."""
    heading = tag("h3", f'<a href="{domain.name}.html">{domain.title}</a>')
    return tag("section", heading + tiles(domain) + champion_text(domain), "domain", id=f"figures-{domain.name}")


def parts(domains: dict[str, Domain | None]) -> list[HTML | Chart]:
    """Return what the page shows of each domain, in order: key figures, then a small chart."""
    return [part for d in domains.values() if d for part in (HTML(section(d)), small_chart(d))]


def small_chart(domain: Domain) -> Chart:
    """Return the chart of a domain's last two years and its forecast."""
    name = escape(f"{domain.title}, in {domain.unit}" if domain.unit else domain.title)
    caption = (
        f"{name}: actuals, back-test (dotted) and forecast (dashed) "
        f'with 80 % and 95 % intervals. <a href="{domain.name}.html">More on {domain.name}</a>.'
    )
    return trend(domain, f"trend-{domain.name}", caption, small=True)
