"""Scores arranged for the eye and for MLflow: by months ahead, region, category or cutoff. The measures are those of `metrics`."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from forecasting.contracts import POINT, QUANTILE_COLUMNS
from forecasting.evaluation.cutoffs import COMPARED, HELD_OUT_SET
from forecasting.evaluation.metrics import BESIDE_OTHERS, METRICS, score
from forecasting.evaluation.ranking import BASELINE, measured_by_model, scored_rows

GROUPINGS = ("region", "product_category", "horizon")
# what measures of single series need of BACKTEST_COLUMNS; the other half of the table is left out
MEASURED = [
    "aggregation", "unique_id", "cutoff", "horizon", "ds", "model_name", "evaluation_set", "scale", *QUANTILE_COLUMNS,
]  # fmt: skip
COMPARED_BY = ("mase", "wape", "mae", "bias", "coverage_80", "coverage_95", "scaled_crps")


class Measured(NamedTuple):
    """What was measured of a model's forecasts of single series, at the cutoffs that are compared.

    by_horizon: every measure by model_name and horizon
    by_cutoff: `metric, value, cutoff, compared`: «mase_h1» is of one cutoff and month ahead, «mase» of one cutoff, and «held_out_mase»,
        without a cutoff, of all cutoffs of a set. `compared` marks the few by which people compare models; the others are for those who
        look closely.
    errors: prediction − actual, in the unit of y: `unique_id, cutoff, ds, error`
    """

    by_horizon: pd.DataFrame
    by_cutoff: pd.DataFrame
    errors: pd.DataFrame


def measure(rows: pd.DataFrame, train: pd.DataFrame) -> Measured:
    """Measure one model's rows (BACKTEST_COLUMNS). They are joined with what happened once: of very many series that takes a minute."""
    known = scored_rows(rows[MEASURED], train, COMPARED, "series")
    errors = known.assign(error=known[POINT] - known["y"])[["unique_id", "cutoff", "ds", "error"]]
    return Measured(score(known, ["model_name", "horizon"]), _by_cutoff(known), errors)


def by_horizon(measured: Iterable[Measured]) -> pd.DataFrame:
    """Return every measure of several models by model and months ahead."""
    together = pd.concat([each.by_horizon for each in measured], ignore_index=True)
    return together.sort_values(["model_name", "horizon"], ignore_index=True)


def errors_since(rows: pd.DataFrame, train: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    """Return MASE by model and cutoff, from the cutoff `month` on, over all series and the months ahead that have come.

    One row per model_name and cutoff: n, mase. Where nothing has come yet there is no row.
    """
    late = rows[(rows["aggregation"] == "series") & (rows["cutoff"] >= month)]
    return score(scored_rows(late, train), ["model_name", "cutoff"])[["model_name", "cutoff", "n", "mase"]]


def scores_by_group(known: pd.DataFrame) -> pd.DataFrame:
    """Return every measure by region, category and months ahead, over all single series, apart for choice and held-out cutoffs.

    `known` are rows of `scored_rows`, of series and of cutoffs that are compared. One row per model_name, evaluation_set, grouped_by
    ('region', 'product_category', 'horizon') and group (text): n, the measures, how many rows these left out, fva, the seasonal
    naive's MAE − the model's, in the unit of y, and masc.
    """
    by = ["model_name", "evaluation_set"]
    parts = []
    for name in GROUPINGS:
        table = score(known, [*by, name], BESIDE_OTHERS)
        parts.append(table.rename(columns={name: "group"}).assign(grouped_by=name).astype({"group": str}))
    together = pd.concat(parts, ignore_index=True)
    first = [*by, "grouped_by", "group"]
    return together[[*first, *(column for column in together if column not in first)]]


def leaderboard_metrics(board: pd.DataFrame, champion: str) -> pd.DataFrame:
    """Return what a leaderboard says of the champion as `metric, value`, with the MASE of the seasonal naive beside it.

    The names are those of `Measured.by_cutoff`, so that a run which compares stands beside those of its models; «held_out_masc» is the
    one that a model's own run lacks, because it takes the forecasts of the month before.
    """
    board = board[board["aggregation"] == "series"]
    mine, naive = (board[board["model_name"] == name] for name in (champion, BASELINE))
    beside = _named(naive[naive["horizon_group"] == "all"].assign(suffix=f"_{BASELINE}"), ["mase"])
    quoted = mine[(mine["horizon_group"] == "all") & (mine["evaluation_set"] == HELD_OUT_SET)]
    moves = _named(quoted.assign(suffix=""), ["masc"])
    return pd.concat([_of_sets(mine), beside, moves], ignore_index=True)


def _by_cutoff(known: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of `Measured.by_cutoff`."""
    each = score(known, ["cutoff", "horizon"]).assign(suffix=lambda table: "_h" + table["horizon"].astype(str))
    together = score(known, ["cutoff"]).assign(suffix="")
    of_cutoffs = _long(pd.concat([each, together], ignore_index=True), ["cutoff", "suffix"])
    of_sets = _of_sets(measured_by_model(known))
    long = pd.concat([of_sets.assign(compared=True), of_cutoffs.assign(compared=of_cutoffs["metric"] == "mase")])
    return long.reset_index(drop=True)[["metric", "value", "cutoff", "compared"]]


def _of_sets(board: pd.DataFrame) -> pd.DataFrame:
    """Return the measures by which models are compared: «held_out_mase» over all months ahead, «held_out_mase_h1_3» of some."""
    board = board.assign(suffix="_h" + board["horizon_group"].str.replace("-", "_"))
    whole, some = board["horizon_group"] == "all", board["evaluation_set"] == HELD_OUT_SET
    return pd.concat(
        [_named(board[whole].assign(suffix=""), COMPARED_BY), _named(board[~whole & some], ["mase"])], ignore_index=True
    )


def _named(board: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Return rows of a leaderboard as `metric, value`: the measure's name with its evaluation set before it and the suffix behind."""
    long = _long(board, ["evaluation_set", "suffix"], measures)
    return long.assign(metric=long["evaluation_set"] + "_" + long["metric"])[["metric", "value"]]


def _long(table: pd.DataFrame, keys: list[str], measures: Iterable[str] = tuple(METRICS)) -> pd.DataFrame:
    """Return one row per key and measure; the measure's name carries the suffix."""
    long = table.melt(keys, list(measures), "metric", "value")
    return long.assign(metric=long["metric"] + long["suffix"])
