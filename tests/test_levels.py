"""Levels besides region and category: any number of them, and every sum is the sum of its series, in every table."""

import re

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quick_company
from dbt_sql import DBT, environment
from forecasting.contracts import AGGREGATIONS, BOUNDS, aggregations_of, level_columns
from forecasting.errors import UserError
from forecasting.evaluation import as_known_before, leaderboard
from forecasting.evaluation.backtest import forecast_nodes, known_at, walk_forward
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.facts import inspect
from forecasting.intervals import Calibration, Change, calibrate_backtest, calibrate_forecasts, override, reconciliation
from forecasting.models.linear import LinearModel
from forecasting.models.naive import SeasonalNaive
from forecasting.run.ranges import checked_ranges
from forecasting.series import Observed, aggregate_actuals, as_nodes
from forecasting.series.hierarchy import Hierarchy, with_levels, with_levels_of
from synthetic import company

NAMES = ["state", "chain", "state by line"]
POINTS = ["predicted_value"]


def levelled(train: pd.DataFrame, numbers: list[tuple[int, int]], levels: list[str]) -> pd.DataFrame:
    """Put each series into a sum of each level: those of `numbers`, on the side of regions, of categories or of both by turns."""
    series = train[["unique_id", "region", "product_category"]].drop_duplicates("unique_id")
    of = {
        key: {name: f"{key[0]}{numbers[i % len(numbers)][side]}" for i, name in enumerate(sorted(series[key].unique()))}
        for side, key in enumerate(("region", "product_category"))
    }
    for number, level in enumerate(levels):
        on = [number % 3 != 1, number % 3 != 0]  # regions, categories, both
        sides = (train[key].map(of[key]) if used else "All" for key, used in zip(of, on, strict=True))
        train = train.assign(**dict(zip(level_columns(level), sides, strict=True)))
    return train


def assert_coherent(rows: pd.DataFrame, train: pd.DataFrame, column: str, moment: list[str]) -> None:
    """Compare every sum with the sum of its series, which are found row by row in the training set."""
    series = train.drop_duplicates("unique_id").set_index("unique_id")
    own = rows[rows["aggregation"] == "series"].set_index(["unique_id", *moment])[column]
    for row in rows[rows["aggregation"] != "series"].itertuples(index=False):
        total = 0.0
        for unique_id, one in series.iterrows():
            if row.aggregation in AGGREGATIONS:
                node = (one["region"], one["product_category"])
                inside = all(
                    want in ("All", is_) for want, is_ in zip((row.region, row.product_category), node, strict=True)
                )
            else:
                inside = tuple(one[list(level_columns(row.aggregation))]) == (row.region, row.product_category)
            key = (unique_id, *(getattr(row, name) for name in moment))
            total += own.get(key, 0.0) if inside else 0.0
        assert getattr(row, column) == pytest.approx(total, rel=1e-9, abs=1e-9)
        assert row.unique_id == f"{row.region}/{row.product_category}"


numbers = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4)


