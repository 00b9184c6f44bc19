"""What is published: honest intervals at every aggregation, cut by the sign policy, the same whoever computes them."""

import json

import numpy as np
import pandas as pd
import pytest

from forecasting import models
from forecasting.contracts import BACKTEST_COLUMNS, FORECAST_COLUMNS, QUANTILE_COLUMNS
from forecasting.evaluation.backtest import empty_backtest, forecast_nodes, known_at, walk_forward
from forecasting.evaluation.cutoffs import cutoffs
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.intervals import (
    ENTRIES,
    Calibration,
    Past,
    calibrate_backtest,
    calibrate_backtests,
    calibrate_forecasts,
    reconciliation_table,
)
from forecasting.intervals.calibrated import Calibrated, _finished, _past
from forecasting.intervals.calibration import coherent_quantiles
from forecasting.intervals.conformal import MIDDLE, naive_errors
from forecasting.intervals.reconciliation import METHODS, reconcile
from forecasting.models.base import Model
from forecasting.models.linear import LinearModel
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.run.folder import RunFolder
from forecasting.series.hierarchy import Hierarchy, aggregate_actuals
from forecasting.series.observed import Observed
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
    parts = [part for _, part in raw.groupby("model_name")]
    return pd.concat([calibrate_backtest(part, train, "sales", table, False).rows for part in parts], ignore_index=True)


def test_every_aggregation_has_its_rows(evaluation: pd.DataFrame, table: pd.DataFrame):
    assert list(evaluation.columns) == BACKTEST_COLUMNS
    assert not evaluation.duplicated(["model_name", "aggregation", "unique_id", "cutoff", "horizon"]).any()
    recent = (table["evaluation_set"] == "recent").sum()  # with one month ahead less each
    assert len(evaluation) == 2 * ((len(table) - recent) * 6 + sum(range(1, recent + 1))) * (6 + 2 + 3 + 1)
    sets = evaluation[["cutoff", "evaluation_set"]].drop_duplicates().reset_index(drop=True)
    pd.testing.assert_frame_equal(sets, table)
    assert (np.diff(evaluation[COLUMNS], axis=1) >= 0).all() and evaluation["scale"].gt(0).all()


def test_points_of_every_aggregation_are_the_sums_of_the_series_points(evaluation: pd.DataFrame):
    hierarchy = Hierarchy.of(evaluation[evaluation["aggregation"] == "series"])
    keys = ["model_name", "cutoff", "horizon"]
    for _, forecast in evaluation.groupby(keys):
        points = forecast.set_index(["aggregation", "unique_id"])["q500"]
        points = points.reindex(pd.MultiIndex.from_frame(hierarchy.nodes[["aggregation", "unique_id"]])).to_numpy()
        np.testing.assert_array_equal(hierarchy.add_up(points[: hierarchy.n_series, None])[:, 0], points)


def noisy(seed: int, **sizes: int) -> pd.DataFrame:
    """Series whose noise cancels out in the sums, so that forecasts of sums know more than those of series."""
    train, rng = company(60, seed, **sizes), np.random.default_rng(seed)
    return train.assign(y=train["y"] * rng.normal(1.0, 0.5, len(train)))


@pytest.mark.parametrize("model", [Naive(), SeasonalNaive(), LinearModel()], ids=lambda model: model.name)
def test_nothing_after_a_cutoff_changes_its_forecast_method_scale_or_interval(model: Model):
    train = noisy(3, regions=3)
    table = plan(train["ds"], n_cutoffs=4, n_calibration=6)
    chosen = list(table["cutoff"])
    raw = walk_forward(model, train, "sales", chosen)
    before = calibrate_backtest(raw, train, "sales", table, True).rows
    for cutoff in chosen[3::4]:
        later = train["ds"] > cutoff
        changed = train.assign(y=train["y"].where(~later, 5e5 - 3.0 * train["y"]), is_imputed=later)
        after_raw = walk_forward(model, changed, "sales", chosen)
        after = calibrate_backtest(after_raw, changed, "sales", table, True).rows
        same, same_raw = before["cutoff"] <= cutoff, raw["cutoff"] <= cutoff
        pd.testing.assert_frame_equal(after_raw[same_raw], raw[same_raw], check_exact=True)
        pd.testing.assert_frame_equal(after[same], before[same], check_exact=True)
        assert not np.allclose(after.loc[~same, "q900"], before.loc[~same, "q900"])
        was, now = (
            calibrate_backtest(
                rows[rows["ds"] <= cutoff], facts[facts["ds"] <= cutoff], "sales", table, True
            ).calibration
            for rows, facts in ((raw, train), (after_raw, changed))
        )
        assert was == now


