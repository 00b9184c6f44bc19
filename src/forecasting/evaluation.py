"""Which model is how good, and which one is used: leaderboard, forecast value added, champion."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from forecasting.backtest import CHOICE, COMPARED, HELD_OUT_SET
from forecasting.contracts import AGGREGATIONS, SEASON_LENGTH
from forecasting.features import month_number
from forecasting.hierarchy import aggregate_actuals
from forecasting.metrics import score

BASELINE = "seasonal_naive"
HORIZON_GROUPS = {"1-3": (1, 3), "4-6": (4, 6), "all": (1, 10_000)}
ROW = ["aggregation", "unique_id", "cutoff", "horizon"]
TIE = 1e-9  # relative difference of MASE below which two models are as good


def scored_rows(evaluation: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Join evaluation rows with what happened.

    Adds y, squared_scale (the mean squared seasonal-naive error up to the cutoff) and naive_error (the seasonal naive's
    absolute error on the same row; NaN where it has none).
    """
    actuals = aggregate_actuals(train)
    rows = evaluation.merge(actuals[["aggregation", "unique_id", "ds", "y"]], on=["aggregation", "unique_id", "ds"])
    rows = rows.merge(_squared_scales(actuals), on=["aggregation", "unique_id", "cutoff"], how="left")
    naive = rows[rows["model_name"] == BASELINE]
    naive = naive[ROW].assign(naive_error=(naive["q500"] - naive["y"]).abs())
    return rows.merge(naive, on=ROW, how="left")


def _squared_scales(actuals: pd.DataFrame) -> pd.DataFrame:
    """Return the mean squared change from a year earlier, up to each month.

    One row per aggregation, unique_id, cutoff: squared_scale.
    """
    keys = ["aggregation", "unique_id"]
    months = actuals.assign(month=month_number(actuals["ds"]))
    earlier = months.assign(month=months["month"] + SEASON_LENGTH)[[*keys, "month", "y"]]
    both = months.merge(earlier, on=[*keys, "month"], how="left", suffixes=("", "_before"))
    squared = (both["y"] - both["y_before"]) ** 2
    series = [both[key] for key in keys]
    count = squared.notna().groupby(series).cumsum()
    mean_square = squared.fillna(0.0).groupby(series).cumsum() / count.where(count > 0)
    return both[keys].assign(cutoff=both["ds"], squared_scale=mean_square)


