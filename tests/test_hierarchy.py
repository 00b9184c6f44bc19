"""Sums against loops."""

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS
from forecasting.series.hierarchy import Hierarchy, aggregate_actuals, as_nodes, comparable, from_nodes, in_order
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
    for node, row in zip(hierarchy.nodes.itertuples(), hierarchy.members, strict=True):
        for part, belongs in zip(series.itertuples(), row, strict=True):
            same_region, same_category = node.region in ("All", part.region), node.product_category in (
                "All", part.product_category
            )  # fmt: skip
            assert belongs == (same_region and same_category)


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


def test_sums_do_not_depend_on_the_order_of_rows():
    train = company(30)
    pd.testing.assert_frame_equal(
        aggregate_actuals(train.sample(frac=1, random_state=1)), aggregate_actuals(train), check_exact=True
    )
