"""What changed since the last forecast, as the page shows it: a waterfall, and the same steps by month, region and category."""

from html import escape

import pandas as pd

from forecasting.ledger import FEW, SHOWN, Domain, at
from forecasting.models import model_name
from forecasting.report.bridges import BOTH, DATA, MODEL, PEOPLE, RESTATED, Bridge
from forecasting.report.domain_page import NAMES, TALL, parts
from forecasting.report.glossary import term
from forecasting.report.html import Cell, fold, note, paragraph, table
from forecasting.report.order import natural_order
from forecasting.report.periods import is_flow, span, together, word
from forecasting.report.rounding import adding_up, sums_note
from forecasting.wording import Amounts, amounts_in, change_pct, compact, count, is_known, month, number, percent

TITLES = {
    MODEL: "Change of model",
    DATA: "New data",
    BOTH: "New data and model",
    RESTATED: "Restated months",
    PEOPLE: "What people changed",
}
RESTATED_TEXT = (
    " Restated months: by how much the same months of the year before were restated, which is what a forecast that repeats last year takes "
    "over; what the model makes of the restatement beyond this stays in the step after it."
)
MEASURED_TEXT = (
    " Restated months: what the present model forecasts from the past as it is known now, less what it forecasts from the past as it was "
    "known for the forecast before."
)
PEOPLE_TEXT = (
    " What people changed: this forecast's overrides less those that the earlier one had in the same months; both ends have theirs "
    "in them."
)
SMALL = 0.25  # of the larger level: a change below it would hardly be seen if the bars began at zero


def summary(domain: Domain, bridge: Bridge | None) -> str:
    """Say what the present forecast is compared with and what the difference comes to."""
    if bridge is None:
        return paragraph(
            f"No earlier forecast of {domain.name} has been published, so there is nothing to compare this one with."
        )
    name = escape(model_name(bridge.champion))
    made = f"The forecast published before was made by the <strong>{name}</strong> model from data up to {month(bridge.cutoff)}"
    if bridge.other_unit is not None:
        units = f"It is in {escape(bridge.other_unit) or 'no known unit'}, this one in {escape(domain.unit) or 'no known unit'}"
        return paragraph(f"{made}. {units}, so the two cannot be compared.")
    if not bridge.months:
        return paragraph(f"{made}. It reaches no month that this one forecasts, so the two cannot be compared.")
    n, which = len(bridge.months), span(bridge.months)
    over = f"the {count(n, 'month')} that both forecast, {which}, the {word(domain)}"
    over = over if n > 1 else f"{which}, the one month that both forecast, it"
    return paragraph(f"{made}. For {over} {moved(domain, totals(domain, bridge))}.")


def moved(domain: Domain, total: pd.Series) -> str:
    """Say how far the total moved, as HTML."""
    before, after = (escape(compact(total[name], domain.unit)) for name in ("before", "after"))
    difference = total["after"] - total["before"]
    if difference == 0:
        return f"<strong>does not change</strong>: {after}"
    pct = change_pct(total["after"], total["before"])
    size = f"{'rises' if difference > 0 else 'falls'} by {escape(compact(abs(difference), domain.unit))}"
    if before == after:
        return f"<strong>{size}</strong>, hardly a change: {after}"
    size += f" ({percent(pct, plus=True)})" if is_known(pct) else ""
    return f"<strong>{size}</strong>, from {before} to {after}"


def totals(domain: Domain, bridge: Bridge) -> pd.Series:
    """Return before, the steps and after of the total, over all months compared."""
    return over_months(domain, bridge, at(bridge.rows, "total"))


def over_months(domain: Domain, bridge: Bridge, rows: pd.DataFrame) -> pd.Series:
    """Return before, the steps and after of one series, over all months compared: added up, of a stock averaged."""
    by_month = rows.groupby("ds")[["before", *bridge.steps, "after"]].sum()
    return pd.Series({name: together(domain, by_month[name]) for name in by_month})


def shown(row: pd.Series, steps: list[str], decimals: int) -> pd.Series:
    """Round a row so that before plus the steps is after, as it is shown: both ends by themselves, the steps to fit."""
    before, after = round(row["before"], decimals), round(row["after"], decimals)
    fitted = adding_up(list(row[steps]), round(after - before, decimals), decimals)
    return pd.Series({"before": before, **dict(zip(steps, fitted, strict=True)), "after": after})


