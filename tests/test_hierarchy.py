"""Sums against loops."""

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS
from forecasting.hierarchy import aggregate, aggregate_actuals, with_keys
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


def test_a_sum_of_forecasts_needs_all_its_series():
    train = company(30)
    forecast = (
        train[train["ds"] >= "2023-11-01"].rename(columns={"y": "q500"}).assign(cutoff=pd.Timestamp("2023-10-01"))
    )
    forecast["is_fallback"] = forecast["product_category"] == "C2"
    gap = (forecast["unique_id"] == "R0/C1") & (forecast["ds"] == "2023-12-01")
    result = aggregate(forecast[~gap], ["q500", "is_fallback"], ["cutoff", "ds"], whole=["cutoff"])
    december = result[result["ds"] == "2023-12-01"]
    assert december.loc[december["aggregation"] != "series", "unique_id"].tolist() == ["R1/All", "All/C0", "All/C2"]
    november = result[result["ds"] == "2023-11-01"].set_index(["aggregation", "unique_id"])
    assert len(november) == 6 + 2 + 3 + 1
    assert np.isclose(
        november.loc[("total", "All/All"), "q500"], forecast.loc[forecast["ds"] == "2023-11-01", "q500"].sum()
    )
    assert november.loc[("category", "All/C2"), "is_fallback"] and not november.loc[("region", "R0/All"), "is_fallback"]


def test_keys_come_from_the_training_set():
    train = company(24)
    bare = train[["unique_id", "ds"]].sample(frac=1, random_state=0)
    keyed = with_keys(bare, train)
    assert (keyed["unique_id"] == keyed["region"] + "/" + keyed["product_category"]).all() and len(keyed) == len(bare)


def test_sums_do_not_depend_on_the_order_of_rows():
    train = company(30)
    pd.testing.assert_frame_equal(
        aggregate_actuals(train.sample(frac=1, random_state=1)), aggregate_actuals(train), check_exact=True
    )
