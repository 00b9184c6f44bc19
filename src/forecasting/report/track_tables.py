"""The published forecasts' accuracy in words and tables: by lag, and month by month."""

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report.glossary import term
from forecasting.report.html import Cell, bullets, fold, paragraph, table
from forecasting.report.track_chart import ahead
from forecasting.report.track_exceptions import outside
from forecasting.report.track_record import SIGNAL_LIMIT, Coverage, Measures, Together, by_lag, said, signals
from forecasting.wording import DASH, SPACE, Amounts, amounts_in, compact, count, month, number, percent, share

SHOWN = 12  # rows from which a table is folded or scrolls
HEAD = [
    "Forecasts",
    "Bias",
    "MAE",
    "WAPE",
    "MASE",
    "Stability",
    "Tracking signal",
    "Inside 80 %",
    "Inside 95 %",
    "FVA",
]
MISSING = "cannot be computed: nothing to divide by, or no seasonal naive or earlier forecast beside it"


def ratio(value: float | None, decimals: int = 2, plus: bool = False) -> str:
    """Write a number without a unit; unknown is a dash."""
    return number(value, decimals, plus)


def span(found: Measures) -> str:
    """Write the months that forecasts were made for, «14 months, May 2022 to Jun 2023»."""
    first, last = month(found.first, short=True), month(found.last, short=True)
    return f"{count(found.months, 'month')}, {first if first == last else f'{first} to {last}'}"


def answer(domain: Domain, record: pd.DataFrame) -> str:
    """Say in a few sentences how good the forecasts of the total with the shortest lag were."""
    found = by_lag(at(record, "total"))[0]
    text = f"Over {span(found)}, the forecast {said(record)} {ahead(found.lag)} {missed(domain, found)}"
    gain = found.fva_share
    if gain is not None:
        word = "less" if gain > 0 else "more"
        than = f"than repeating the same month of last year (the {term('seasonal naive')}) would have"
        text += f"; that is {share(abs(gain), 0)} {word} {than}" if round(abs(gain), 2) else f", as much as {than[5:]}"
    return paragraph(
        f"{text}. {leaning(found)} {held(found.coverage_80)} {held(found.coverage_95)} {moved(found, record)}".strip()
    )


def inside_title(record: pd.DataFrame) -> str:
    """Say how many actuals of the total lay inside their 80 % range, of the forecasts with the shortest lag."""
    found = by_lag(at(record, "total"))[0]
    held = found.coverage_80
    of = f"{number(held.inside)} of {count(held.n, 'actual')} of the total"
    return f"{of} lay inside the 80{SPACE}% range of the forecast {said(record)} {ahead(found.lag)}"


def missed(domain: Domain, found: Measures) -> str:
    """Say by how much forecasts of the total missed it; as an amount where every actual was 0."""
    if found.mae == 0:
        return "met the total exactly"
    if found.wape is None:
        return f"missed the total, which was 0 each month, by {compact(found.mae, domain.unit)} ({term('MAE')})"
    return f"missed the total by {share(found.wape)} ({term('WAPE')})"


def leaning(found: Measures) -> str:
    """Say whether the forecasts were too high or too low, and whether that is more than chance."""
    if found.bias_share is None or found.bias == 0:
        text = "On average it was neither too high nor too low"
    else:
        size = share(abs(found.bias_share)) if round(abs(found.bias_share), 3) else f"less than {share(0.001)}"
        text = f"On average it was {size} too {'high' if found.bias > 0 else 'low'}"
    signal = found.signal
    if signal is None or abs(signal) <= SIGNAL_LIMIT:
        return f"{text}."
    side = "high" if signal > 0 else "low"
    return (
        f"{text}; <strong>the {term('tracking signal')} of {ratio(signal, 1, plus=True)} warns that it keeps being "
        f"too {side}</strong>."
    )


def held(found: Coverage) -> str:
    """Say how many actuals of the total lay inside an interval, and whether that is in keeping with its level."""
    inside = f"{number(found.inside)} of {count(found.n, 'actual')} lay in the {percent(found.level, 0)} interval"
    if found.verdict == "unknown":
        return f"{inside}; so few months tell nothing of it."
    verdict = {
        "fair": "",
        "narrow": ": <strong>it was too narrow</strong>",
        "wide": ": <strong>it was wider than need be</strong>",
    }[found.verdict]
    return f"{inside}, where {expected(found)} are to be expected{verdict}."


def expected(found: Coverage) -> str:
    """Write how many months one expects inside, «8 to 14»."""
    low, high = found.low, found.high
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def moved(found: Measures, record: pd.DataFrame) -> str:
    """Say how far the forecast of a month moved since the month before; nothing where there was none before."""
    if found.masc is None or found.change_share is None:
        return ""
    reports = "month's report" if record["kind"].iloc[0] == "published" else "month"
    return (
        f"From one {reports} to the next, the forecast for the same month moved by {share(found.change_share)} of its size, "
        f"{ratio(found.masc)} of a typical error ({term('stability')})."
    )


def covered(found: Coverage) -> Cell:
    """Write a coverage with what one expects of so many months below it; a warning where it lies outside."""
    mark = {"narrow": " (too few)", "wide": " (too many)"}.get(found.verdict, "")
    low, high = 100 * found.low / found.months, 100 * found.high / found.months
    below = f"expected {number(low)} to {percent(high, 0)}" if found.verdict != "unknown" else "too few months to tell"
    return Cell(f"{share(found.share, 0)}{mark}<br><small>{below}</small>", found.share)