def test_the_method_in_force_at_a_cutoff_is_the_one_that_was_best_by_then():
    train = noisy(3, regions=3)
    table = plan(train["ds"], n_cutoffs=4, n_calibration=6)
    raw = walk_forward(LinearModel(), train, "sales", list(table["cutoff"]))
    rows = calibrate_backtest(raw, train, "sales", table, True).rows
    found = reconcile(raw[raw["ds"] <= train["ds"].max()], Observed.of(train), cut=False)
    in_force = set()
    for cutoff, part in rows.groupby("cutoff"):
        known = found[found["ds"] <= cutoff]
        past = train[train["ds"] <= cutoff]
        method = calibrate_backtest(known[raw.columns], past, "sales", table, True).calibration["reconciliation"]
        mine = found[found["cutoff"] == cutoff].sort_values(["aggregation", "unique_id", "horizon"])
        ordered = part.sort_values(["aggregation", "unique_id", "horizon"])
        np.testing.assert_array_equal(ordered["q500"], mine[method])
        in_force.add(method)
    assert len(in_force) > 1  # at first too little is known to leave bottom_up


@pytest.mark.parametrize("allow_negative", [False, True])
def test_models_one_by_one_give_what_they_give_together(
    raw: pd.DataFrame, train: pd.DataFrame, table: pd.DataFrame, tmp_path, allow_negative: bool
):
    """Saved by the notebooks that train, and read by the one that compares: bit for bit, in the same order."""
    (tmp_path / "run.json").write_text('{"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": {}}')
    run, low = RunFolder.open(tmp_path), raw.assign(**(raw[COLUMNS] - 400.0))  # the smaller series are below zero
    for name, part in low.groupby("model_name"):
        run.write_backtest(name, calibrate_backtest(part, train, "sales", table, allow_negative))
    names = ["seasonal_naive", "linear"]
    rows, cut = pd.concat([run.calibrated(name) for name in sorted(names)], ignore_index=True), run.cut(names)
    expected = together(low, train, table, not allow_negative)
    pd.testing.assert_frame_equal(rows, expected.rows, check_exact=True)
    assert cut == expected.cut and (cut["points"] > 0) == (cut["bounds"] > 0) == (not allow_negative)
    pd.testing.assert_frame_equal(run.read_table("said_linear"), low[low["model_name"] == "linear"])


@pytest.mark.parametrize("asked", ["all", "held out"])
def test_models_that_are_calibrated_side_by_side_are_what_each_is_alone(raw, train, table, asked):
    wanted = None if asked == "all" else table.loc[table["evaluation_set"] == "held_out", "cutoff"].tolist()
    said = {name: raw[raw["model_name"] == name] for name in ("linear", "seasonal_naive")}
    found = calibrate_backtests(said, train, "sales", table, False, wanted)
    assert list(found) == list(said)
    for name, one in said.items():
        alone = calibrate_backtest(one, train, "sales", table, False, wanted)
        pd.testing.assert_frame_equal(found[name].rows, alone.rows, check_exact=True)
        assert (found[name].cut, found[name].calibration) == (alone.cut, alone.calibration)
        assert wanted is None or set(alone.rows["cutoff"]) == set(wanted)


def test_a_model_that_lacks_a_series_is_not_mixed_up_with_the_others(raw, train, table):
    """Beside others it is what it is alone; side by side in one table they are refused."""
    said = {name: raw[raw["model_name"] == name] for name in ("linear", "seasonal_naive")}
    lacking = (
        said["linear"]["unique_id"]
        != said["linear"].loc[said["linear"]["aggregation"] == "series", "unique_id"].iloc[0]
    )
    without = said["linear"][lacking]
    found = calibrate_backtests(said | {"linear": without}, train, "sales", table, False)["linear"]
    alone = calibrate_backtest(without, train, "sales", table, False)
    pd.testing.assert_frame_equal(found.rows, alone.rows, check_exact=True)
    with pytest.raises(ValueError, match="do not all forecast the same series"):
        reconcile(pd.concat([said["seasonal_naive"], without]), Observed.of(train), cut=True)


