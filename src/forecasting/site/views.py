"""What is on the workbook's tabs: for each view its rows, out of the published database, and what its columns mean."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecasting.contracts import AGGREGATIONS
from forecasting.ledger import LATE_MONTHS, Published
from forecasting.models import model_name
from forecasting.report import MOST_ROWS
from forecasting.wording import month

READING_ORDER = {"total": 0, "region": 1, "category": 2, "series": 3}
RANKS = {"aggregation": READING_ORDER, "horizon_group": {"all": 0, "1-3": 1, "4-6": 2}}
SHOWN_MONTHS = LATE_MONTHS  # closed months on the tabs «by month» and «actual vs forecast»
KINDS = {
    "published": "published",
    "walk_forward": "walk-forward (back-test)",
    "backfill": "backfill",
    "override": "override",
}


@dataclass(frozen=True)
class Column:
    """A column of the workbook.

    `kind` is text, flag, count, amount (in the domain's unit), ratio, share (a fraction, shown in %), month, date or time.
    """

    title: str
    kind: str
    meaning: str


COLUMNS = {
    "aggregation": Column("Level", "text", "series (one region and category), or the sum: region, category or total."),
    "region": Column("Region", "text", "The region; All where regions are summed up or not known."),
    "product_category": Column("Category", "text", "The product category; All where categories are summed up."),
    "ds": Column("Month", "month", "First day of the month that the row is about."),
    "horizon": Column("Months ahead", "count", "How many months after the cutoff the month is."),
    "y": Column("Actual", "amount", "What the month came to, as known now."),
    "is_imputed": Column("Imputed", "flag", "Yes where nothing in the value comes from a fact of that month."),
    "actual": Column("Actual", "amount", "What the month came to."),
    "predicted_value": Column("Forecast", "amount", "The forecast: the middle of what is expected (median)."),
    "lo_80": Column("80 % from", "amount", "Lower end of the range that should hold 80 of 100 months."),
    "hi_80": Column("80 % to", "amount", "Upper end of that range."),
    "lo_95": Column("95 % from", "amount", "Lower end of the range that should hold 95 of 100 months."),
    "hi_95": Column("95 % to", "amount", "Upper end of that range."),
    "override_value": Column("Override", "amount", "What people made of the forecast; empty where nobody overrides it."),
    "final_value": Column("With overrides", "amount", "The override where there is one, else the forecast; sums of it agree."),
    "overridden_by": Column("Overridden by", "text", "Who overrides the forecast, or a sum that it is part of."),
    "override_reason": Column("Reason", "text", "Why they do, in their words."),
    "variance": Column("Variance", "amount", "Actual minus forecast."),
    "variance_share": Column("Variance %", "share", "The variance in % of the forecast's size; empty where that is 0."),
    "kind": Column(
        "Kind of forecast",
        "text",
        "published: was in the report before the month came. walk-forward (back-test): made afterwards, with what was "
        "known at the cutoff; no decision was based on it. backfill: what would have been published, made later from what was known then. "
        "override: a published forecast as people changed it.",
    ),
    "evaluation_set": Column(
        "Back-test set",
        "text",
        "choice: the cutoffs that chose the model. held_out: the two that did not. recent: later ones, with fewer months "
        "ahead. all: forecasts that were published or backfilled.",
    ),
    "is_fallback": Column("Simple forecast", "flag", "Yes where a series is too short or has ended, so no model is used."),
    "cutoff": Column("Data up to", "month", "The last month that was known when the forecast was made (the cutoff)."),
    "model": Column("Model", "text", "The model that made the forecast."),
    "is_champion": Column("Champion", "flag", "Yes for the model in force."),
    "run_id": Column("Run", "text", "The run that made it; the same name in the database, in MLflow and on the pages."),
    "prediction_time": Column("Published at (UTC)", "time", "When the forecast was written to the database."),
    "horizon_group": Column("Months ahead", "text", "1-3, 4-6 or all."),
    "n": Column("Forecasts compared", "count", "How many forecasts met their actual."),
    "n_series": Column("Series", "count", "How many series, or sums, these forecasts are of."),
    "of_series": Column(
        "Of", "count", "How many there are: more where the models of the back-test are compared on a sample, the same for each of them."
    ),
    "n_cutoffs": Column("Cutoffs", "count", "At how many cutoffs they were made."),
    "first_cutoff": Column("First cutoff", "month", "The first of these cutoffs."),
    "last_cutoff": Column("Last cutoff", "month", "The last of these cutoffs."),
    "mae": Column("MAE", "amount", "Mean absolute error."),
    "rmse": Column("RMSE", "amount", "Root of the mean squared error."),
    "wape": Column("WAPE", "share", "Sum of the absolute errors over the sum of the absolute actuals."),
    "bias": Column("Bias", "amount", "Mean of forecast minus actual: above 0, the forecasts were too high."),
    "mase": Column("MASE", "ratio", "Mean absolute error over that of repeating last year: below 1 is better."),
    "masc": Column("Stability", "ratio", "How far the forecast of a month moved since the month before, in errors of repeating last year."),
    "coverage_80": Column("Inside 80 %", "share", "Share of the actuals inside the 80 % range: 80 % is right."),
    "coverage_95": Column("Inside 95 %", "share", "Share of the actuals inside the 95 % range: 95 % is right."),
    "fva": Column("FVA", "amount", "Forecast value added: how much smaller the mean error is than that of repeating last year."),
}  # fmt: skip


@dataclass(frozen=True)
class View:
    """One tab of a domain.

    `title` completes the tab's name, `read` asks the published database for a domain's rows of some levels, `columns` are keys of COLUMNS
    in order, and `order` names the columns by which rows are read, a level before its parts. `size` says how many rows all levels would
    make; where these are too many, `write` leaves them as Parquet, and without it they are in forecasts.parquet.
    """

    name: str
    title: str
    what: str
    read: Callable[..., pd.DataFrame]
    columns: tuple[str, ...]
    order: tuple[str, ...]
    size: Callable[[Published, str], int] | None = None
    write: Callable[[Published, str, Path], None] | None = None


def n_coming(published: Published, domain: str) -> int:
    """Return how many forecasts of a domain are in force."""
    return int(published.pools(published.in_force_of(domain))["n_forecasts"].sum())


def n_actuals(published: Published, domain: str) -> int:
    """Return how many monthly values of series are known."""
    return published.extent(domain)[0]


NODE = ("aggregation", "region", "product_category")
BOUNDED = ("predicted_value", "lo_80", "hi_80", "lo_95", "hi_95")
VIEWS = (
    View(
        "forecast", "forecast", "The coming months: total, regions, categories and series, with their ranges.", Published.coming,
        (*NODE, "ds", "horizon", *BOUNDED, "override_value", "final_value", "overridden_by", "override_reason", "is_fallback", "cutoff",
         "model", "run_id", "prediction_time"),
        ("aggregation", "unique_id", "ds"), n_coming,
    ),
    View("actuals", "actuals", "Every closed month: total, regions, categories and series.", Published.actuals,
         (*NODE, "ds", "y", "is_imputed"), ("aggregation", "unique_id", "ds"), n_actuals, Published.write_actuals),
    # Months longer ago than a year are left out: the file would grow without end, and the database has them.
    View(
        "compared", "actual vs forecast", f"Forecasts of the last {SHOWN_MONTHS} closed months beside what came; older ones are in "
        "the published database. «Kind of forecast» says which were published and which are a back-test.",
        Published.lately,
        (*NODE, "ds", "kind", "horizon", "actual", "predicted_value", "variance", "variance_share", "lo_80", "hi_80",
         "evaluation_set", "cutoff", "model", "run_id"), ("forecast_kind", "aggregation", "unique_id", "ds", "horizon"),
        Published.n_lately, Published.write_lately,
    ),
    View(
        "accuracy", "accuracy", "How good the forecasts of every model were. Published forecasts and the back-test have rows "
        "of their own.", Published.accuracy, ("kind", "evaluation_set", "aggregation", "horizon_group", "model", "is_champion", "n",
        "n_series", "of_series", "n_cutoffs", "first_cutoff", "last_cutoff", "mae", "rmse", "wape", "bias", "mase", "masc", "coverage_80",
        "coverage_95", "fva"), ("forecast_kind", "evaluation_set", "aggregation", "horizon_group", "mase", "model_name"),
    ),
)  # fmt: skip
BY_MONTH = "The last closed months and the coming ones side by side: a row for each series and each sum."


def is_too_long(published: Path, domain: str, view: View) -> bool:
    """Say whether a view has more rows than its tab should hold, so that it goes without single series."""
    return view.size is not None and view.size(Published(published), domain) > MOST_ROWS


def rows(published: Path, domain: str, view: View, levels: tuple[str, ...] = AGGREGATIONS) -> pd.DataFrame:
    """Return the rows of a view for one domain, in the order in which they are read; of these levels, where a view has levels."""
    reader = Published(published)
    found = view.read(reader, domain, levels) if view.size else view.read(reader, domain)
    keys = found[list(view.order)].apply(lambda key: key.map(RANKS[key.name]) if key.name in RANKS else key)
    found = found.loc[keys.sort_values(list(view.order), kind="stable").index].reset_index(drop=True)
    if "forecast_kind" in found:
        found["kind"] = found["forecast_kind"].map(KINDS)
    if "model_name" in found:
        found["model"] = found["model_name"].map(model_name)
    return found[list(view.columns)]


def by_month(actuals: pd.DataFrame, forecasts: pd.DataFrame) -> tuple[pd.DataFrame, list[Column]]:
    """Return one row per series and sum with the last closed months and the coming ones, and its columns' descriptions."""
    shown = sorted(actuals["ds"].unique())[-SHOWN_MONTHS:]
    past = actuals[actuals["ds"].isin(shown)].pivot(index=list(NODE), columns="ds", values="y")
    coming = forecasts.pivot(index=list(NODE), columns="ds", values="predicted_value")
    past.columns = [f"{month(ds, short=True)} actual" for ds in past.columns]
    coming.columns = [f"{month(ds, short=True)} forecast" for ds in coming.columns]
    wide = past.join(coming, how="outer").reset_index()
    order = wide["aggregation"].map(READING_ORDER)
    wide = wide.assign(order=order).sort_values(["order", "region", "product_category"], ignore_index=True)
    amounts = [Column(name, "amount", "") for name in (*past.columns, *coming.columns)]
    return wide.drop(columns="order"), [*(COLUMNS[name] for name in NODE), *amounts]
