"""The tables of the notebooks as people read them: models by their titles, months by name, headings in words, numbers rounded.

They show what others computed: no number changes. The report has tables of its own, with the same words.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecasting.contracts import aggregations_of
from forecasting.models import model_name
from forecasting.wording import DASH, capital, is_known, month, number, share

OF_CHECKS = {  # the columns of the check notebook's tables, in this order
    "aggregation": "Level",
    "unique_id": "Series",
    "status": "Status",
    "ds": "Month",
    "y": "Value",
    "expected": "Expected",
    "change_pct": "Change",
    "z": "Distance",
    "first_month": "First month",
    "last_month": "Last month",
    "last_nonzero_month": "Last month with a value",
    "n_months": "Months in all",
    "n_imputed": "Without facts",
    "n_nonzero": "Not zero",
    "n_negative": "Negative",
    "last_ds": "Last of them",
    "months": "Which months",
    "share": "Share of the last year",
}
RULES = {  # of the gate
    "improvement_pct": "Improvement beyond luck, % of the incumbent's error",
    "bias_loss_pct": "Larger bias, points of the mean actual",
    "coverage_80_loss": "80 % interval further from 80 %, points",
    "coverage_95_loss": "95 % interval further from 95 %, points",
    "stability_loss": "Forecast of a month moves further from month to month, typical errors",
}
RECONCILIATIONS = {
    "bottom_up": "adding up the series",
    "ols": "nearest, all alike",
    "wls_struct": "nearest, by number of series",
    "lcc": "sums kept, series share the difference",
}
SETS = {
    "calibration": "only teach the intervals",
    "choice": "choose between the models",
    "held_out": "held out: choose nothing and are quoted",
    "recent": "some months ahead are still to come",
}
MEASURES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "wape": "WAPE",
    "mase": "MASE",
    "bias": "Bias",
    "masc": "Stability",
    "fva": "FVA",
    "coverage_80": "Inside 80 %",
    "coverage_95": "Inside 95 %",
    "n": "Forecasts",
    "p_value": "p",
}
NAMES = {
    "model_name": "Model",
    "predicted_value": "Forecast",
    "predicted_value_before": "Forecast, as known before",
    "effect": "Difference",
    "lo_80": "80 % from",
    "hi_80": "80 % to",
    "lo_95": "95 % from",
    "hi_95": "95 % to",
    "horizon": "Months ahead",
    "bucket": "Months ahead",
    "interval_pool": "Errors of",
    "interval_n": "Errors",
    "n_cutoffs": "Cutoffs",
    "first_ds": "First of them",
    "product_category": "Category",
    "n_facts": "Facts",
    "noise_pct": "May be chance, %",
    "lead_pct": "Lower by, %",
    "category": "Categories",
    "total": "Total",
    "name": "Rule",
    "grouped_by": "By",
}
HEADINGS = OF_CHECKS | MEASURES | RECONCILIATIONS | NAMES
GROUPS = {"region": "region", "product_category": "category", "horizon": "months ahead"}
WORDS = {"name": RULES, "reconciliation": RECONCILIATIONS, "grouped_by": GROUPS}  # of a column's values
MONTHS = {"ds", "first_month", "last_month"}  # that JSON holds as text
MODELS = {"model_name", "model", "against"}  # columns that hold models
SHARES = {"wape", "coverage_80", "coverage_95", "share"}  # fractions that are read as percentages


@dataclass(frozen=True)
class Table:
    """A table with every cell written out, which notebooks show whole and without numbers of rows."""

    cells: pd.DataFrame

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        with pd.option_context("display.max_colwidth", None):
            if self.cells.empty:
                return {"text/html": "<p>None.</p>", "text/plain": "None."}
            return {"text/html": self.cells.to_html(border=0), "text/plain": self.cells.to_string()}


def shown(table: pd.DataFrame) -> Table:
    """Return a short table for readers; its first column stands in the place of numbers of rows."""
    rows = table if table.index.name or table.empty else table.set_index(table.columns[0])
    cells = pd.DataFrame({heading(name): written(rows[name], name) for name in rows}, dtype=object)
    cells.index = pd.Index(written(rows.index.to_series(), rows.index.name), dtype=object)
    return Table(cells.rename_axis(columns=heading(rows.index.name)))


def heading(name: Any) -> str:
    """Return a column's name in words; a month ahead or a month is one as it is."""
    if isinstance(name, pd.Timestamp):
        return month(name, short=True)
    text = str(name)
    return HEADINGS.get(text) or capital(model_name(text) if text else text)


