"""What dbt builds, against the same rules written once more in pandas.

A small company of CSV files, one file of two columns, and AdventureWorks. A build takes seconds and serves many tests.
"""

import json
import shutil
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from dbt_process import run_dbt
from forecasting.facts import inspection as facts
from forecasting.ledger.reader import COUNTED_FORECASTS
from forecasting.ledger.tables import BY_REGION

ROOT = Path(__file__).resolve().parents[1]
ADVENTUREWORKS = ROOT.parent / "shared" / "data" / "company" / "adventureworks_dw"
KEYS = ["domain", "aggregation", "unique_id", "ds"]


def dbt(scratch: Path, *command: str, project: Path = ROOT / "dbt") -> CompletedProcess:
    """Run dbt on the warehouse in `scratch`."""
    where = [
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--target-path",
        str(scratch),
        "--log-path",
        str(scratch),
    ]
    warehouse = str(scratch / "warehouse.duckdb")
    return run_dbt(["--quiet", *command, *where], ROOT, scratch / "said", FORECASTING_WAREHOUSE=warehouse)


def build(
    source: str,
    place: Path,
    scratch: Path,
    as_of: str | None = None,
    stated: dict[str, Any] | None = None,
    **options: Any,
) -> Path:
    """Check the facts and let dbt build and test everything, with what params/ state of them; return the warehouse."""
    variables = {**facts.inspect(source, place, **options).dbt_vars(), "as_of": as_of, **(stated or {})}
    scratch.mkdir(exist_ok=True)
    done = dbt(scratch, "build", "--vars", json.dumps(variables))
    assert done.returncode == 0, done.stdout + done.stderr
    return scratch / "warehouse.duckdb"


def read(warehouse: Path, sql: str) -> pd.DataFrame:
    """Run one SELECT on a warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(sql).df()


def months(first: str, last: str) -> list[pd.Timestamp]:
    """Return the first days of the months from `first` to `last`."""
    return list(pd.date_range(first, last, freq="MS"))


def month_of(days: pd.Series) -> pd.Series:
    """Return the first day of each day's month."""
    return days.dt.to_period("M").dt.to_timestamp()


# --- a small company: its facts as pandas has them, and as files


def make_sales() -> pd.DataFrame:
    """Sales 2020-01-02 … 2022-05-10, costs from 2020-02-10 on but for every 50th; helmets begin late and pause."""
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2020-01-02", "2022-05-10")
    parts = []
    for region, category in [("North", "Bikes"), ("North", "Helmets"), ("South", "Bikes")]:
        amounts = np.round(rng.normal(60, 40, len(days)), 2)
        costs = np.round(amounts * rng.uniform(0.4, 1.3, len(days)), 2)
        parts.append(pd.DataFrame({"day": days, "region": region, "category": category, "net": amounts, "cost": costs}))
    sales = pd.concat(parts).reset_index(drop=True)
    pause = (sales["day"] < "2020-09-14") | sales["day"].between("2021-03-01", "2021-05-31")
    sales = sales[~((sales["category"] == "Helmets") & pause)].reset_index(drop=True)
    gloves = pd.DataFrame(
        {"day": [pd.Timestamp("2022-05-03")], "region": "South", "category": "Gloves", "net": 9.0, "cost": 5.0}
    )
    sales = pd.concat([sales, gloves], ignore_index=True)
    sales.loc[(sales["day"] < "2020-02-10") | (sales.index % 50 == 0), "cost"] = np.nan
    return sales


def make_expenses() -> pd.DataFrame:
    """Expenses at the months' ends 2020-01 … 2022-03 but for 2021-06; every other is the whole company's."""
    days = pd.date_range("2020-01-31", "2022-03-31", freq="ME")
    expenses = pd.DataFrame(
        {"day": days, "amount": 1500.25 + np.arange(len(days)), "region": ["North", None] * 13 + ["North"]}
    )
    return expenses[expenses["day"] != "2021-06-30"].reset_index(drop=True)


def make_inventory() -> pd.DataFrame:
    """Counts 2020-01-31 … 2022-06-30. North pauses two months, South five; West was last counted in 2021-10."""
    ends = pd.date_range("2020-01-31", "2022-06-30", freq="ME")
    counted = {
        "North": [day for day in ends if f"{day:%Y-%m}" not in ("2020-08", "2020-09")],
        "South": [day for day in ends[2:] if not "2021-01" <= f"{day:%Y-%m}" <= "2021-05"],
        "West": list(pd.date_range("2020-01-31", "2021-10-31", freq="ME")),
    }  # fmt: skip
    rows = []
    for region, days in counted.items():
        for day in days:
            for number, (product, category) in enumerate([("A", "Bikes"), ("B", "Bikes"), ("C", "Helmets")]):
                gone = product == "C" and day.month == 2  # no helmets in February's counts
                if not gone:
                    rows.append((day, region, category, product, day.month * 10 + number - 15, 2.5 + number))
    rows.append((pd.Timestamp("2020-03-15"), "North", "Bikes", "A", 999, 2.5))  # a count within a month
    return pd.DataFrame(rows, columns=["day", "region", "category", "product", "units", "unit_cost"])


