"""Leaderboard against loops; the champion's rules."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from forecasting.backtest import empty_backtest, plan, walk_forward
from forecasting.calibration import calibrate_backtests
from forecasting.evaluation import choose_champion, leaderboard, scored_rows
from forecasting.models.linear import LinearModel
from forecasting.models.naive import Naive, SeasonalNaive
from synthetic import company

ORDER = ["naive", "seasonal_naive", "linear"]


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return company(60, seed=5)


@pytest.fixture(scope="module")
def table(train: pd.DataFrame) -> pd.DataFrame:
    return plan(train["ds"], n_calibration=2)


@pytest.fixture(scope="module")
def evaluation(train: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    chosen = list(table["cutoff"])
    raw = pd.concat(
        [walk_forward(model, train, "sales", chosen) for model in (Naive(), SeasonalNaive(), LinearModel())]
    )
    return calibrate_backtests(raw, train, "sales", table, allow_negative=False).rows


def test_leaderboard_agrees_with_a_loop(evaluation: pd.DataFrame, train: pd.DataFrame):
    board = leaderboard(evaluation, train)
    sums = {  # actuals by aggregation, from the training set
        (level, key, ds): part["y"].sum()
        for level, by in {"series": "unique_id", "region": "region", "category": "product_category"}.items()
        for (key, ds), part in train.groupby([by, "ds"])
    } | {("total", "All", ds): part["y"].sum() for ds, part in train.groupby("ds")}
    named = {"series": "unique_id", "region": "region", "category": "product_category", "total": "region"}
    points: dict[tuple, dict[str, float]] = {}
    for row in evaluation.to_dict("records"):
        points.setdefault((row["aggregation"], row["unique_id"], row["cutoff"], row["horizon"]), {})[
            row["model_name"]
        ] = row["q500"]
    limits = {"1-3": (1, 3), "4-6": (4, 6), "all": (1, 6)}
    assert len(board) == 4 * 2 * 3 * 3
    for line in board.to_dict("records"):
        low, high = limits[line["horizon_group"]]
        absolute, scaled, added, signed, cutoffs = [], [], [], [], set()
        for row in evaluation.to_dict("records"):
            same = all(row[key] == line[key] for key in ("aggregation", "evaluation_set", "model_name"))
            if not same or not low <= row["horizon"] <= high:
                continue
            actual = sums[row["aggregation"], row[named[row["aggregation"]]], row["ds"]]
            naive = points[row["aggregation"], row["unique_id"], row["cutoff"], row["horizon"]]["seasonal_naive"]
            absolute.append(abs(row["q500"] - actual))
            signed.append(row["q500"] - actual)
            scaled.append(abs(row["q500"] - actual) / row["scale"])
            added.append(abs(naive - actual) - abs(row["q500"] - actual))
            cutoffs.add(row["cutoff"])
        assert line["n"] == len(absolute) and line["n_cutoffs"] == len(cutoffs)
        assert (line["first_cutoff"], line["last_cutoff"]) == (min(cutoffs), max(cutoffs))
        for name, values in {"mae": absolute, "mase": scaled, "fva": added, "bias": signed}.items():
            assert line[name] == pytest.approx(sum(values) / len(values), rel=1e-9, abs=1e-9)


def test_leaderboard_is_in_order_and_leaves_calibration_out(evaluation: pd.DataFrame, train: pd.DataFrame):
    board = leaderboard(evaluation, train)
    assert board["aggregation"].unique().tolist() == ["series", "region", "category", "total"]
    assert board["evaluation_set"].unique().tolist() == ["choice", "held_out"]
    first = board.iloc[:3]
    assert first["horizon_group"].tolist() == ["1-3"] * 3 and first["mase"].is_monotonic_increasing
    baseline = board[board["model_name"] == "seasonal_naive"]
    assert (baseline["fva"] == 0).all()


def test_squared_scale_is_the_mean_square_of_the_history(evaluation: pd.DataFrame, train: pd.DataFrame):
    rows = scored_rows(evaluation, train)
    row = rows[(rows["aggregation"] == "series") & (rows["unique_id"] == "R1/C2")].iloc[-1]
    y = train.loc[(train["unique_id"] == "R1/C2") & (train["ds"] <= row["cutoff"]), "y"].tolist()
    squares = [(y[t] - y[t - 12]) ** 2 for t in range(12, len(y))]
    assert row["squared_scale"] == pytest.approx(sum(squares) / len(squares))


def board_of(choice: dict[str, float], held_out: dict[str, float], n: dict[str, int] | None = None) -> pd.DataFrame:
    rows = [
        {"model_name": name, "evaluation_set": key, "mase": mase, "n": (n or {}).get(name, 10)}
        for key, values in {"choice": choice, "held_out": held_out}.items()
        for name, mase in values.items()
    ]
    frame = pd.DataFrame(rows, columns=["model_name", "evaluation_set", "mase", "n"])
    return frame.assign(aggregation="series", horizon_group="all")


def test_champion_is_the_best_on_the_choice_cutoffs_alone(table: pd.DataFrame):
    board = board_of(
        {"naive": 1.2, "seasonal_naive": 1.0, "linear": 0.8}, {"naive": 0.5, "seasonal_naive": 0.7, "linear": 0.9}
    )
    champion = choose_champion(board, table, ORDER)
    assert champion["name"] == "linear" and champion["mase_choice"] == 0.8 and champion["mase_held_out"] == 0.9
    assert champion["seasonal_naive_mase_held_out"] == 0.7 and champion["beats_seasonal_naive"] is False
    assert "on the 4 cutoffs that choose" in champion["reason"] and "does not beat" in champion["reason"]
    assert champion["held_out_cutoffs"] == ["2023-05-01", "2023-06-01"] and len(champion["choice_cutoffs"]) == 4
    assert json.loads(json.dumps(champion)) == champion


def test_ties_go_to_the_simpler_model(table: pd.DataFrame):
    equal = dict.fromkeys(["linear", "zeta", "naive"], 0.9)
    assert choose_champion(board_of(equal, equal), table, ORDER)["name"] == "naive"
    assert choose_champion(board_of(equal, equal), table, ["zeta", "linear"])["name"] == "zeta"
    assert choose_champion(board_of({"zeta": 0.9, "linear": 0.9}, {}), table, ORDER)["name"] == "linear"


def test_a_model_that_lacks_forecasts_is_no_candidate(table: pd.DataFrame):
    scores = {"seasonal_naive": 1.0, "linear": 0.5, "naive": math.nan}
    champion = choose_champion(board_of(scores, scores, {"linear": 5}), table, ORDER)
    assert champion["name"] == "seasonal_naive" and "1 more could not be compared" in champion["reason"]


@pytest.mark.parametrize("months", [26, 30, 31])
def test_a_short_history_gets_the_seasonal_naive_and_a_reason(months: int):
    train = company(months)
    table = plan(train["ds"])
    raw = walk_forward(SeasonalNaive(), train, "sales", list(table["cutoff"])) if len(table) else empty_backtest()
    rows = calibrate_backtests(raw, train, "sales", table, False).rows
    champion = choose_champion(leaderboard(rows, train), table, ORDER)
    assert (
        champion["name"] == "seasonal_naive" and "too short" in champion["reason"] and champion["choice_cutoffs"] == []
    )
    assert champion["mase_choice"] is None and champion["beats_seasonal_naive"] is False
    assert (champion["mase_held_out"] is None) == (months == 26)
    assert np.isfinite(champion["mase_held_out"] or 0.0)
