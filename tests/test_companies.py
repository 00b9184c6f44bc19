"""Real companies from facts to report. The data is not part of the project: without it these tests are skipped."""

import json
import re
from html import unescape
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from forecasting.contracts import DOMAINS
from project_copy import ProjectCopy
from published_tables import query
from report_pages import report_of


def data(root: Path, name: str) -> Path:
    """Return a company's folder, or skip the test."""
    folder = root.parent / "shared" / "data" / "company" / name
    if not folder.exists():
        pytest.skip(f"the facts of {name} are not here ({folder.name} is not part of the project)")
    return folder


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> ProjectCopy:
    """A project that trains the baselines alone: what is looked at here is the facts and what becomes of them."""
    return ProjectCopy.of(root, tmp_path_factory.mktemp("companies") / "project").with_families("naive")


@pytest.fixture(scope="module")
def adventureworks(root, project) -> tuple[Path, Path, Path]:
    """The facts, the published database and the report of Microsoft's sample company."""
    facts = data(root, "adventureworks_dw")
    project.made("run", "SOURCE=adventureworks", f"FACTS={facts}")
    report = report_of(project.path, "adventureworks", *DOMAINS)
    return facts, project.path / "data/adventureworks/published.duckdb", report


def test_adventureworks_whole_months_and_their_sums(adventureworks):
    facts, published, _ = adventureworks
    months = query(published, "select ds, sum(y) as y from ml_train_sales_monthly group by ds order by ds")
    assert list(months["ds"]) == list(pd.date_range("2011-01-01", "2013-12-01", freq="MS"))
    amount = duckdb.sql(f"""
        select date_trunc('month', OrderDate) as ds, sum(SalesAmount) as y
        from (select OrderDate, SalesAmount from '{facts}/FactInternetSales.parquet'
              union all select OrderDate, SalesAmount from '{facts}/FactResellerSales.parquet')
        where OrderDate between '2011-01-01' and '2013-12-31' group by 1 order by 1
    """).df()["y"]  # fmt: skip
    assert months["y"].round(2).tolist() == pytest.approx(amount.astype(float).round(2).tolist(), abs=0.005)
    left_out = query(published, "select ds, reason from left_out_months where domain = 'sales' order by ds")
    assert [f"{ds:%Y-%m}" for ds in left_out["ds"]] == ["2010-12", "2014-01"]
    assert "2014-01-28" in left_out["reason"][1]


def test_adventureworks_negative_profit_stays_negative(adventureworks):
    _, published, _ = adventureworks
    months = query(published, "select ds, sum(y) as y from ml_train_profit_monthly group by ds order by ds").set_index(
        "ds"
    )
    assert months.loc["2011-11-01", "y"] == pytest.approx(-338275.92, abs=0.01)
    assert (query(published, "select y from ml_train_profit_monthly")["y"] < 0).any()


def test_adventureworks_the_reseller_feed_that_ended_is_warned_of_on_the_first_page(adventureworks, project):
    facts, _, report = adventureworks
    check = json.loads((project.path / "runs/adventureworks/sales/check.json").read_text(encoding="utf-8"))
    empty = duckdb.sql(f"""
        with lines as (
            select OrderDate, ProductKey, SalesTerritoryKey from '{facts}/FactInternetSales.parquet'
            union all select OrderDate, ProductKey, SalesTerritoryKey from '{facts}/FactResellerSales.parquet'
        )
        select SalesTerritoryRegion || '/' || EnglishProductCategoryName as unique_id from lines
        join '{facts}/DimProduct.parquet' using (ProductKey)
        join '{facts}/DimProductSubcategory.parquet' using (ProductSubcategoryKey)
        join '{facts}/DimProductCategory.parquet' using (ProductCategoryKey)
        join '{facts}/DimSalesTerritory.parquet' using (SalesTerritoryKey)
        where OrderDate between '2011-01-01' and '2013-12-31'
        group by 1 having max(OrderDate) < '2013-12-01' order by 1
    """).df()["unique_id"].tolist()  # fmt: skip
    first = check["warnings"][0]
    assert len(empty) == 15 and check["n_series"] == 40 and first["severity"] == "high"
    assert "15 of 40 series have no sales in 2013-12" in first["text"] and "fell by 63.9 %" in first["text"]
    assert all(name in first["text"] for name in empty)
    page = unescape(re.sub(r"<[^>]+>", " ", (report / "index.html").read_text(encoding="utf-8")))
    assert re.search(r"15 of 40 series.{0,20} have no sales in (2013-12|December 2013)", re.sub(r"\s+", " ", page))
    assert all(name in page for name in empty)
    notebook = (project.path / "runs/adventureworks/sales/10_check_data.ipynb").read_text(encoding="utf-8")
    assert all(name in notebook for name in empty)


def test_us_census_monthly_sales_and_inventories_run_through_csv(root, project, tmp_path):
    """Monthly facts with values only: nothing but two files in the contract's columns, of kinds of business that do not overlap."""
    source = data(root, "census_mrts") / "mrts_sales_inventories.parquet"
    for name, date, amount, kinds in (
        ("sales", "order_date", "net_amount", r"\d{3}"),
        ("inventory", "snapshot_date", "inventory_value", r"\d{3}(,\d{3})?"),
    ):
        duckdb.sql(f"""
            copy (select month as {date}, musd as {amount}, kind_of_business as product_category from '{source}'
                  where adjustment = 'nsa' and series like '%{"sales" if name == "sales" else "inventor"}%'
                    and regexp_full_match(naics, '{kinds}') and musd is not null and month >= '2008-01-01' order by all)
            to '{tmp_path}/{name}.csv' (header)
        """)  # fmt: skip
    project.made("run", "SOURCE=csv", f"FACTS={tmp_path}", "NAME=census")
    published = project.path / "data/census/published.duckdb"
    for domain, table, column in (("sales", "sales", "net_amount"), ("inventory", "inventory", "inventory_value")):
        facts = pd.read_csv(tmp_path / f"{table}.csv")
        trained = query(published, f"select sum(y) as y, count(distinct ds) as n from ml_train_{domain}_monthly")
        calendar = query(published, f"select * from domain_calendar where domain = '{domain}'")
        assert calendar["grain"].item() == "monthly"
        assert trained["y"].item() == pytest.approx(facts[column].sum(), rel=1e-12)
        assert (
            query(published, f"select count(*) as n from ml_pred_{domain}_1m")["n"].item()
            == facts["product_category"].nunique()
        )
    assert not (project.path / "runs/census/profit").exists()
