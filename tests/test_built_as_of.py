"""What dbt builds from the facts of an earlier day against today's training set cut there: the same, or dbt's is taken."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import quick_company
from forecasting.backfill import planning
from forecasting.backfill.known import up_to
from forecasting.run import RunFolder, Workspace
from forecasting.training_set import as_of, built_as_of

MONTHS = list(pd.date_range("2022-04-01", "2022-06-01", freq="MS"))


def days(first: str) -> pd.DataFrame:
    """A row per day and region, until the tenth of a month that stays open."""
    rng = np.random.default_rng(4)
    rows = pd.MultiIndex.from_product([pd.date_range(first, "2022-08-10"), ["East", "West"]], names=["day", "region"])
    return rows.to_frame(index=False).assign(amount=rng.integers(10, 90, len(rows)), product_category="Bikes")


@pytest.fixture
def acme(tmp_path, monkeypatch) -> Workspace:
    """A company whose expenses are known for the last year and a half only, built without dbt's process."""

    def without_dbt(workspace, command, variables, *options, folder: Path) -> None:
        quick_company._without_dbt(SimpleNamespace(warehouse=folder / "warehouse.duckdb"), command, variables)

    for part in ("params", "notebooks", "reports"):
        (tmp_path / part).symlink_to(quick_company.ROOT / part)
    sales = days("2020-01-01").rename(columns={"day": "order_date", "amount": "net_amount"})
    sales = sales.assign(cost_amount=sales["net_amount"] / 2, product="Bike")
    stock = days("2020-01-01").rename(columns={"day": "snapshot_date", "amount": "inventory_value"})
    expenses = days("2021-03-01").rename(columns={"day": "expense_date"})[["expense_date", "amount", "region"]]
    built = quick_company.build(tmp_path, sales=sales, inventory=stock, expenses=expenses)
    assert not built.refused, built.refused
    monkeypatch.setattr(as_of, "run_dbt", without_dbt)
    monkeypatch.setattr(as_of, "data_stamp", lambda workspace, settings: settings["as_of"])
    workspace = Workspace(tmp_path, "quick", "csv", "facts")
    for domain in workspace.domains():
        planning_run(workspace, domain)
    return workspace


def planning_run(workspace: Workspace, domain: str) -> None:
    """Let the run folder of a domain be opened."""
    text = f'{{"domain": "{domain}", "workspace": "quick", "experiment": "{domain}", "steps": {{}}}}'
    (workspace.runs / domain / "run.json").write_text(text, encoding="utf-8")


def test_a_months_training_set_is_todays_cut_there(acme):
    for domain in ("sales", "inventory"):
        train = RunFolder.open(acme.runs / domain).training_set()
        for month in MONTHS:
            day = f"{month + pd.offsets.MonthEnd():%Y-%m-%d}"
            pd.testing.assert_frame_equal(built_as_of(acme, domain, day), up_to(train, month))
        found = planning.built_then(acme, domain, train, MONTHS)
        assert all(found[month].equals(up_to(train, month)) for month in MONTHS)


def test_where_dbt_decided_otherwise_then_its_own_counts(acme):
    """Before there were expenses profit was gross, and began with the sales."""
    train = RunFolder.open(acme.runs / "profit").training_set()
    month, later = pd.Timestamp("2021-02-01"), MONTHS[0]
    found = planning.built_then(acme, "profit", train, [month, later])
    assert train["ds"].min() == pd.Timestamp("2021-03-01") and found[month]["ds"].min() == pd.Timestamp("2020-01-01")
    assert found[month]["ds"].max() == month and found[month].equals(built_as_of(acme, "profit", "2021-02-28"))
    assert found[later].equals(up_to(train, later))


def test_what_was_built_is_kept(acme, monkeypatch):
    first = built_as_of(acme, "sales", "2022-05-31")
    monkeypatch.setattr(as_of, "run_dbt", None)
    assert built_as_of(acme, "sales", "2022-05-31").equals(first)
    assert sorted(path.name for path in next((acme.runs / "as_of").iterdir()).iterdir()) == [
        "train_inventory.parquet", "train_profit.parquet", "train_sales.parquet",
    ]  # fmt: skip