def together(raw: pd.DataFrame, train: pd.DataFrame, table: pd.DataFrame, cut: bool) -> Calibrated:
    """Calibrate several models' forecasts side by side, cutoff after cutoff."""
    actuals = aggregate_actuals(train)
    past_rows = _past(raw, set(table["cutoff"]), Observed.of(train), cut)
    rows, parts = pd.concat(past_rows.values(), ignore_index=True), []
    for cutoff, known in rows.groupby("cutoff"):
        naive = naive_errors(actuals[actuals["ds"] <= cutoff])
        for name, part in known.groupby("model_name"):
            past = Past.of([rows[rows["model_name"] == name]], cut).known_at(cutoff)
            parts.append(Calibration.fit(past, naive).apply(part, cut))
    found = pd.concat(parts, ignore_index=True).merge(table, on="cutoff").assign(domain="sales")
    ordered = found.sort_values(["model_name", "node", "cutoff", "horizon"], ignore_index=True)
    return _finished(ordered, BACKTEST_COLUMNS, cut)


def test_past_errors_agree_with_a_loop():
    rows = pd.DataFrame({"aggregation": "series", "horizon": [2, 5, 9], "scale": [4.0, np.nan, 2.0]})
    rows = rows.assign(cutoff=pd.Timestamp("2023-10-01"), ds=pd.Timestamp("2023-12-01"), y=[12.0, 3.0, 7.0])
    rows = rows.assign(**(dict.fromkeys(COLUMNS, 10.0) | {"q025": 8.0}), bottom_up=10.0, ols=[11.0, 0.0, -1.0])
    rows = rows.assign(wls_struct=9.0, unique_id="North/Bikes", unrest=[2.0, np.nan, 3.0], intermittent=False, node=0)
    past = Past.of([rows.iloc[:1], rows.iloc[1:]], cut=True)
    assert past.errors["bottom_up"].tolist() == [0.5, 1.5] and past.errors["ols"].tolist() == [0.25, 3.5]
    ols = past.residuals("ols")
    assert ols.bucket.tolist() == [0, 2] and ols.level.tolist() == [0, 0] and ols.origin.tolist() == [0, 0]
    assert ols.unrest.tolist() == [0.5, 1.5]
    np.testing.assert_allclose(ols.values[:, [0, MIDDLE, -1]], [[0.75, 0.25, 0.25], [4.5, 3.5, 3.5]])
    earlier = past.known_at(pd.Timestamp("2023-11-01"))
    assert earlier.errors.empty and not any(len(part) for part in earlier.residuals("ols"))


def test_a_node_keeps_its_own_width_around_the_coherent_point():
    quantiles = np.array([np.linspace(-5.0, 5.0, 11) + 1.0, np.linspace(-1.0, 1.0, 11) - 3.0])
    rows = pd.DataFrame(quantiles, columns=COLUMNS).assign(ols=[7.0, -2.0])
    free, cut = coherent_quantiles(rows, "ols", cut=False), coherent_quantiles(rows, "ols", cut=True)
    np.testing.assert_allclose(free, quantiles - quantiles[:, [MIDDLE]] + np.array([[7.0], [-2.0]]), atol=1e-12)
    assert free[:, MIDDLE].tolist() == [7.0, -2.0] and cut[:, MIDDLE].tolist() == [7.0, 0.0]
    np.testing.assert_allclose(np.ptp(cut, axis=1), [10.0, 2.0])


def test_a_fallback_of_a_model_with_a_width_of_its_own_gets_its_width_from_the_errors_of_points():
    """A series that is too short for a network has a point only; what corrects the network's bounds would leave it without any."""
    entry = {"pool": "series, horizons 1-3", "n": 400, "offsets": list(range(-5, 6)), "corrections": [0.0] * 11}
    calibration = Calibration("bottom_up", {}, dict.fromkeys((f"{a}, {b}" for a, b in ENTRIES), entry))
    own = np.vstack([np.linspace(-2.0, 2.0, 11) + 50.0, np.full(11, 50.0)])
    found = calibration.moved(
        np.zeros(2, dtype=int), own, np.array([3.0, 3.0]), np.array([12.0, 12.0]), np.full(2, -np.inf)
    )
    np.testing.assert_allclose(found.quantiles, [own[0], 50.0 + 3.0 * np.arange(-5, 6)])


