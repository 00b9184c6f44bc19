"""Sums against loops."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import AGGREGATIONS
from forecasting.series import Observed
from forecasting.series.hierarchy import Hierarchy, aggregate_actuals, as_nodes, from_nodes, in_order
from synthetic import company, series


def test_sums_of_actuals_agree_with_a_loop():
    train = company(30)
    result = aggregate_actuals(train)
    assert result["aggregation"].unique().tolist() == list(AGGREGATIONS)
    assert not result.duplicated(["aggregation", "unique_id", "ds"]).any()
    for row in result.itertuples():
        expected = 0.0
        for part in train[train["ds"] == row.ds].itertuples():
            if row.region in ("All", part.region) and row.product_category in ("All", part.product_category):
                expected += part.y
        assert np.isclose(row.y, expected)
        assert row.unique_id == f"{row.region}/{row.product_category}"
    ids = result.groupby("aggregation")["unique_id"].unique()
    assert ids["region"].tolist() == ["R0/All", "R1/All"] and ids["total"].tolist() == ["All/All"]
    assert ids["category"].tolist() == ["All/C0", "All/C1", "All/C2"]


def test_a_domain_without_regions_has_every_aggregation():
    result = aggregate_actuals(series([1.0, 2.0], "All/All"))
    assert result["aggregation"].tolist() == [level for level in AGGREGATIONS for _ in range(2)]
    assert result["unique_id"].unique().tolist() == ["All/All"] and result["y"].tolist() == [1.0, 2.0] * 4


def test_members_agree_with_a_loop():
    train = company(24)
    hierarchy = Hierarchy.of(train.sample(frac=1, random_state=0))
    series = hierarchy.nodes.iloc[: hierarchy.n_series]
    assert series["unique_id"].tolist() == sorted(train["unique_id"].unique())
    for node, row in zip(hierarchy.nodes.itertuples(), hierarchy.members.toarray(), strict=True):
        for part, belongs in zip(series.itertuples(), row, strict=True):
            same_region, same_category = node.region in ("All", part.region), node.product_category in (
                "All", part.product_category
            )  # fmt: skip
            assert belongs == (same_region and same_category)


pairs = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("wxyz")), min_size=1, max_size=12, unique=True)
many = settings(max_examples=60, deadline=None)


def keys(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """Return the keys of series of these regions and categories, as a training set has them."""
    rows = [(f"{region}/{category}", region, category) for region, category in pairs]
    return pd.DataFrame(rows, columns=["unique_id", "region", "product_category"])


@many
@given(pairs, st.integers(0, 1000))
def test_sums_have_the_bits_of_a_loop_over_the_series(pairs: list[tuple[str, str]], seed: int):
    hierarchy = Hierarchy.of(keys(pairs))
    values = 10.0 ** np.random.default_rng(seed).uniform(-9, 9, (len(pairs), 3)) * [1, -1, 1]
    found, members = hierarchy.add_up(values), hierarchy.members.toarray()
    for node, column in np.ndindex(found.shape):
        total = 0.0
        for number in range(len(pairs)):
            if members[node, number]:
                total += values[number, column]
        assert found[node, column] == total


@many
@given(pairs, st.sets(st.integers(0, 11)))
def test_some_of_the_series_have_the_hierarchy_that_they_have_alone(pairs: list[tuple[str, str]], some: set[int]):
    whole = Hierarchy.of(keys(pairs))
    chosen = sorted(number for number in some | {0} if number < len(pairs))
    part, nodes = whole.only(np.array(chosen))
    alone = Hierarchy.of(whole.nodes.iloc[chosen])
    pd.testing.assert_frame_equal(part.nodes, alone.nodes)
    np.testing.assert_array_equal(part.codes, alone.codes)
    np.testing.assert_array_equal(whole.numbers(alone.nodes), nodes)
    unknown = alone.nodes[:1].assign(unique_id="elsewhere")
    assert whole.numbers(unknown).tolist() == [-1]


@many
@given(pairs)
def test_the_first_of_those_that_have_the_same_members_stands_for_all(pairs: list[tuple[str, str]]):
    hierarchy = Hierarchy.of(keys(pairs))
    members = hierarchy.members.toarray().tolist()
    assert hierarchy.first_alike().tolist() == [members.index(row) for row in members]


def test_products_are_added_up_in_one_order_whatever_stands_beside():
    rng = np.random.default_rng(0)
    weights, values = rng.normal(size=(5, 40)), rng.normal(size=(40, 9))
    found = in_order(weights, values)
    np.testing.assert_allclose(found, weights @ values, rtol=1e-12)
    for column in range(9):
        np.testing.assert_array_equal(in_order(weights, values[:, [column]])[:, 0], found[:, column])


def test_nodes_are_series_and_sums_each_as_a_series_of_its_own():
    history = company(30)
    nodes = as_nodes(history)
    assert list(nodes.columns) == ["unique_id", "ds", "y"]
    sums = aggregate_actuals(history)
    expected = sums.assign(unique_id=sums["aggregation"] + "|" + sums["unique_id"])[["unique_id", "ds", "y"]]
    pd.testing.assert_frame_equal(nodes, expected)
    forecast = nodes.groupby("unique_id", as_index=False)["y"].last().assign(horizon=1)
    back = from_nodes(forecast, history)
    assert back[["aggregation", "unique_id"]].equals(Hierarchy.of(history).nodes[["aggregation", "unique_id"]])
    assert (back["aggregation"] + "|" + back["unique_id"]).map(forecast.set_index("unique_id")["y"]).equals(back["y"])


def test_nodes_with_the_same_members_are_forecast_once_and_copied():
    one_region = company(30, regions=1)
    nodes = as_nodes(one_region)
    assert sorted(nodes["unique_id"].unique()) == ["region|R0/All", "series|R0/C0", "series|R0/C1", "series|R0/C2"]
    forecast = pd.DataFrame({"unique_id": nodes["unique_id"].unique(), "horizon": 1}).assign(y=[1.1, 2.2, 3.3, 4.4])
    back = from_nodes(forecast, one_region)
    assert back["aggregation"].tolist() == ["series"] * 3 + ["region"] + ["category"] * 3 + ["total"]
    assert back["y"].tolist() == [1.1, 2.2, 3.3, 4.4, 1.1, 2.2, 3.3, 4.4]
    alone = from_nodes(forecast[:1].assign(unique_id="series|North/Bikes"), series([1.0, 2.0]))
    assert as_nodes(series([1.0, 2.0]))["unique_id"].unique().tolist() == ["series|North/Bikes"]
    assert alone["aggregation"].tolist() == list(AGGREGATIONS) and alone["y"].tolist() == [1.1] * 4


def comparable(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return those forecasts from one cutoff that have an actual of their own kind."""
    observed = Observed.of(train)
    kept = observed.is_comparable(observed.hierarchy.numbers(rows), rows["ds"])
    return rows[kept].reset_index(drop=True)


