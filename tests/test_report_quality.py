"""The data quality page: what dbt tested, what was filled in and left out, and when the open month counts."""

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.ledger import Published, at
from forecasting.report import notices, quality, tests_table
from forecasting.training_set import dbt_tests
from forecasting.wording.numbers import SPACE
from report_fixtures import Company, build, with_manifest


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("&nbsp;", " ").replace(SPACE, " ").split())


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    company = Company(domains=("sales", "inventory"), regions=("East",), categories=("Bikes", "Parts"))
    return build(tmp_path_factory.mktemp("quality") / "published.duckdb", company)


def dbts_record(folder):
    """What dbt leaves of a build: two models, one with a contract; generic, singular and unit tests; something else."""
    test = {"resource_type": "test", "config": {}}
    nodes = {
        "model.a": {
            "resource_type": "model",
            "name": "ml_train_sales_monthly",
            "config": {"contract": {"enforced": True}},
        },
        "model.b": {"resource_type": "model", "name": "fact_days", "config": {"contract": {"enforced": False}}},
        "test.a": test
        | {"name": "grain_x", "test_metadata": {"name": "grain"}, "attached_node": "model.p.ml_train_sales_monthly"},
        "test.b": test
        | {"name": "grain_y", "test_metadata": {"name": "grain"}, "attached_node": "model.p.monthly_actuals"},
        "test.c": test
        | {"name": "n", "test_metadata": {"name": "not_null_together"}, "attached_node": "model.p.stg_expenses"},
        "test.d": test | {"name": "inventory_is_complete"},
    }
    unit = {
        "unit_test.a": {
            "resource_type": "unit_test",
            "name": "stock_is_counted",
            "model": "inventory_monthly",
            "config": {},
        }
    }
    status = {"test.b": "warn", "unit_test.a": "pass", "model.a": "success", "model.b": "success"}
    results = [{"unique_id": key, "status": status.get(key, "pass")} for key in [*nodes, *unit, "operation.x"]]
    folder.mkdir(exist_ok=True)
    (folder / "run_results.json").write_text(json.dumps({"results": results}))
    (folder / "manifest.json").write_text(json.dumps({"nodes": nodes, "unit_tests": unit}))
    return folder


def test_what_dbt_tested_is_counted_by_kind_and_domain(tmp_path):
    rows = dbt_tests.found(dbts_record(tmp_path / "dbt"))
    assert [(row["kind"], row["domain"], row["n"], row["passed"]) for row in rows] == [
        ("complete", "inventory", 1, 1),
        ("contract", "sales", 1, 1),
        ("grain", None, 1, 0),
        ("grain", "sales", 1, 1),
        ("not_null_together", "profit", 1, 1),
        ("unit_test", "inventory", 1, 1),
    ]
    assert [row["on"] for row in dbt_tests.of_domain(rows, "profit")] == [["monthly_actuals"], ["stg_expenses"]]


@pytest.mark.parametrize(("test", "domains", "words"), [
    ("test.a", ["sales"], ["months of sales", "3 rows", "more than once", "leave sales out of domains"]),
    ("test.b", [None], ["months of all domains", "report it"]),
    ("test.c", ["profit"], ["3 rows of the expenses facts", "fill them in"]),
    ("test.d", ["inventory"], ["months of inventory do not add up to the facts in 3 months", "inventory_is_complete"]),
])  # fmt: skip
def test_a_failing_test_is_said_in_plain_english_of_its_domain(tmp_path, test, domains, words):
    folder = dbts_record(tmp_path / "dbt")
    results = [
        {"unique_id": test, "status": "warn", "failures": 3},
        {"unique_id": "test.x", "status": "pass", "failures": 0},
    ]
    (folder / "run_results.json").write_text(json.dumps({"results": results}), encoding="utf-8")
    said = dbt_tests.failed(folder)
    assert list(said) == domains and all(word in said[domains[0]] for word in words), said


