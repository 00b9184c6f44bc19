"""Scores arranged for the eye and for MLflow: by months ahead, region, category or cutoff. The measures are those of `metrics`."""

from collections.abc import Iterable

import pandas as pd

from forecasting.contracts import POINT
from forecasting.evaluation.cutoffs import COMPARED
from forecasting.evaluation.metrics import BESIDE_OTHERS, METRICS, score
from forecasting.evaluation.ranking import scored_rows

GROUPINGS = ("region", "product_category", "horizon")


def measured(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return the series' evaluation rows of the cutoffs that are compared, with what happened (`y`)."""
    return scored_rows(rows, train, COMPARED, "series")


def scores_by_horizon(rows: Iterable[pd.DataFrame], train: pd.DataFrame) -> pd.DataFrame:
    """Return every measure by model and months ahead, over all series and compared cutoffs."""
    known = [measured(of_one, train) for of_one in rows]
    return score(pd.concat(known, ignore_index=True), ["model_name", "horizon"])


def errors_since(rows: Iterable[pd.DataFrame], train: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    """Return MASE by model and cutoff, from the cutoff `month` on, over all series and the months ahead that have come.

    One row per model_name and cutoff: n, mase. Where nothing has come yet there is no row.
    """
    found = pd.concat(list(rows), ignore_index=True)
    late = found[(found["aggregation"] == "series") & (found["cutoff"] >= month)]
    return score(scored_rows(late, train), ["model_name", "cutoff"])[["model_name", "cutoff", "n", "mase"]]


def scores_by_group(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return every measure by region, category and months ahead, over all single series, apart for choice and held-out cutoffs.

    One row per model_name, evaluation_set, grouped_by ('region', 'product_category', 'horizon') and group (text): n, the measures,
    how many rows these left out, fva, the seasonal naive's MAE − the model's, in the unit of y, and masc.
    """
    return by_group(measured(rows, train))


def by_group(known: pd.DataFrame) -> pd.DataFrame:
    """Do what `scores_by_group` does, for rows of `measured`."""
    by = ["model_name", "evaluation_set"]
    parts = []
    for name in GROUPINGS:
        table = score(known, [*by, name], BESIDE_OTHERS)
        parts.append(table.rename(columns={name: "group"}).assign(grouped_by=name).astype({"group": str}))
    together = pd.concat(parts, ignore_index=True)
    first = [*by, "grouped_by", "group"]
    return together[[*first, *(column for column in together if column not in first)]]


def out_of_sample_errors(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return out-of-sample errors, prediction − actual: `unique_id, cutoff, ds, error`, in the unit of y."""
    known = measured(rows, train)
    return known.assign(error=known[POINT] - known["y"])[["unique_id", "cutoff", "ds", "error"]]


def scores_by_cutoff(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return one model's measures as `metric, value, cutoff`: «mase_h1» of each cutoff, and «mase» over all its horizons."""
    known = measured(rows, train)
    each = score(known, ["cutoff", "horizon"]).assign(suffix=lambda table: "_h" + table["horizon"].astype(str))
    together = score(known, ["cutoff"]).assign(suffix="")
    return _long(pd.concat([each, together], ignore_index=True), ["cutoff", "suffix"])[["metric", "value", "cutoff"]]


def leaderboard_metrics(board: pd.DataFrame) -> pd.DataFrame:
    """Return a leaderboard's series rows over all horizons as `metric, value`: «held_out_linear_mase»."""
    rows = board[(board["aggregation"] == "series") & (board["horizon_group"] == "all")]
    long = _long(rows.assign(suffix=""), ["evaluation_set", "model_name", "suffix"], (*METRICS, "masc"))
    return long.assign(metric=long["evaluation_set"] + "_" + long["model_name"] + "_" + long["metric"])[
        ["metric", "value"]
    ]


def _long(table: pd.DataFrame, keys: list[str], measures: Iterable[str] = tuple(METRICS)) -> pd.DataFrame:
    """Return one row per key and measure; the measure's name carries the suffix."""
    long = table.melt(keys, list(measures), "metric", "value")
    return long.assign(metric=long["metric"] + long["suffix"])