@pytest.mark.parametrize("unrest, unit", [(None, 3.0), (False, 3.0), (True, 6.0)])
def test_a_calibration_of_old_goes_on_to_mean_what_it_meant(unrest: bool | None, unit: float):
    """One that was stored before unrest was measured says nothing of it: its offsets are in typical errors."""
    entry = {"pool": "series, horizons 1-3", "n": 400, "offsets": list(range(-5, 6)), "corrections": None}
    entry |= {} if unrest is None else {"unrest": unrest}
    stored = {
        "reconciliation": "bottom_up",
        "mase": {},
        "entries": dict.fromkeys((f"{a}, {b}" for a, b in ENTRIES), entry),
    }
    calibration = Calibration.from_json(json.loads(json.dumps(stored)))
    sizes = np.array([3.0, 0.0]), np.array([12.0, 0.0])
    found = calibration.moved(np.zeros(2, dtype=int), np.full((2, 11), 50.0), *sizes, np.full(2, -np.inf))
    np.testing.assert_allclose(found.quantiles, [50.0 + unit * np.arange(-5, 6), np.full(11, 50.0)])


def test_months_further_off_are_never_surer(raw, train, table):
    for name in ("linear", "seasonal_naive"):
        made = calibrate_backtest(raw[raw["model_name"] == name], train, "sales", table, True).calibration["entries"]
        for level in ("series", "region", "category", "total"):
            found = np.array(
                [made[f"{level}, {bucket}"]["offsets"] for bucket in ("1-3", "4-6", "7-12", "13-18", "19+")]
            )
            assert (np.diff(found[:, MIDDLE + 1 :], axis=0) >= 0).all() and (
                np.diff(found[:, :MIDDLE], axis=0) <= 0
            ).all()


def test_the_table_says_which_method_is_in_force_and_why(raw: pd.DataFrame, train: pd.DataFrame, table: pd.DataFrame):
    names = ["linear", "seasonal_naive"]
    said = {name: raw[raw["model_name"] == name] for name in names}
    made = {name: calibrate_backtest(rows, train, "sales", table, True).calibration for name, rows in said.items()}
    shown = reconciliation_table(made).set_index("model_name")
    assert list(shown.columns) == ["reconciliation", *METHODS] and shown.index.tolist() == names
    naive = shown.loc[
        "seasonal_naive"
    ]  # its forecasts agree as they are: only series that began later make a difference
    assert naive["reconciliation"] == "bottom_up" and (shown[list(METHODS)] > 0).all(axis=None)
    empty = calibrate_backtest(empty_backtest(), train, "sales", table, True).calibration
    nothing = reconciliation_table(dict.fromkeys(names, empty))
    assert nothing["reconciliation"].tolist() == ["bottom_up"] * 2 and nothing[list(METHODS)].isna().all(axis=None)


def test_the_next_forecast_uses_the_same_calculation_as_the_backtests(
    train: pd.DataFrame, table: pd.DataFrame, raw: pd.DataFrame
):
    """At a past cutoff, what would have been published equals what the backtest says."""
    cutoff = table.loc[table["evaluation_set"] == "held_out", "cutoff"].iloc[-1]
    past, known = train[train["ds"] <= cutoff], raw[(raw["model_name"] == "seasonal_naive") & (raw["ds"] <= cutoff)]
    fitted = calibrate_backtest(known, past, "sales", table, False).calibration
    calibration = Calibration.from_json(json.loads(json.dumps(fitted)))
    forecast = forecast_nodes(SeasonalNaive(), known_at(past, cutoff), 6, flow=True)
    rows = calibrate_forecasts(forecast, past, "sales", "seasonal_naive", "published", calibration, False).rows
    mine = raw[raw["model_name"] == "seasonal_naive"]
    expected = calibrate_backtest(mine, train, "sales", table, False).rows
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
    rows = calibrate_backtest(raw, train, "profit", table, True).rows
    rows = rows[rows["evaluation_set"] != "calibration"].merge(
        aggregate_actuals(train)[["aggregation", "unique_id", "ds", "y"]], on=["aggregation", "unique_id", "ds"]
    )
    inside = {80: rows["y"].between(rows["q100"], rows["q900"]), 95: rows["y"].between(rows["q025"], rows["q975"])}
    return pd.DataFrame(inside).groupby(rows["aggregation"]).mean()


