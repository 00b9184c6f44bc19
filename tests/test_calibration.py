"""What is published: honest intervals at every aggregation, cut by the sign policy, the same whoever computes them."""

import json

import numpy as np
import pandas as pd
import pytest

from forecasting import models
from forecasting.backtest import cutoffs, empty_backtest, known_at, plan, walk_forward
from forecasting.calibration import Calibration, calibrate_backtests, calibrate_forecasts, final_calibration
from forecasting.contracts import BACKTEST_COLUMNS, FORECAST_COLUMNS, QUANTILE_COLUMNS
from forecasting.hierarchy import aggregate_actuals
from forecasting.models.linear import LinearModel
from forecasting.models.naive import SeasonalNaive
from synthetic import company, series

COLUMNS = list(QUANTILE_COLUMNS)


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return company(60, seed=9)


@pytest.fixture(scope="module")
def table(train: pd.DataFrame) -> pd.DataFrame:
    return plan(train["ds"], n_cutoffs=4, n_calibration=6)


@pytest.fixture(scope="module")
def raw(train: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    chosen = list(table["cutoff"])
    return pd.concat([walk_forward(model, train, "sales", chosen) for model in (SeasonalNaive(), LinearModel())])


@pytest.fixture(scope="module")
def evaluation(raw: pd.DataFrame, train: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    return calibrate_backtests(raw, train, "sales", table, allow_negative=False).rows


def test_every_aggregation_has_its_rows(evaluation: pd.DataFrame, table: pd.DataFrame):
    assert list(evaluation.columns) == BACKTEST_COLUMNS
    assert not evaluation.duplicated(["model_name", "aggregation", "unique_id", "cutoff", "horizon"]).any()
    recent = (table["evaluation_set"] == "recent").sum()  # with one month ahead less each
    assert len(evaluation) == 2 * ((len(table) - recent) * 6 + sum(range(1, recent + 1))) * (6 + 2 + 3 + 1)
    sets = evaluation[["cutoff", "evaluation_set"]].drop_duplicates().reset_index(drop=True)
    pd.testing.assert_frame_equal(sets, table)
    assert (np.diff(evaluation[COLUMNS], axis=1) >= 0).all() and evaluation["scale"].gt(0).all()


def test_points_of_a_sum_are_the_sums_of_the_points(evaluation: pd.DataFrame, raw: pd.DataFrame):
    keys = ["model_name", "cutoff", "horizon"]
    by_level = {level: part.groupby(keys)["q500"].sum() for level, part in evaluation.groupby("aggregation")}
    expected = raw.groupby(keys)["q500"].sum()
    for level in ("series", "region", "category", "total"):
        np.testing.assert_allclose(by_level[level], expected, rtol=1e-12)


def test_nothing_after_a_cutoff_changes_its_forecast_scale_or_interval(train: pd.DataFrame, table: pd.DataFrame):
    chosen = list(table["cutoff"])
    before = calibrate_backtests(walk_forward(LinearModel(), train, "sales", chosen), train, "sales", table, True).rows
    for cutoff in chosen[3::3]:
        later = train["ds"] > cutoff
        changed = train.assign(y=train["y"].where(~later, 5e5 - 3.0 * train["y"]), is_imputed=later)
        after = calibrate_backtests(
            walk_forward(LinearModel(), changed, "sales", chosen), changed, "sales", table, True
        ).rows
        same = before["cutoff"] <= cutoff
        pd.testing.assert_frame_equal(after[same], before[same], check_exact=True)
        if cutoff < chosen[-1]:
            assert not np.allclose(after.loc[~same, "q900"], before.loc[~same, "q900"])


def test_the_next_forecast_uses_the_same_calculation_as_the_backtests(
    train: pd.DataFrame, table: pd.DataFrame, raw: pd.DataFrame
):
    """At a past cutoff, what would have been published equals what the backtest says."""
    cutoff = table.loc[table["evaluation_set"] == "held_out", "cutoff"].iloc[-1]
    past, known = train[train["ds"] <= cutoff], raw[(raw["model_name"] == "seasonal_naive") & (raw["ds"] <= cutoff)]
    calibration = Calibration.from_json(json.loads(json.dumps(final_calibration(known, past, False).to_json())))
    forecast = models.forecast(SeasonalNaive(), known_at(past, cutoff), 6, flow=True)
    rows = calibrate_forecasts(forecast, past, "sales", "seasonal_naive", "published", calibration, False).rows
    mine = raw[raw["model_name"] == "seasonal_naive"]
    expected = calibrate_backtests(mine, train, "sales", table, False).rows
    expected = expected[expected["cutoff"] == cutoff].reset_index(drop=True)
    assert list(rows.columns) == FORECAST_COLUMNS and set(rows["status"]) == {"published"}
    same = ["aggregation", "unique_id", "ds", "horizon", "scale", "interval_pool", "interval_n", "is_fallback"]
    pd.testing.assert_frame_equal(rows[same], expected[same])
    for name, quantile in {
        "predicted_value": "q500",
        "lo_80": "q100",
        "hi_80": "q900",
        "lo_95": "q025",
        "hi_95": "q975",
    }.items():
        np.testing.assert_array_equal(rows[name], expected[quantile])


def covered(seed: int) -> pd.DataFrame:
    """Return, per aggregation, the share of actuals within the intervals, where months are noise without memory."""
    rng = np.random.default_rng(seed)
    noise = [series(rng.normal(50.0, 10.0, 80), f"R{i % 4}/C{i // 4}") for i in range(24)]
    train = pd.concat(noise, ignore_index=True)
    table = plan(train["ds"], n_cutoffs=16, n_calibration=12)
    raw = walk_forward(SeasonalNaive(), train, "profit", list(table["cutoff"]))
    rows = calibrate_backtests(raw, train, "profit", table, True).rows
    rows = rows[rows["evaluation_set"] != "calibration"].merge(
        aggregate_actuals(train)[["aggregation", "unique_id", "ds", "y"]], on=["aggregation", "unique_id", "ds"]
    )
    inside = {80: rows["y"].between(rows["q100"], rows["q900"]), 95: rows["y"].between(rows["q025"], rows["q975"])}
    return pd.DataFrame(inside).groupby(rows["aggregation"]).mean()


def test_coverage_on_noise_without_memory():
    share = sum(covered(seed) for seed in range(3)) / 3
    for level, (wide_80, wide_95) in {"series": (0.03, 0.015), "region": (0.1, 0.05), "category": (0.1, 0.05)}.items():
        assert abs(share.loc[level, 80] - 0.80) < wide_80 and abs(share.loc[level, 95] - 0.95) < wide_95


def test_sign_policy_cuts_points_before_they_are_added_up_and_counts():
    falling = np.concatenate([np.full(30, 100.0), np.linspace(100.0, -60.0, 12)])
    train = pd.concat([series(falling, "A/x"), series(np.full(42, 40.0), "A/y")], ignore_index=True)
    calibration = final_calibration(empty_backtest(), train, False)
    raw = models.forecast(models.get("naive")(), train, 2, flow=True)
    cut = calibrate_forecasts(raw, train, "sales", "naive", "published", calibration, allow_negative=False)
    total = cut.rows[cut.rows["aggregation"] == "total"]
    assert total["predicted_value"].tolist() == [40.0, 40.0] and cut.cut["points"] == 2
    assert (cut.rows[["predicted_value", "lo_80", "hi_80", "lo_95", "hi_95"]] >= 0).all(axis=None) and cut.cut[
        "bounds"
    ] > 0
    free = calibrate_forecasts(raw, train, "profit", "naive", "published", calibration, allow_negative=True)
    assert free.rows.loc[free.rows["aggregation"] == "total", "predicted_value"].tolist() == [-20.0, -20.0]
    assert free.rows["lo_95"].min() < -60.0 and free.cut == {"points": 0, "bounds": 0}


def test_without_backtests_there_are_forecasts_with_intervals_all_the_same():
    train = company(24)
    table = plan(train["ds"])
    assert table.empty
    nothing = calibrate_backtests(empty_backtest(), train, "sales", table, False).rows
    assert nothing.empty and list(nothing.columns) == BACKTEST_COLUMNS
    calibration = final_calibration(empty_backtest(), train, False)
    raw = models.forecast(SeasonalNaive(), train, 6, flow=True)
    rows = calibrate_forecasts(raw, train, "sales", "seasonal_naive", "baseline", calibration, False).rows
    assert set(rows["interval_pool"]) <= {
        "series, seasonal naive errors in the history", "sums, seasonal naive errors in the history"
    }  # fmt: skip
    assert (rows["hi_80"] > rows["lo_80"]).all() and np.isfinite(rows["scale"]).all()


def test_one_month_of_data_has_a_point_without_width():
    train = series([5.0])
    raw = models.forecast(SeasonalNaive(), train, 3, flow=True)
    calibration = final_calibration(empty_backtest(), train, False)
    rows = calibrate_forecasts(raw, train, "sales", "seasonal_naive", "published", calibration, False).rows
    assert rows["lo_95"].tolist() == rows["predicted_value"].tolist() == [5.0] * 12 and set(rows["interval_n"]) == {0}


def test_cutoffs_outside_the_plan_are_left_out(train: pd.DataFrame):
    chosen = cutoffs(train["ds"], n_cutoffs=4)
    raw = walk_forward(SeasonalNaive(), train, "sales", chosen)
    table = plan(train["ds"], n_cutoffs=2, n_calibration=0)
    rows = calibrate_backtests(raw, train, "sales", table, False).rows
    assert sorted(rows["cutoff"].unique()) == chosen[-2:]
