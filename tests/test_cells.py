"""One reader of numbers and dates: decided over the whole column, with evidence, or asked; never another number."""

import gzip
from pathlib import Path

import duckdb
import pytest

from forecasting.facts.cells import DateStyle, NumberStyle, date_styles, number_styles

MESSY = Path(__file__).resolve().parents[2] / "shared" / "data" / "messy"
AMOUNT = "decimal(18, 4)"


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        yield connection


def column(connection, cells: list[str | None]) -> str:
    """Write cells into the column c1 of a table; their lines begin with 2."""
    connection.execute("create or replace temp table given (line bigint, c1 varchar)")
    connection.execute("insert into given select 1 + unnest(range(1, len($1) + 1)), unnest($1::varchar[])", [cells])
    return "given"


def read(connection, style, cells: list[str | None], kind: str) -> list:
    """Return what a style reads of cells."""
    relation = column(connection, cells)
    rows = connection.execute(f"select cast({style.sql('c1')} as {kind}) from {relation} order by line").fetchall()
    return [value for (value,) in rows]


@pytest.mark.skipif(not MESSY.exists(), reason="needs ../shared/data/messy")
def test_the_same_orders_written_in_two_ways_are_the_same(connection, tmp_path):
    tables = {}
    for name in ("us_regional_sales_A_iso", "us_regional_sales_B_dmy_dollar_thousands"):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(gzip.decompress((MESSY / f"{name}.csv.gz").read_bytes()))
        table = f"select row_number() over () + 1 as line, * from read_csv('{path}', all_varchar = true, header = true)"
        connection.execute(f"create or replace temp table orders as {table}")
        columns = {}
        for column_name in ("ProcuredDate", "OrderDate", "ShipDate", "DeliveryDate"):
            decision = date_styles(connection, "orders", column_name)
            assert decision.n_unread == 0 and decision.evidence
            columns[column_name] = decision.chosen.sql(f'"{column_name}"')
        for column_name in ("Order Quantity", "Discount Applied", "Unit Cost", "Unit Price"):
            decision = number_styles(connection, "orders", column_name)
            assert decision.n_unread == 0
            columns[column_name] = f"cast({decision.chosen.sql(quoted(column_name))} as {AMOUNT})"
        tables[name] = connection.execute(
            f"select line, {', '.join(columns.values())} from orders order by line"
        ).fetchall()
    one, other = tables.values()
    assert len(one) == 7991 and one == other
    assert date_styles(connection, "orders", "OrderDate").chosen == DateStyle("%d/%m/%Y")
    assert number_styles(connection, "orders", "Unit Cost").chosen == NumberStyle(".", "$")


def quoted(name: str) -> str:
    return f'"{name}"'
