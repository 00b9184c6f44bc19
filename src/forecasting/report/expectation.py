"""What a domain is expected to come to, on the first page: a chart with its message as title, the figures beside it, and why."""

from dataclasses import replace
from html import escape

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report import picture
from forecasting.report.bridges import Bridge
from forecasting.report.champion import misses
from forecasting.report.findings import missed, subject
from forecasting.report.html import bullets, note, tag
from forecasting.report.kpi import key_figures, marked
from forecasting.report.notices import texts_of
from forecasting.report.periods import is_flow, named, span
from forecasting.report.summary import last_month, reasons, since
from forecasting.report.sums import (
    Sum,
    caption,
    changed_to,
    name,
    next_quarter,
    of_months,
    open_month,
    points,
    year_end,
)
from forecasting.wording import (
    SPACE,
    between,
    capital,
    compact,
    count,
    day,
    is_known,
    is_nothing,
    month,
    percent,
    share,
    signed,
)

WIDTH, HEIGHT = 100.0, 12.0  # of the drawing of a range
KEY = "Bars: the range that should hold eight of ten outcomes; dark mark: the forecast; light mark: a year before."
SAME = 0.01  # of the month a year before: what differs by less is about the same


def section(domain: Domain, paths: pd.DataFrame, before: Bridge | None, has_key: bool = False) -> str:
    """Return the section of a domain: its message, the chart, the figures, why; the first one of a page says how to read the bars."""
    chart = picture.picture(domain, paths).html()
    key = note(KEY) if has_key else ""
    body = tag("div", chart, "seen") + tag("div", figures(domain, paths) + key, "figures")
    return tag("section", heading(domain) + body + words(domain, before), "expect", id=f"figures-{domain.name}")


def heading(domain: Domain) -> str:
    """Return the section's title: the domain, and what is to be seen in its chart."""
    return tag("h2", f'<a href="{domain.name}.html">{escape(subject(domain))}</a> {escape(message(domain))}')


def message(domain: Domain) -> str:
    """Say what the coming months bring against the year before, and where they are below zero or highest."""
    coming, known = points(domain), at(domain.actuals, "total").set_index("ds")["y"]
    if coming.empty:
        return "has no published forecast"
    verb = "are" if domain.name == "sales" else "is"
    before = pd.Series([known.get(ds - pd.DateOffset(years=1), float("nan")) for ds in coming.index], coming.index)
    text = f"{verb} expected {against(coming, before) if before.notna().all() else f'for {span(coming.index)}'}"
    below = coming[coming < 0]
    if len(below):
        return f"{text}, below zero in {named(below.index, year=False)}"
    return f"{text}, highest in {coming.idxmax():%B}" if len(coming) > 1 and coming.max() > coming.min() else text


def against(coming: pd.Series, before: pd.Series) -> str:
    """Say in how many of the coming months more, or less, is expected than a year before; what differs by next to nothing is neither."""
    n, next_to_nothing = len(coming), SAME * before.abs()
    above, below = (int((difference > next_to_nothing).sum()) for difference in (coming - before, before - coming))
    side, most = ("above", above) if above >= below else ("below", below)
    if 2 * most <= n:
        return "about as last year" if not (above and below) else "partly above and partly below last year"
    if n == 1:
        return f"{side} last year next month"
    return f"{side} last year in {'all' if most == n else f'{most} of'} {n} months"


def figures(domain: Domain, paths: pd.DataFrame) -> str:
    """Return the key figures: the next month, the next three, the year, and the open month so far where its facts came in."""
    coming = points(domain)
    if coming.empty:
        return tag("p", f"No forecast of {domain.name} was published.")
    first = of_months(domain, [coming.index[0]], paths)
    quarter, year = next_quarter(domain, paths), year_end(domain, paths)
    tiles = [
        tile(
            domain,
            month(coming.index[0]),
            published_range(domain, first),
            "next",
            f"on {month(ago(first), short=True)}",
        )
    ]
    if quarter:
        title = span(quarter.months) if is_flow(domain) else f"End of {month(quarter.months[-1])}"
        tiles.append(tile(domain, title, quarter, "", "on the year"))
    if year and (is_flow(domain) or year.months[-1] not in (first.months[-1], quarter and quarter.months[-1])):
        title = capital(name(year)) if is_flow(domain) else f"End of {month(year.months[-1])}"
        tiles.append(tile(domain, title, year, "", "on the year"))
    return tag("div", "".join([*tiles, so_far(domain)]), "tiles") + trust(domain)


def ago(found: Sum) -> pd.Timestamp:
    """Return the last month of a year before."""
    return found.months[-1] - pd.DateOffset(years=1)


def published_range(domain: Domain, found: Sum) -> Sum:
    """Return a single month with the range that was published for it."""
    row = at(domain.future, "total").set_index("ds").loc[found.months[0]]
    return replace(found, low=row["lo_80"], high=row["hi_80"], n=0)


