"""The first page: the headline, what to look at, what each domain is expected to come to and how sure that is, the files."""

from html import escape

import pandas as pd
from IPython.display import HTML

from forecasting.contracts import DOMAINS
from forecasting.ledger import Domain, Published, at
from forecasting.report import cover, expectation
from forecasting.report.bridges import Bridge, bridge
from forecasting.report.files import FILES, missing
from forecasting.report.findings import TOLD, look_at, ranked
from forecasting.report.glossary import term
from forecasting.report.html import bullets, fold, note, paragraph, table, tag
from forecasting.report.notices import notes, one_box, readable, texts_of
from forecasting.report.periods import is_flow
from forecasting.report.sums import Sum, name, of_months, points, year_end
from forecasting.wording import between, compact, count, listing, month, signed


def header(domains: dict[str, Domain | None], company: str | None = None) -> str:
    """Return the page's title and what it covers; the company is called as the workspace where nothing else is said."""
    present = [d for d in domains.values() if d]
    company = company or next((d.manifest.workspace for d in present if d.manifest.workspace), "")
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


def headline(domains: dict[str, Domain | None], paths: dict[str, pd.DataFrame]) -> str:
    """Say in one sentence what comes next month and this year, and what weighs most of all findings that a headline can hold."""
    present = [d for d in domains.values() if d]
    lead = next((d for d in present if len(points(d))), None)
    if lead is None:
        return ""
    first, year = of_months(lead, [points(lead).index[0]], paths[lead.name]), year_end(lead, paths[lead.name])
    doubt = ", in doubt" if texts_of(lead, "high") else ""
    parts = [f"{first.months[0]:%B} {what(lead)} {changed(lead, first)}{doubt}"]
    if year and is_flow(lead):
        parts.append(f"{name(year)} {changed(lead, year)}")
    found = next((one.head for one in ranked(present) if one.head), "")
    return tag("p", escape("; ".join([*parts, found] if found else parts) + "."), "headline")


def what(domain: Domain) -> str:
    """Return what a domain counts in a sentence: «sales», «operating profit»."""
    return domain.measure if domain.name == "profit" else domain.name


def changed(domain: Domain, found: Sum) -> str:
    """Write an amount with its change on the year before, «8.10 M EUR (+11.7 %)»."""
    text = compact(found.value, domain.unit)
    return text if found.before is None else f"{text} ({signed(found.value, found.before, domain.unit)})"


def warnings(domains: dict[str, Domain | None]) -> str:
    """Return the warnings that put a forecast in doubt, in full, each once with the domains that it is of; they come before all else."""
    of: dict[str, list[str]] = {}
    for domain in domains.values():
        for text in texts_of(domain, "high") if domain else []:
            of.setdefault(text, []).append(domain.name)
    return (
        tag("div", one_box("high", {text: listing(names).capitalize() for text, names in of.items()}), "warnings")
        if of
        else ""
    )


def exceptions(domains: dict[str, Domain | None]) -> str:
    """Return what to look at, ranked by money and surprise; folded below it what weighs less, and what there are no facts of."""
    present = [d for d in domains.values() if d]
    if not present:
        return ""
    found, rest = look_at(present, absent(domains))
    beside = "Beside the warnings above, nothing" if warnings(domains) else "Nothing"
    shown = found or paragraph(f"{beside} stands out in these forecasts.")
    more = fold(f"{count(rest.count('<li>'), 'more point')} to look at", rest, "notes") if rest else ""
    more += notes(present, named=True, without=TOLD)
    link = 'What came in and what was left out: <a href="data_quality.html">data quality</a>.'
    about = note(f"A {term('series')} is one region and product category. {link}")
    return tag("section", tag("h2", "What to look at") + shown + more + about, "look brief")


def absent(domains: dict[str, Domain | None]) -> list[str]:
    """Say of which domains there is no forecast, or no new one, and why."""
    present = [d for d in domains.values() if d]
    reasons = {
        name: why for d in present for name, why in d.manifest.facts.missing.items() if is_older(domains.get(name), d)
    }
    found = [
        f"There is no {'new ' if domains.get(name) else ''}forecast of {name}: {readable(why)}"
        for name, why in reasons.items()
    ]
    missing = [name for name in DOMAINS if domains.get(name) is None and name not in reasons]
    if missing:
        found.append(f"There is no forecast of {listing(missing)}: no facts came in, or nothing was published.")
    return found