def written(values: pd.Series, name: Any) -> list[str]:
    """Return the cells of one column."""
    if name in MODELS:
        return [model_name(str(value)) for value in values]
    if name in SHARES:
        return [share(value) for value in values.astype(float)]
    if pd.api.types.is_datetime64_any_dtype(values):
        return [month(value, short=True) for value in values]
    if pd.api.types.is_bool_dtype(values):
        return ["yes" if value else "no" for value in values]
    if pd.api.types.is_numeric_dtype(values):
        decimals = 0 if pd.api.types.is_integer_dtype(values) else digits(values)
        return [number(float(value), decimals) for value in values]
    return [text(value, name) for value in values]


def digits(values: pd.Series) -> int:
    """Return the decimals that a reader uses: three below ten, one below a hundred, none from there on or of whole numbers."""
    known = values[values.map(is_known)].astype(float).abs()
    if (known == known.round()).all():
        return 0
    return 0 if known.max() >= 100 else 1 if known.max() >= 10 else 3


def text(value: Any, name: Any) -> str:
    """Write one value of a column that is not of numbers; unknown is a dash."""
    if value is None or value != value:
        return DASH
    if isinstance(value, int):
        return number(value)
    return month(value, short=True) if name in MONTHS else WORDS.get(name, {}).get(value, str(value))


def named(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose models are called by their titles, for pictures."""
    return table.assign(model_name=table["model_name"].map(model_name))


def by_months_ahead(errors: pd.DataFrame, measure: str = "mase") -> Table:
    """Return one measure of `evaluation.by_horizon`, a row per model, the lowest first, and a column per month ahead."""
    wide = errors.pivot(index="model_name", columns="horizon", values=measure)
    wide = wide.loc[wide.mean(axis=1).sort_values(kind="stable").index]
    return shown(wide.rename(columns=lambda ahead: f"{ahead} month{'s' if ahead > 1 else ''}"))


def by_level(board: pd.DataFrame, measure: str = "mase") -> Table:
    """Return one measure of a leaderboard's rows over all months ahead, a row per model, the lowest first, and a column per level."""
    rows = board[board["horizon_group"] == "all"]
    wide = rows.pivot(index="model_name", columns="aggregation", values=measure)
    levels = [level for level in aggregations_of(rows["aggregation"]) if level in wide]
    wide = (
        wide[levels].sort_values(levels[:1], kind="stable") if levels else wide
    )  # a history too short to compare has no rows
    return shown(wide.rename(columns={"series": "Single series", "region": "Regions"}))


def cutoffs(planned: pd.DataFrame) -> Table:
    """Return what the cutoffs are for: one row for each set of them."""
    sets = planned.groupby("evaluation_set", sort=False)["cutoff"].agg(["size", "min", "max"]).reset_index()
    sets["evaluation_set"] = sets["evaluation_set"].map(SETS)
    return shown(sets.set_axis(["These cutoffs", "How many", "First", "Last"], axis=1))


def facts(found: dict[str, Any]) -> Table:
    """Return what is known of the facts of a domain, one row each."""
    rows = {heading(name): text(value, name) for name, value in found.items() if isinstance(value, str | int | None)}
    return Table(pd.DataFrame({"": list(rows.values())}, index=list(rows)))
