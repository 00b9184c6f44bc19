"""What people changed of a forecast, on the pages: the overrides in force and what they do, and whether earlier ones helped."""

from html import escape

import pandas as pd

from forecasting.evaluation import FEW, value_added
from forecasting.ledger import Domain, Published, at, standing
from forecasting.report.domain_page import TALL
from forecasting.report.glossary import term
from forecasting.report.html import Cell, note, paragraph, table, tag
from forecasting.wording import (
    DASH,
    NO_PERCENTAGE,
    Amounts,
    amounts_in,
    change_pct,
    compact,
    count,
    is_known,
    month,
    number,
    override_amount,
    override_months,
    percent,
)

AGGREGATIONS = {"total": "the total", "region": "region", "category": "category", "series": "series"}


def section(published: str, domain: Domain) -> str:
    """Return the overrides of a domain's forecast in force, with what they do; a sentence where there is none."""
    file = Published(published)
    said = standing(file.overrides())
    said = said[(said["domain"] == domain.name) & (said["until"] >= domain.future["ds"].min())]
    if said.empty:
        return note(
            f"Nobody has changed the forecast of {domain.name}. With <code>make override FILE=…</code> it can be."
        )
    return effect(domain) + overrides_table(domain, said, file.not_applied(domain.manifest.run_id))


def effect(domain: Domain) -> str:
    """Say what the overrides make of the total, month by month."""
    rows = at(domain.future, "total").sort_values("ds")
    moved = rows[rows["override_value"].notna()]
    text = "Overrides stand beside the model's forecast; series, regions, categories and the total agree with them too."
    if moved.empty:
        return paragraph(f"{text} The total does not move.")
    moved = moved.assign(change=moved["final_value"] - moved["predicted_value"])
    amount = amounts_in(domain.unit, rows["predicted_value"], moved["change"])
    cells = [
        [
            month(row["ds"]),
            *(amount(row[name]) for name in ("predicted_value", "final_value")),
            amount(row["change"], plus=True),
            percent(change_pct(row["final_value"], row["predicted_value"]), plus=True),
            f"{amount(row['override_lo_80'])} to {amount(row['override_hi_80'])}",
        ]
        for row in moved.to_dict("records")
    ]
    head = ["Month", "Forecast", "With overrides", "Change", "Change %", "80 % range, moved"]
    return paragraph(text) + table(
        head, cells, f"The total with what people changed{amount.told(',')}", missing=NO_PERCENTAGE
    )


def overrides_table(domain: Domain, said: pd.DataFrame, lost: dict[int, str]) -> str:
    """Return the overrides, one row each: what, when, by whom and why; below it those that are not applied."""
    cells = [
        [
            str(row.override_id),
            f"{AGGREGATIONS.get(row.aggregation, escape(row.aggregation))} {escape(row.unique_id)}"
            if row.aggregation != "total"
            else "the total",
            override_months(row.first_month, row.until),
            override_amount(row.kind, row.amount),
            escape(row.who),
            escape(row.why),
            f"{row.made_at:%Y-%m-%d}",
        ]
        for row in said.itertuples()
    ]
    head = ["ID", "Of", "Months", "Override", "Who", "Why", "Made (UTC)"]
    body = table(
        head,
        cells,
        f"Overrides in force{Amounts(domain.unit).told(',')}",
        (0, 1, 2, 4, 5, 6),
        tall=len(cells) > TALL,
        sortable=True,
    )
    failed = [f"{key}: {text}" for key, text in lost.items() if key in set(said["override_id"])]
    return body + (note(f"Not applied, or not in all months: {escape('; '.join(failed))}.") if failed else "")


def helped(published: str, domain: Domain) -> str:
    """Return whether overrides that came due helped, by person and by reason; nothing where none has."""
    rows = Published(published).came_due(domain.name)
    own = rows[rows["own_override"].notna()]
    if own.empty:
        return ""
    tables = [
        added_table(domain, own, "who", "Person", "By person, at the series and sums that they overrode"),
        added_table(domain, own, "why", "Reason", "By reason, at the series and sums that were overridden"),
    ]
    total = value_added(at(rows, "total"))
    return tag("h4", "Did overrides help?") + answer(domain, own, total) + "".join(tables) + few(own)


def answer(domain: Domain, own: pd.DataFrame, total: pd.DataFrame) -> str:
    """Say what all overrides together added, where they were made and to the total."""
    whole = value_added(own).iloc[0]
    seen = f"{count(int(whole['n']), 'overridden forecast')} of {count(int(whole['n_months']), 'month')}"
    text = f"{seen} met the actual. {sentence(domain, whole)}"
    if len(total):
        text += f" For the total, which moves with them: {sentence(domain, total.iloc[0])}"
    return paragraph(
        f"{text} This is {term('FVA', 'forecast value added')} by people: the mean absolute error of the model's forecast less that of the "
        "override, on the same rows."
    )


def sentence(domain: Domain, row: pd.Series) -> str:
    """Say in a sentence what overrides added, and whether that is more than chance."""
    size, side = escape(compact(abs(row["fva"]), domain.unit)), "smaller" if row["fva"] > 0 else "larger"
    text = f"The mean error was {size} {side} with them" if row["fva"] else "The mean error was the same with them"
    if not is_known(row["lo"]):
        return f"{text}; one month tells nothing of chance."
    clear = row["lo"] > 0 or row["hi"] < 0
    return f"{text}, {'more than chance explains' if clear else 'which may be chance'}."


def added_table(domain: Domain, rows: pd.DataFrame, by: str, head: str, caption: str) -> str:
    """Return what overrides added by person or by reason."""
    found = value_added(rows, by)
    amount = amounts_in(domain.unit, *(found[name] for name in ("mae_forecast", "mae_override", "fva")))
    cells = [
        [
            escape(row["group"]),
            number(row["n"]),
            number(row["n_months"]),
            *(amount(row[name]) for name in ("mae_forecast", "mae_override")),
            Cell(amount(row["fva"], plus=True), float(row["fva"])),
            f"{amount(row['lo'], plus=True)} to {amount(row['hi'], plus=True)}" if is_known(row["lo"]) else DASH,
        ]
        for row in found.to_dict("records")
    ]
    titles = [head, "Forecasts", "Months", "MAE, model", "MAE, override", "FVA", "95 % interval"]
    return table(
        titles, cells, caption + amount.told(","), missing="needs two months", tall=len(cells) > TALL, sortable=True
    )


def few(own: pd.DataFrame) -> str:
    """Say how far the intervals can be trusted."""
    months = own["ds"].nunique()
    text = "The interval takes months for the observations, since the errors of one month share its surprise."
    if months < FEW:
        text += f" {count(months, 'month')} {'is' if months == 1 else 'are'} few: from {FEW} on it says more."
    return note(text)