SALES, EXPENSES, INVENTORY = make_sales(), make_expenses(), make_inventory()


def write_company(folder: Path) -> Path:
    """Write the company's files, with names and dates of its own, into a folder whose name is not kind to SQL."""
    folder.mkdir(parents=True)
    names = {"day": "Order Day", "net": "Net", "cost": "cost_amount", "category": "Product Category"}
    SALES.rename(columns=names).to_csv(folder / "sales.csv", index=False, date_format="%d/%m/%Y")
    EXPENSES.rename(columns={"day": "expense_date"}).to_csv(folder / "expenses.csv", index=False, sep=";")
    names = {"day": "snapshot_date", "units": "quantity_on_hand", "category": "product_category"}
    INVENTORY.rename(columns=names).to_csv(folder / "inventory.csv", index=False)
    return folder


STATED = {"sales": {"order_date": "Order Day", "net_amount": "Net"}}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_company(tmp_path_factory.mktemp("facts") / "O'Neill (2024) {a}")


@pytest.fixture(scope="session")
def company(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's warehouse before anything was published."""
    return build("csv", place, tmp_path_factory.mktemp("company"), columns=STATED)


def flows(facts_of_months: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    """The rule of flows: from a series' first fact to the last month, 0 and flagged where there is none."""
    sums = facts_of_months.groupby(["region", "category", "ds"])["y"].sum()
    rows = []
    for (region, category), series in sums.groupby(level=[0, 1]):
        known = {ds: y for (_, _, ds), y in series.items()}
        if not any(pd.Timestamp(first) <= ds <= pd.Timestamp(last) for ds in known):
            continue
        for ds in months(max(min(known), pd.Timestamp(first)), last):
            rows.append((f"{region}/{category}", ds, known.get(ds, 0.0), region, category, ds not in known))
    columns = ["unique_id", "ds", "y", "region", "product_category", "is_imputed"]
    return pd.DataFrame(rows, columns=columns).sort_values(["unique_id", "ds"], ignore_index=True)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare two training sets; amounts to a hundredth of a cent."""
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=False, atol=1e-4, rtol=0)


def sales_facts() -> pd.DataFrame:
    return pd.DataFrame({"region": SALES.region, "category": SALES.category, "ds": month_of(SALES.day), "y": SALES.net})


def profit_facts() -> pd.DataFrame:
    costed = SALES[SALES["cost"].notna()]
    profit = pd.DataFrame(
        {
            "region": costed.region,
            "category": costed.category,
            "ds": month_of(costed.day),
            "y": costed.net - costed.cost,
        }
    )
    spent = pd.DataFrame(
        {
            "region": EXPENSES.region.fillna("All"),
            "category": "Operating expenses",
            "ds": month_of(EXPENSES.day),
            "y": -EXPENSES.amount,
        }
    )
    return pd.concat([profit, spent], ignore_index=True)


# --- closed months, gaps, series life


def test_sales_are_the_whole_months_without_gaps(company):
    """January 2020 is whole (its third business day is the 3rd), May 2022 is not; gloves live in May 2022 alone."""
    found = read(company, "from ml_train_sales_monthly order by unique_id, ds")
    assert_same(found, flows(sales_facts(), "2020-01-01", "2022-04-01"))
    assert found.query("is_imputed")["ds"].tolist() == months("2021-03", "2021-05")
    assert "South/Gloves" not in set(found["unique_id"])


def test_the_calendar_tells_what_is_used(company):
    calendar = read(company, "select * from domain_calendar order by domain").set_index("domain")
    assert calendar["grain"].to_dict() == {"inventory": "daily", "profit": "daily", "sales": "daily"}
    assert calendar["measure"].to_dict() == {
        "inventory": "value at cost",
        "profit": "operating profit",
        "sales": "net amount",
    }
    spans = {
        domain: (f"{row.first_month:%Y-%m}", f"{row.last_month:%Y-%m}", row.n_months)
        for domain, row in calendar.iterrows()
    }
    assert spans == {
        "sales": ("2020-01", "2022-04", 28),
        "profit": ("2020-03", "2022-03", 25),  # costs begin within 2020-02, expenses end with 2022-03
        "inventory": ("2020-01", "2022-06", 30),  # the first count is the stock of its month's end
    }
    assert calendar.loc["sales", "n_facts"] == len(SALES)
    assert calendar.loc["profit", "n_facts"] == SALES["cost"].notna().sum() + len(EXPENSES)


def test_profit_is_net_minus_cost_minus_expenses(company):
    found = read(company, "from ml_train_profit_monthly order by unique_id, ds")
    assert_same(found, flows(profit_facts(), "2020-03-01", "2022-03-01"))
    assert (found["y"] < 0).any() and (found[found["product_category"] != "Operating expenses"]["y"] < 0).any()
    assert set(found[found["product_category"] == "Operating expenses"]["region"]) == {"North", "All"}


def test_sales_without_a_cost_are_named(company):
    missing = SALES[SALES["cost"].isna()]
    expected = missing.groupby(month_of(missing["day"]))["net"].agg(["size", "sum"])
    found = read(company, "select * from sales_without_cost order by ds")
    assert found["n_without_cost"].tolist() == expected["size"].tolist()
    np.testing.assert_allclose(found["amount_without_cost"].astype(float), expected["sum"], atol=1e-6)


def test_left_out_months_are_named_with_reason_and_amount(company):
    left_out = read(company, "select * from left_out_months order by domain, ds")
    sales = left_out[left_out["domain"] == "sales"]
    may = SALES[SALES["day"] >= "2022-05-01"]
    assert [f"{ds:%Y-%m}" for ds in sales["ds"]] == ["2022-05"]
    assert "2022-05-10, before the third-last business day" in sales["reason"].item()
    assert (sales["n_facts"].item(), round(sales["amount"].item(), 2)) == (len(may), round(may["net"].sum(), 2))
    profit = left_out[left_out["domain"] == "profit"].set_index("ds")
    assert [f"{ds:%Y-%m}" for ds in profit.index] == ["2020-01", "2020-02", "2022-04", "2022-05"]
    assert "begin on 2020-02-10, after the third business day" in profit.loc["2020-02-01", "reason"]
    assert "the expenses end on 2022-03-31" in profit.loc["2022-04-01", "reason"]
    totals = profit_facts().groupby("ds")["y"].sum()
    np.testing.assert_allclose(profit["amount"], totals[profit.index], atol=1e-6)


# --- stock


def test_stock_is_the_last_count_and_is_carried_three_months_at_most(company):
    """North is carried over 2020-08 and 09; South's months before its gap of five and all of West are left out."""
    last = INVENTORY.groupby(["region", month_of(INVENTORY["day"])])["day"].transform("max")
    counted = INVENTORY[INVENTORY["day"] == last]
    value = (
        (counted["units"] * counted["unit_cost"])
        .groupby([counted["region"], counted["category"], month_of(counted["day"])])
        .sum()
    )
    rows = []
    for region, first in [("North", "2020-01-01"), ("South", "2021-06-01")]:
        counts = set(month_of(counted[counted["region"] == region]["day"]))
        for category in ("Bikes", "Helmets"):
            listed = [ds for ds in months(first, "2022-06-01") if (region, category, ds) in value.index]
            for ds in months(listed[0], "2022-06-01"):
                at = max(day for day in counts if day <= ds)
                rows.append(
                    (f"{region}/{category}", ds, value.get((region, category, at), 0.0), region, category, at < ds)
                )
    expected = pd.DataFrame(rows, columns=["unique_id", "ds", "y", "region", "product_category", "is_imputed"])
    found = read(company, "from ml_train_inventory_monthly order by unique_id, ds")
    assert_same(found, expected)
    assert found.query("is_imputed")["ds"].nunique() == 2 and (found["y"] < 0).any()
    assert found.query("product_category == 'Helmets' and ds.dt.month == 2 and ds.dt.year > 2020")["y"].eq(0).all()


def test_uncounted_regions_are_named(company):
    left_out = read(company, "select ds, reason from left_out_months where domain = 'inventory' order by ds").set_index(
        "ds"
    )["reason"]
    west = left_out[left_out.str.contains("region West is left out")]
    assert list(west.index) == months("2020-01", "2022-06")
    south = left_out[left_out.str.contains("region South is left out")]
    assert list(south.index) == months("2020-03", "2021-05")


# --- as_of, and a ledger that survives


@pytest.fixture(scope="session")
def ledger(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the company's warehouse with two published runs of sales."""
    warehouse = tmp_path_factory.mktemp("ledger") / "warehouse.duckdb"
    shutil.copy(company, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        fill_ledger(connection)
    return warehouse


RUNS = {
    "sales-2022-01-a": ("2022-01-01", "linear"),
    "sales-2022-02-b": ("2022-02-01", "seasonal_naive"),
    "sales-2022-02-c": ("2022-02-01", "linear"),
}


def fill_ledger(connection: duckdb.DuckDBPyConnection) -> None:
    """Publish three runs (the last two of one cutoff) of two series and their total, with backtests of two cutoffs."""
    rng = np.random.default_rng(1)
    series = [("series", "North", "Bikes"), ("series", "South", "Bikes"), ("total", "All", "All")]
    for number, (run_id, (cutoff, champion)) in enumerate(RUNS.items()):
        published_at = pd.Timestamp("2022-06-01") + pd.Timedelta(days=number)
        connection.execute(
            "insert into runs values (?, 'sales', ?, ?, '{}', ?)", [run_id, cutoff, champion, published_at]
        )
        connection.execute("insert into publications values ('sales', ?, ?)", [run_id, published_at])
        for aggregation, region, category in series:
            key = [aggregation, f"{region}/{category}", region, category]
            for horizon in range(1, 7):
                for model, status in [(champion, "published"), ("seasonal_naive", "baseline")]:
                    ds = pd.Timestamp(cutoff) + pd.DateOffset(months=horizon)
                    point = 0.0 if horizon == 6 else rng.normal(1500, 300)
                    bounds = [point - 200, point + 200, point - 900, point + 900]
                    row = [run_id, "sales", *key, cutoff, horizon, ds, model, "1", point, *bounds]
                    row += [250.0, "series 1-3", 40, status, False, published_at]
                    connection.execute(f"insert into forecasts values ({', '.join('?' * len(row))})", row)
                for model in ("linear", "seasonal_naive"):
                    for back, kind in [("2021-09-01", "choice"), ("2021-10-01", "held_out")]:
                        ds = pd.Timestamp(back) + pd.DateOffset(months=horizon)
                        quantiles = list(rng.normal(1500, 300) + 100.0 * np.arange(-5, 6))
                        row = [
                            run_id,
                            "sales",
                            *key,
                            back,
                            horizon,
                            ds,
                            model,
                            kind,
                            300.0,
                            *quantiles,
                            "all",
                            50,
                            False,
                        ]
                        connection.execute(f"insert into backtests values ({', '.join('?' * len(row))})", row)
    # March was first known as 1000 in the north, and restated later
    connection.execute("insert into actuals values ('sales', 'North/Bikes', '2022-03-01', 1000, '2022-04-01')")
    connection.execute("insert into actuals values ('sales', 'North/Bikes', '2022-03-01', 1111, '2022-05-01')")


@pytest.fixture(scope="session")
def as_of(ledger: Path, place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse with the ledger, built once more as of a day in the past."""
    scratch = tmp_path_factory.mktemp("as_of")
    shutil.copy(ledger, scratch / "warehouse.duckdb")
    countries = {"countries": {"North": "Côte d'Ivoire"}}
    return build("csv", place, scratch, as_of="2022-02-10", stated=countries, columns=STATED)


def test_as_of_uses_what_was_known_and_trusts_the_last_ended_month(as_of):
    known = sales_facts()[SALES["day"] <= "2022-02-10"]
    assert_same(
        read(as_of, "from ml_train_sales_monthly order by unique_id, ds"), flows(known, "2020-01-01", "2022-01-01")
    )
    left_out = read(as_of, "select * from left_out_months where domain = 'sales'")
    assert left_out["ds"].tolist() == months("2022-02", "2022-02")
    assert "as of 2022-02-10" in left_out["reason"].item()
    assert left_out["n_facts"].item() == (known["ds"] == "2022-02-01").sum()


def test_another_build_leaves_the_ledger_alone(ledger, as_of):
    for table in ("forecasts", "backtests", "actuals", "runs", "publications", "ledger_schema"):
        before, after = read(ledger, f"from {table} order by all"), read(as_of, f"from {table} order by all")
        assert len(before) > 0
        pd.testing.assert_frame_equal(before, after)


def test_the_ledger_refuses_what_cannot_be(ledger, tmp_path):
    shutil.copy(ledger, tmp_path / "w.duckdb")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        with pytest.raises(duckdb.ConstraintException, match="CHECK"):
            connection.execute(
                "insert into forecasts select * replace ('x' as run_id, ds + 31 as ds) from forecasts limit 1"
            )
        with pytest.raises(duckdb.ConstraintException, match="CHECK"):
            connection.execute(
                "insert into forecasts select * replace ('x' as run_id, 'guess' as status) from forecasts limit 1"
            )
        with pytest.raises(duckdb.ConstraintException, match=r"[Dd]uplicate"):
            connection.execute("insert into backtests select * from backtests limit 1")


def test_a_migration_is_applied_whole_and_once(ledger, tmp_path):
    """Another version of the schema: one that breaks half-way leaves nothing, the right one keeps the rows."""
    shutil.copytree(ROOT / "dbt", tmp_path / "dbt")
    shutil.copy(ledger, tmp_path / "warehouse.duckdb")
    macro = tmp_path / "dbt" / "macros" / "ledger.sql"
    text, last = macro.read_text(), "'statements': ledger_version_1()},"
    assert last in text
    known = text.count("{'version': ")
    for statements, columns in [
        ("alter table runs add column note varchar; select nothing", 6),
        ("alter table runs add column note varchar", 7),
    ]:
        second = f"{last} {{'version': 99, 'description': 'notes', 'statements': '{statements}'}},"
        macro.write_text(text.replace(last, second))
        done = dbt(tmp_path, "run-operation", "create_ledger", project=tmp_path / "dbt")
        assert (done.returncode == 0) == (columns == 7), done.stdout
        runs = read(tmp_path / "warehouse.duckdb", "from runs")
        assert runs.shape == (len(RUNS), columns)
        assert len(read(tmp_path / "warehouse.duckdb", "from ledger_schema")) == known + columns - 6


# --- before and after something is published


def test_before_anything_is_published_every_view_is_there_and_empty(company):
    views = [f"ml_pred_{domain}_{span}" for domain in ("sales", "inventory", "profit") for span in ("1m", "3m", "6m")]
    for view in [*views, *BY_REGION, "latest_runs", "actual_vs_forecast", "counted_forecasts", "forecast_accuracy"]:
        assert len(read(company, f"from {view}")) == 0


@pytest.mark.parametrize(("view", "horizons"), [("1m", 1), ("3m", 3), ("6m", 6)])
def test_predictions_are_the_series_of_the_latest_run(ledger, view, horizons):
    found = read(ledger, f"from ml_pred_sales_{view}")
    assert set(found["run_id"]) == {"sales-2022-02-c"}
    assert sorted(found["horizon"].unique()) == list(range(1, horizons + 1))
    assert set(found["region"]) == {"North", "South"} and len(found) == 2 * horizons
    assert found["date"].min() == pd.Timestamp("2022-03-01")
    assert len(read(ledger, f"from ml_pred_profit_{view}")) == 0


@pytest.mark.parametrize(("built", "country"), [("ledger", "North"), ("as_of", "Côte d'Ivoire")])
def test_what_bi_tools_are_given_is_next_month_by_region(built, country, request, tmp_path):
    """A region is its own country where params/ state none."""
    shutil.copy(request.getfixturevalue(built), tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute(
            "insert into forecasts select * replace ('region' as aggregation, region || '/All' as unique_id, 'All' as product_category, "
            "predicted_value / 3 as predicted_value) from forecasts where aggregation = 'series'"
        )
    found = read(tmp_path / "warehouse.duckdb", 'from "PredSales1m"')
    series = read(tmp_path / "warehouse.duckdb", "from ml_pred_sales_1m")
    columns = ["date", "region", "country", "values", "model_name", "run_id", "prediction_time", "final_values"]
    assert list(found) == columns
    assert found["country"].tolist() == [country, "South"] and found["region"].tolist() == ["North", "South"]
    assert found["values"].tolist() == [value / 3 for value in series["predicted_value"]]
    assert found["final_values"].tolist() == found["values"].tolist()
    shared = ["date", "region", "model_name", "run_id", "prediction_time"]
    pd.testing.assert_frame_equal(found[shared], series[shared])
    assert len(read(tmp_path / "warehouse.duckdb", 'from "PredProfit1m"')) == 0


def test_a_run_that_is_published_again_is_in_force_again(ledger, tmp_path):
    """A setting, a date or facts that are taken back take their forecasts with them, though these reach further."""
    shutil.copy(ledger, tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("insert into publications values ('sales', 'sales-2022-01-a', '2022-07-01')")
    assert set(read(tmp_path / "warehouse.duckdb", "from ml_pred_sales_6m")["run_id"]) == {"sales-2022-01-a"}
    walk = read(tmp_path / "warehouse.duckdb", "from actual_vs_forecast where forecast_kind = 'walk_forward'")
    assert set(walk["run_id"]) == {"sales-2022-01-a"}


def test_of_one_cutoff_the_run_that_was_published_last_counts(ledger, tmp_path):
    """Also where an earlier one was published again; the reader says the same of a file without the model's table."""
    shutil.copy(ledger, tmp_path / "warehouse.duckdb")
    january = (pd.Timestamp("2022-01-01"), "sales-2022-01-a", pd.Timestamp("2022-06-01"))
    for last, at in (("sales-2022-02-c", "2022-06-03"), ("sales-2022-02-b", "2022-07-01")):
        with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
            if last.endswith("b"):
                connection.execute(f"insert into publications values ('sales', '{last}', '{at}')")
            sql = "select cutoff, run_id, published_at from counted_forecasts order by cutoff"
            found = connection.execute(sql).df().itertuples(index=False, name=None)
            connection.execute(COUNTED_FORECASTS)  # a view of the same name goes before
            before = connection.execute(sql).df().itertuples(index=False, name=None)
        assert list(found) == list(before) == [january, (pd.Timestamp("2022-02-01"), last, pd.Timestamp(at))]


def actuals_oracle(warehouse: Path, first_known: bool) -> dict[tuple, float]:
    """(aggregation, unique_id, ds) → y of sales, summed up from the series."""
    train = read(warehouse, "from ml_train_sales_monthly")
    if first_known:
        train.loc[(train["unique_id"] == "North/Bikes") & (train["ds"] == "2022-03-01"), "y"] = 1000.0
    found = {("series", row.unique_id, row.ds): row.y for row in train.itertuples()}
    for names, aggregation in [(["region"], "region"), (["product_category"], "category"), ([], "total")]:
        for key, y in train.groupby([*names, "ds"])["y"].sum().items():
            *name, ds = key if names else (key,)
            region = name[0] if aggregation == "region" else "All"
            category = name[0] if aggregation == "category" else "All"
            found[(aggregation, f"{region}/{category}", ds)] = y
    return found


def test_monthly_actuals_are_sums_from_the_bottom_up(company):
    found = read(company, "from monthly_actuals where domain = 'sales'")
    expected = actuals_oracle(company, first_known=False)
    assert {(r.aggregation, r.unique_id, r.ds): round(r.y, 4) for r in found.itertuples()} == {
        k: round(y, 4) for k, y in expected.items()
    }
    assert not found.duplicated(KEYS).any()


def compared(warehouse: Path) -> pd.DataFrame:
    """The oracle of actual_vs_forecast: ledger rows with their actual, in plain pandas."""
    published = read(warehouse, "from forecasts").assign(kind="published", evaluation_set="all")
    tests = read(warehouse, "from backtests where run_id = 'sales-2022-02-c'").assign(
        kind="walk_forward", status="walk_forward"
    )
    tests = tests.rename(
        columns={"q500": "predicted_value", "q100": "lo_80", "q900": "hi_80", "q025": "lo_95", "q975": "hi_95"}
    )
    table = pd.concat([published, tests], ignore_index=True)
    actuals = {"published": actuals_oracle(warehouse, True), "walk_forward": actuals_oracle(warehouse, False)}
    table["actual"] = [actuals[r.kind].get((r.aggregation, r.unique_id, r.ds), np.nan) for r in table.itertuples()]
    table["is_champion"] = [r.model_name == RUNS[r.run_id][1] for r in table.itertuples()]
    return table.assign(previous_value=previous_oracle(table))


def previous_oracle(table: pd.DataFrame) -> list[float]:
    """What was said of each row's month at the cutoff one month before: by the same model, or by what was published then and counts."""
    rows = table.to_dict("records")
    found = []
    for row in rows:
        before = pd.Timestamp(row["cutoff"]) - pd.DateOffset(months=1)
        same = ("kind", "status", "aggregation", "unique_id", "ds")
        said = [
            other["predicted_value"]
            for other in rows
            if pd.Timestamp(other["cutoff"]) == before
            and all(other[name] == row[name] for name in same)
            and other["run_id"] != "sales-2022-02-b"
            and (row["status"] == "published" or other["model_name"] == row["model_name"])
        ]
        assert len(said) < 2
        found.append(said[0] if said else np.nan)
    return found


def test_actual_vs_forecast_holds_every_forecast_beside_what_came(ledger):
    order = ["run_id", "status", "model_name", "aggregation", "unique_id", "cutoff", "horizon"]
    found = read(ledger, "from actual_vs_forecast").sort_values(order, ignore_index=True)
    expected = compared(ledger).rename(columns={"kind": "forecast_kind"}).sort_values(order, ignore_index=True)
    same = [
        *order,
        "ds",
        "actual",
        "predicted_value",
        "lo_80",
        "hi_95",
        "forecast_kind",
        "evaluation_set",
        "is_champion",
        "scale",
        "previous_value",
    ]
    pd.testing.assert_frame_equal(found[same], expected[same], check_dtype=False)
    assert found["actual"].isna().any() and found["actual"].notna().any()
    np.testing.assert_allclose(found["variance"], expected["actual"] - expected["predicted_value"])
    percent = 100 * found["variance"] / found["predicted_value"].abs().replace(0, np.nan)
    np.testing.assert_allclose(found["variance_pct"], percent)
    assert found.loc[found["predicted_value"] == 0, "variance_pct"].isna().all()


def accuracy_oracle(rows: pd.DataFrame, naive: pd.DataFrame) -> dict[str, float]:
    """The metrics of some rows, one by one."""
    errors, scaled, in_80, in_95, gained, moved = [], [], [], [], [], []
    baseline = {
        (r.run_id, r.aggregation, r.unique_id, r.cutoff, r.horizon): abs(r.actual - r.predicted_value)
        for r in naive.itertuples()
    }
    for r in rows.itertuples():
        error = r.predicted_value - r.actual
        errors.append(error)
        scaled.append(abs(error) / r.scale)
        if not np.isnan(r.previous_value):
            moved.append(abs(r.predicted_value - r.previous_value) / r.scale)
        in_80.append(r.lo_80 <= r.actual <= r.hi_80)
        in_95.append(r.lo_95 <= r.actual <= r.hi_95)
        gained.append(baseline[(r.run_id, r.aggregation, r.unique_id, r.cutoff, r.horizon)] - abs(error))
    return {
        "n": len(errors), "n_cutoffs": rows["cutoff"].nunique(), "mae": np.mean(np.abs(errors)),
        "rmse": np.sqrt(np.mean(np.square(errors))), "wape": np.sum(np.abs(errors)) / rows["actual"].abs().sum(),
        "bias": np.mean(errors), "mase": np.mean(scaled), "coverage_80": np.mean(in_80), "coverage_95": np.mean(in_95),
        "fva": np.mean(gained), "masc": np.mean(moved) if moved else None,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["walk_forward", "published"])
def test_forecast_accuracy_equals_a_naive_loop(ledger, kind):
    """The superseded run of a cutoff does not count, nor the baseline's copy of a published seasonal naive."""
    table = compared(ledger)
    table = table[(table["kind"] == kind) & table["actual"].notna() & (table["run_id"] != "sales-2022-02-b")]
    naive = table[table["model_name"] == "seasonal_naive"]
    found = read(ledger, f"from forecast_accuracy where forecast_kind = '{kind}'")
    groups = {"1-3": (1, 3), "4-6": (4, 6), "all": (1, 99)}
    expected = {}
    for (aggregation, model, evaluation), rows in table.groupby(["aggregation", "model_name", "evaluation_set"]):
        for group, (first, last) in groups.items():
            within = rows[rows["horizon"].between(first, last)]
            if len(within):
                expected[(aggregation, model, evaluation, group)] = accuracy_oracle(within, naive)
    keys = ["aggregation", "model_name", "evaluation_set", "horizon_group"]
    assert set(found[keys].itertuples(index=False, name=None)) == set(expected)
    for row in found.to_dict("records"):
        for metric, value in expected[tuple(row[key] for key in keys)].items():
            if value is None:
                assert pd.isna(row[metric]), (row, metric)
            else:
                assert row[metric] == pytest.approx(value), (row, metric)
        assert row["is_champion"] == (row["model_name"] == "linear")
    assert found["fva"].abs().max() > 0 and found.query("model_name == 'seasonal_naive'")["fva"].eq(0).all()


# --- the smallest input


def test_one_file_of_a_date_and_an_amount_is_enough(tmp_path):
    """Monthly facts, dated on the first of the month, each of them whole; no cost, so no profit."""
    values = [round(100.125 * number, 3) for number in range(1, 31)]
    rows = "".join(f"{ds:%d.%m.%Y};{value}\n" for ds, value in zip(months("2020-01", "2022-06"), values, strict=True))
    (tmp_path / "takings.csv").write_text("Monat;Betrag\n" + rows)
    warehouse = build("csv", tmp_path / "takings.csv", tmp_path / "dbt")
    found = read(warehouse, "from ml_train_sales_monthly order by ds")
    assert found["y"].tolist() == values and found["ds"].tolist() == months("2020-01", "2022-06")
    assert set(found["unique_id"]) == {"All/All"} and not found["is_imputed"].any()
    assert read(warehouse, "select domain, grain from domain_calendar").values.tolist() == [["sales", "monthly"]]
    for table in ("ml_train_profit_monthly", "ml_train_inventory_monthly", "left_out_months"):
        assert len(read(warehouse, f"from {table}")) == 0


# --- AdventureWorks


@pytest.fixture(scope="session")
def adventureworks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not ADVENTUREWORKS.exists():
        pytest.skip("the AdventureWorks files are not on this machine (../shared/data/company/adventureworks_dw)")
    return build("adventureworks", ADVENTUREWORKS, tmp_path_factory.mktemp("adventureworks"))


def adventureworks_facts() -> pd.DataFrame:
    columns = ["OrderDate", "SalesAmount", "TotalProductCost"]
    lines = pd.concat(
        [
            pd.read_parquet(ADVENTUREWORKS / f"Fact{kind}Sales.parquet", columns=columns)
            for kind in ("Internet", "Reseller")
        ]
    )
    return lines.assign(ds=month_of(pd.to_datetime(lines["OrderDate"])))


def test_adventureworks_has_36_whole_months_equal_to_the_facts(adventureworks):
    train = read(adventureworks, "from ml_train_sales_monthly")
    assert sorted(train["ds"].unique()) == months("2011-01", "2013-12")
    assert train["unique_id"].nunique() == 40
    facts_sums = adventureworks_facts().groupby("ds")["SalesAmount"].sum().astype(float).round(2)
    used = train.groupby("ds")["y"].sum().round(2)
    np.testing.assert_allclose(used, facts_sums[used.index], atol=0.005)
    left_out = read(adventureworks, "select * from left_out_months where domain = 'sales' order by ds")
    assert left_out["ds"].tolist() == months("2010-12", "2010-12") + months("2014-01", "2014-01")
    np.testing.assert_allclose(left_out["amount"].round(2), facts_sums[left_out["ds"]], atol=0.005)


def test_adventureworks_keeps_its_negative_profit_and_empty_series(adventureworks):
    profit = read(adventureworks, "select ds, sum(y) as y from ml_train_profit_monthly group by ds").set_index("ds")[
        "y"
    ]
    lines = adventureworks_facts()
    expected = (lines["SalesAmount"] - lines["TotalProductCost"]).groupby(lines["ds"]).sum().astype(float)
    np.testing.assert_allclose(profit, expected[profit.index], atol=0.005)
    assert profit.index[profit < 0].tolist() == months("2011-11", "2011-11")
    december = read(adventureworks, "from ml_train_sales_monthly where ds = '2013-12-01'")
    assert len(december) == 40 and december["is_imputed"].sum() == 15


def test_adventureworks_stock_is_valued_at_cost_and_ends_later_than_sales(adventureworks):
    calendar = read(adventureworks, "from domain_calendar where domain = 'inventory'").iloc[0]
    assert (f"{calendar.first_month:%Y-%m}", f"{calendar.last_month:%Y-%m}", calendar.measure) == (
        "2010-12",
        "2014-06",
        "value at cost",
    )
    balances = pd.read_parquet(
        ADVENTUREWORKS / "FactProductInventory.parquet",
        filters=[("MovementDate", "==", pd.Timestamp("2014-06-30").date())],
    )
    expected = (balances["UnitsBalance"] * balances["UnitCost"].astype(float)).sum()
    found = read(adventureworks, "select sum(y) as y from ml_train_inventory_monthly where ds = '2014-06-01'")[
        "y"
    ].item()
    assert found == pytest.approx(expected, abs=0.01)


# --- facts that are not as they should be: stray dates, blocks that stand twice, totals, two names of a region, counts in turns


def make_strange() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Honest sales of two years and their stock, one row per product and month."""
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2020-01-01", "2021-12-10")
    amounts = {region: np.round(rng.lognormal(4, 0.5, len(days)), 2) for region in ("North", "South")}
    sales = pd.concat(
        pd.DataFrame({"order_date": days, "region": name, "net_amount": y}) for name, y in amounts.items()
    )
    ends = pd.date_range("2020-01-31", "2021-12-31", freq="ME")
    stock = pd.DataFrame(
        [
            (end - pd.Timedelta(number, "D"), "North", f"P{number}", 10 * number + end.month)
            for end in ends
            for number in range(4)
        ],
        columns=["snapshot_date", "region", "product", "quantity_on_hand"],
    )
    return sales, stock


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the same company as somebody exported it, with what its params state."""
    folder = tmp_path_factory.mktemp("strange") / "facts"
    folder.mkdir()
    sales, stock = make_strange()
    march = sales[sales["order_date"].dt.strftime("%Y-%m") == "2020-03"]
    may = sales[(sales["order_date"].dt.strftime("%Y-%m") == "2020-05") & (sales["region"] == "South")]
    totals = sales.groupby("order_date", as_index=False)["net_amount"].sum().assign(region="Total")
    stray = pd.DataFrame({"order_date": ["2021-12-31", "2091-01-01"], "region": "North", "net_amount": [120.0, 7.0]})
    written = pd.concat([sales, march, may, totals, stray.astype({"order_date": "datetime64[ns]"})])
    written.loc[(written["region"] == "South") & (written["order_date"] < "2020-08-01"), "region"] = "south"
    written.to_csv(folder / "sales.csv", index=False)
    stock.to_csv(folder / "inventory.csv", index=False)
    stated = {"totals": {"Total": "drop"}, "rename": {"region": {"south": "South"}}, "duplicates": "drop"}
    return build("csv", folder, tmp_path_factory.mktemp("strange_warehouse"), stated=stated)


def test_strange_facts_give_the_honest_months(strange: Path) -> None:
    sales, stock = make_strange()
    sales = sales.assign(ds=month_of(sales["order_date"]))
    expected = sales[sales["ds"] < "2021-12-01"].groupby(["region", "ds"])["net_amount"].sum()
    found = read(strange, "select region, ds, y from ml_train_sales_monthly").set_index(["region", "ds"])["y"]
    np.testing.assert_allclose(found.sort_index(), expected.sort_index(), atol=1e-6)
    assert list(found.sort_index().index) == list(expected.sort_index().index)
    units = stock.groupby(month_of(stock["snapshot_date"]))["quantity_on_hand"].sum()
    kept = read(strange, "select ds, y from ml_train_inventory_monthly order by ds")
    assert list(kept["y"]) == list(units) and list(kept["ds"]) == list(units.index)


def test_what_is_strange_is_found(strange: Path) -> None:
    stray = read(strange, "select fact_date, reason from stray_dates order by fact_date")
    assert [f"{day:%Y-%m-%d}" for day in stray["fact_date"]] == ["2021-12-31", "2091-01-01"]
    blocks = read(
        strange, "select region, times, first_date, last_date, n_surplus from repeated_blocks order by first_date"
    )
    assert list(blocks["region"].fillna("everything")) == ["everything", "South"] and list(blocks["times"]) == [2, 2]
    assert [f"{day:%Y-%m}" for day in blocks["last_date"]] == ["2020-03", "2020-05"]
    assert list(blocks["n_surplus"]) == [2 * 22, 21]
    assert not read(strange, "select * from inventory_counts where is_full").size
