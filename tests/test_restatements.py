"""A company that is published twice, the second time with a restated past: what the ledger keeps, and what the pages and the bridge say."""

import json
import re
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_sql import macros, model
from forecasting.evaluation import as_known_before, restated_forecasts
from forecasting.ledger import Published, known_before, publishing
from forecasting.ledger.known_before import otherwise
from forecasting.report import domain_page, known_now, quality, restatements, waterfall
from forecasting.report.bridges import BOTH, DATA, MODEL, RESTATED, bridge, with_restatement
from forecasting.report.overview import exceptions, warnings
from forecasting.report.track_record import load_record
from forecasting.run import Manifest
from forecasting.wording import numbers
from parquet_files import parquet_file
from report_fixtures import KEY, Company, build
from synthetic import company


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace(numbers.SPACE, " ").replace("&nbsp;", " ").split())


NOTHING = {"unit": "USD", "params": {"as_of": None}, "facts": {"last_fact": "2023-12-29"}}


@pytest.fixture
def ledger(tmp_path):
    """An empty ledger, with the views that publishing reads."""
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        made = macros("ledger")
        connection.execute(made.ledger_version_1())
        connection.execute(made.ledger_version_2())
        connection.execute(made.ledger_version_3())
        connection.execute(made.ledger_version_5())
        connection.execute(
            "create view latest_runs as select * from publications "
            "qualify row_number() over (partition by domain order by published_at desc) = 1"
        )
        connection.execute(f"create view counted_forecasts as {model('marts/counted_forecasts')}")
        yield connection


def finished(
    ledger: duckdb.DuckDBPyConnection, train: pd.DataFrame, run_id: str, **manifest: object
) -> SimpleNamespace:
    """A run that knows this training set; it forecasts nothing."""
    last = train["ds"].max()
    about = Manifest.from_json(
        {**NOTHING, "run_id": run_id, "domain": "sales", "cutoff": f"{last:%Y-%m-%d}", **manifest}
    )
    names = ledger.execute("describe forecasts").df()["column_name"]
    back = ledger.execute("describe backtests").df()["column_name"]
    run = SimpleNamespace(
        domain=about.domain, run_id=run_id, manifest=about, train=parquet_file(train), forecasts=pd.DataFrame(columns=names.drop(0)),
        backtests=parquet_file(pd.DataFrame(columns=back.drop(0))), restated=restated_forecasts(None, None),
    )  # fmt: skip
    run.forecasts = run.forecasts.drop(columns=["model_version", "prediction_time"])
    return run


def publish(ledger: duckdb.DuckDBPyConnection, train: pd.DataFrame, run_id: str, **manifest: object) -> None:
    """Publish such a run."""
    publishing.add_to_ledger(ledger, [finished(ledger, train, run_id, **manifest)], {"sales": "1"})


def restated(ledger: duckdb.DuckDBPyConnection, run_id: str) -> pd.DataFrame:
    return ledger.execute("from restatements where run_id = ? order by unique_id, ds", [run_id]).df()


