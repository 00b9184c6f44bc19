"""The first page: warnings, the key figures of every domain, what they say in words, how far to trust them, the files."""

from dataclasses import replace
from html import escape

from IPython.display import HTML

from forecasting.contracts import DOMAINS
from forecasting.ledger import Domain, at
from forecasting.report import cover
from forecasting.report.bridges import Bridge, bridge
from forecasting.report.champion import champion_text
from forecasting.report.charts import trend
from forecasting.report.files import FILES, missing
from forecasting.report.glossary import term
from forecasting.report.html import Chart, bullets, callout, note, paragraph, tag
from forecasting.report.kpi import SHOWN, row
from forecasting.report.notices import in_brief, readable, texts_of
from forecasting.report.summary import sentences
from forecasting.wording import listing, month


def header(domains: dict[str, Domain | None]) -> str:
    """Return the page's title and what it covers."""
    present = [d for d in domains.values() if d]
    company = next((d.manifest.workspace for d in present if d.manifest.workspace), "")
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


def figures(domains: dict[str, Domain | None]) -> str:
    """Return a row of key figures for each domain."""
    rows = [row(d) for d in domains.values() if d]
    return tag("div", "".join(rows), "kpis") if rows else ""


def stock_cover(domains: dict[str, Domain | None]) -> str:
    """Return stock cover as a row of its own, or why there is none, and how to read the rows."""
    if not any(domains.values()):
        return ""
    return tag("div", cover.row(domains), "kpis") + legend(domains)


def legend(domains: dict[str, Domain | None]) -> str:
    """Say how the rows are to be read, and which figures are of a back-test."""
    text = (
        f"The lines show the last {SHOWN} months and the forecast (dashed) with its {term('80 % range')}: eight of ten "
        f"actuals should lie in it. The {term('variance')} is the actual − the forecast made for it, in % of that forecast."
    )
    return note(text) + history_note(domains)


def bridges(published: str, domains: dict[str, Domain | None]) -> dict[str, Bridge | None]:
    """Return for each domain the way from the forecast published before; None where there was none."""
    return {name: bridge(published, domain) for name, domain in domains.items() if domain}


def answers(domains: dict[str, Domain | None], before: dict[str, Bridge | None] | None = None) -> str:
    """Return what is to be said of each domain, a list of short items each; `before` leads from the forecasts published before."""
    before = before or {}
    lists = [bullets(sentences(d, before.get(d.name))) for d in domains.values() if d]
    if not lists:
        return ""
    first = (
        ""
        if any(before.values())
        else note("This is the first forecast that was published: there is no earlier one to compare it with.")
    )
    return tag("div", "".join(lists) + first, "words")


def warnings(domains: dict[str, Domain | None]) -> str:
    """Return the warnings of all domains, most severe first, the lesser ones folded, and what is missing."""
    present = [d for d in domains.values() if d]
    if not present:
        return ""
    found = in_brief(present)
    if not any(texts_of(d, severity) for d in present for severity in ("high", "medium")):
        found = paragraph("The checks of the data found nothing that puts the forecasts in doubt.") + found
    reasons = {
        name: why for d in present for name, why in d.manifest.facts.missing.items() if is_older(domains.get(name), d)
    }
    for name, why in reasons.items():
        found += callout(
            f"There is no {'new ' if domains.get(name) else ''}forecast of {name}: {readable(why)}", "medium"
        )
    missing = [name for name in DOMAINS if domains.get(name) is None and name not in reasons]
    if missing:
        found += callout(f"There is no forecast of {listing(missing)}: no facts came in, or nothing was published.")
    link = 'What came in and what was left out: <a href="data_quality.html">data quality</a>.'
    return tag("div", found + note(f"A {term('series')} is one region and product category. {link}"), "warnings brief")


def is_older(domain: Domain | None, other: Domain) -> bool:
    """Say whether a domain is known up to an earlier month than the other, or not at all."""
    return domain is None or domain.last_month < other.last_month


def history_note(domains: dict[str, Domain | None]) -> str:
    """Say for which domains no published forecast can be compared with an actual yet."""
    new = [d.name for d in domains.values() if d and not d.has_history]
    if not new:
        return ""
    return note(
        f"No month that was forecast and published for {listing(new)} has ended yet. So last month is compared with a "
        f"{term('back-test')}, also called {term('walk-forward')}: what the same model would have said with the data of the "
        "time."
    )


def section(domain: Domain) -> str:
    """Return how far the forecast of one domain can be trusted: what its model is worth."""
    heading = tag("h3", f'<a href="{domain.name}.html">{domain.title}</a>')
    return tag("section", heading + champion_text(domain), "domain", id=f"trust-{domain.name}")


def parts(domains: dict[str, Domain | None]) -> list[HTML | Chart]:
    """Return what the page shows of each domain's model, in order: its worth in words, then a small chart."""
    return [part for d in domains.values() if d for part in (HTML(section(d)), small_chart(only_total(d)))]


def only_total(domain: Domain) -> Domain:
    """Return the domain without its parts, which a small chart does not show."""
    rows = {name: at(getattr(domain, name), "total") for name in ("actuals", "past", "future")}
    return replace(domain, **rows)


def small_chart(domain: Domain) -> Chart:
    """Return the chart of a domain's last two years and its forecast."""
    name = escape(f"{domain.title}, in {domain.unit}" if domain.unit else domain.title)
    caption = (
        f"{name}: actuals, back-test (dotted) and forecast (dashed) "
        f'with 80 % and 95 % intervals. <a href="{domain.name}.html">More on {domain.name}</a>.'
    )
    return trend(domain, f"trend-{domain.name}", caption, small=True)


def files_section(domains: dict[str, Domain | None]) -> str:
    """Return links to the files beside the pages, with what each holds, and what it leaves out where there are very many series."""
    less = missing([domain for domain in domains.values() if domain])
    texts = {name: f"{what} {less[name]}" if name in less else what for name, what in FILES.items()}
    return bullets([f'<a class="file" href="{name}">{name}</a>: {escape(what)}' for name, what in texts.items()])


def editions_place() -> str:
    """Return the place of the links to earlier editions, which rendering fills in; empty it takes no room."""
    return tag("section", "", id="editions")
