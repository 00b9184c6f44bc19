"""Which model is how good: the leaderboard, with forecast value added. `choice` chooses by it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts import POINT, SEASON_LENGTH, aggregations_of
from forecasting.evaluation.cutoffs import CHOICE, COMPARED, HELD_OUT_SET
from forecasting.evaluation.metrics import BESIDE_OTHERS, score
from forecasting.series import aggregate_actuals, change, month_start, panel

BASELINE = "seasonal_naive"
HORIZON_GROUPS = {"1-3": (1, 3), "4-6": (4, 6), "all": (1, 10_000)}
ROW = ["aggregation", "unique_id", "cutoff", "horizon"]
MONTH = ["aggregation", "unique_id", "ds"]


@dataclass(frozen=True)
class Yardstick:
    """What rows of any model are measured by: what happened, the scales, and what the seasonal naive missed by.

    `actuals`: aggregation, unique_id, ds, y. `squared_scales`: of `_squared_scales`. `naive`: ROW and naive_error.
    """

    actuals: pd.DataFrame
    squared_scales: pd.DataFrame
    naive: pd.DataFrame

    @classmethod
    def of(cls, baseline: pd.DataFrame, train: pd.DataFrame) -> Self:
        """Take the seasonal naive's rows (BACKTEST_COLUMNS), none where it has none, and the training set."""
        actuals = aggregate_actuals(train)[[*MONTH, "y"]]
        known = baseline.merge(actuals, on=MONTH)
        naive = known[ROW].assign(naive_error=(known[POINT] - known["y"]).abs())
        return cls(actuals, _squared_scales(actuals), naive)

    def scored(self, evaluation: pd.DataFrame, sets: Sequence[str] | None = None) -> pd.DataFrame:
        """Do what `scored_rows` does, for rows of any models."""
        rows = with_previous(evaluation)
        rows = rows if sets is None else rows[rows["evaluation_set"].isin(sets)]
        rows = rows.merge(self.actuals, on=MONTH)
        rows = rows.merge(self.squared_scales, on=["aggregation", "unique_id", "cutoff"], how="left")
        rows["squared_scale"] = rows["squared_scale"].where(rows["scale"].notna())
        return rows.merge(self.naive, on=ROW, how="left")


def scored_rows(evaluation: pd.DataFrame, train: pd.DataFrame, sets: Sequence[str] | None = None) -> pd.DataFrame:
    """Join evaluation rows, all of them or those of some evaluation sets, with what happened and what was said a month before.

    Adds previous (what the same model said of the same month one month before, at whichever cutoff; NaN where it said nothing), y,
    squared_scale (the mean squared seasonal-naive error up to the cutoff; NaN where there is no scale) and naive_error (the seasonal
    naive's absolute error on the same row; NaN where it has none).
    """
    return Yardstick.of(evaluation[evaluation["model_name"] == BASELINE], train).scored(evaluation, sets)


def with_previous(rows: pd.DataFrame) -> pd.DataFrame:
    """Add what the same model said of the same month at the cutoff one month before (`previous`; NaN where there is none)."""
    key = ["aggregation", "unique_id", "model_name", "cutoff", "ds"]
    earlier = rows[[*key, POINT]].rename(columns={POINT: "previous"})
    earlier["cutoff"] += pd.offsets.MonthBegin(1)
    return rows.merge(earlier, on=key, how="left")


def _squared_scales(actuals: pd.DataFrame) -> pd.DataFrame:
    """Return the mean squared change from a year earlier, up to each month.

    One row per aggregation, unique_id, cutoff: squared_scale.
    """
    parts = []
    for level, rows in actuals.groupby("aggregation", sort=False):
        known = panel(rows)
        squared = change(known, SEASON_LENGTH) ** 2
        count = np.isfinite(squared).cumsum(axis=1)
        mean_square = np.nan_to_num(squared).cumsum(axis=1) / np.where(count > 0, count, np.nan)
        series, months = np.nonzero(np.isfinite(known.values))
        part = {"unique_id": known.ids[series], "cutoff": month_start(known.origins[series, months])}
        parts.append(pd.DataFrame(part | {"aggregation": level, "squared_scale": mean_square[series, months]}))
    return pd.concat(parts, ignore_index=True)


def leaderboard(evaluation: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Measure every model.

    Parameters
    ----------
    evaluation: BACKTEST_COLUMNS, of `intervals.calibrate_backtest`; only its choice and held-out cutoffs are measured.
    train: the training set.

    Returns
    -------
    One row per aggregation, evaluation_set ('choice', 'held_out'), horizon_group ('1-3', '4-6', 'all') and model, best MASE
    first: n, n_cutoffs, first_cutoff, last_cutoff, the measures of `metrics`, how many rows these left out, and fva: the seasonal
    naive's MAE − the model's, in the unit of y, on the rows that both have (above zero, the model is better), and masc: how far the
    forecast of a month moved since the month before, in scales.
    """
    board = measured_by_model(scored_rows(evaluation, train, COMPARED))
    return ranked(board, evaluation["aggregation"].unique())


def measured_by_model(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every measure of scored rows by aggregation, evaluation set, months ahead and model, with the cutoffs that they are of."""
    parts = [
        rows[rows["horizon"].between(low, high)].assign(horizon_group=name)
        for name, (low, high) in HORIZON_GROUPS.items()
    ]
    grouped = pd.concat(parts, ignore_index=True)
    by = ["aggregation", "evaluation_set", "horizon_group", "model_name"]
    spans = grouped.groupby(by).agg(
        n_cutoffs=("cutoff", "nunique"), first_cutoff=("cutoff", "min"), last_cutoff=("cutoff", "max")
    )
    return score(grouped, by, BESIDE_OTHERS).merge(spans.reset_index(), on=by)


def ranked(board: pd.DataFrame, aggregations: Iterable[str]) -> pd.DataFrame:
    """Bring a leaderboard into its order, best MASE first; `aggregations` in the order in which they are met."""
    by = ["aggregation", "evaluation_set", "horizon_group", "model_name"]
    order = {
        "aggregation": aggregations_of(aggregations),
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