def tile(domain: Domain, title: str, found: Sum, css: str, than: str) -> str:
    """Return one figure with its change on the year before and its range as a bar, and beside it what people changed."""
    texts = [on_year(found, domain.unit, than)]
    texts += [f"{count(found.n_known, 'month')} of it known"] if found.n_known else []
    people = changed_to(domain, found)
    texts += [f"people changed it to {compact(people, domain.unit)}"] if people is not None else []
    lines = [
        tag("p", leading(domain, title, caption(found)), "label"),
        tag("p", escape(compact(found.value, domain.unit)), "value"),
        tag("p", escape("; ".join(texts)), "more"),
        bar(found, domain.unit),
    ]
    return tag("div", "".join(lines), f"tile {css}".strip())


def leading(domain: Domain, title: str, hint: str = "") -> str:
    """Return a figure's title as a link to the domain's page, which lies over the whole figure; `hint` is told where one points."""
    hints = {"title": hint} if hint else {}
    return tag(
        "a", escape(title), "whole", href=f"{domain.name}.html", aria_label=f"{title}: more on {domain.name}", **hints
    )


def on_year(found: Sum, unit: str, than: str) -> str:
    """Compare a figure with the year before."""
    if found.before is None:
        return "the year before is not known"
    change = signed(found.value, found.before, unit)
    return "about as a year before" if is_nothing(change) else f"{marked(found.value - found.before, change)} {than}"


def bar(found: Sum, unit: str) -> str:
    """Return a range as a drawing: the band, the value in it, last year as a mark below; the ends are written beside it."""
    if not (is_known(found.low) and is_known(found.high)):
        return tag("p", escape(caption(found)), "more")
    places = {"low": found.low, "high": found.high, "value": found.value}
    places |= {"before": found.before} if found.before is not None else {}
    least, room = min(places.values()), (max(places.values()) - min(places.values())) or 1.0
    x = {end: 2 + (WIDTH - 4) * (value - least) / room for end, value in places.items()}
    marks = [
        f'<rect class="band" x="{x["low"]:.1f}" y="4" width="{max(x["high"] - x["low"], 0.5):.1f}" height="4"/>',
        f'<rect class="point" x="{x["value"] - 1:.1f}" y="1" width="2" height="10"/>',
    ]
    if found.before is not None:
        marks.append(f'<rect class="before" x="{x["before"] - 0.5:.1f}" y="2" width="1" height="8"/>')
    text = f"80{SPACE}% range {between(found.low, found.high, unit)}"
    label = f"{text}; last year {compact(found.before, unit)}" if found.before is not None else text
    drawn = (
        f'<svg class="drawing range" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}"><title>{escape(f"{label}; {caption(found)}")}</title>{"".join(marks)}</svg>'
    )
    return drawn + tag("p", escape(f"80{SPACE}%: {between(found.low, found.high)}"), "more ends")


def so_far(domain: Domain) -> str:
    """Return the open month's sales so far beside their forecast; nothing where there is none."""
    known = open_month(domain)
    if known is None:
        return ""
    coming = points(domain)[known.ds]
    part = (
        f"{percent(100 * known.amount / coming)} of its forecast" if coming > 0 <= known.amount else "not a whole month"
    )
    until = f", to {day(known.until)}" if known.until is not None else ""
    lines = [
        tag("p", leading(domain, f"{known.ds:%B} so far"), "label"),
        tag("p", escape(compact(known.amount, domain.unit)), "value"),
        tag("p", escape(f"{part}, not used in it; {count(known.n, 'fact')}{until}"), "more"),
    ]
    return tag("div", "".join(lines), "tile open")


def trust(domain: Domain) -> str:
    """Say how far forecasts of the total usually missed, and repeating last year, with the number they rest on."""
    mine, naive, n = misses(domain)
    doubt = tag("strong", "In doubt: see the warning. ") if texts_of(domain, "high") else ""
    if not is_known(mine):
        return tag(
            "p",
            f"{doubt}How far it usually misses is not known: the history is too short to try it on the past.",
            "trust",
        )
    text = f"{doubt}<strong>Usual miss ±{share(mine)}</strong>"
    if is_known(naive) and domain.champion != "seasonal_naive":
        text += f"; repeating last year ±{share(naive)}"
    why = tag("span", f', <a href="model_card.html#{domain.name}">why this forecast</a>', "elsewhere")
    return tag("p", f"{text} ({count(n, 'past forecast')}{why})", "trust")


def words(domain: Domain, before: Bridge | None) -> str:
    """Return in words what no figure says: what makes the difference, how last month ended, what changed since the last forecast.

    A month that ended outside its range is among what to look at, and not said again.
    """
    known = key_figures(domain)
    found = [reasons(domain, known) if known.coming else ""]
    found += [] if any(one.head for one in missed(domain)) else [last_month(domain, known)]
    found += [since(domain, known, before) if known.coming else ""]
    return tag("div", bullets([text for text in found if text]), "words")