def waterfall(domain: Domain, bridge: Bridge | None) -> str:
    """Return the way of the total as bars, one row per step; nothing where there is nothing to compare."""
    if bridge is None or not bridge.months:
        return ""
    exact = totals(domain, bridge)
    amount = amounts_in(domain.unit, exact[["before", "after"]], exact[bridge.steps])
    row = shown(exact, bridge.steps, amount.digits)
    ends = [row["before"], *(row["before"] + row[bridge.steps].cumsum()), row["after"]]
    low, high, is_cut = axis(ends)
    foot = 0.0 if not is_cut else low if low > 0 else high
    starts = [foot, *ends[:-2], foot]
    cells = []
    for i, (name, text) in enumerate(labels(domain, bridge).items()):
        is_level = name in ("before", "after")
        css = "level" if is_level else "above" if row[name] >= 0 else "below"
        picture = bar((starts[i], ends[i]), (low, high), css)
        cells.append([text, amount(row[name], plus=not is_level), picture])
    over = f"{span(bridge.months)}, {word(domain)}" if len(bridge.months) > 1 else span(bridge.months)
    body = table(["Step", "Amount", "Step by step"], cells, over + amount.told(","), (0, 2), total=True)
    return body + (note("The bars do not begin at zero: the change would hardly be seen.") if is_cut else "")


def labels(domain: Domain, bridge: Bridge) -> dict[str, str]:
    """Return the heading of each row of the waterfall, in order, with what it stands for below."""
    old, new = (escape(model_name(name)) for name in (bridge.champion, domain.champion))
    known = months_since(domain, bridge)
    which = "settings, code or libraries" if old == new else f"{new} instead of {old}"
    texts = {
        MODEL: which,
        DATA: "the same months, corrected" if bridge.is_same_cutoff else known,
        BOTH: f"{'months corrected' if bridge.is_same_cutoff else known}; {which}",
    }
    texts[PEOPLE] = "overrides of this forecast less those before"
    alone = [step for step in bridge.steps if step != PEOPLE] == [RESTATED]
    year_before = "the same months of the year before"
    texts[RESTATED] = "months published before" if alone or bridge.is_measured else year_before
    ends = [
        f"Forecast before<br><small>{old}, data up to {month(bridge.cutoff)}</small>",
        f"This forecast<br><small>{new}, data up to {month(domain.last_month)}</small>",
    ]
    steps = {name: f"{TITLES[name]}<br><small>{texts[name]}</small>" for name in bridge.steps}
    return {"before": ends[0], **steps, "after": ends[1]}


def months_since(domain: Domain, bridge: Bridge) -> str:
    """Say which months became known between the two forecasts."""
    months = [ds for ds in domain.actuals["ds"].unique() if ds > bridge.cutoff]
    return f"{span(months)} became known" if months else "what is known"


def axis(ends: list[float]) -> tuple[float, float, bool]:
    """Return where the bars' scale begins and ends, and whether it leaves out zero, as it does where the change is small."""
    low, high = min(ends), max(ends)
    room = high - low
    if low > 0 and 0 < room < SMALL * high:
        return low - room, high, True
    if high < 0 and 0 < room < SMALL * -low:
        return low, high + room, True
    return min(low, 0.0), max(high, 0.0), False


def bar(ends: tuple[float, float], scale: tuple[float, float], css: str) -> str:
    """Return one bar of the waterfall, with a line at the level that is reached; the number stands beside it."""
    width = (scale[1] - scale[0]) or 1.0
    x = [200 * (value - scale[0]) / width for value in ends]
    left, length = min(x), abs(x[1] - x[0])
    return (
        f'<svg class="step" viewBox="0 0 200 20" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{css}" x="{left:.1f}" y="4" width="{length:.1f}" height="12"/>'
        f'<line x1="{x[1]:.1f}" x2="{x[1]:.1f}" y1="0" y2="20"/></svg>'
    )