def test_the_tests_are_said_in_words_and_one_that_did_not_pass_is_seen(tmp_path):
    rows = dbt_tests.of_domain(dbt_tests.found(dbts_record(tmp_path / "dbt")), "sales")
    markup = tests_table.tests(rows)
    text = text_of(markup)
    assert "No row is there twice" in text and "tables that others read 2 1" in text and "<strong>1</strong>" in markup
    assert "All 3 2" in text and "2 tables: ml_train_sales_monthly , monthly_actuals" in text
    assert "did not note" in tests_table.tests([])
    other = {"kind": "my_own_test", "domain": None, "n": 2, "passed": 2, "on": ["x"]}
    assert "My own test" in tests_table.tests([other])


def test_the_page_says_how_many_passed(path):
    domain = Published(path).domain("sales")
    header = text_of(quality.header({"sales": domain}))
    assert "Every test of the data passed" in header
    domain.manifest.tests[0]["passed"] = 0
    assert "1 test did not pass" in text_of(quality.header({"sales": domain}))
    assert "passed" not in text_of(quality.header({"sales": None}))


@given(st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 1)))
def test_the_third_last_business_day_is_that_of_the_calendar(day):
    first = pd.Timestamp(day).replace(day=1)
    days = [d for d in pd.date_range(first, periods=first.days_in_month) if d.weekday() < 5]
    assert quality.third_last_business_day(first) == days[-3]


def test_the_open_month_says_when_it_counts(path):
    domain = Published(path).domain("sales")
    text = text_of(quality.open_month(domain))
    assert text.startswith("January 2024 is not whole yet. So far it has 812 rows of facts and 51.2 k EUR.")
    assert "once the facts reach 29 January 2024, its third-last business day" in text
    domain.left_out["reason"] = "the expenses end on 2024-01-10, before the third-last business day of the month"
    assert "and the expenses reach it too" in text_of(quality.open_month(domain))
    domain.left_out["reason"] = "the sales facts are used as of 2024-01-10, before the month had ended"
    assert "as of its end or later" in text_of(quality.open_month(domain))
    domain.left_out["ds"] = pd.Timestamp("2019-12-01")
    assert "No month is open: the facts end with December 2023" in text_of(quality.open_month(domain))


def test_what_was_filled_in_is_counted_and_explained(path, tmp_path):
    changed = Path(shutil.copy(path, tmp_path / "published.duckdb"))
    with duckdb.connect(str(changed)) as connection:
        connection.execute("""
            update monthly_actuals as a set is_imputed = true where unique_id = 'East/Parts' and ds in (
                select unnest([min(ds), max(ds)]) from monthly_actuals as b where b.domain = a.domain
            )
        """)
    for name, rule in (("sales", "counts as 0"), ("inventory", "carried forward, for at most three months")):
        assert "Nothing: every monthly value" in quality.imputed(Published(path).domain(name))
        domain = Published(changed).domain(name)
        rows = at(domain.actuals, "series")
        text = text_of(quality.imputed(domain))
        assert f"2 of {len(rows)} monthly values ({200 / len(rows):.1f} %), in 1 series, are imputed" in text
        assert "1 of them is of the last month" in text and rule in text


def test_a_month_left_out_has_its_amount_with_the_unit_wherever_it_is_named(path):
    """In the note of the checks, which writes the plain number, as in the sentence on the open month."""
    domain = Published(path).domain("sales")
    amount = float(domain.left_out["amount"].iloc[0])
    text = f"1 month is left out of sales: 2024-01 (the month is not whole; 7 facts, amount {amount:,.2f})."
    warning = {"severity": "low", "code": "left_out", "text": text}
    domain = with_manifest(domain, check={"warnings": [warning, {**warning, "code": "other"}]})
    assert quality.compact(amount, "EUR") in quality.open_month(domain)
    shown = f"(the month is not whole; 7 facts, amount {quality.compact(amount, 'EUR')})."
    for markup in (
        notices.unfolded(domain),
        notices.boxes([domain]),
        "".join(notices.listed([domain], "low", named=True)),
    ):
        assert shown in markup
        assert f"{amount:,.2f}" in markup  # any other warning stays as it is
    unknown = "2 months are left out of sales: 2024-01 (x; unknown facts, amount unknown); 2024-02 (y; 1 facts, amount -2,500.50)."
    assert notices.with_unit(unknown, "") == unknown.replace("-2,500.50", "−2,500")