def together(rows: pd.DataFrame) -> list[Together]:
    """Return the measures of rows of one aggregation for each lag, with how many nodes they are and how many lean to one side."""
    leaning_too_far = outside(signals(rows))
    nodes = rows.groupby("lag")["unique_id"].nunique()
    return [Together(one, int(nodes[one.lag]), int((leaning_too_far["lag"] == one.lag).sum())) for one in by_lag(rows)]


def lag_table(
    domain: Domain, record: pd.DataFrame, aggregation: str, caption: str, measured: list[Together] | None = None
) -> str:
    """Return one row per lag of the total, or of all nodes of an aggregation together; `measured` where these are too many to be read."""
    rows = at(record, aggregation)
    found = together(rows) if measured is None else measured
    if not found:
        return ""
    shown = ([getattr(each.measures, name) for each in found] for name in ("bias", "mae", "fva"))
    amount = amounts_in(domain.unit, *(pd.Series(values, dtype=float) for values in shown))
    cells = []
    for one, n_series, n in ((each.measures, each.n_series, each.n_leaning) for each in found):
        several = f"{number(n)} of {number(n_series)}<br><small>beyond ±{SIGNAL_LIMIT:.0f}</small>"
        cells.append(lag_row(one, amount, signal_text(one.signal) if aggregation == "total" else several))
    caption += amount.told("; bias, MAE and FVA")
    return table([said(record).capitalize(), *HEAD], cells, caption, missing=MISSING)


def signal_text(signal: float | None) -> str:
    """Write a tracking signal; beyond the limit it says so."""
    text = ratio(signal, 1, plus=True)
    return f"<strong>{text} (warning)</strong>" if signal is not None and abs(signal) > SIGNAL_LIMIT else text


def lag_row(found: Measures, amount: Amounts, signal: str) -> list[str]:
    """Return the cells of one lag, in the order of HEAD."""
    first, last = month(found.first, short=True), month(found.last, short=True)
    return [
        f"{ahead(found.lag)}<br><small>{first if first == last else f'{first} to {last}'}</small>",
        number(found.n),
        with_share(amount(found.bias, plus=True), share(found.bias_share, plus=True)),
        amount(found.mae),
        share(found.wape),
        ratio(found.mase),
        with_share(ratio(found.masc), share(found.change_share)),
        signal,
        covered(found.coverage_80),
        covered(found.coverage_95),
        with_share(amount(found.fva, plus=True), share(found.fva_share, 0, plus=True)),
    ]


def with_share(amount: str, part: str) -> str:
    """Write an amount with its share below it, as HTML; a dash alone where neither is known."""
    return amount if amount == DASH else f"{amount}<br><small>{part}</small>"


def reading() -> str:
    """Return how the columns are to be read, with the terms linked."""
    items = [
        f"{term('Bias')}: prediction − actual, so above zero is too high; in % of the mean size of the actuals.",
        f"{term('MAE')}, {term('WAPE')} and {term('MASE')}: the mean error, the same in % of the actuals, and in errors of "
        "repeating last year within the history (below 1 is better than that).",
        f"{term('Stability')}: how far the forecast moved since the one that was published a month before for the same month, in errors of "
        "repeating last year within the history (MASC, so it can be read beside MASE; 0 never moves), and in % of its size. The longest "
        "lag has no forecast before it.",
        f"{term('Tracking signal')}: the sum of the errors ÷ their mean size. Beyond ±{SIGNAL_LIMIT:.0f} they no longer "
        "cancel out, and the forecast leans to one side. It cannot pass the number of months, so a few months never warn.",
        f"Inside 80 %, inside 95 %: the {term('coverage')}, and below it what intervals of that level lead to expect of so many "
        "months (95 % of a binomial distribution; the series of one month count as one, because they share its surprises).",
        f"{term('FVA')}: the mean error of the {term('seasonal naive')} stored beside each forecast, minus the forecast's own; "
        "in % of the seasonal naive's.",
        "Forecasts made 3 and 6 months before overlap: one surprise is in several of them, so bad months come in a row.",
    ]
    return fold("How to read these tables", bullets([text.replace(" %", "\N{NO-BREAK SPACE}%") for text in items]))


def months_table(domain: Domain, record: pd.DataFrame) -> str:
    """Return the figures behind the chart of the total: one row per month, the forecast and its error for each lag."""
    rows = at(record, "total")
    lags, amount = sorted(rows["lag"].unique()), amounts_in(domain.unit, rows["actual"], rows["error"])
    cells = []
    for ds, part in sorted(rows.groupby("ds"), reverse=True):
        made = part.set_index("lag")
        row = [month(ds, short=True), amount(part["actual"].iloc[0])]
        for lag in lags:
            known = made.loc[lag] if lag in made.index else {"predicted_value": None, "error": None}
            row += [amount(known["predicted_value"]), amount(known["error"], plus=True)]
        cells.append(row)
    head = [
        "Month",
        "Actual",
        *(text for lag in lags for text in (f"{said(record).capitalize()} {ahead(lag)}", "Error")),
    ]
    caption = f"The total month by month{amount.told(',')}; error = prediction − actual"
    body = table(head, cells, caption, missing=f"nothing was {said(record)} so long before", tall=len(cells) > SHOWN)
    return fold("The total month by month", body)