def known(ledger: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """First and last known value of each series and month."""
    return ledger.execute(
        "select unique_id, ds, arg_min(y, as_of) as first, arg_max(y, as_of) as last from actuals group by all order by all"
    ).df()


def test_a_raised_past_is_noted_once_with_what_was_published(ledger):
    train = company(36)
    raised = train.assign(y=train["y"].where(train["ds"] > "2022-12-01", train["y"] * 1.2))
    publish(ledger, train, "one")
    publish(ledger, raised, "two", facts={"last_fact": "2024-01-30"})
    found, changed = restated(ledger, "two"), raised[raised["ds"] <= "2022-12-01"]
    assert len(found) == len(changed) and found["y"].to_numpy() == pytest.approx(1.2 * found["y_before"])
    assert found["y"].sum() == pytest.approx(changed["y"].sum()) and set(found["region"]) == {"R0", "R1"}
    publish(ledger, raised, "three", facts={"last_fact": "2024-02-28"})
    assert restated(ledger, "one").empty and restated(ledger, "three").empty


def test_what_was_first_known_stays_where_facts_of_the_same_day_are_restated(ledger):
    train = company(30)
    for number, factor in enumerate((1.0, 1.2, 0.9)):
        publish(ledger, train.assign(y=train["y"] * factor), f"run {number}")
    found = known(ledger)
    assert found["first"].to_numpy() == pytest.approx(train.sort_values(["unique_id", "ds"])["y"].to_numpy())
    assert found["last"].to_numpy() == pytest.approx(0.9 * found["first"].to_numpy())
    assert len(restated(ledger, "run 2")) == len(train)


def test_new_months_and_series_are_no_restatement_but_old_months_of_new_series_are(ledger):
    train = company(36)
    publish(ledger, train[train["ds"] < "2023-12-01"], "one")
    publish(ledger, train, "two", facts={"last_fact": "2024-01-30"})
    assert restated(ledger, "two").empty
    renamed = train.assign(
        unique_id=train["unique_id"].str.replace("C0", "X"),
        product_category=train["product_category"].replace("C0", "X"),
    )
    publish(ledger, renamed, "three", facts={"last_fact": "2024-02-28"})
    found = restated(ledger, "three")
    assert set(found["product_category"]) == {"C0", "X"} and found["y"].sum() == pytest.approx(found["y_before"].sum())
    publish(ledger, renamed, "four", facts={"last_fact": "2024-03-28"})
    assert restated(ledger, "four").empty
    publish(ledger, train, "five", facts={"last_fact": "2024-04-28"})
    assert len(restated(ledger, "five")) == len(found)


def test_another_unit_is_no_restatement(ledger):
    publish(ledger, company(30), "one")
    publish(ledger, company(30).assign(y=lambda table: table["y"] / 1e6), "two", unit="million USD")
    assert restated(ledger, "two").empty


def test_no_value_is_ever_replaced_by_one_of_the_same_day_or_an_earlier_one(ledger):
    """`as_of` is stated every month by who schedules; stated twice, or an earlier one again, it must not change what was first known."""
    train = company(30)
    for number, (factor, day) in enumerate(
        [(1.0, "2024-01-31"), (1.2, "2024-01-31"), (0.8, "2023-06-30"), (1.1, "2024-02-29")]
    ):
        publish(ledger, train.assign(y=train["y"] * factor), f"run {number}", params={"as_of": day})
    found = known(ledger)
    assert found["first"].to_numpy() == pytest.approx(train.sort_values(["unique_id", "ds"])["y"].to_numpy())
    assert found["last"].to_numpy() == pytest.approx(1.1 * found["first"].to_numpy())
    assert ledger.execute("select count(*) from actuals").fetchone()[0] == 4 * len(train)


@pytest.fixture
def place(ledger, tmp_path):
    """A function that says what `make data` writes down for a training set, of what the ledger holds."""

    def look_up(train: pd.DataFrame, unit: str = "USD") -> dict:
        folder, published = tmp_path / "runs" / "sales", tmp_path / "published.duckdb"
        folder.mkdir(parents=True, exist_ok=True)
        train.to_parquet(folder / "train_sales.parquet", index=False)
        (folder / "facts.json").write_text('{"measure": "net amount"}')
        run = {"domain": "sales", "workspace": "x", "experiment": "sales", "steps": {}}
        (folder / "run.json").write_text(json.dumps(run))
        published.unlink(missing_ok=True)
        ledger.execute(f"attach '{published}' as copy")
        for table in ("runs", "publications", "training_changes", "counted_forecasts"):
            ledger.execute(f"create table copy.{table} as from {table}")
        ledger.execute("detach copy")
        return known_before(SimpleNamespace(runs=tmp_path / "runs", published=published), "sales", {"currency": unit})

    return look_up


def test_what_was_known_before_is_that_of_the_last_run_of_an_earlier_month(ledger, place):
    train = company(36)
    last = train["ds"].max()
    earlier = train[train["ds"] < last]
    assert place(train) == {"run_id": None, "cutoff": None, "months": []}
    publish(ledger, earlier, "one")
    found = place(train)
    assert (found["run_id"], found["cutoff"], found["months"]) == ("one", "2023-11-01", [])
    changed = (train["ds"] == "2022-05-01") & (train["region"] == "R0")
    raised = train.assign(y=train["y"].where(~changed, train["y"] * 1.5))
    found = place(raised)
    was = train[changed].sort_values("unique_id")
    assert [(row["unique_id"], row["ds"]) for row in found["months"]] == [
        (name, "2022-05-01") for name in was["unique_id"]
    ]
    assert [row["y"] for row in found["months"]] == was["y"].tolist()
    publish(ledger, raised, "two", facts={"last_fact": "2024-01-30"})  # what is published now changes nothing
    assert place(raised) == found
    publish(ledger, raised.assign(y=raised["y"] * 2), "three", facts={"last_fact": "2024-01-30"})
    assert place(raised) == found
    assert place(raised, "million USD")["months"] == []


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_a_training_set_goes_back_to_what_was_known_before(seed):
    """Whatever was changed, lengthened or cut at its beginning; a series that is only in one of them stays as it is."""
    rng = np.random.default_rng(seed)
    now = company(30, seed=seed % 7)
    before = now.assign(y=now["y"].where(rng.random(len(now)) < 0.7, rng.normal(100, 30, len(now)).round(2)))
    begins = {name: rng.choice(sorted(rows["ds"])[:5]) for name, rows in now.groupby("unique_id")}
    which = rng.integers(0, 2, 6)
    begin = now["unique_id"].map(begins)
    before, now = before[(before["ds"] >= begin) | (which[0] == 0)], now[(now["ds"] >= begin) | (which[0] == 1)]
    now, gone = now[now["unique_id"] != "R0/C0"], before[before["unique_id"] != "R1/C0"]
    cutoff = pd.Timestamp("2023-10-01")
    months = pd.DataFrame(otherwise(gone, now, cutoff), columns=["unique_id", "ds", "y"]).astype(
        {"ds": "datetime64[ns]", "y": float}
    )
    found = as_known_before(now, months)
    both = sorted(set(gone["unique_id"]) & set(now["unique_id"]))
    old = gone[gone["unique_id"].isin(both) & (gone["ds"] <= cutoff)]
    rest = now[~now["unique_id"].isin(both) | (now["ds"] > cutoff)]
    expected = pd.concat([old, rest]).sort_values(["unique_id", "ds"], ignore_index=True)
    columns = ["unique_id", "ds", "y", "region", "product_category"]
    pd.testing.assert_frame_equal(found[columns], expected[columns])


LAST = pd.Timestamp("2023-12-01")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A company whose present run found all of 2022 raised by 20 % in one series."""
    path = build(tmp_path_factory.mktemp("db") / "published.duckdb", Company(domains=("sales",), history=True))
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create table restatements as
            select (select run_id from latest_runs) as run_id, domain, unique_id, region, product_category, ds, y / 1.2 as y_before, y
            from monthly_actuals where aggregation = 'series' and unique_id = 'North/Bikes' and year(ds) = 2023 and month(ds) < 11
        """)
        connection.execute(
            "update runs set published_at = timestamp '2030-01-01' where run_id in (select run_id from latest_runs)"
        )
    return path


