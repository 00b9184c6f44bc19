"""Which model is how good: the leaderboard, with forecast value added. `choice` chooses by it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts import POINT, SEASON_LENGTH, aggregations_of
from forecasting.evaluation.cutoffs import CHOICE, COMPARED, HELD_OUT_SET
from forecasting.evaluation.metrics import BESIDE_OTHERS, score
from forecasting.series import Observed, change, month_number

BASELINE = "seasonal_naive"
HORIZON_GROUPS = {"1-3": (1, 3), "4-6": (4, 6), "all": (1, 10_000)}


@dataclass(frozen=True)
class Yardstick:
    """What rows of any model are measured by: what happened, the scales, and what the seasonal naive missed by.

    `squared_scales` [nodes, months]: of `_squared_scales`. `naive`: the seasonal naive's points.
    """

    observed: Observed
    squared_scales: np.ndarray
    naive: "Said"

    @classmethod
    def of(cls, baseline: pd.DataFrame, train: pd.DataFrame) -> Self:
        """Take the seasonal naive's rows (BACKTEST_COLUMNS), none where it has none, and the training set."""
        observed = Observed.of(train)
        return cls(observed, _squared_scales(observed), Said.of(baseline, observed))

    def scored(
        self, evaluation: pd.DataFrame, sets: Sequence[str] | None = None, aggregation: str | None = None
    ) -> pd.DataFrame:
        """Do what `scored_rows` does, for rows of any models."""
        observed, node = self.observed, self.observed.hierarchy.numbers(evaluation)
        y = np.where(node >= 0, observed.y(node, evaluation["ds"]), np.nan)
        asked = np.isfinite(y)
        if sets is not None:
            asked &= evaluation["evaluation_set"].isin(sets).to_numpy()
        if aggregation is not None:
            asked &= evaluation["aggregation"].eq(aggregation).to_numpy()
        previous, points = np.full(len(evaluation), np.nan), evaluation[["cutoff", "horizon", POINT]]
        for rows in evaluation.groupby("model_name").indices.values():
            own = points.iloc[rows]
            previous[rows] = Said.of(own, observed, node[rows]).at(node[rows], own, months_before=1)
        rows, node, y = evaluation[asked].reset_index(drop=True), node[asked], y[asked]
        cutoff = observed.columns(rows["cutoff"])
        squared = np.where((cutoff >= 0) & rows["scale"].notna(), self.squared_scales[node, cutoff], np.nan)
        rows["previous"], rows["y"], rows["squared_scale"] = previous[asked], y, squared
        rows["naive_error"] = np.abs(self.naive.at(node, rows) - y)
        return rows


@dataclass(frozen=True)
class Said:
    """The points of one model [nodes, cutoffs, months ahead], NaN where it said nothing; `first`: month number of the first cutoff."""

    points: np.ndarray
    first: int

    @classmethod
    def of(cls, rows: pd.DataFrame, observed: Observed, node: np.ndarray | None = None) -> Self:
        """Arrange the rows of a model; `node` is that of each row, where it is known."""
        node = observed.hierarchy.numbers(rows) if node is None else node
        cutoff, horizon = month_number(rows["cutoff"]), rows["horizon"].to_numpy(dtype=int)
        first = int(cutoff.min(initial=np.iinfo(np.int64).max)) if len(rows) else 0
        shape = (len(observed.values), int(cutoff.max(initial=first)) - first + 1, int(horizon.max(initial=0)) + 1)
        points, known = np.full(shape, np.nan), node >= 0
        points[node[known], cutoff[known] - first, horizon[known]] = rows[POINT].to_numpy()[known]
        return cls(points, first)

    def at(self, node: np.ndarray, rows: pd.DataFrame, months_before: int = 0) -> np.ndarray:
        """Return what was said of the node and month of each row, at the row's cutoff or some months before it [n]."""
        cutoff = month_number(rows["cutoff"]) - months_before - self.first
        horizon = rows["horizon"].to_numpy(dtype=int) + months_before
        there = (node >= 0) & (cutoff >= 0) & (cutoff < self.points.shape[1]) & (horizon < self.points.shape[2])
        found = np.full(len(rows), np.nan)
        found[there] = self.points[node[there], cutoff[there], horizon[there]]
        return found


def scored_rows(
    evaluation: pd.DataFrame, train: pd.DataFrame, sets: Sequence[str] | None = None, aggregation: str | None = None
) -> pd.DataFrame:
    """Join evaluation rows, all or those of some sets or one aggregation, with what happened and what was said a month before.

    Adds previous (what the same model said of the same month one month before, at whichever cutoff; NaN where it said nothing), y,
    squared_scale (the mean squared seasonal-naive error up to the cutoff; NaN where there is no scale) and naive_error (the seasonal
    naive's absolute error on the same row; NaN where it has none).
    """
    return Yardstick.of(evaluation[evaluation["model_name"] == BASELINE], train).scored(evaluation, sets, aggregation)


def _squared_scales(observed: Observed) -> np.ndarray:
    """Return the mean squared change from a year earlier, up to each month [nodes, months]; NaN where a month is not known."""
    found = np.full(observed.values.shape, np.nan)
    for nodes in observed.hierarchy.slices():
        known = observed.until(nodes, observed.last)
        squared = change(known, SEASON_LENGTH) ** 2
        count = np.isfinite(squared).cumsum(axis=1)
        mean_square = np.nan_to_num(squared).cumsum(axis=1) / np.where(count > 0, count, np.nan)
        series, months = np.nonzero(np.isfinite(known.values))
        found[known.ids[series], known.origins[series, months] - observed.first] = mean_square[series, months]
    return found


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
    by, found = ["aggregation", "evaluation_set", "horizon_group", "model_name"], []
    # one group after the other: all in one table would take gigabytes of very many series
    for name, (low, high) in HORIZON_GROUPS.items():
        some = rows[rows["horizon"].between(low, high)].assign(horizon_group=name)
        spans = some.groupby(by).agg(
            n_cutoffs=("cutoff", "nunique"), first_cutoff=("cutoff", "min"), last_cutoff=("cutoff", "max")
        )
        found.append(score(some, by, BESIDE_OTHERS).merge(spans.reset_index(), on=by))
    return pd.concat(found, ignore_index=True).sort_values(by, ignore_index=True)


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
