"""The published forecasts measured against the actuals as they are known now, beside those first known, where the two differ."""

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report.glossary import term
from forecasting.report.html import fold, paragraph, table
from forecasting.report.track_chart import ahead
from forecasting.report.track_record import Measures, by_lag
from forecasting.wording import Amounts, amounts_in, count, listing, month, number, share

KEY = ["aggregation", "unique_id", "ds"]
LEVELS = {"total": "The total", "series": "Single series together"}
CENT = 0.005  # in the unit: below it a restated actual is the same number


def as_known_now(domain: Domain, record: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `load_record` with the actuals that are known now; those of months that are gone stay as first known."""
    rows = record.merge(domain.actuals[[*KEY, "y"]], on=KEY, how="left")
    actual = rows["y"].fillna(rows["actual"])
    return rows.assign(actual=actual, error=rows["predicted_value"] - actual).drop(columns="y")


def section(domain: Domain, record: pd.DataFrame) -> str:
    """Say what the restatement of past months would change in the figures; nothing where no month that counts was restated."""
    now = as_known_now(domain, record)
    changed = now[(now["actual"] - record.set_axis(now.index)["actual"]).abs() > CENT]
    if changed.empty:
        return ""
    first, later = (by_lag(at(rows, "total"))[0] for rows in (record, now))
    months = listing([month(ds, short=True) for ds in sorted(changed["ds"].unique())[-6:]])
    n = count(changed["ds"].nunique(), "of these months was", "of these months were")
    text = (
        f"Since then {n} {term('restated')}, in the total or in a part (the latest: {months}). Against the actuals as they are known "
        f"now, the forecast of the total published {ahead(first.lag)} missed it by {share(later.wape)}, where {share(first.wape)} is "
        "counted: the figures go on counting what was first known. What was restated and what that did to the forecasts: "
        f'<a href="data_quality.html#restated-{domain.name}">data quality</a>.'
    )
    body = "".join(both_table(domain, record, now, level) for level in LEVELS if level not in domain.in_sight)
    return paragraph(text) + fold("Against the actuals as first known and as known now", body)


def both_table(domain: Domain, record: pd.DataFrame, now: pd.DataFrame, level: str) -> str:
    """Return one row per lag: the measures against first-known actuals and against those known now."""
    pairs = list(zip(by_lag(at(record, level)), by_lag(at(now, level)), strict=True))
    amount = amounts_in(domain.unit, pd.Series([each.bias for pair in pairs for each in pair], dtype=float))
    rows = [[ahead(one.lag), number(one.n), *measured(one, other, amount)] for one, other in pairs]
    head = ["Published", "Forecasts"]
    head += [f"{name}, {which}" for name in ("WAPE", "MASE", "Bias") for which in ("first known", "known now")]
    return table(head, rows, f"{LEVELS[level]}, by lag{amount.told('; bias')}", missing="cannot be computed")


def measured(one: Measures, other: Measures, amount: Amounts) -> list[str]:
    """Return the cells of a lag: each measure as first known and as known now."""
    pair = (one, other)
    wape, mase = [share(each.wape) for each in pair], [number(each.mase, 2) for each in pair]
    return [*wape, *mase, *(amount(each.bias, plus=True) for each in pair)]
