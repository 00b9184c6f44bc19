"""Tables as people read them. The cells keep their numbers, so that they sort as numbers."""

import re
from collections.abc import Callable
from functools import partial

import pandas as pd
from pandas.io.formats.style import Styler

from forecasting.dashboard.selection import COMING, Selection
from forecasting.wording import DASH, decimals_for, month, number, percent, without_formulas

KINDS = "What it is"
INTERVALS = {"lo_80": "80 % from", "hi_80": "80 % to", "lo_95": "95 % from", "hi_95": "95 % to"}
SHOWN = {
    "ds": "Month", "actual": "Actual", "first_known": "Actual, first known", "predicted_value": "Forecast", "variance": "Variance",
    "variance_pct": "Variance %", **INTERVALS, "kind": KINDS, "cutoff": "From data up to",
}  # fmt: skip


def months_table(chosen: Selection) -> Styler:
    """Return one row per month, the latest first; what the variance was measured with stands there where it was restated."""
    decimals = decimals_for(chosen.rows["actual"])
    hidden = ["first_known"] if chosen.restated.empty else []
    rows = chosen.rows.iloc[::-1][[column for column in SHOWN if column not in hidden]]
    rows = rows.assign(
        kind=chosen.rows["kind"].where(~_fallback(chosen.rows), chosen.rows["kind"].astype(str) + ", fallback")
    )
    amount, change = partial(number, decimals=decimals), partial(number, decimals=decimals, plus=True)
    formats = dict.fromkeys(["actual", "first_known", "predicted_value", *INTERVALS], amount)
    formats |= {"ds": partial(month, short=True), "cutoff": partial(month, short=True), "variance": change}
    formats |= {"variance_pct": partial(percent, plus=True), "kind": lambda text: DASH if pd.isna(text) else text}
    return styled(rows, {name: formats[name] for name in rows}, SHOWN)


def _fallback(rows: pd.DataFrame) -> pd.Series:
    """Say which months have a forecast that no model made."""
    return rows["is_fallback"].astype("boolean").fillna(False).astype(bool)


def has_fallback(chosen: Selection) -> bool:
    """Say whether a month to come has a forecast that no model made."""
    return bool(_fallback(chosen.rows[chosen.rows["kind"] == COMING]).any())


def forecast_table(forecast: pd.DataFrame, decimals: int) -> Styler:
    """Return the forecast of a series that somebody brought: `ds, predicted_value` and bounds, one row per month."""
    names = {"ds": "Month", "predicted_value": "Forecast", **INTERVALS}
    formats = {name: partial(number, decimals=decimals) for name in names} | {"ds": month}
    return styled(forecast[list(names)], formats, names)


def styled(rows: pd.DataFrame, formats: dict[str, Callable], names: dict[str, str]) -> Styler:
    """Return rows with cells written by `formats` and columns called by `names`."""
    renamed = rows.rename(columns=names).reset_index(drop=True)
    return renamed.style.format({names[name]: form for name, form in formats.items()})


def csv(rows: pd.DataFrame) -> bytes:
    """Return rows as CSV with every digit, dates as 2025-06-01; the mark at the start tells Excel that it is UTF-8.

    A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    return without_formulas(rows).to_csv(index=False, date_format="%Y-%m-%d").encode("utf-8-sig")


def download(chosen: Selection) -> bytes:
    """Return the months that are shown as CSV, each with what it is about; the run is that of the months to come."""
    rows = chosen.rows.copy()
    rows.insert(0, "domain", chosen.domain.name)
    rows.insert(1, "region", chosen.region)
    rows.insert(2, "product_category", chosen.category)
    run_id = pd.Series(chosen.domain.manifest.run_id, index=rows.index, dtype=object).where(rows["kind"] == COMING)
    return csv(rows.assign(unit=chosen.domain.unit, run_id=run_id))


def file_name(*parts: str) -> str:
    """Return the name of a CSV file made of these parts, with letters and digits only."""
    return "_".join(re.sub(r"\W+", "-", part).strip("-") for part in parts) + ".csv"