def test_forecasts_without_an_actual_of_their_own_kind_are_left_out():
    train = company(30)
    cutoff, later = pd.Timestamp("2023-10-01"), ["2023-11-01", "2023-12-01"]
    nodes = Hierarchy.of(train).nodes[["aggregation", "unique_id"]]
    rows = pd.concat([nodes.assign(cutoff=cutoff, ds=pd.Timestamp(month)) for month in later], ignore_index=True)
    pd.testing.assert_frame_equal(comparable(rows, train), rows)
    gap = (train["unique_id"] == "R0/C1") & (train["ds"] == "2023-12-01")
    found = comparable(rows, train[~gap])
    december = found[found["ds"] == "2023-12-01"]
    sums = december.loc[december["aggregation"] != "series", "unique_id"]
    assert sums.tolist() == ["R1/All", "All/C0", "All/C2"]
    assert "R0/C1" not in set(december["unique_id"]) and len(december) == 5 + 3
    assert (found["ds"] == "2023-11-01").sum() == len(nodes)


@many
@given(pairs, st.sets(st.tuples(st.integers(0, 11), st.sampled_from(["2023-11-01", "2023-12-01"])), max_size=6))
def test_what_is_left_out_agrees_with_a_loop(pairs: list[tuple[str, str]], gaps: set[tuple[int, str]]):
    series, months = keys(pairs), [pd.Timestamp(month) for month in ("2023-10-01", "2023-11-01", "2023-12-01")]
    full = series.merge(pd.DataFrame({"ds": months}), how="cross").assign(y=1.0)
    missing = {
        (f"{region}/{category}", pd.Timestamp(month))
        for number, month in gaps
        for region, category in pairs[number : number + 1]
    }
    train = full[[(row.unique_id, row.ds) not in missing for row in full.itertuples()]]
    train = pd.concat([train, full[full["ds"] == months[0]].assign(ds=pd.Timestamp("2023-09-01"))])
    rows = Hierarchy.of(series).nodes.merge(pd.DataFrame({"cutoff": months[0], "ds": months[1:]}), how="cross")
    kept = []
    for row in rows.itertuples():
        inside = [one for one in pairs if row.region in ("All", one[0]) and row.product_category in ("All", one[1])]
        kept.append(all((f"{region}/{category}", row.ds) not in missing for region, category in inside))
    pd.testing.assert_frame_equal(comparable(rows, train), rows[kept].reset_index(drop=True))


def test_sums_do_not_depend_on_the_order_of_rows():
    train = company(30)
    pd.testing.assert_frame_equal(
        aggregate_actuals(train.sample(frac=1, random_state=1)), aggregate_actuals(train), check_exact=True
    )
