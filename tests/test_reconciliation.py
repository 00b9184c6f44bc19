"""Aggregations agree whatever the hierarchy; the projection against matrix algebra; the choice against its rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.evaluation.backtest import walk_forward
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.intervals import calibrate_backtest, reconciliation
from forecasting.intervals.reconciliation import METHODS, SIMPLEST, choose_method, reconcile
from forecasting.models.linear import LinearModel
from forecasting.models.naive import SeasonalNaive
from forecasting.series.hierarchy import Hierarchy
from forecasting.series.observed import Observed
from synthetic import company, series

COLUMNS = list(QUANTILE_COLUMNS)
CUTOFF = pd.Timestamp("2023-12-01")
SIZES = {"large": 1e6, "small": 1.0, "third": 2e6}


def raw_forecast(ids: list[str], seed: int, horizon: int = 2, models: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return raw rows with random points for every node of these series, and the series' keys as a training set has them."""
    train = pd.concat([series([1.0], name) for name in ids], ignore_index=True)
    nodes = Hierarchy.of(train).nodes[["aggregation", "unique_id"]]
    rng = np.random.default_rng(seed)
    parts = [
        nodes.assign(
            cutoff=CUTOFF,
            horizon=step,
            ds=CUTOFF + pd.DateOffset(months=step),
            model_name=f"m{model}",
            is_fallback=False,
            **dict.fromkeys(COLUMNS, rng.normal(1.0, 2.0, len(nodes))),
        )
        for model in range(models)
        for step in range(1, horizon + 1)
    ]
    return pd.concat(parts, ignore_index=True), train


def ended(rows: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    """Let these series have ended: the fallback, zero."""
    own = (rows["aggregation"] == "series") & rows["unique_id"].isin(ids)
    return rows.assign(**rows[COLUMNS].mask(own, 0.0), is_fallback=rows["is_fallback"] | own)


def points(found: pd.DataFrame, hierarchy: Hierarchy, method: str, cut: bool) -> np.ndarray:
    """Return the points [nodes, forecasts] in the order of the hierarchy."""
    table = found.set_index(["aggregation", "unique_id", "model_name", "horizon"])[method].unstack([2, 3])
    values = table.reindex(pd.MultiIndex.from_frame(hierarchy.nodes[["aggregation", "unique_id"]])).to_numpy()
    return np.maximum(values, 0.0) if cut else values


hierarchies = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")), min_size=1, max_size=9, unique=True
).map(lambda pairs: sorted(f"{region}/{category}" for region, category in pairs))


@settings(max_examples=40, deadline=None)
@given(hierarchies, st.integers(0, 1000), st.booleans(), st.integers(0, 3))
def test_aggregations_always_agree_and_ended_series_stay_zero(ids: list[str], seed: int, cut: bool, n_ended: int):
    rows, train = raw_forecast(ids, seed, models=2)
    gone = ids[:n_ended]
    rows = ended(rows, gone)
    found, hierarchy = reconcile(rows, Observed.of(train), cut), Hierarchy.of(train)
    assert len(found) == len(rows)
    for method in METHODS:
        values = points(found, hierarchy, method, cut)
        assert np.isfinite(values).all()
        for node, row in zip(hierarchy.nodes.itertuples(), values, strict=True):
            for column, value in enumerate(row):
                total = 0.0
                for number, part in enumerate(hierarchy.nodes.iloc[: hierarchy.n_series].itertuples()):
                    if node.region in ("All", part.region) and node.product_category in ("All", part.product_category):
                        total += values[number, column]
                assert value == total or node.aggregation == "series"
        dead = (
            hierarchy.nodes["unique_id"].isin(gone).to_numpy() & (hierarchy.nodes["aggregation"] == "series").to_numpy()
        )
        assert (values[dead] == 0).all()
    flagged = found[found["is_fallback"]]
    assert set(flagged.loc[flagged["aggregation"] == "series", "unique_id"]) == set(gone)
    assert ("total" in set(flagged["aggregation"])) == (len(gone) >= len(ids))


@pytest.mark.parametrize("weights", ["ols", "wls_struct"])
def test_the_projection_is_generalised_least_squares(weights: str):
    ids = [f"{region}/{category}" for region in "ABC" for category in "wxyz"]
    rows, train = raw_forecast(ids, 1)
    hierarchy = Hierarchy.of(train)
    summing = hierarchy.members.toarray()
    weight = np.eye(len(summing)) if weights == "ols" else np.diag(1.0 / summing.sum(axis=1))
    base = points(rows, hierarchy, "q500", cut=False)
    expected = summing @ np.linalg.solve(summing.T @ weight @ summing, summing.T @ weight @ base)
    found = points(reconcile(rows, Observed.of(train), cut=False), hierarchy, weights, cut=False)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(hierarchies, st.integers(0, 1000), st.sampled_from([1e-6, 1.0, 1e9]))
