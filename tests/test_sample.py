"""The sample company: same bytes for the same seed, believable facts, and shelves that follow the orders."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecasting.sample import company as sample_company
from forecasting.sample import stock as sample_stock
from forecasting.sample import writing as sample

MONTH_ENDS = pd.date_range("2019-01-31", "2025-06-30", freq="ME")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    sample.write_company(folder)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "made" / "by the generator"
    sample.write_company(folder, small=True)
    return folder


def read(folder: Path, name: str) -> pd.DataFrame:
    """Read a table with decimals as floats, which is exact enough to look at."""
    table = pq.read_table(folder / f"{name}.parquet")
    wide = [f.with_type(pa.float64()) if pa.types.is_decimal(f.type) else f for f in table.schema]
    frame = table.cast(pa.schema(wide)).to_pandas()
    return frame.assign(**{c: pd.to_datetime(frame[c]) for c in frame if c.endswith("_date")})


@pytest.fixture(scope="module")
def sales(full: Path) -> pd.DataFrame:
    return read(full, "sales")


@pytest.fixture(scope="module")
def inventory(full: Path) -> pd.DataFrame:
    return read(full, "inventory")


@pytest.fixture(scope="module")
def monthly(sales: pd.DataFrame) -> pd.DataFrame:
    """Net amount per whole month (rows) and region, category (columns)."""
    whole = sales[sales["order_date"] < "2025-07-01"]
    month = whole["order_date"].dt.to_period("M").dt.to_timestamp()
    sums = (
        whole.groupby([month, "region", "product_category"])["net_amount"].sum().unstack(["region", "product_category"])
    )
    return sums.reindex(pd.date_range("2019-01-01", "2025-06-01", freq="MS")).fillna(0.0)


def content(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_nothing_else(small: Path, tmp_path: Path) -> None:
    for name, seed in {"again": 7, "other": 8}.items():
        sample.write_company(tmp_path / name, seed=seed, small=True)
    assert set(content(small)) == {"sales.parquet", "inventory.parquet", "expenses.parquet"}
    assert content(tmp_path / "again") == content(small)
    assert all(content(tmp_path / "other")[name] != content(small)[name] for name in content(small))


def test_columns_and_types_are_the_facts_contract(full: Path) -> None:
    names = {"region": pa.string(), "product_category": pa.string(), "product": pa.string()}
    amount = pa.decimal128(18, 2)
    assert pq.read_schema(full / "sales.parquet") == pa.schema({
        "order_date": pa.date32(), "net_amount": amount, **names, "quantity": pa.int32(), "cost_amount": amount,
    })  # fmt: skip
    assert pq.read_schema(full / "inventory.parquet") == pa.schema({
        "snapshot_date": pa.date32(), **names, "quantity_on_hand": pa.int32(), "unit_cost": pa.decimal128(18, 4),
    })  # fmt: skip
    assert pq.read_schema(full / "expenses.parquet") == pa.schema({
        "expense_date": pa.date32(), "amount": amount, "region": pa.string(),
    })  # fmt: skip


@pytest.mark.parametrize(("size", "low", "high"), [("full", 480_000, 520_000), ("small", 18_000, 22_000)])
def test_span_count_and_completeness(size: str, low: int, high: int, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(size)
    sales, inventory, expenses = (read(folder, name) for name in ("sales", "inventory", "expenses"))
    assert low < len(sales) < high
    assert sales["order_date"].is_monotonic_increasing
    assert sales["order_date"].min() <= pd.Timestamp("2019-01-03")  # so that the first month counts as whole
    assert sales["order_date"].max() == pd.Timestamp("2025-07-16")
    assert sales["order_date"].dt.to_period("M").nunique() == 78 + 1
    assert sales[["region", "product_category"]].nunique().tolist() == [5, 6]
    assert inventory["snapshot_date"].max() == pd.Timestamp("2025-07-13")
    assert not set(MONTH_ENDS) - set(inventory["snapshot_date"])
    assert expenses["expense_date"].agg(["min", "max"]).tolist() == [
        pd.Timestamp("2019-01-01"),
        pd.Timestamp("2025-06-30"),
    ]
    assert not any(frame.isna().any(axis=None) for frame in (sales, inventory, expenses))


def test_a_company_of_a_believable_size(sales: pd.DataFrame) -> None:
    yearly = sales[sales["order_date"] < "2025-01-01"].groupby(sales["order_date"].dt.year)["net_amount"].sum()
    assert yearly.between(50e6, 90e6).all()
    margin = 1 - sales["cost_amount"].sum() / sales["net_amount"].sum()
    assert 0.3 < margin < 0.5
    assert 100 <= sales["product"].nunique() <= 140


def test_returns_come_after_sales_and_at_the_price_paid(sales: pd.DataFrame) -> None:
    back, sold = sales[sales["quantity"] < 0], sales[sales["quantity"] > 0]
    assert 0.03 < len(back) / len(sales) < 0.10
    assert (back["net_amount"] < 0).all() and (back["cost_amount"] <= 0).all()
    assert (sold["net_amount"] > 0).all() and (sold["cost_amount"] > 0).all()
    key = ["region", "product", "cents"]
    first = sold.assign(cents=(100 * sold["net_amount"] / sold["quantity"]).round()).groupby(key)["order_date"].min()
    returned = back.assign(cents=(100 * back["net_amount"] / back["quantity"]).round()).set_index(key)["order_date"]
    assert ((returned - first.reindex(returned.index)).dt.days >= 7).all()


def test_one_series_begins_late_one_ends_and_one_is_intermittent(monthly: pd.DataFrame) -> None:
    alive = monthly != 0
    late, ended = monthly[("East", "Cycling")], monthly[("South", "Winter Sports")]
    assert late[late != 0].index[0] == pd.Timestamp("2021-04-01")
    assert ended[ended != 0].index[-1] == pd.Timestamp("2023-03-01")
    zero_share = 1 - alive.mean()
    assert zero_share[("West", "Winter Sports")] > 0.5
    others = zero_share.drop([("East", "Cycling"), ("South", "Winter Sports"), ("West", "Winter Sports")])
    assert len(others) == 27 and (others == 0).all()
    assert (monthly >= 0).all(axis=None)


def test_products_start_and_end(sales: pd.DataFrame) -> None:
    sold = sales[sales["quantity"] > 0].groupby("product")["order_date"].agg(["min", "max"])
    assert (sold["min"] > "2019-07-01").sum() >= 10
    assert (sold["max"] < "2025-01-01").sum() >= 10


def test_large_lots_sell_rarely(sales: pd.DataFrame) -> None:
    large = sales[sales["product"] == "Cargo Bike Classic"]
    usual = sales[sales["product"] == "City Bike Classic"]
    assert large["quantity"].mean() / large["quantity"].min() > 3
    days = {
        name: rows.groupby("region")["order_date"].nunique().max()
        for name, rows in (("large", large), ("usual", usual))
    }
    assert days["large"] < 0.3 * days["usual"]


def test_seasons_weekdays_and_promotions(sales: pd.DataFrame, monthly: pd.DataFrame) -> None:
    by_category = monthly.T.groupby(level="product_category").sum().T
    of_year = by_category.groupby(by_category.index.month).mean()
    assert of_year["Garden"].idxmax() in (4, 5) and of_year["Winter Sports"].idxmax() in (12, 1)
    assert of_year["Garden"].max() > 3 * of_year["Garden"].min()
    weekday = sales.groupby(sales["order_date"].dt.weekday).size()
    assert weekday[6] < 0.2 * weekday.drop(6).min()
    for year, friday in {2019: "2019-11-29", 2021: "2021-11-26", 2024: "2024-11-29"}.items():
        lines = sales.set_index("order_date").loc[f"{year}-11", "quantity"].groupby(level=0).agg(["size", "mean"])
        assert lines["size"].loc[friday] > 1.5 * lines["size"].loc[f"{year}-11-01" : f"{year}-11-15"].max()


def test_the_break_of_2020_and_what_lasts(monthly: pd.DataFrame) -> None:
    furniture = monthly.T.groupby(level="product_category").sum().T["Furniture"]
    assert furniture["2020-04"].sum() < 0.75 * furniture["2019-04"].sum()
    cycling = monthly[("North", "Cycling")]
    assert cycling["2020-06":"2020-12"].sum() > 1.15 * cycling["2019-06":"2019-12"].sum()


def test_prices_and_costs_rise(sales: pd.DataFrame, inventory: pd.DataFrame) -> None:
    sold = sales[(sales["quantity"] > 0) & (sales["product"] == "Dome Tent Classic")]
    dearest = (sold["net_amount"] / sold["quantity"]).groupby(sold["order_date"].dt.year).max()
    assert dearest.is_monotonic_increasing and dearest.loc[2025] > 1.15 * dearest.loc[2019]
    cost = (
        inventory[inventory["product"] == "Dome Tent Classic"].groupby("snapshot_date")["unit_cost"].agg(["min", "max"])
    )
    assert (cost["min"] == cost["max"]).all() and cost["min"].is_monotonic_increasing


def test_a_seasonal_naive_forecast_is_a_fair_baseline(monthly: pd.DataFrame) -> None:
    """Its error in the last half year is near its error before: neither trivial nor hopeless to beat."""
    history, future = monthly.iloc[:-6], monthly.iloc[-6:]
    scale = (history - history.shift(12)).abs().mean()
    mase = (future - monthly.shift(12).iloc[-6:]).abs().mean() / scale
    assert 0.7 < mase.mean() < 1.3


def test_the_small_region_loses_money_in_some_months(full: Path, sales: pd.DataFrame) -> None:
    whole = sales[sales["order_date"] < "2025-07-01"]
    earned = (
        (whole["net_amount"] - whole["cost_amount"])
        .groupby([whole["region"], whole["order_date"].dt.to_period("M")])
        .sum()
    )
    expenses = read(full, "expenses")
    assert (expenses["amount"] > 0).all()
    spent = expenses.groupby(["region", expenses["expense_date"].dt.to_period("M")])["amount"].sum()
    spent.index.names = earned.index.names
    profit = (earned - spent).unstack("region")
    assert profit.notna().all(axis=None) and len(profit) == 78
    assert 12 < (profit["West"] < 0).sum() < 66
    assert (profit.sum() > 0).sum() >= 4 and profit.sum().sum() > 0


def test_stock_has_one_row_per_count_region_and_product_and_only_what_is_there(inventory: pd.DataFrame) -> None:
    assert not inventory.duplicated(["snapshot_date", "region", "product"]).any()
    assert (inventory["quantity_on_hand"] > 0).all()
    assert inventory.groupby("snapshot_date")["region"].nunique().eq(5).all()
    gone = inventory[(inventory["region"] == "South") & (inventory["product_category"] == "Winter Sports")]
    assert gone["snapshot_date"].max() < pd.Timestamp("2023-07-31")


def test_files_hold_the_balances_that_follow_from_the_orders(small: Path) -> None:
    """Opening + received − sold − lost gives every count in the file, day by day and product by product."""
    company = sample_company.build(7, small=True)
    lines = sample.order_lines(company, sample.unit_costs(company), np.random.default_rng([7, 1]))
    stock = sample.stock_of(company, lines, np.random.default_rng([7, 2]))
    sales, counts = read(small, "sales"), read(small, "inventory")
    assert (stock.balance >= 0).all() and (stock.received >= 0).all() and (stock.lost >= 0).all()
    for region, product in (
        ("North", "Dome Tent Classic"),
        ("West", "Event Marquee Classic"),
        ("South", "Sledge Classic"),
    ):
        r = [each.name for each in sample_company.REGIONS].index(region)
        series = r * len(company.products) + list(company.products).index(product)
        mine = sales[(sales["region"] == region) & (sales["product"] == product)]
        days = pd.date_range("2019-01-01", "2025-07-16")
        sold = mine.groupby("order_date")["quantity"].sum().reindex(days, fill_value=0).to_numpy()
        expected, on_hand = [], int(stock.opening[series])
        for day in range(len(days)):
            on_hand += int(stock.received[day, series]) - int(sold[day]) - int(stock.lost[day, series])
            expected.append(on_hand)
        there = counts[(counts["region"] == region) & (counts["product"] == product)].set_index("snapshot_date")
        expected_counts = pd.Series(expected, index=days).loc[sorted(set(counts["snapshot_date"]))]
        expected_counts = expected_counts[expected_counts > 0]
        assert there["quantity_on_hand"].tolist() == expected_counts.tolist()
        assert there.index.tolist() == expected_counts.index.tolist()


def test_replenishment_orders_up_to_the_plan_and_never_runs_dry() -> None:
    n_days, ahead = 60, sample_stock.LEAD_DAYS + 7 + sample_stock.COVER_DAYS
    planned = np.column_stack([np.full(n_days + ahead, 10.0), np.zeros(n_days + ahead)])
    sold = np.column_stack([np.full(n_days, 10), np.zeros(n_days, int)])
    sold[20, 0] = 2_000  # far more than the shelf holds
    sold[3, 1] = -5  # an old product comes back
    mondays, counted = np.arange(n_days) % 7 == 0, np.arange(n_days) == 30
    stock = sample_stock.simulate(sold, planned, mondays, counted, np.random.default_rng(1))
    assert stock.opening.tolist() == [10 * ahead, 0]
    before = np.vstack([stock.opening, stock.balance[:-1]])
    assert (stock.balance == before + stock.received - sold - stock.lost).all()
    assert stock.balance[20, 0] == 0 and stock.received[20, 0] > 0
    assert stock.balance[-1, 0] > 10 * sample_stock.COVER_DAYS
    assert stock.lost[:, 1].sum() + stock.balance[-1, 1] == 5
    assert stock.lost[np.flatnonzero(~counted), 0].sum() == 0


def test_decimals_are_exact_beyond_doubles_and_below_zero() -> None:
    cents = np.array([0, 1, -1, 12_345, -(2**60), 2**60 + 1])
    exact = [str(value) for value in sample._decimal(cents, 2).to_pylist()]
    assert exact == ["0.00", "0.01", "-0.01", "123.45", "-11529215046068469.76", "11529215046068469.77"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "sales.parquet"
    sample._write(pa.table({"a": [1]}), target)

    def fail(table: pa.Table, path: Path) -> None:
        path.write_bytes(b"half a fi")
        raise OSError("no space left")

    monkeypatch.setattr(sample.pq, "write_table", fail)
    with pytest.raises(OSError, match="no space"):
        sample._write(pa.table({"a": [2]}), target)
    assert pq.read_table(target).to_pydict() == {"a": [1]}