def method(domain: Domain, bridge: Bridge | None) -> str:
    """Say how the difference was split, or why it could not be."""
    if bridge is None or not bridge.months:
        return ""
    cutoff, same = month(bridge.cutoff), "The model, its settings and its code are the same"
    texts = {
        "": f"{same}, and so are the months, so all of the difference comes from months that were restated.",
        "data": f"{same}, so all of the difference comes from the data: the months that became known, and earlier ones that "
        "were restated.",
        "data, model": f"New data: what the model before forecast from data up to {month(domain.last_month)}, which was published "
        "too, less what it forecast before. Change of model: all the rest.",
        "model, data": f"Change of model: what the present model says from data up to {cutoff} (its {term('walk-forward')} forecast), less "
        "what was published then. New data: all the rest. The present model sees the earlier months as they are known today, so "
        "where one was restated, that counts with the model.",
        "model": "Both know the same data, so all of the difference comes from the model or its settings.",
        "both": f"What the present model would have said from data up to {cutoff} is not on record for these months, so new "
        "data and model cannot be told apart.",
    }
    made = [step for step in bridge.steps if step != PEOPLE]
    text = texts[", ".join(step for step in made if step != RESTATED)]
    if RESTATED in made:
        text += (MEASURED_TEXT if bridge.is_measured else RESTATED_TEXT) if len(made) > 1 else ""
    text += PEOPLE_TEXT if PEOPLE in bridge.steps else ""
    if bridge.is_same_cutoff:
        text = (
            "No forecast from data up to an earlier month has been published, so this one is compared with the forecast that was "
            f"published before it from the same months. {text}"
        )
    if bridge.again and made != [DATA, MODEL]:
        text += (
            f" From data up to {month(domain.last_month)} a forecast by the {escape(model_name(bridge.again))} model was published "
            "before this one; as no month lies between them, it is left out here."
        )
    return note(text)


def details(domain: Domain, bridge: Bridge | None) -> str:
    """Return the steps by region, and folded by category and by month; nothing where there is nothing to compare."""
    folded = by_part(domain, bridge, "category") + by_month(domain, bridge)
    title = "The change by category and by month" if parts(domain, "category") else "The change by month"
    return by_part(domain, bridge, "region") + (fold(title, folded) if folded else "")


def by_month(domain: Domain, bridge: Bridge | None) -> str:
    """Return the steps of the total, one row per month."""
    if bridge is None or len(bridge.months) < 2:
        return ""
    rows = at(bridge.rows, "total").set_index("ds")[["before", *bridge.steps, "after"]]
    exact = {month(ds): row for ds, row in rows.iterrows()}
    total = "Sum" if is_flow(domain) else "Mean"
    return steps_table(domain, bridge, "Month", exact, total, is_sum=is_flow(domain))


def by_part(domain: Domain, bridge: Bridge | None, aggregation: str) -> str:
    """Return the steps by region or category over all months compared; nothing where there is only one."""
    if bridge is None or not bridge.months or not parts(domain, aggregation):
        return ""
    column, rows = NAMES[aggregation], at(bridge.rows, aggregation)
    exact = {name: over_months(domain, bridge, rows[rows[column] == name]) for name in natural_order(rows[column])}
    head = aggregation.capitalize()
    if len(exact) <= FEW:
        return steps_table(domain, bridge, head, exact, "Total")
    most = sorted(exact, key=lambda name: -abs(exact[name]["after"] - exact[name]["before"]))[:SHOWN]
    words = note(f"The {SHOWN} of {number(len(exact))} whose forecast moved most.")
    return (
        steps_table(
            domain,
            bridge,
            head,
            {name: exact[name] for name in most},
            f"Total of all {number(len(exact))}",
            is_sum=False,
        )
        + words
    )


def steps_table(
    domain: Domain, bridge: Bridge, head: str, exact: dict[str, pd.Series], total: str, is_sum: bool = True
) -> str:
    """Return before, the steps and after, one row per name and the total last; a word where rounding shows."""
    last = totals(domain, bridge)
    every = pd.DataFrame([*exact.values(), last])
    amount = amounts_in(domain.unit, *(every[name] for name in every))
    rows = {name: shown(row, bridge.steps, amount.digits) for name, row in exact.items()}
    end = shown(last, bridge.steps, amount.digits)
    cells = [step_cells(escape(name), row, exact[name], bridge.steps, amount) for name, row in rows.items()]
    cells.append(step_cells(total, end, last, bridge.steps, amount))
    over = f", {word(domain)}" if head != "Month" and len(bridge.months) > 1 else ""
    caption = f"The change by {head.lower()}, {span(bridge.months)}{over}{amount.told(',')}"
    titles = [head, "Forecast before", *(TITLES[name] for name in bridge.steps), "This forecast"]
    tall, sortable = len(cells) > TALL, head != "Month"
    body = table(titles, cells, caption, tall=tall, total=True, sortable=sortable)
    check = (pd.DataFrame(exact).T, last, amount, (pd.DataFrame(rows).T, end))
    return body + (sums_note(*check) if is_sum else "")


def step_cells(name: str, row: pd.Series, exact: pd.Series, steps: list[str], amount: Amounts) -> list[str]:
    """Return the cells of one row: as shown, sorted by what they are."""
    return [
        name,
        *(
            Cell(amount(row[column], plus=column in steps), float(exact[column]))
            for column in ("before", *steps, "after")
        ),
    ]
