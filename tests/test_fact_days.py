"""What dbt adds up day by day, against loops over the same rows: nothing may depend on the short way there."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_sql import DBT, environment

VARS = {"duplicates": "keep", "stray_dates": "drop"}
MACROS = "".join((DBT / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in ("facts", "days", "used"))
COLUMNS = "order_date date, region text, product_category text, product text, quantity decimal(18, 4), net_amount decimal(18, 4), " \
    "cost_amount decimal(18, 4), row_hash ubigint, value_hash ubigint"  # fmt: skip
DAYS = [f"2024-01-{day:02d}" for day in (1, 2, 15)] + ["2024-02-03"]


def sql(model: str, **stated: str) -> str:
    """Return the SQL of a model that uses the macros of facts."""
    jinja = environment()
    jinja.globals.update(var=lambda name: (VARS | stated)[name], config=lambda **_: "")
    return jinja.from_string(MACROS + (DBT / "models" / f"{model}.sql").read_text(encoding="utf-8")).render()


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute(f"create table known_sales ({COLUMNS})")
        made.execute("create table known_inventory (snapshot_date date, region text, product_category text, product text, "
                     "quantity_on_hand decimal(18, 4), row_hash ubigint, value_hash ubigint)")  # fmt: skip
        made.execute(
            "create table known_expenses (expense_date date, region text, amount decimal(18, 4), row_hash ubigint, value_hash ubigint)"
        )
        yield made


def fill(connection: duckdb.DuckDBPyConnection, rows: list[tuple]) -> None:
    """Make these rows the known sales; rows of the same values, and of the same id beside, have the same hashes."""
    connection.execute("delete from known_sales")
    for day, region, product, amount, cost, own in rows:
        connection.execute(
            "insert into known_sales select d, r, 'Bikes', p, null, a, c, hash((d, r, p, a, c, $id)), hash((r, p, a, c)) "
            "from (select $d::date as d, $r as r, $p as p, $a::decimal(18, 4) as a, $c::decimal(18, 4) as c)",
            {"d": day, "r": region, "p": product, "a": amount, "c": cost, "id": own},
        )


def make(connection: duckdb.DuckDBPyConnection, *models: str, **stated: str) -> None:
    """Build models, one after another."""
    for model in models:
        connection.execute(f"create or replace table {model.split('/')[1]} as {sql(model, **stated)}")


lines = st.lists(
    st.tuples(st.sampled_from(DAYS), st.sampled_from(["North", "South"]), st.sampled_from(["A", "B", None]),
              st.sampled_from(["0", "5.25", "7"]), st.sampled_from([None, "2"]), st.integers(1, 2)),
    min_size=1, max_size=25,
)  # fmt: skip


@given(rows=lines)
@settings(max_examples=20, deadline=None)
def test_rows_that_are_alike_are_counted_as_a_loop_counts_them(connection, rows):
    fill(connection, rows)
    make(connection, "doubts/repeated_lines")
    expected: dict[tuple, list[Any]] = {}
    for kind, alike in (("row_hash", lambda row: row), ("value_hash", lambda row: row[:-1])):
        for line, n in Counter(map(alike, rows)).items():
            for times in (2, 3) if n > 1 else ():
                cell = expected.setdefault((kind, times, line[0], line[1]), [0, 0, 0, 0, Decimal(0)])
                whole = n % times == 0
                added = [n - 1, whole, not whole, n * whole, n * whole * Decimal(line[3])]
                cell[:] = [one + other for one, other in zip(cell, added, strict=True)]
    found = connection.execute(
        "select kind, times, strftime(fact_date, '%Y-%m-%d'), region, n_copies, n_repeated, n_odd, n_facts, amount from repeated_lines"
    ).fetchall()
    assert {row[:4]: list(row[4:]) for row in found} == expected and len(found) == len(expected)


@given(
    rows=lines,
    region=st.sampled_from(["North", None]),
    stray=st.sampled_from(DAYS),
    duplicates=st.sampled_from(["keep", "drop"]),
)
@settings(max_examples=20, deadline=None)
def test_days_add_up_to_the_rows_that_are_used(connection, rows, region, stray, duplicates):
    """With and without what stands twice in a block of the first two days; the rows themselves are the staging model's."""
    fill(connection, rows)
    connection.execute(
        "create or replace table stray_dates as select 'sales' as fact_table, $d::date as fact_date", {"d": stray}
    )
    connection.execute(
        "create or replace table repeated_blocks as select 'sales' as fact_table, $r::text as region, null::text as product_category, "
        "2 as times, date '2024-01-01' as first_date, date '2024-01-02' as last_date", {"r": region},
    )  # fmt: skip
    make(connection, "days/known_days", "doubts/repeated_cells", "doubts/repeated_surplus", "days/used_days", "staging/stg_sales",
         duplicates=duplicates)  # fmt: skip
    by_rows = """select order_date, region, count(*), sum(net_amount), coalesce(sum(net_amount) filter (where product is not null), 0),
        count(cost_amount), coalesce(sum(cost_amount), 0), coalesce(sum(net_amount) filter (where cost_amount is null), 0)
        from stg_sales group by all order by all"""
    by_days = """select fact_date, region, n_facts, amount, coalesce(amount_of_products, 0), n_with_cost, coalesce(cost, 0),
        coalesce(amount_without_cost, 0) from used_days order by all"""
    assert connection.execute(by_days).fetchall() == connection.execute(by_rows).fetchall()
    kept = Counter(row[:-1] for row in rows if row[0] != stray)
    if duplicates == "drop":
        kept = Counter({line: n // 2 if is_in_block(line, region) and n % 2 == 0 else n for line, n in kept.items()})
    ((n_used,),) = connection.execute("select count(*) from stg_sales").fetchall()
    assert n_used == sum(kept.values())


def is_in_block(line: tuple, region: str | None) -> bool:
    """Say whether a line lies in the block that stands twice."""
    return line[0] <= "2024-01-02" and region in (None, line[1])


@given(extra=st.lists(st.integers(0, 2), min_size=8, max_size=8), months=st.integers(4, 9))
@settings(max_examples=15, deadline=None)
def test_a_product_that_is_the_sum_of_others_is_found_and_no_other(connection, extra, months):
    """«Sum» is the others' sum but in the months in which something is added to it."""
    amounts = {
        (month, product): Decimal(3 * month + 7 * number)
        for month in range(months)
        for number, product in enumerate("AB")
    }
    wrong = [*extra, 0][:months]
    for month in range(months):
        amounts[month, "Sum"] = amounts[month, "A"] + amounts[month, "B"] + (wrong[month] == 1)
    fill(
        connection,
        [
            (f"2024-{month + 1:02d}-05", "North", product, str(amount), None, 1)
            for (month, product), amount in amounts.items()
        ],
    )
    connection.execute(
        "create or replace table stray_dates as select 'sales' as fact_table, date '1999-01-01' as fact_date"
    )
    connection.execute("create or replace table inventory_counts (region text, product_category text, product text, ds date, "
                       "units decimal(38, 4), value_at_cost decimal(38, 4))")  # fmt: skip
    make(
        connection,
        "days/known_days",
        "days/used_days",
        "staging/stg_sales",
        "doubts/product_halves",
        "doubts/product_totals",
    )
    n_equal = sum(each != 1 for each in wrong)
    found = connection.execute("select product, n_months, n_equal from product_totals").fetchall()
    assert found == ([("Sum", months, n_equal)] if months >= 6 and n_equal >= 0.9 * months else [])
