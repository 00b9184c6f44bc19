"""Measuring many models one after the other, so that only one back-test at a time lies in memory."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from forecasting.contracts import AGGREGATIONS
from forecasting.evaluation.cutoffs import COMPARED
from forecasting.evaluation.evidence import ROW, choosing, mean_losses
from forecasting.evaluation.metrics import score
from forecasting.evaluation.ranking import Yardstick, measured_by_model, ranked
from forecasting.evaluation.scores import GROUPINGS, scores_by_group
from forecasting.evaluation.significance import scaled_errors


class Judged(NamedTuple):
    """What was measured of several models.

    `leaderboard`: of `leaderboard`; `by_horizon`, `by_group`: as `Measured` and `scores_by_group` have them; `losses`: of `losses`;
    `errors`: of `scaled_errors`.
    """

    leaderboard: pd.DataFrame
    by_horizon: pd.DataFrame
    by_group: pd.DataFrame
    losses: pd.DataFrame
    errors: pd.DataFrame


def judge(back_tests: Iterable[pd.DataFrame], baseline: pd.DataFrame, train: pd.DataFrame) -> Judged:
    """Measure models.

    Parameters
    ----------
    back_tests: the rows of each model (BACKTEST_COLUMNS), read when they are asked for.
    baseline: those of the seasonal naive.
    train: the training set.
    """
    yardstick = Yardstick.of(baseline, train)
    boards, horizons, groups, losses, errors = zip(*(_of_one(rows, yardstick) for rows in back_tests), strict=True)
    most = max(n for n, _ in losses)
    return Judged(
        ranked(pd.concat(boards, ignore_index=True), yardstick.observed.hierarchy.nodes["aggregation"].unique()),
        _sorted(horizons, ["model_name", "horizon"]),
        _by_group(groups),
        _sorted([own for n, own in losses if n == most], ROW),
        pd.concat(errors, axis=1).sort_index().sort_index(axis=1),
    )


def _of_one(rows: pd.DataFrame, yardstick: Yardstick) -> tuple[Any, ...]:
    """Return what `judge` puts together, of one model: the losses with the number of rows that they are of."""
    scored = yardstick.scored(rows)
    compared = scored[scored["evaluation_set"].isin(COMPARED)]
    series = compared[compared["aggregation"] == AGGREGATIONS[0]]
    chosen = choosing(scored)
    return (
        measured_by_model(compared),
        score(series, ["model_name", "horizon"]),
        scores_by_group(series),
        (len(chosen), mean_losses(chosen)),
        scaled_errors(scored),
    )


def _sorted(parts: Iterable[pd.DataFrame], by: list[str]) -> pd.DataFrame:
    """Return tables of single models as one in this order."""
    return pd.concat(list(parts), ignore_index=True).sort_values(by, ignore_index=True)


def _by_group(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return scores by group in the order of `scores_by_group`: groupings first, then models, evaluation sets and groups."""
    together = pd.concat(list(parts), ignore_index=True)
    order = together["grouped_by"].map(GROUPINGS.index)
    place = together["group"].where(order < GROUPINGS.index("horizon"), together["group"].str.zfill(6))
    keys = pd.DataFrame(
        {"order": order, "model": together["model_name"], "set": together["evaluation_set"], "group": place}
    )
    return together.loc[keys.sort_values([*keys]).index].reset_index(drop=True)