@settings(max_examples=12, deadline=None)
@given(numbers, st.integers(0, 3), st.integers(0, 99), st.booleans(), st.sampled_from([0, 500]))
def test_every_sum_of_every_table_is_the_sum_of_its_series(numbers, n_levels, seed, allow_negative, dense_nodes):
    levels = NAMES[:n_levels]
    train = levelled(company(40, seed, regions=3), numbers, levels)
    train = train.assign(y=train["y"] - 200.0)
    actuals = aggregate_actuals(train)
    assert actuals["aggregation"].unique().tolist() == ["series", *levels, "region", "category", "total"]
    assert_coherent(actuals[actuals["ds"] >= "2023-06-01"], train, "y", ["ds"])
    table = plan(train["ds"], n_cutoffs=3, n_calibration=2)
    raw = walk_forward(SeasonalNaive(), train, "profit", list(table["cutoff"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconciliation, "DENSE_NODES", dense_nodes)
        found = reconciliation.reconcile(raw, Observed.of(train), cut=not allow_negative)
        backtest = calibrate_backtest(raw, train, "profit", table, allow_negative)
        ahead = forecast_nodes(SeasonalNaive(), known_at(train, train["ds"].max()), 6, flow=True)
        made = calibrate_forecasts(
            ahead,
            train,
            "profit",
            "seasonal_naive",
            "published",
            Calibration.from_json(backtest.calibration),
            allow_negative,
        ).rows
    last = found[found["cutoff"] == found["cutoff"].max()]
    for method in reconciliation.used(last.columns):
        values = last[method].clip(lower=0.0) if not allow_negative else last[method]
        assert_coherent(last.assign(value=values), train, "value", ["horizon"])
    assert_coherent(backtest.rows[backtest.rows["cutoff"] == table["cutoff"].iloc[-3]], train, "q500", ["horizon"])
    assert_coherent(made, train, "predicted_value", ["horizon"])
    assert made["aggregation"].unique().tolist() == ["series", *levels, "region", "category", "total"]
    assert np.isfinite(made[list(BOUNDS)]).all(axis=None)
    board = leaderboard(backtest.rows, train)
    assert board["aggregation"].unique().tolist() == [
        name for name in aggregations_of(levels) if name in set(board["aggregation"])
    ]


def test_overrides_move_the_sums_of_every_level():
    train = levelled(company(40, regions=3), [(0, 0), (1, 1)], NAMES)
    model = LinearModel().fit(as_nodes(train))
    table = plan(train["ds"], n_cutoffs=3, n_calibration=2)
    calibration = calibrate_backtest(
        walk_forward(model, train, "sales", list(table["cutoff"])), train, "sales", table, False
    ).calibration
    ahead = forecast_nodes(model, known_at(train, train["ds"].max()), 6, flow=True)
    made = calibrate_forecasts(
        ahead, train, "sales", "linear", "published", Calibration.from_json(calibration), False
    ).rows
    month = made["ds"].min()
    levels = pd.concat([
        train.drop_duplicates("unique_id")[["region", "product_category"]].assign(
            aggregation=level, node_region=train[level_columns(level)[0]], node_product_category=train[level_columns(level)[1]]
        )
        for level in NAMES
    ])  # fmt: skip
    changes = [Change(1, "series", "R0/C0", month, "value", 1.0), Change(2, "state", "r1/All", month, "percent", 50.0)]
    moved = override(made, changes, True, levels)
    assert moved.refused == {}
    key = ["aggregation", "unique_id", "ds"]
    after = made.set_index(key)
    was = after.loc[("state", "r1/All", month), "predicted_value"]
    after["predicted_value"] = (
        moved.rows.set_index(key)["predicted_value"].reindex(after.index).fillna(after["predicted_value"])
    )
    assert after.loc[("state", "r1/All", month), "predicted_value"] == pytest.approx(1.5 * was)
    assert after.loc[("series", "R0/C0", month), "predicted_value"] == 1.0
    assert {"state", "chain", "state by line"} <= set(moved.rows["aggregation"])
    assert_coherent(after.reset_index(), train, "predicted_value", ["ds"])
    named = with_levels(train[["unique_id", "region", "product_category"]].drop_duplicates(), levels)
    pd.testing.assert_frame_equal(Hierarchy.of(named).nodes, Hierarchy.of(train).nodes)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"region": ["state"]}, "none of series, region, category, total"),
        ({"a|b": ["state"]}, "found 'a|b'"),
        ({"state": []}, "names columns of the facts"),
        ({"state": ["product"]}, "none that has a meaning already"),
        ({"state": ["state", "state"]}, "each once"),
        ({"state": ["My column"]}, "`columns:` says what your files call them"),
    ],
)
def test_what_can_be_no_level_is_refused(levels: dict, said: str):
    with pytest.raises(UserError, match=re.escape(said)):
        checked_ranges({"levels": levels})
    assert checked_ranges({"levels": {"state by line": ["state", "line"]}})


def test_a_column_that_the_facts_do_not_have_is_refused_and_one_that_they_call_otherwise_is_found(tmp_path):
    (tmp_path / "sales.csv").write_text(
        "order_date,net_amount,region,Land\n2024-01-05,3,Berlin,East\n2024-02-05,4,Ulm,South\n"
    )
    with pytest.raises(
        UserError, match=re.escape("sales.csv has no column 'state'. Found: order_date, net_amount, region, Land")
    ):
        inspect("csv", tmp_path, levels={"state": ["state"]})
    table = inspect("csv", tmp_path, {"sales": {"state": "Land"}}, levels={"state": ["state"]}).tables["sales"]
    assert table.columns["state"] == "Land" and "state" in table.cells and table.columns_unused == ()


STATES = {"Berlin": "East", "Dresden": "East", "Ulm": "South"}
LINES = {"Bikes": "Wheels", "Helmets": "Wear"}
LEVELS = {"state": ["state"], "line": ["line"], "state by line": ["state", "line"]}


