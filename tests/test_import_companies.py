"""Real companies' files come in as their owners keep them: to the truth that is known of them, and with every row accounted for."""

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from imported_files import imported

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real companies' data are not beside the project")
D = Decimal


def rows_of(file: str) -> list[dict[str, str]]:
    with gzip.open(DATA / "messy" / file, "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@needs_data
def test_days_first_and_dollars_give_the_orders_of_the_same_file_in_iso(tmp_path):
    truth = rows_of("us_regional_sales_A_iso.csv.gz")
    found = imported(tmp_path, DATA / "messy" / "us_regional_sales_B_dmy_dollar_thousands.csv.gz")
    expected = [
        (row["OrderDate"], D(row["Order Quantity"]) * D(row["Unit Price"]) * (1 - D(row["Discount Applied"])),
         D(row["Order Quantity"]) * D(row["Unit Cost"]), D(row["Order Quantity"]), row["WarehouseCode"], row["_ProductID"])
        for row in truth
    ]  # fmt: skip
    columns = ("order_date", "net_amount", "cost_amount", "quantity", "region", "product")
    assert [(str(row["order_date"]), *(row[column] for column in columns[1:])) for row in found.facts] == [
        (day, round(net, 4), round(cost, 4), *others) for day, net, cost, *others in expected
    ]


@needs_data
def test_superstore_comes_in_whole(tmp_path):
    truth = rows_of("superstore_us_mdy.csv.gz")
    found = imported(tmp_path, DATA / "messy" / "superstore_us_mdy.csv.gz")
    assert found.record["rows"] == {"loaded": len(truth)}
    assert found.total("net_amount") == sum(round(D(row["Sales"]), 4) for row in truth)
    assert found.total("cost_amount") == sum(round(D(row["Sales"]) - D(row["Profit"]), 4) for row in truth)
    first = min(row["order_date"] for row in found.facts)
    assert str(first) == "2014-01-03"


@needs_data
def test_every_row_of_a_shop_with_cancellations_is_accounted_for(tmp_path):
    mapping = (
        "sales:\n  rules:\n    duplicates: drop\n"
        "    cancellations: {column: Invoice, prefix: C, rule: net, key: [StockCode, Customer ID]}\n"
        "    prices: {column: Price, rule: drop}\n"
    )
    file = DATA / "messy" / "uci_online_retail_ii_2009_2010.parquet"
    found = imported(tmp_path, file, mapping=mapping)
    relation = f"read_parquet('{file}')"
    n, total, copies, unpriced = duckdb.sql(
        f"select count(*), sum(Quantity * Price::decimal(18, 4)), count(*) - (select count(*) from (select distinct * from {relation})), "
        f"(select count(*) from (select distinct * from {relation}) where Price <= 0) from {relation}"
    ).fetchone()
    rows, totals = found.record["rows"], {fate: D(value) for fate, value in found.record["totals"].items()}
    assert (rows["duplicates"], rows["prices"], sum(rows.values())) == (copies, unpriced, n)
    assert sum(totals.values()) == total
    assert rows["cancellations"] % 2 == 0 and totals["cancellations"] == 0  # pairs
    assert found.total("net_amount") == totals["loaded"]


@needs_data
@pytest.mark.parametrize(("file", "table", "amount"), [
    ("census_mrtssales92-present.xlsx", "sales", "net_amount"),
    ("census_mrtsinv92-present.xlsx", "inventory", "inventory_value"),
])  # fmt: skip
def test_the_workbooks_of_the_census_give_the_numbers_of_the_parquet_copy(tmp_path, file, table, amount):
    folder = DATA / "company" / "census_mrts"
    mapping = f"{table}:\n  only: {{(section): [NOT ADJUSTED]}}\n"
    found = imported(tmp_path, folder / file, table, mapping=mapping)
    day = "order_date" if table == "sales" else "snapshot_date"
    copy = f"read_parquet('{folder / 'mrts_sales_inventories.parquet'}')"
    known = duckdb.sql(f"select distinct series from {copy}").fetchall()
    wanted = next(name for (name,) in known if ("inventories" in name) == (table == "inventory"))
    truth = duckdb.sql(
        f"select kind_of_business, month, musd from {copy} where adjustment = 'nsa' and series = '{wanted}'"
    ).fetchall()
    expected = sorted((kind, month, D(str(value))) for kind, month, value in truth if value is not None)
    assert sorted((row["product_category"], row[day], row[amount]) for row in found.facts) == expected
    assert {row["reason"].split("«")[1][:4].strip("»)(") for row in found.quarantine} <= {"S", "NA"}
    assert sum(found.record["rows"].values()) == found.record["rows_in"]
