"""Tables as people read them. The cells keep their numbers, so that they sort as numbers."""

import re
from collections.abc import Callable
from functools import partial

import pandas as pd
from pandas.io.formats.style import Styler

from forecasting.contracts import ALL
from forecasting.dashboard.selection import COMING, Selection
from forecasting.ledger import RANGE
from forecasting.wording import DASH, count, decimals_for, month, number, percent, without_formulas

KINDS = "What it is"
INTERVALS = {"lo_80": "80 % from", "hi_80": "80 % to", "lo_95": "95 % from", "hi_95": "95 % to"}
SHOWN = {
    "ds": "Month", "actual": "Actual", "first_known": "Actual, first known", "predicted_value": "Forecast",
    "override_value": "Override", "overridden_by": "Overridden by", "variance": "Variance",
    "variance_pct": "Variance %", **INTERVALS, "kind": KINDS, "cutoff": "From data up to",
}  # fmt: skip


def months_table(chosen: Selection) -> Styler:
    """Return one row per month, the latest first; what the variance was measured with stands there where it was restated."""
    decimals = decimals_for(chosen.rows["actual"])
    hidden = ["first_known"] if chosen.restated.empty else []
    hidden += ["override_value", "overridden_by"] if chosen.rows["override_value"].isna().all() else []
    rows = chosen.rows.iloc[::-1][[column for column in SHOWN if column not in hidden]]
    words = chosen.rows["kind"].where(
        ~_flag(chosen.rows, "is_fallback"), chosen.rows["kind"].astype(str) + ", fallback"
    )
    cut = (chosen.rows["predicted_value"] == 0).map({True: ", cut to 0", False: ", a part of it cut to 0"})
    rows = rows.assign(kind=words.where(~_flag(chosen.rows, "was_cut"), words.astype(str) + cut))
    amount, change = partial(number, decimals=decimals), partial(number, decimals=decimals, plus=True)
    formats = dict.fromkeys(["actual", "first_known", "predicted_value", "override_value", *INTERVALS], amount)
    formats |= {"ds": partial(month, short=True), "cutoff": partial(month, short=True), "variance": change}
    formats |= {"variance_pct": partial(percent, plus=True), "kind": lambda text: DASH if pd.isna(text) else text}
    formats |= {"overridden_by": formats["kind"]}
    return styled(rows, {name: formats[name] for name in rows}, SHOWN)


def _flag(rows: pd.DataFrame, name: str) -> pd.Series:
    """Say which months have a forecast of which a flag is known to be true."""
    return rows[name].astype("boolean").fillna(False).astype(bool)


def has_fallback(chosen: Selection) -> bool:
    """Say whether a month to come has a forecast that no model made."""
    return bool(_flag(chosen.coming, "is_fallback").any())


def cut_words(chosen: Selection) -> str:
    """Say where the sign policy cut the months to come, of what is shown or of a series in it; «» where nowhere."""
    coming, name = chosen.coming, chosen.domain.name
    cut = _flag(coming, "was_cut")
    why = f"because {name} may not be below 0 (allow_negative in params/)"
    if cut.any():
        part = ", or that of a series in it," if ALL in (chosen.region, chosen.category) else ""
        return f"The forecast{part} was below 0 in {cut.sum()} of {count(len(cut), 'month')} and was cut to 0 there, {why}."
    if chosen.domain.manifest.params.get("allow_negative", True) or not (coming[RANGE] == 0.0).any(axis=None):
        return ""
    return f"No bound is below 0, {why}."


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

    Months and categories are called so, as on the pages. A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    named = rows.rename(columns={"ds": "month", "product_category": "category"})
    return without_formulas(named).to_csv(index=False, date_format="%Y-%m-%d").encode("utf-8-sig")


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