def expected(published: str, domains: dict[str, Domain | None], paths: dict[str, pd.DataFrame]) -> list[HTML]:
    """Return what each domain is expected to come to: message, chart, figures, and why; `paths` of the function of this name."""
    before = bridges(published, domains)
    present = [d for d in domains.values() if d]
    return [HTML(expectation.section(d, paths[d.name], before[d.name], has_key=d is present[0])) for d in present]


def months(domains: dict[str, Domain | None]) -> str:
    """Return the coming months of all domains side by side, which the brief shows; on the page each domain has its own."""
    shown = [(d, points(d), at(d.future, "total").set_index("ds")) for d in domains.values() if d and len(points(d))]
    if not shown:
        return ""
    rows = [
        [month(ds), *(cell for _, values, ends in shown for cell in month_cells(ds, values, ends))]
        for ds in sorted(set().union(*(values.index for _, values, _ in shown)))
    ]
    units = {d.unit for d, _, _ in shown}
    shared = units.pop() if len(units) == 1 else ""
    heads = [what(d).capitalize() + (f", {d.unit}" if d.unit and not shared else "") for d, _, _ in shown]
    head = ["Month", *(cell for name in heads for cell in (name, "Range"))]
    unit = f", in {shared}" if shared else ""
    found = table(head, rows, f"The coming months{unit}, with the range that should hold eight of ten")
    return tag("section", found, "months", hidden="")


def month_cells(ds: pd.Timestamp, values: pd.Series, ends: pd.DataFrame) -> tuple[str, str]:
    """Return one month of a domain and its range; nothing where it is not forecast."""
    if ds not in values.index:
        return "", ""
    ends_at = escape(between(ends.loc[ds, "lo_80"], ends.loc[ds, "hi_80"]))
    return escape(compact(values[ds])), f"<small>{ends_at}</small>"


def paths(published: str, domains: dict[str, Domain | None]) -> dict[str, pd.DataFrame]:
    """Return for each domain what was forecast of its total at each cutoff (`Published.paths`)."""
    return {name: Published(published).paths(name) for name, domain in domains.items() if domain}


def stock_cover(domains: dict[str, Domain | None]) -> str:
    """Return stock cover as a row of its own, or why there is none, and how to read the rows."""
    if not any(domains.values()):
        return ""
    return tag("div", cover.row(domains), "kpis") + legend(domains)


def legend(domains: dict[str, Domain | None]) -> str:
    """Say how the figures are to be read, and what last month is compared with where nothing published has ended."""
    text = (
        "▲ and ▼ compare with the same months of the year before. The usual miss is the mean error of the total in % of "
        "the mean actual, at past months of which the models did not know."
    )
    return note(text) + history_note(domains)


def bridges(published: str, domains: dict[str, Domain | None]) -> dict[str, Bridge | None]:
    """Return for each domain the way from the forecast published before; None where there was none."""
    return {name: bridge(published, domain) for name, domain in domains.items() if domain}


def is_older(domain: Domain | None, other: Domain) -> bool:
    """Say whether a domain is known up to an earlier month than the other, or not at all."""
    return domain is None or domain.last_month < other.last_month


def history_note(domains: dict[str, Domain | None]) -> str:
    """Say for which domains no published forecast can be compared with an actual yet."""
    new = [d.name for d in domains.values() if d and not d.has_history]
    if not new:
        return ""
    return note(
        f"No month that was forecast and published for {listing(new)} has ended yet. So last month is compared with a {term('back-test')}: "
        "what the same model would have said with the data of the time."
    )


def files_section(domains: dict[str, Domain | None]) -> str:
    """Return links to the files beside the pages, with what each holds, and what it leaves out where there are very many series."""
    less = missing([domain for domain in domains.values() if domain])
    texts = {name: f"{what} {less[name]}" if name in less else what for name, what in FILES.items()}
    return bullets([f'<a class="file" href="{name}">{name}</a>: {escape(what)}' for name, what in texts.items()])


def editions_place() -> str:
    """Return the place of the links to earlier editions, which rendering fills in; empty it takes no room."""
    return tag("section", "", id="editions")