def test_every_page_names_months_amount_and_series(published):
    domain = domain_page.load(published, "sales")
    rows = domain.actuals.query("aggregation == 'total' and ds >= '2023-01-01' and ds < '2023-11-01'")
    now, change = rows["y"].sum(), domain.restated["change"].sum()
    whole = Published(published).domains()
    for page in (
        warnings({"sales": domain}) + exceptions({"sales": domain}),
        domain_page.warnings(domain),
        quality.section("sales", domain),
        warnings(whole) + exceptions(whole),
    ):
        text = text_of(page).replace(numbers.SPACE, " ")
        assert "Published months of sales were restated in 1 series: 10 months, January to October 2023;" in text
        assert "North/Bikes in" in text
    text = restatements.sentence(domain, restatements.totals(domain))
    assert (
        f"was {numbers.compact(now - change, 'EUR')} when it was published and is {numbers.compact(now, 'EUR')} now"
        in text
    )
    assert text_of(restatements.tables(domain)).count("+20.0") >= 1


def test_the_bridge_has_a_step_of_its_own_and_still_adds_up(published):
    domain = domain_page.load(published, "sales")
    found = bridge(str(published), domain)
    assert RESTATED in found.steps
    whole = found.rows["before"] + found.rows[found.steps].sum(axis=1)
    assert whole.to_numpy() == pytest.approx(found.rows["after"].to_numpy())
    by_month = found.rows[found.rows["aggregation"] == "total"].set_index("ds")[RESTATED]
    changed = domain.restated.set_index("ds")["change"]
    for ds, value in by_month.items():
        assert value == pytest.approx(changed.get(ds - pd.DateOffset(years=1), 0.0))
    assert "Restated months" in waterfall.waterfall(domain, found) and "repeats last year takes" in waterfall.method(
        domain, found
    )