def test_of_many_nodes_sums_are_kept_and_each_series_moves_by_the_square_of_its_typical_error(
    ids: list[str], seed: int, unit: float
):
    """Generalised least squares with the inverse squares as weights, whatever the unit; a series that knows of no error does not move.

    Those of the series are so much larger as their errors together are when all have one sign.
    """
    rng = np.random.default_rng(seed)
    history = [rng.lognormal(rng.normal(0.0, 3.0), 1.0, 30) * unit for _ in ids]
    train = pd.concat([series(list(values), name) for values, name in zip(history, ids, strict=True)])
    observed, cutoff = Observed.of(train), train["ds"].max()
    rows = raw_forecast(ids, seed)[0].assign(cutoff=cutoff)
    rows = rows.assign(**rows[COLUMNS] * unit)
    found = points(reconcile(rows, observed, False, ["lcc"]), observed.hierarchy, "lcc", cut=False)
    error, summing = observed.scales(cutoff)["typical_error"] / unit, observed.hierarchy.members.toarray()
    first = observed.hierarchy.first_alike() == np.arange(len(summing))  # of sums with the same members one has a say
    of_series = error[: len(ids)]
    together = sum(of_series) ** 2 / sum(one**2 for one in of_series)
    weight = np.diag(np.where(first, error**-2.0, 0.0) / np.where(np.arange(len(first)) < len(ids), together, 1.0))
    base = points(rows, observed.hierarchy, "q500", cut=False) / unit
    root = np.sqrt(weight) @ summing  # least squares by QR, which squares no condition number
    expected = summing @ np.linalg.lstsq(root, np.sqrt(weight) @ base, rcond=None)[0]
    np.testing.assert_allclose(found / unit, expected, rtol=1e-6, atol=1e-6 * error.max())


def test_small_and_large_hierarchies_have_candidates_of_their_own(monkeypatch):
    rows, train = raw_forecast(["A/x", "A/y", "B/x"], 3)
    assert set(METHODS) < set(reconcile(rows, Observed.of(train), cut=False).columns)
    monkeypatch.setattr(reconciliation, "DENSE_NODES", 2)
    found = reconcile(rows, Observed.of(train), cut=False)
    assert set(reconciliation.OF_MANY) < set(found.columns) and not {"ols", "wls_struct"} & set(found.columns)
    # one month is known of each series, and no change: its level stands for its typical error
    assert np.isfinite(found["lcc"]).all()


def test_what_large_series_missed_does_not_move_small_ones():
    history = {f"A/{name}": list(size * (1 + np.arange(30) % 7)) for name, size in SIZES.items()}
    train = pd.concat([series(values, name) for name, values in history.items()])
    rows = raw_forecast(list(history), 1)[0].assign(cutoff=train["ds"].max())
    own = {f"A/{name}": size for name, size in SIZES.items()} | {"A/All": 3.3e6, "All/All": 3.3e6}
    value = rows["unique_id"].map(own).fillna(rows["unique_id"].str.replace("All", "A").map(own)).to_numpy()
    rows = rows.assign(**dict.fromkeys(COLUMNS, value))
    found = reconcile(rows, Observed.of(train), False, ["ols", "lcc"])
    small = found.query("horizon == 1 and aggregation == 'series' and unique_id == 'A/small'").iloc[0]
    assert small["ols"] > 10_000 and small["lcc"] == pytest.approx(1.0, abs=0.01)


def test_what_all_series_miss_alike_is_made_good_by_the_sums():
    """Each of 600 series is forecast a twentieth too low, as medians of skewed values are; the sums are right."""
    rng = np.random.default_rng(5)
    ids = [f"{region}/{category:02}" for region in "ABCDEFGHIJ" for category in range(60)]
    size = dict(zip(ids, rng.lognormal(3.0, 1.5, len(ids)), strict=True))
    train = pd.concat([series(list(size[name] * rng.lognormal(0.0, 0.3, 30)), name) for name in ids])
    observed = Observed.of(train)
    rows, hierarchy = raw_forecast(ids, 1, horizon=1)[0].assign(cutoff=train["ds"].max()), observed.hierarchy
    right = hierarchy.add_up(np.array([size[name] for name in hierarchy.nodes["unique_id"].iloc[: len(ids)]])[:, None])
    node = hierarchy.numbers(rows)
    said = right[node, 0] * np.where(rows["aggregation"] == "series", 0.95, 1.0)
    found = reconcile(rows.assign(**dict.fromkeys(COLUMNS, said)), observed, cut=True)
    missed = {name: np.abs(found[name] / right[found["node"], 0] - 1.0) for name in reconciliation.OF_MANY}
    sums = found["aggregation"] != "series"
    assert missed["bottom_up"][sums].min() == pytest.approx(0.05) and missed["lcc"][sums].max() < 0.005
    assert missed["lcc"][~sums].mean() < missed["bottom_up"][~sums].mean()


