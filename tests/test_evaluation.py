"""Leaderboard against loops."""

import pandas as pd
import pytest

from forecasting.evaluation.backtest import back_test
from forecasting.evaluation.cutoffs import COMPARED
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.evaluation.evidence import losses
from forecasting.evaluation.judging import judge
from forecasting.evaluation.ranking import leaderboard, scored_rows
from forecasting.evaluation.scores import by_horizon, measure, scores_by_group
from forecasting.evaluation.significance import scaled_errors
from forecasting.models.linear import LinearModel
from forecasting.models.naive import Naive, SeasonalNaive
from synthetic import company


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return company(60, seed=5)


@pytest.fixture(scope="module")
def table(train: pd.DataFrame) -> pd.DataFrame:
    return plan(train["ds"], n_calibration=2)


@pytest.fixture(scope="module")
def evaluation(train: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    models = (LinearModel(), Naive(), SeasonalNaive())
    return pd.concat([back_test(model, train, "sales", table, False).rows for model in models], ignore_index=True)


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
        absolute, scaled, added, signed, moved, cutoffs = [], [], [], [], [], set()
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
            before = row["aggregation"], row["unique_id"], row["cutoff"] - pd.DateOffset(months=1), row["horizon"] + 1
            if before in points:  # whatever that cutoff is for
                moved.append(abs(row["q500"] - points[before][row["model_name"]]) / row["scale"])
        assert line["n"] == len(absolute) and line["n_cutoffs"] == len(cutoffs)
        assert (line["first_cutoff"], line["last_cutoff"]) == (min(cutoffs), max(cutoffs))
        for name, values in {"mae": absolute, "mase": scaled, "fva": added, "bias": signed, "masc": moved}.items():
            assert line[name] == pytest.approx(sum(values) / len(values), rel=1e-9, abs=1e-9)


def test_leaderboard_is_in_order_and_leaves_calibration_out(evaluation: pd.DataFrame, train: pd.DataFrame):
    board = leaderboard(evaluation, train)
    assert board["aggregation"].unique().tolist() == ["series", "region", "category", "total"]
    assert board["evaluation_set"].unique().tolist() == ["choice", "held_out"]
    first = board.iloc[:3]
    assert first["horizon_group"].tolist() == ["1-3"] * 3 and first["mase"].is_monotonic_increasing
    baseline = board[board["model_name"] == "seasonal_naive"]
    assert (baseline["fva"] == 0).all() and (baseline["masc"] == 0).all() and (first["masc"] >= 0).all()


def test_squared_scale_is_the_mean_square_of_the_history(evaluation: pd.DataFrame, train: pd.DataFrame):
    rows = scored_rows(evaluation, train)
    row = rows[(rows["aggregation"] == "series") & (rows["unique_id"] == "R1/C2")].iloc[-1]
    y = train.loc[(train["unique_id"] == "R1/C2") & (train["ds"] <= row["cutoff"]), "y"].tolist()
    squares = [(y[t] - y[t - 12]) ** 2 for t in range(12, len(y))]
    assert row["squared_scale"] == pytest.approx(sum(squares) / len(squares))


def test_scores_by_group_agree_with_a_loop(evaluation: pd.DataFrame, train: pd.DataFrame):
    found = scores_by_group(scored_rows(evaluation, train, COMPARED, "series"))
    actual = {(row["unique_id"], row["ds"]): row["y"] for row in train.to_dict("records")}
    rows = [row for row in evaluation.to_dict("records") if row["aggregation"] == "series"]
    key = ("unique_id", "cutoff", "horizon")
    naive = {tuple(row[k] for k in key): row["q500"] for row in rows if row["model_name"] == "seasonal_naive"}
    assert len(found) == 3 * 2 * (2 + 3 + 6)  # models, evaluation sets; regions, categories, months ahead
    for line in found.to_dict("records"):
        errors, added, scaled, sizes, inside = [], [], [], [], 0
        for row in rows:
            if (
                any(row[k] != line[k] for k in ("model_name", "evaluation_set"))
                or str(row[line["grouped_by"]]) != line["group"]
            ):
                continue
            y = actual[row["unique_id"], row["ds"]]
            errors.append(row["q500"] - y)
            added.append(abs(naive[tuple(row[k] for k in key)] - y) - abs(row["q500"] - y))
            scaled.append(abs(row["q500"] - y) / row["scale"])
            sizes.append(abs(y))
            inside += row["q100"] <= y <= row["q900"]
        n = len(errors)
        expected = {"n": n, "bias": sum(errors) / n, "fva": sum(added) / n, "mase": sum(scaled) / n}
        expected |= {"wape": sum(map(abs, errors)) / sum(sizes), "coverage_80": inside / n}
        assert {name: line[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("lacking", [None, "naive"])
def test_models_judged_one_by_one_are_what_they_are_together(
    evaluation: pd.DataFrame, train: pd.DataFrame, lacking: str | None
):
    """Also where one of them has no word at the last cutoff of those that choose: it takes no part in the choice then."""
    choosing = evaluation.loc[evaluation["evaluation_set"] == "choice", "cutoff"].max()
    rows = evaluation[(evaluation["model_name"] != lacking) | (evaluation["cutoff"] != choosing)]
    by_model = {name: part.reset_index(drop=True) for name, part in rows.groupby("model_name")}
    found = judge([by_model[name] for name in ("seasonal_naive", "naive", "linear")], by_model["seasonal_naive"], train)
    scored = scored_rows(rows, train)
    assert set(found.losses["model_name"]) == {"seasonal_naive", "naive", "linear"} - {lacking}
    for own, expected in (
        (found.leaderboard, leaderboard(rows, train)),
        (found.by_horizon, by_horizon(measure(own, train) for own in by_model.values())),
        (found.by_group, scores_by_group(scored_rows(rows, train, COMPARED, "series"))),
        (found.losses, losses(scored)),
        (found.errors, scaled_errors(scored)),
    ):
        pd.testing.assert_frame_equal(own, expected)


def test_errors_of_a_model_are_what_it_missed_by(evaluation: pd.DataFrame, train: pd.DataFrame):
    linear = evaluation[evaluation["model_name"] == "linear"]
    actual = {(row["unique_id"], row["ds"]): row["y"] for row in train.to_dict("records")}
    compared = linear[(linear["aggregation"] == "series") & linear["evaluation_set"].isin(COMPARED)]
    expected = [row["q500"] - actual[row["unique_id"], row["ds"]] for row in compared.to_dict("records")]
    assert measure(linear, train).errors["error"].tolist() == pytest.approx(expected)