@pytest.fixture(scope="module")
def measured(published, tmp_path_factory):
    """The same, and the forecast in force was made from the past as it was known before as well: 100 a month ahead less in the North."""
    path = tmp_path_factory.mktemp("measured") / "published.duckdb"
    path.write_bytes(published.read_bytes())
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create table restated_forecasts as
            select f.run_id, domain, aggregation, unique_id, region, product_category, f.cutoff, horizon, ds,
                predicted_value - 100 * horizon * (region in ('North', 'All'))::int as predicted_value,
                (select arg_max(c.run_id, c.cutoff) from counted_forecasts as c where c.cutoff < f.cutoff) as known_by
            from forecasts as f inner join latest_runs using (domain) where f.run_id = latest_runs.run_id and status = 'published'
        """)
    return path


def test_where_it_was_measured_the_step_is_what_it_did_to_the_forecast(measured):
    domain = domain_page.load(measured, "sales")
    found = bridge(str(measured), domain)
    assert found.is_measured and RESTATED in found.steps
    whole = found.rows["before"] + found.rows[found.steps].sum(axis=1)
    assert whole.to_numpy() == pytest.approx(found.rows["after"].to_numpy())
    horizon = found.rows["ds"].dt.month  # the last known month is December
    expected = np.where(found.rows["region"].isin(["North", "All"]), 100.0 * horizon, 0.0)
    assert found.rows[RESTATED].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert "from the past as it is known now" in text_of(waterfall.method(domain, found))
    assert "repeats last year takes" not in waterfall.method(domain, found)


def test_the_page_says_what_it_did_to_the_forecast_and_when_it_was_found(measured):
    domain = domain_page.load(measured, "sales")
    total = domain.future.query("aggregation == 'total'")["predicted_value"].sum()
    text = text_of(quality.section("sales", domain)).replace(numbers.SPACE, " ")
    grown = numbers.percent(100 * 2100 / (total - 2100), plus=True).replace(numbers.SPACE, " ")
    amounts = [numbers.compact(value, "EUR").replace(numbers.SPACE, " ") for value in (total, total - 2100)]
    assert f"for January to June 2024 it adds up to {amounts[0]}, {grown} on the {amounts[1]}" in text
    change = domain.restatements["change"].sum()
    assert "When months were restated: 1 publication" in text and domain.manifest.run_id in text
    assert f"10 months January to October 2023 1 {change:+,.0f} North {change:+,.0f} +2,100" in text
    regions = text[text.index("by region, January to June 2024 added up") :]
    assert regions.index("North") < regions.index("East")  # the largest effect first


def test_accuracy_is_said_against_what_is_known_now_too(tmp_path):
    """One month of one series was first known 40 % lower."""
    company = Company(domains=("sales",), history=True, restated=True)
    path = build(tmp_path / "p.duckdb", company)
    domain, record = domain_page.load(path, "sales"), load_record(str(path), "sales")
    text = text_of(known_now.section(domain, record)).replace(numbers.SPACE, " ")
    rows = record.query("aggregation == 'total' and lag == 1").merge(
        domain.actuals, on=["aggregation", "unique_id", "ds"]
    )
    now, first = (
        ((rows["predicted_value"] - rows[name]).abs().sum() / rows[name].abs().sum()) for name in ("y", "actual")
    )
    assert round(now, 3) != round(first, 3)
    assert f"missed it by {100 * now:.1f} %, where {100 * first:.1f} % is counted" in text
    assert "Since then 1 of these months was restated" in text
    assert 'href="data_quality.html#restated-sales"' in known_now.section(domain, record)
    same = record.assign(actual=known_now.as_known_now(domain, record)["actual"])
    assert known_now.section(domain, same) == ""


@pytest.mark.parametrize("steps", [[DATA], [MODEL, DATA], [DATA, MODEL], [BOTH], [MODEL]])
@pytest.mark.parametrize("is_same_cutoff", [True, False])
def test_the_step_is_taken_from_the_one_that_it_was_in(published, steps, is_same_cutoff):
    domain = domain_page.load(published, "sales")
    rows = (
        bridge(str(published), domain)
        .rows[[*KEY, "ds"]]
        .assign(before=1.0, after=1.0 + len(steps), **dict.fromkeys(steps, 1.0))
    )
    found, split = with_restatement(domain, steps, rows, is_same_cutoff)
    assert split["before"].to_numpy() + split[found].sum(axis=1).to_numpy() == pytest.approx(split["after"].to_numpy())
    if steps == [MODEL]:
        assert found == steps
    elif steps == [DATA] and is_same_cutoff:
        assert found == [RESTATED]
    else:
        assert [step for step in found if step != RESTATED] == steps and RESTATED in found


def test_a_file_published_by_an_older_version_has_nothing_restated(tmp_path):
    domain = domain_page.load(build(tmp_path / "p.duckdb", Company(domains=("sales",), history=True)), "sales")
    assert domain.restated.empty and not restatements.warnings(domain) and restatements.tables(domain) == ""
    assert "Nothing: every month that was published before" in text_of(quality.section("sales", domain))


def test_domains_published_one_by_one_leave_what_they_leave_together(ledger):
    """Two months, the first restated by the second; what one domain publishes is no business of the other's."""
    train = company(36)
    months = [train[train["ds"] < "2023-12-01"], train.assign(y=train["y"] * 1.1)]
    tables = [name for (name,) in ledger.execute("select table_name from duckdb_tables()").fetchall()]
    found = []
    for together in (True, False):
        for table in set(tables) - {"schema_version"}:
            ledger.execute(f"delete from {table}")
        for number, month in enumerate(months):
            runs = [finished(ledger, month, f"{name} {number}", domain=name) for name in ("sales", "profit")]
            for part in [runs] if together else [[run] for run in reversed(runs)]:
                publishing.add_to_ledger(ledger, part, {"sales": "1", "profit": "2"})
        found.append({table: ledger.execute(f"select columns(c -> not c like '%\\_at' escape '\\') from {table} order by all").df()
                      for table in [*tables, "latest_runs"]})  # fmt: skip
    for table, together in found[0].items():
        pd.testing.assert_frame_equal(together, found[1][table])
    assert len(found[0]["restatements"]) and len(found[0]["runs"]) == 4