def leaderboard(evaluation: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Measure every model.

    Parameters
    ----------
    evaluation: BACKTEST_COLUMNS, of `calibration.calibrate_backtests`; only its choice and held-out cutoffs are measured.
    train: the training set.

    Returns
    ------- One row per aggregation, evaluation_set, horizon_group ('1-3', '4-6', 'all') and model, best MASE first: n,
    n_cutoffs, first_cutoff, last_cutoff, the measures of `metrics`, how many rows these left out, and fva: the seasonal
    naive's MAE − the model's, in the unit of y, on the rows that both have (above zero, the model is better).
    """
    rows = scored_rows(evaluation[evaluation["evaluation_set"].isin(COMPARED)], train)
    parts = [
        rows[rows["horizon"].between(low, high)].assign(horizon_group=name)
        for name, (low, high) in HORIZON_GROUPS.items()
    ]
    grouped = pd.concat(parts, ignore_index=True)
    by = ["aggregation", "evaluation_set", "horizon_group", "model_name"]
    added = grouped.assign(fva=grouped["naive_error"] - (grouped["q500"] - grouped["y"]).abs())
    spans = added.groupby(by).agg(
        n_cutoffs=("cutoff", "nunique"),
        first_cutoff=("cutoff", "min"),
        last_cutoff=("cutoff", "max"),
        fva=("fva", "mean"),
    )
    board = score(grouped, by).merge(spans.reset_index(), on=by)
    order = {
        "aggregation": AGGREGATIONS,
        "evaluation_set": (CHOICE, HELD_OUT_SET),
        "horizon_group": tuple(HORIZON_GROUPS),
    }
    ranks = [board[name].map(values.index).rename(name) for name, values in order.items()]
    position = (
        pd.concat([*ranks, board[["mase", "model_name"]]], axis=1).sort_values([*order, "mase", "model_name"]).index
    )
    spans_first = [*by, "n", "n_cutoffs", "first_cutoff", "last_cutoff"]
    return board.loc[position, [*spans_first, *(c for c in board.columns if c not in spans_first)]].reset_index(
        drop=True
    )


def choose_champion(board: pd.DataFrame, plan: pd.DataFrame, order: Sequence[str]) -> dict[str, Any]:
    """Choose one model for the domain, by mean MASE over its series and all horizons on the choice cutoffs.

    Parameters
    ----------
    board: of `leaderboard`. The baselines in it are candidates too.
    plan: cutoff, evaluation_set.
    order: the candidates, simplest first: the earlier wins a tie; models that are not named come last, by name.

    Returns
    ------- JSON: name, reason (plain English), mase_choice, mase_held_out, seasonal_naive_mase_held_out (None where
    there is nothing to measure), beats_seasonal_naive, choice_cutoffs, held_out_cutoffs (ISO dates). A model that lacks
    rows which others have is no candidate. Without choice cutoffs it is the seasonal naive. The held-out cutoffs never
    change the
    choice: where they speak against it, beats_seasonal_naive is False and the reason says so.
    """
    series = board[(board["aggregation"] == "series") & (board["horizon_group"] == "all")].copy()
    choice = series[(series["evaluation_set"] == CHOICE) & series["mase"].notna()]
    candidates = choice[choice["n"] == choice["n"].max()]
    name = _best(candidates, order) if len(candidates) else BASELINE
    held_out = _mase(series, HELD_OUT_SET)
    cutoffs = {
        key: [f"{cutoff:%Y-%m-%d}" for cutoff in plan.loc[plan["evaluation_set"] == key, "cutoff"]]
        for key in (CHOICE, HELD_OUT_SET)
    }
    mine, naive = held_out.get(name), held_out.get(BASELINE)
    return {
        "name": name,
        "reason": _reason(name, candidates, len(choice) - len(candidates), len(cutoffs[CHOICE]), mine, naive),
        "mase_choice": _mase(series, CHOICE).get(name),
        "mase_held_out": mine,
        "seasonal_naive_mase_held_out": naive,
        "beats_seasonal_naive": mine is not None and naive is not None and mine < naive,
        "choice_cutoffs": cutoffs[CHOICE],
        "held_out_cutoffs": cutoffs[HELD_OUT_SET],
    }


def _best(candidates: pd.DataFrame, order: Sequence[str]) -> str:
    """Return the model with the lowest MASE, of those as good as it the simplest."""
    as_good = candidates.loc[candidates["mase"] <= candidates["mase"].min() * (1 + TIE), "model_name"]
    rank = {name: number for number, name in enumerate(order)}
    return min(as_good, key=lambda name: (rank.get(name, len(rank)), name))


def _mase(series: pd.DataFrame, evaluation_set: str) -> dict[str, float]:
    """Return MASE by model on one evaluation set, where it can be measured."""
    rows = series[(series["evaluation_set"] == evaluation_set) & series["mase"].notna()]
    return dict(zip(rows["model_name"], rows["mase"].astype(float), strict=True))


def _reason(
    name: str, candidates: pd.DataFrame, left_out: int, n_cutoffs: int, mine: float | None, naive: float | None
) -> str:
    """Say in plain English why the model was chosen and whether the cutoffs that chose nothing bear it out."""
    if candidates.empty:
        return (
            "The history is too short to compare models on months that are not needed for the final test, so the "
            "seasonal naive (the same month of last year) is used."
        )
    cutoffs = "1 cutoff" if n_cutoffs == 1 else f"{n_cutoffs} cutoffs"
    best = candidates["mase"].min()
    text = f"{name} has the lowest MASE ({best:.3f}) of {len(candidates)} models, over all series, "
    text += f"on the {cutoffs} that choose."
    if left_out:
        text += f" {left_out} more could not be compared, because they lack some of these forecasts."
    if mine is None or naive is None or name == BASELINE:
        return text
    verdict = "beats" if mine < naive else "does not beat"
    return f"{text} On the cutoffs held out it {verdict} the seasonal naive ({mine:.3f} against {naive:.3f})."
