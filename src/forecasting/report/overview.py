"""The first page: warnings, the key figures of every domain, how they were made."""

from html import escape

from IPython.display import HTML

from forecasting.contracts import DOMAINS
from forecasting.report.charts import trend
from forecasting.report.data import Domain
from forecasting.report.html import Chart, bullets, callout, note, paragraph, tag
from forecasting.report.kpi import champion_text, key_figures, tiles
from forecasting.report.numbers import between, compact, listing, month


def header(domains: dict[str, Domain | None]) -> str:
    """Return the page's title."""
    present = [d for d in domains.values() if d]
    company = next((d.manifest["workspace"] for d in present if d.manifest.get("workspace")), "")
    title = tag("h1", f"Monthly forecast{': ' + escape(company) if company else ''}")
    if not present:
        return title + paragraph("Nothing has been published yet. <code>make report</code> builds the forecasts.")
    return title


def answers(domains: dict[str, Domain | None]) -> str:
    """Return the answer in a sentence for each domain."""
    return bullets([answer(d) for d in domains.values() if d])


def answer(domain: Domain) -> str:
    """Return the next month's forecast as a sentence."""
    coming, unit = key_figures(domain).coming, domain.unit
    name = f'<a href="{domain.name}.html">{domain.title}</a>'
    if not coming:
        return f"{name}: no forecast was published."
    return (
        f"{name} in {month(coming['ds'])}: <strong>{escape(compact(coming['predicted_value'], unit))}</strong> "
        f"expected; 80 % range {escape(between(coming['lo_80'], coming['hi_80'], unit))}."
    )


def warnings(domains: dict[str, Domain | None]) -> str:
    """Return the warnings of all domains, most severe first, and what is missing."""
    order = {"high": 0, "medium": 1, "low": 2}
    found = [(w.get("severity", "low"), f"{d.title}: {w['text']}") for d in domains.values() if d for w in d.warnings]
    found.sort(key=lambda w: order.get(w[0], 3))
    boxes = [callout(text, severity) for severity, text in found]
    if not found:
        boxes = [paragraph("The checks of the data found nothing to warn of.")]
    missing = [name for name in DOMAINS if domains.get(name) is None]
    if missing and len(missing) < len(DOMAINS):
        boxes.append(
            callout(f"There is no forecast of {listing(missing)}: no facts came in for it, or nothing was published.")
        )
    more = [d for d in domains.values() if d]
    link = (
        note('What came in, what was left out and why: <a href="data_quality.html">data quality</a>.') if more else ""
    )
    return tag("div", "".join(boxes) + link, "warnings")


def history_note(domains: dict[str, Domain | None]) -> str:
    """Say for which domains no published forecast can be compared with an actual yet."""
    new = [d.name for d in domains.values() if d and not d.has_history]
    if not new:
        return ""
    return note(
        f"No month that was forecast and published for {listing(new)} has ended yet. So the past is compared with "
        "walk-forward forecasts: what the model would have said, from the data up to a cutoff. They are a back-test."
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
        f'with 80 % and 95 % intervals. <a href="{domain.name}.html">More on {domain.name}</a>'
    )
    return trend(domain, f"trend-{domain.name}", caption, small=True)