def test_a_method_that_this_version_does_not_know_is_refused():
    rows, train = raw_forecast(["A/x", "A/y"], 3)
    with pytest.raises(UserError, match="«wls_var».*RETRAIN=1"):
        reconcile(rows, Observed.of(train), False, ["wls_var"])


@settings(max_examples=40, deadline=None)
@given(hierarchies, st.integers(0, 1000), st.booleans(), st.integers(0, 3))
def test_many_nodes_are_reconciled_without_a_matrix_and_alike(ids: list[str], seed: int, cut: bool, n_ended: int):
    rows, train = raw_forecast(ids, seed, models=2)
    rows = ended(rows, ids[:n_ended])
    one = ended(rows[rows["horizon"] == 2], ids[-1:])  # another pattern of series that have no say
    rows = pd.concat([rows[rows["horizon"] == 1], one])
    dense = reconcile(rows, Observed.of(train), cut, METHODS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconciliation, "DENSE_NODES", 0)
        found = reconcile(rows, Observed.of(train), cut, METHODS)
        alone = reconcile(one, Observed.of(train), cut, METHODS)
    pd.testing.assert_frame_equal(found, dense, rtol=1e-9, atol=1e-9)
    apart = found[found["horizon"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, apart, check_exact=True)  # whatever is reconciled beside it


def test_bottom_up_keeps_the_series_and_coherent_forecasts_stay_as_they_are():
    ids = [f"{region}/{category}" for region in "AB" for category in "xyz"]
    rows, train = raw_forecast(ids, 2)
    hierarchy = Hierarchy.of(train)
    base = points(rows, hierarchy, "q500", cut=False)
    found = points(reconcile(rows, Observed.of(train), cut=False), hierarchy, SIMPLEST, cut=False)
    np.testing.assert_array_equal(found, hierarchy.add_up(base[:6]))
    again = reconcile(rows, Observed.of(train), cut=False)
    again = reconcile(again.assign(q500=again[SIMPLEST])[rows.columns], Observed.of(train), cut=False)
    for method in METHODS:
        np.testing.assert_allclose(points(again, hierarchy, method, cut=False), found, rtol=1e-9)


def test_units_do_not_matter():
    rows, train = raw_forecast(["A/x", "A/y", "B/x"], 3)
    small = reconcile(rows, Observed.of(train), cut=False)
    large = reconcile(rows.assign(**rows[COLUMNS] * 1024.0), Observed.of(train), cut=False)
    for method in METHODS:
        np.testing.assert_array_equal(large[method], small[method] * 1024.0)


def test_nodes_with_the_same_members_have_one_voice():
    """One region: the total is the region and the categories are the series, so only the region speaks beside the series."""
    rows, train = raw_forecast(["A/x", "A/y"], 4, horizon=1)
    same = rows.set_index(["aggregation", "unique_id"])["q500"]
    x, y, region = same["series", "A/x"], same["series", "A/y"], same["region", "A/All"]
    found = reconcile(rows, Observed.of(train), cut=False).set_index(["aggregation", "unique_id"])["ols"]
    gap = (region - x - y) / 3.0
    expected = {("series", "A/x"): x + gap, ("series", "A/y"): y + gap, ("total", "All/All"): x + y + 2 * gap}
    for key, value in expected.items():
        assert found[key] == pytest.approx(value)
    assert (
        found["total", "All/All"] == found["region", "A/All"] and found["category", "All/x"] == found["series", "A/x"]
    )


def test_one_series_is_every_aggregation():
    train = series(100.0 + np.random.default_rng(0).normal(0.0, 10.0, 60), "North/Bikes")
    table = plan(train["ds"], n_cutoffs=3, n_calibration=3)
    raw = walk_forward(LinearModel(), train, "sales", list(table["cutoff"]))
    rows = calibrate_backtest(raw, train, "sales", table, False).rows
    own = rows[rows["aggregation"] == "series"].reset_index(drop=True)
    for level in ("region", "category", "total"):
        part = rows[rows["aggregation"] == level].reset_index(drop=True)
        pd.testing.assert_frame_equal(part[["q500", "scale", "ds"]], own[["q500", "scale", "ds"]], check_exact=True)


def test_ended_series_are_zero_and_flagged_through_the_walk_forward():
    living = company(60, seed=4)
    gone = living["unique_id"] == "R0/C0"
    train = living.assign(y=living["y"].mask(gone & (living["ds"] > "2020-12-01"), 0.0))
    table = plan(train["ds"], n_cutoffs=6, n_calibration=6)
    raw = pd.concat(
        [walk_forward(model, train, "sales", list(table["cutoff"])) for model in (LinearModel(), SeasonalNaive())]
    )
    found = reconcile(raw, Observed.of(train), cut=True)
    own = found[(found["unique_id"] == "R0/C0") & (found["cutoff"] >= "2021-12-01")]
    assert len(own) and (own[list(METHODS)] == 0).all(axis=None) and own["is_fallback"].all()
    each = [calibrate_backtest(part, train, "sales", table, False).rows for _, part in raw.groupby("model_name")]
    rows = pd.concat(each, ignore_index=True)
    own = rows[(rows["unique_id"] == "R0/C0") & (rows["cutoff"] >= "2021-12-01")]
    assert (own["q500"] == 0).all() and own["is_fallback"].all()
    assert not rows.loc[rows["aggregation"] != "series", "is_fallback"].any()


@pytest.mark.parametrize("allow_negative", [True, False])
def test_bounds_are_ordered_and_respect_the_sign_policy_at_every_aggregation(allow_negative: bool):
    train = company(48, seed=6)
    train = train.assign(y=train["y"] - 250.0)  # the smaller series are about zero or below
    table = plan(train["ds"], n_cutoffs=4, n_calibration=4)
    raw = walk_forward(LinearModel(), train, "profit", list(table["cutoff"]))
    _, rows, cut, _ = calibrate_backtest(raw, train, "profit", table, allow_negative)
    assert (np.diff(rows[COLUMNS], axis=1) >= 0).all() and np.isfinite(rows[COLUMNS]).all(axis=None)
    assert (rows[COLUMNS].min(axis=None) < 0) == allow_negative
    assert (cut["points"] > 0) == (cut["bounds"] > 0) == (not allow_negative)
    assert set(rows["aggregation"]) == {"series", "region", "category", "total"}


def errors_of(mase: dict[str, dict[str, float]], cutoffs: int) -> pd.DataFrame:
    """One error per aggregation and cutoff: method -> aggregation -> value."""
    months = pd.date_range("2023-01-01", periods=cutoffs, freq="MS")
    levels = next(iter(mase.values()))
    rows = pd.DataFrame([(level, month) for level in levels for month in months], columns=["aggregation", "cutoff"])
    return rows.assign(**{method: rows["aggregation"].map(values).astype(float) for method, values in mase.items()})


def test_another_method_has_to_be_clearly_better_and_known_long_enough():
    def errors(ols: float, wls: float, cutoffs: int = 3) -> pd.DataFrame:
        found = {"bottom_up": 1.0, "ols": ols, "wls_struct": wls}
        return errors_of({name: {"series": value, "total": value} for name, value in found.items()}, cutoffs)

    assert choose_method(errors(0.995, 0.992)).method == "bottom_up"
    assert choose_method(errors(0.985, 0.98)).method == "wls_struct"
    choice = choose_method(errors(0.97, 0.98))
    assert choice.method == "ols" and choice.mase == pytest.approx({"bottom_up": 1.0, "ols": 0.97, "wls_struct": 0.98})
    assert choose_method(errors(0.5, 0.6, cutoffs=2)).method == "bottom_up"
    assert choose_method(errors(0.5, 0.6)[:0]) == ("bottom_up", {})


def test_aggregations_count_alike_however_many_rows_they_have():
    many = errors_of({"bottom_up": {"series": 1.0}, "ols": {"series": 1.05}, "wls_struct": {"series": 1.2}}, 40)
    few = errors_of({"bottom_up": {"total": 1.0}, "ols": {"total": 0.8}, "wls_struct": {"total": 1.0}}, 3)
    choice = choose_method(pd.concat([many, few]))
    assert choice.method == "ols" and choice.mase["ols"] == pytest.approx((1.05 + 0.8) / 2)