def shops(states: dict[str, str | None] = STATES) -> pd.DataFrame:
    """Sales of every day in three shops; what a row says of its shop's state, some leave out."""
    days = pd.date_range("2021-01-01", "2023-12-31")
    rows = pd.MultiIndex.from_product(
        [days, states, LINES], names=["order_date", "region", "product_category"]
    ).to_frame(index=False)
    rows = rows.assign(net_amount=np.arange(len(rows)) % 97 + 1, cost_amount=1, state=rows["region"].map(states))
    return rows.assign(line=rows["product_category"].map(LINES)).assign(
        state=lambda x: x["state"].mask(x.index % 5 == 0)
    )


def test_facts_become_training_sets_and_actuals_with_every_level(tmp_path):
    stock = shops()[["order_date", "region", "product_category", "state"]].rename(
        columns={"order_date": "snapshot_date"}
    )
    expenses = pd.DataFrame(
        {"expense_date": pd.date_range("2021-01-01", "2023-12-31"), "amount": 1.0, "region": "Bonn"}
    )
    sales = shops({**STATES, "Bonn": None}).rename(columns={"line": "Division"})
    built = quick_company.build(
        tmp_path, {"levels": LEVELS, "columns": {"sales": {"line": "Division"}}}, sales=sales,
        inventory=stock.assign(inventory_value=5.0), expenses=expenses,
    )  # fmt: skip
    assert not built.refused
    for domain in ("sales", "inventory", "profit"):
        train = built.train[domain]
        expected = train["region"].map(STATES).fillna("Not stated")
        lines = train["product_category"].map(LINES).fillna("Not stated")  # the expenses
        assert (train["state|region"] == expected).all() and (train["state|product_category"] == "All").all()
        assert (train["line|product_category"] == lines).all() and (train["line|region"] == "All").all()
        assert (train["state by line|region"] == expected).all() and (
            train["state by line|product_category"] == lines
        ).all()
    known = environment()
    known.globals["var"] = lambda name, default=None: {"levels": LEVELS}.get(name, default)
    macro = known.from_string((DBT / "macros" / "predictions.sql").read_text(encoding="utf-8")).module.bottom_up(
        "series", "y"
    )
    with duckdb.connect(str(tmp_path / "data" / "quick" / "warehouse.duckdb")) as connection:
        series = "series as (select 'profit' as domain, * from ml_train_profit_monthly)"
        by_sql = connection.execute(
            f"with {series}, found as ({macro}) select * exclude (domain, is_imputed) from found"
        ).df()
    by_python = aggregate_actuals(built.train["profit"].assign(ds=lambda x: pd.to_datetime(x["ds"])))
    order = ["aggregation", "unique_id", "ds"]
    by_sql = by_sql.assign(ds=by_sql["ds"].astype("datetime64[ns]")).sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(
        by_sql[by_python.columns], by_python.sort_values(order, ignore_index=True), rtol=1e-12
    )


def test_a_column_that_groups_neither_regions_nor_categories_is_refused_with_names(tmp_path):
    mixed = shops().assign(
        state=lambda x: x["state"].mask((x["region"] == "Ulm") & (x["product_category"] == "Bikes"), "West")
    )
    said = quick_company.build(tmp_path, {"levels": {"state": ["state"]}}, sales=mixed).refused
    assert "the column state must say one thing of each region or of each category" in said
    assert "the region Ulm has 2 (South, West)" in said and "the category Bikes has 2 (East, West)" in said


@given(numbers, st.sets(st.integers(0, 5), max_size=4))
def test_a_training_set_of_another_time_has_the_levels_of_todays(numbers, gone):
    today = levelled(company(24, regions=3), numbers, NAMES)
    series = today.drop_duplicates("unique_id").reset_index(drop=True)
    plain = series[["unique_id", "region", "product_category"]]
    pd.testing.assert_frame_equal(with_levels_of(plain, today), series[[*plain, *(c for c in series if "|" in c)]])
    known = series[~series.index.isin(gone)]
    found = with_levels_of(plain, known)
    for level in NAMES:
        for key, column in zip(["region", "product_category"], level_columns(level), strict=True):
            expected = series[column].where(series[key].isin(known[key]) | (series[column] == "All"), "Not stated")
            assert found[column].tolist() == expected.tolist()


def test_a_month_that_is_put_back_has_the_levels_of_its_series():
    train = levelled(company(24), [(0, 0), (1, 1)], NAMES)
    first = train.loc[train["unique_id"] == "R0/C0", "ds"].min()
    months = pd.DataFrame({"unique_id": ["R0/C0"], "ds": [first - pd.DateOffset(months=1)], "y": [7.0]})
    before = as_known_before(train, months)
    assert before[list(train)].notna().all(axis=None) and len(before) == len(train) + 1
    assert Hierarchy.of(before).nodes.equals(Hierarchy.of(train).nodes)