def test_coverage_on_noise_without_memory():
    share = sum(covered(seed) for seed in range(3)) / 3
    for level, (wide_80, wide_95) in {"series": (0.03, 0.015), "region": (0.1, 0.05), "category": (0.1, 0.05)}.items():
        assert abs(share.loc[level, 80] - 0.80) < wide_80 and abs(share.loc[level, 95] - 0.95) < wide_95


def without_backtests(train: pd.DataFrame) -> Calibration:
    """The calibration of a model that has forecast nothing yet."""
    made = calibrate_backtest(empty_backtest(), train, "sales", plan(train["ds"][:0]), False)
    return Calibration.from_json(made.calibration)


def test_sign_policy_cuts_points_before_they_are_added_up_and_counts():
    falling = np.concatenate([np.full(30, 100.0), np.linspace(100.0, -60.0, 12)])
    train = pd.concat([series(falling, "A/x"), series(np.full(42, 40.0), "A/y")], ignore_index=True)
    calibration = without_backtests(train)
    raw = forecast_nodes(models.get("naive")(), train, 2, flow=True)
    cut = calibrate_forecasts(raw, train, "sales", "naive", "published", calibration, allow_negative=False)
    total = cut.rows[cut.rows["aggregation"] == "total"]
    assert total["predicted_value"].tolist() == [40.0, 40.0] and cut.cut["points"] == 2
    assert cut.cut_series == {"A/x": [1, 2]}
    assert (cut.rows[["predicted_value", "lo_80", "hi_80", "lo_95", "hi_95"]] >= 0).all(axis=None) and cut.cut[
        "bounds"
    ] > 0
    free = calibrate_forecasts(raw, train, "profit", "naive", "published", calibration, allow_negative=True)
    assert free.rows.loc[free.rows["aggregation"] == "total", "predicted_value"].tolist() == [-20.0, -20.0]
    assert free.rows["lo_95"].min() < -60.0 and free.cut == {"points": 0, "bounds": 0}
    assert free.cut_series == {}


def test_without_backtests_there_are_forecasts_with_intervals_all_the_same():
    train = company(24)
    table = plan(train["ds"])
    assert table.empty
    nothing = calibrate_backtest(empty_backtest(), train, "sales", table, False).rows
    assert nothing.empty and list(nothing.columns) == BACKTEST_COLUMNS
    calibration = without_backtests(train)
    raw = forecast_nodes(SeasonalNaive(), train, 6, flow=True)
    rows = calibrate_forecasts(raw, train, "sales", "seasonal_naive", "baseline", calibration, False).rows
    assert set(rows["interval_pool"]) <= {
        "series, seasonal naive errors in the history", "sums, seasonal naive errors in the history"
    }  # fmt: skip
    assert (rows["hi_80"] > rows["lo_80"]).all() and np.isfinite(rows["scale"]).all()


def test_one_month_of_data_has_a_point_without_width():
    train = series([5.0])
    raw = forecast_nodes(SeasonalNaive(), train, 3, flow=True)
    calibration = without_backtests(train)
    rows = calibrate_forecasts(raw, train, "sales", "seasonal_naive", "published", calibration, False).rows
    assert rows["lo_95"].tolist() == rows["predicted_value"].tolist() == [5.0] * 12 and set(rows["interval_n"]) == {0}


def test_cutoffs_outside_the_plan_are_left_out(train: pd.DataFrame):
    chosen = cutoffs(train["ds"], n_cutoffs=4)
    raw = walk_forward(SeasonalNaive(), train, "sales", chosen)
    table = plan(train["ds"], n_cutoffs=2, n_calibration=0)
    rows = calibrate_backtest(raw, train, "sales", table, False).rows
    assert sorted(rows["cutoff"].unique()) == chosen[-2:]
