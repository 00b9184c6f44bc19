"""What the data check says of a training set, in plain English: warnings, most severe first.

The tables behind the sentences (`check_tables`) and the hard stop (`forecastable`) are offered here too. `facts` is a
domain's facts.json: what came in, which months were left out and why.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import ALL, FLOWS, SEASON_LENGTH
from forecasting.run import Facts
from forecasting.training_set.check_tables import (
    SHORT_MONTHS,
    Unusual,
    gaps,
    listed,
    month_names,
    outliers,
    series_table,
    spikes,
    sudden_falls,
)
from forecasting.training_set.forecastable import COMPARE_MONTHS, months_text, require_forecastable, span

__all__ = ["Unusual", "gaps", "outliers", "require_forecastable", "series_table", "spikes", "sudden_falls", "warnings"]

MANY_IMPUTED = 0.20  # share of the rows
SOME_IMPUTED = 0.05
SEVERITIES = ("high", "medium", "low")
NOTHING = {"sales": "no sales", "inventory": "no stock", "profit": "neither sales nor cost"}
LAST_SEEN = {"sales": "last sale", "inventory": "last stock", "profit": "last sale or cost"}

Warnings = list[dict[str, str]]


def warnings(train: pd.DataFrame, domain: str, facts: dict[str, Any], unusual: Unusual | None = None) -> Warnings:
    """Say what a reader of the forecasts must know about the data: `severity`, `code`, `text`, most severe first.

    severity is high (the forecast is in doubt), medium (it is weaker or narrower than it could be) or low (for
    information); code is a name for programs. `unusual`: of this training set, where that is known already.
    """
    if train.empty:
        return [_warning("high", "no_data", f"There are no closed months of {domain}.")]
    table, known, unusual = series_table(train), Facts.from_json(facts), unusual or Unusual.of(train)
    found = [warning for check in CHECKS for warning in check(train, table, domain, known, unusual)]
    return sorted(found, key=lambda warning: SEVERITIES.index(warning["severity"]))


def _warning(severity: str, code: str, text: str) -> dict[str, str]:
    return {"severity": severity, "code": code, "text": text}


def _empty_last_month(
    train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual
) -> Warnings:
    """Living series without a value in the last month, and what that did to the total."""
    last = train["ds"].max()
    zero = train.loc[(train["ds"] == last) & (train["y"] == 0), "unique_id"]
    empty = table[table["unique_id"].isin(zero) & (table["status"] != "ended")]
    if (empty["status"] == "intermittent").all():
        return []
    silent = (empty["status"] == "silent").any()
    text = (
        f"{_count(empty, table, 'has', 'have')} {NOTHING[domain]} in {last:%Y-%m}"
        f"{_last_seen(empty, domain)}: {listed(list(empty['unique_id']))}."
    )
    if silent:
        text += _fall_of_total(train, domain)
    return [_warning("high" if silent else "low", "empty_last_month", text)]


def _count(some: pd.DataFrame, table: pd.DataFrame, one: str, many: str) -> str:
    """Return "1 of 40 series has" or "15 of 40 series have"."""
    return f"{len(some)} of {len(table)} series {one if len(some) == 1 else many}"


def _last_seen(series: pd.DataFrame, domain: str) -> str:
    """Return " (their last sale was in 2013-11)", or between which months the last values lie."""
    months = month_names(series["last_nonzero_month"].dropna().drop_duplicates())
    if not months:
        return ""
    whose = "its" if len(series) == 1 else "their"
    when = f"in {months[0]}" if len(months) == 1 else f"between {months[0]} and {months[-1]}"
    return f" ({whose} {LAST_SEEN[domain]} was {when})"


def _fall_of_total(train: pd.DataFrame, domain: str) -> str:
    """Return how far the total fell in the last month, as a sentence; empty where it did not fall."""
    total = train.groupby("ds")["y"].sum().sort_index()
    last = total.index[-1]
    parts = [
        f"{_percent(1 - total.iloc[-1] / total[other])} against {other:%B %Y}"
        for other in (last - pd.DateOffset(months=1), last - pd.DateOffset(months=SEASON_LENGTH))
        if total.get(other, 0) > 0 and total.iloc[-1] < total[other]
    ]
    return f" Total {domain} in {last:%B %Y} fell by {' and by '.join(parts)}." if parts else ""


def _percent(share: float) -> str:
    """Return a share as "63.9 %"."""
    return f"{100 * share:,.1f} %"


def _sudden_fall(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """One sentence per level at which the last month fell; series that are empty have theirs already."""
    falls = unusual.falls
    falls = falls[(falls["aggregation"] != "series") | (falls["y"] != 0)]
    if any(warning["severity"] == "high" for warning in _empty_last_month(train, table, domain, facts, unusual)):
        falls = falls[falls["aggregation"] != "total"]  # told there, with what caused it
    severity = {"total": "high", "region": "medium", "category": "medium", "series": "low"}
    return [
        _warning(severity[level], "sudden_fall", _fall_text(level, rows, domain))
        for level, rows in falls.groupby("aggregation", sort=False)
    ]


def _spikes(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """One sentence per level at which a month of the last two years stands out."""
    return [
        _warning("high" if level == "total" else "medium", "spike", _spike_text(level, rows, domain))
        for level, rows in unusual.spikes.groupby("aggregation", sort=False)
    ]


def _spike_text(level: str, rows: pd.DataFrame, domain: str) -> str:
    """Name the months that stand out, their amounts and what was expected."""
    cases = [f"{ds:%Y-%m} (amount {y:,.2f}, expected amount {usual:,.2f})" for ds, y, usual in _amounts(rows)]
    after = "Forecasts build on it as it is: correct it at its source if it is wrong."
    if level == "total":
        return f"Total {domain} stands out in {listed(cases, 6)}. {after}"
    names = _names(rows["unique_id"])
    cases = [f"{name} in {case}" for name, case in zip(names, cases, strict=True)]
    return f"{domain.capitalize()} of {_parts(level, names.nunique())} stands out in single months: {listed(cases, 6)}. {after}"


def _amounts(rows: pd.DataFrame) -> Iterator[tuple[pd.Timestamp, float, float]]:
    """Return month, value and what was expected of each row."""
    return rows[["ds", "y", "expected"]].itertuples(index=False, name=None)


def _names(ids: pd.Series) -> pd.Series:
    """Return ids without «All»: «North», «Bikes», «North/Bikes»."""
    return ids.str.removeprefix(f"{ALL}/").str.removesuffix(f"/{ALL}")


def _parts(level: str, n: int) -> str:
    """Return "1 region" or "3 categories"."""
    return f"{n} {level if n == 1 else {'region': 'regions', 'category': 'categories', 'series': 'series'}[level]}"


def _fall_text(level: str, rows: pd.DataFrame, domain: str) -> str:
    """Name what fell and how far below what it is compared with."""
    month = f"{rows['ds'].iloc[0]:%Y-%m}"
    below = "below what the same month of last year leads to expect"
    if level == "total":
        return f"Total {domain} in {month} fell {_drop(rows['change_pct'].iloc[0])} {below}."
    names = _names(rows["unique_id"])
    fallen = [f"{name} ({_drop(change)})" for name, change in zip(names, rows["change_pct"], strict=True)]
    return f"{domain.capitalize()} of {_parts(level, len(rows))} in {month} fell far {below}: {listed(fallen)}."


def _drop(change_pct: float) -> str:
    """Return a fall as "43.0 %"; a fall from zero has no percentage."""
    return "an unknown share" if np.isnan(change_pct) else _percent(-change_pct / 100)


def _uncounted(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """Stock that was not counted in the last month."""
    last = train[(train["ds"] == train["ds"].max()) & train["is_imputed"].astype(bool)]
    if domain in FLOWS or last.empty:
        return []
    text = (
        f"{_count(last, table, 'was', 'were')} not counted in {train['ds'].max():%Y-%m}; the last count is "
        f"carried forward: {listed(list(last['unique_id']))}."
    )
    return [_warning("high", "uncounted_last_month", text)]


def _short_history(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """Too few months to compare models, or single series too young for a season."""
    months = sorted(train["ds"].unique())
    found = []
    if len(months) < COMPARE_MONTHS:
        text = (
            f"{domain.capitalize()} has {months_text(len(months))} ({span(months)}); {COMPARE_MONTHS} or more are "
            "needed to compare models, so the choice of the model rests on little or nothing."
        )
        found.append(_warning("medium", "short_history", text))
    short = table[table["status"] == "short"]
    if len(short):
        young = _count(short, table, "has", "have")
        text = f"{young} less than {SHORT_MONTHS} months of history: {listed(list(short['unique_id']))}."
        found.append(_warning("low", "short_series", text))
    return found


def _ended(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """Series that have been zero for a year."""
    ended = table[table["status"] == "ended"]
    if ended.empty:
        return []
    outcome = f" {'Its' if len(ended) == 1 else 'Their'} forecast is zero." if domain in FLOWS else ""
    text = (
        f"{_count(ended, table, 'has', 'have')} had {NOTHING[domain]} for twelve months or more: "
        f"{listed(list(ended['unique_id']))}.{outcome}"
    )
    return [_warning("low", "ended_series", text)]


def _negative(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """Negative stock or sales; negative profit is no defect."""
    negative = table[table["n_negative"] > 0]
    if domain == "profit" or negative.empty:
        return []
    worst = train.loc[train["y"].idxmin()]
    n = int(negative["n_negative"].sum())
    what = "Stock is negative" if domain == "inventory" else "Returns exceed sales"
    text = (
        f"{what} in {n} {'month' if n == 1 else 'months'} of {len(negative)} of {len(table)} series: "
        f"{listed(list(negative['unique_id']))}. The lowest is {worst['y']:,.2f} ({worst['unique_id']}, "
        f"{worst['ds']:%Y-%m}). They are kept as they are."
    )
    code = "negative_stock" if domain == "inventory" else "negative_sales"
    return [_warning("medium" if domain == "inventory" else "low", code, text)]


def _imputed(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """Many months that no fact stands behind."""
    share = train["is_imputed"].astype(bool).mean()
    if share < SOME_IMPUTED:
        return []
    meaning = "they count as zero" if domain in FLOWS else "the last count is carried forward"
    text = (
        f"{_percent(share)} of all months of all series ({table['n_imputed'].sum():,} of {len(train):,}) have no "
        f"facts: {meaning} and are marked."
    )
    return [_warning("medium" if share >= MANY_IMPUTED else "low", "imputed", text)]


def _narrowed(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """What could not be built from these facts."""
    units = _warning("medium", "units_only", "Inventory is in units: the facts give neither a value nor a unit cost.")
    found = [units] if facts.measure == "units" else []
    return found + [_warning("medium", "narrowed", str(note)) for note in facts.notes]


def _doubts(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """What speaks against the facts themselves."""
    return [_warning(**doubt) for doubt in facts.doubts]


def _left_out(train: pd.DataFrame, table: pd.DataFrame, domain: str, facts: Facts, unusual: Unusual) -> Warnings:
    """Months whose facts are not used."""
    months = facts.left_out
    if not months:
        return []
    listing = "; ".join(
        f"{str(month['ds'])[:7]} ({month['reason']}; {_number(month.get('n_facts'), 0)} facts, amount "
        f"{_number(month.get('amount'), 2)})"
        for month in months
    )
    which = "month is" if len(months) == 1 else "months are"
    return [_warning("low", "left_out", f"{len(months)} {which} left out of {domain}: {listing}.")]


def _number(value: float | None, places: int) -> str:
    """Return a number with thousands separated, or "unknown"."""
    return "unknown" if pd.isna(value) else f"{value:,.{places}f}"


CHECKS: tuple[Callable[[pd.DataFrame, pd.DataFrame, str, Facts, Unusual], Warnings], ...] = (
    _doubts, _empty_last_month, _sudden_fall, _spikes, _uncounted, _short_history, _negative, _narrowed, _imputed, _ended,
    _left_out,
)  # fmt: skip
