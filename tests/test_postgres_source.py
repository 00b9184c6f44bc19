"""Facts from a real PostgreSQL server: the rows as they are, only what is new, all tables of one moment, and no secret told."""

import datetime as dt
import json
import os
import threading
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from dbt_process import run_dbt
from forecasting import facts
from forecasting.errors import UserError
from forecasting.facts.sources.postgres import SOURCE
from forecasting.facts.sources.postgres.server import DSN, OF_LIBPQ, Server
from forecasting.run import workspace
from forecasting.sample import write_company
from read_facts import by_month

PASSWORD = "se cret'\"\\ü"
ORDERS = {"table": "shop.orders", "columns": {"order_date": "day", "net_amount": "net"}, "new_rows": "id"}
SETTINGS = {"columns": {}, "levels": {}, "time_zone": None, "postgres": {"sales": ORDERS}}


ROWS_OF_SHOP = """insert into shop.orders values
    (1, '2024-01-31', 10.50, 'North'), (2, '2024-02-01', -3, null), (3, '2024-02-29', 0.25, 'South')"""


SUMS = {("2024-01", "North"): Decimal("10.5"), ("2024-02", None): -3, ("2024-02", "South"): Decimal("0.25")}


class Shop:
    """A database of a company, a role that may only read, and the folder that its facts are brought to."""

    def __init__(self, connection: psycopg.Connection, place: Path) -> None:
        """Take a connection of the owner."""
        self.connection, self.place = connection, place

    def run(self, statement: str) -> None:
        """Run statements as the owner; they are committed at once."""
        self.connection.execute(statement)

    def bring(self, sales: dict[str, Any] | None = None, **options: Any) -> list[str]:
        """Bring the facts and return what is said of it."""
        own = {"postgres": {"sales": sales}} if sales else {}
        return SOURCE.bring(self.place, {**SETTINGS, **own, **options}, "")

    def sales(self, **options: Any):
        """Return what is found of the sales that were brought."""
        return facts.inspect("postgres", self.place, **options).tables["sales"]

    def error(self, sales: dict[str, Any] | None = None, **options: Any) -> str:
        """Return the message of the user's error that bringing the facts raises; it never names role or password."""
        with pytest.raises(UserError) as caught:
            self.bring(sales, **options)
        assert "se cret" not in str(caught.value) and "a_reader" not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def shop(postgres, tmp_path, monkeypatch) -> Shop:
    """A shop with three orders, and the environment of its reader."""
    database = postgres.new_database()
    with postgres.connect(database) as owner:
        if not owner.execute("select 1 from pg_roles where rolname = 'a_reader'").fetchone():
            owner.execute(sql.SQL("create role a_reader login password {} in role needs_password").format(PASSWORD))
        owner.execute("create schema shop; grant usage on schema shop to a_reader; "
                      "alter default privileges in schema shop grant select on tables to a_reader")  # fmt: skip
        owner.execute("create table shop.orders (id bigint primary key, day date, net numeric(12, 2), region text)")
        owner.execute(ROWS_OF_SHOP)
        for name in OF_LIBPQ:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(DSN, postgres.dsn(database, "a_reader", password=PASSWORD))
        yield Shop(owner, tmp_path / "facts")


@pytest.fixture
def fetches(monkeypatch) -> list[str]:
    """What is fetched, a label each."""
    seen, fetch = [], Server.fetch
    monkeypatch.setattr(
        Server, "fetch", lambda self, sql, target, doing: seen.append(doing) or fetch(self, sql, target, doing)
    )
    return seen


# --- the rows as they are


def test_the_facts_are_the_rows(shop):
    assert shop.bring() == ["postgres   all 3 rows of shop.orders fetched"]
    found = shop.sales()
    assert by_month(found, "region") == {
        ("2024-01", "North"): Decimal("10.5"),
        ("2024-02", None): -3,
        ("2024-02", "South"): Decimal("0.25"),
    }
    assert found.columns == {"order_date": "day", "net_amount": "net", "region": "region"} and found.columns_unused == (
        "id",
    )
    assert (found.file, found.total, found.n_rows) == ("shop.orders", Decimal("7.75"), 3)


TYPES = {"numeric": 8, "numeric(20, 6)": 6, "double precision": 2, "money": 2, "integer": 0}
DATES = {"date": "", "timestamp": " 23:59:59", "timestamptz": " 23:59:59+00"}
NAMES = st.sampled_from(["N'\"", " S ", "", None, "ü%{}"])
ROW = st.tuples(st.dates(dt.date(1999, 12, 1), dt.date(2000, 2, 29)), st.integers(-(10**9), 10**9), NAMES)


@given(rows=st.lists(ROW, min_size=1, max_size=15), kind=st.sampled_from(sorted(TYPES)), day=st.sampled_from(sorted(DATES)),
       text=st.sampled_from(["text", "varchar(9)", "char(6)"]), split=st.integers(0, 15), pages=st.sampled_from([0, 1000]))  # fmt: skip
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_any_rows_of_any_types_add_up_as_in_python(shop, rows, kind, day, text, split, pages):
    """Fetched at once or in two steps, as a large table or a small one; numbers to four decimals as everywhere."""
    shop.run(
        f"drop table if exists shop.orders; create table shop.orders (id int, day {day}, net {kind}, region {text})"
    )
    places, expected = TYPES[kind], Counter()
    for number, part in enumerate((rows[:split], rows[split:])):
        for at, (date, units, region) in enumerate(part):
            value = Decimal(units).scaleb(-min(places, 4)) if kind != "integer" else Decimal(units)
            values = f"%s, '{date}{DATES[day]}'::{day}, %s::numeric::{kind}, %s"
            shop.connection.execute(f"insert into shop.orders values ({values})", (100 * number + at, value, region))
            name = (region or "").strip() or None
            expected[f"{date:%Y-%m}", name] += value
        if part:
            with mock.patch("forecasting.facts.sources.postgres.server.MANY_PAGES", pages):
                shop.bring(time_zone="UTC")
    found = shop.sales(time_zone="UTC")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        groups = (
            f"strftime({found.cells['order_date']}, '%Y-%m'), {found.cells['region']}"
            if "region" in found.cells
            else ""
        )
        summed = connection.execute(
            f"select {groups}, sum(cast({found.cells['net_amount']} as decimal(18, 4))) from {found.location} group by all"
        ).fetchall()
    assert {(month, name): total for month, name, total in summed} == dict(expected)


def test_types_of_all_kinds_beside_what_is_used(shop):
    shop.run(
        "create type shop.kind as enum ('Bikes'); alter table shop.orders add kind shop.kind default 'Bikes', add note jsonb default '{}', "
        "add raw bytea default 'x', add days int[] default '{1}', add took interval default '1 day', add until date default 'infinity', "
        "add odd numeric default 'NaN', add \"row hash\" text default 'h', add order_date text default 'no', "
        'add "Net Amount" money default 1'
    )
    shop.bring({**ORDERS, "columns": {**ORDERS["columns"], "product_category": "kind"}})
    assert set(by_month(shop.sales(), "product_category")) == {("2024-01", "Bikes"), ("2024-02", "Bikes")}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("net", "'NaN'", "column net: a row holds NaN, which cannot be used"),
        ("net", "null", "column net: a row has no value, which cannot be used"),
        ("day", "'infinity'", "column day: a row holds infinity"),
        ("day", "'-infinity'", "column day: a row holds -infinity"),
        ("day", "'0204-01-31'", "column day: a row holds"),
        ("day", "null", "column day: a row has no value"),
    ],
)
def test_a_value_that_duckdb_would_read_as_another_is_refused(shop, column, value, said):
    shop.bring()
    shop.run(f"update shop.orders set {column} = {value} where id = 2")
    assert f"shop.orders, {said}" in shop.error()
    assert shop.sales().total == Decimal("7.75")  # what was brought before is still there


@pytest.mark.parametrize(
    ("sales", "said"),
    [
        ({"query": "select day::text as order_date, net as net_amount from shop.orders"}, "order_date: text where a date belongs. State"),
        ({"query": "select day as order_date, region as net_amount from shop.orders"}, "net_amount: text where a number belongs"),
        ({"query": "select day::timestamptz as order_date, net as net_amount from shop.orders"}, "Set time_zone in params/"),
        ({"query": "select day as order_date, net as net_amount, now() as region from shop.orders"}, "timestamptz where a text belongs"),
        ({"table": "shop.nothing"}, "there is no table shop.nothing"),
        ({"table": "shop.orders"}, "shop.orders has no column order_date, net_amount. Found: id, day, net, region"),
        ({**ORDERS, "columns": {"order_date": "dya", "net_amount": "net"}}, "no column 'dya', which params/ states for order_date"),
        ({**ORDERS, "new_rows": "no"}, "has no column 'no', which params/ states for new_rows"),
        ({**ORDERS, "new_rows": "region"}, "new_rows must be a whole number"),
        ({"query": "selec 1"}, 'the query cannot be understood: syntax error at or near "1"'),
        ({"query": "delete from shop.orders returning *"}, "the query cannot be understood"),
        ({"table": "pg_authid"}, "the role has no right to read pg_authid"),
        ({"tabel": "x"}, "sales has no setting 'tabel'. Known: table, query, columns, new_rows. Did you mean 'table'?"),
        ({"table": "x", "query": "y"}, "sales must have either a table or a query"),
        ({"table": 1}, "sales, table must be text, found 1"),
    ],
)  # fmt: skip
def test_what_is_asked_for_and_cannot_be_had_is_named(shop, sales, said):
    assert said in shop.error(sales)


def test_what_params_say_must_be_of_fact_tables_and_never_of_the_connection(shop):
    assert "FORECASTING_FACTS_DSN" in shop.error(postgres={"dsn": "host=x password=y"})
    assert "'sale' is not a fact table" in shop.error(postgres={"sale": ORDERS})
    assert "for example postgres: {sales:" in shop.error(postgres={})


# --- only what is new


def test_only_new_rows_are_fetched_and_a_changed_past_is_fetched_again_and_said(shop, fetches):
    shop.bring()
    assert shop.bring() == [] and len(fetches) == 1
    before = facts.fingerprint("postgres", shop.place, shop.place.parent / "c.json")
    shop.run("insert into shop.orders values (7, '2024-03-01', 5, 'North')")
    assert shop.bring() == ["postgres   1 new row of shop.orders fetched"]
    assert len(list(shop.place.glob("*/*"))) == 2 and shop.sales().total == Decimal("12.75")
    assert facts.fingerprint("postgres", shop.place, shop.place.parent / "c.json") != before
    for change, total in {"update shop.orders set region = 'West' where id = 1": "12.75", "delete from shop.orders where id = 2": "15.75",
                          "insert into shop.orders values (4, '2024-02-01', 1, null)": "16.75"}.items():  # fmt: skip
        shop.run(change)
        (said,) = shop.bring()
        assert "rows of shop.orders up to id 7 have changed since they were fetched" in said and "fetched again" in said
        assert shop.sales().total == Decimal(total) and len(list(shop.place.glob("*/*"))) == 1
    assert shop.bring() == []


def test_without_a_key_all_rows_are_fetched_where_any_has_changed(shop, fetches):
    asked = {name: value for name, value in ORDERS.items() if name != "new_rows"}
    shop.bring(asked)
    assert shop.bring(asked) == []
    shop.run("insert into shop.orders values (9, '2024-03-01', 5, 'North')")
    (said,) = shop.bring(asked)
    assert "4 rows instead of 3, net_amount 12.75 instead of 7.75" in said and len(fetches) == 2
    shop.run("alter table shop.orders rename region to area")
    assert "as what is asked of it has changed" in shop.bring(asked)[0]


@pytest.mark.parametrize("key", ["timestamptz", "timestamp", "date", "numeric(12, 3)", "smallint"])
def test_keys_of_all_types(shop, key):
    value = (lambda n: f"{n}") if key in ("numeric(12, 3)", "smallint") else (lambda n: f"'2024-01-0{n} 12:00:00.5'")
    shop.run(f"alter table shop.orders add k {key}; update shop.orders set k = {value(1)}")
    asked = {**ORDERS, "new_rows": "k"}
    shop.bring(asked)
    for n in (2, 3):
        shop.run(f"insert into shop.orders values ({10 + n}, '2024-03-01', 1, null, {value(n)})")
        assert shop.bring(asked) == ["postgres   1 new row of shop.orders fetched"] and shop.bring(asked) == []
    shop.run("insert into shop.orders values (20, '2024-03-01', 1, null, null)")
    assert "column k: a row has no value" in shop.error(asked)


def test_many_small_fetches_are_put_together(shop, monkeypatch):
    monkeypatch.setattr("forecasting.facts.sources.postgres.extract.MOST_FILES", 3)
    shop.bring()
    for number in range(10, 15):
        shop.run(f"insert into shop.orders values ({number}, '2024-03-01', 1, null)")
        shop.bring()
        assert shop.sales().total == Decimal("7.75") + number - 9 and len(list(shop.place.glob("*/*"))) <= 4
    assert shop.bring() == []


# --- of one moment, and whole


@pytest.mark.parametrize("pages", [0, 1000])
def test_all_tables_are_of_one_moment(shop, monkeypatch, pages):
    """Also where several connections fetch a large table."""
    monkeypatch.setattr("forecasting.facts.sources.postgres.server.MANY_PAGES", pages)
    shop.run(
        "create table shop.spent (expense_date date, amount numeric); insert into shop.spent values ('2024-01-31', 1)"
    )

    def beside(fetch: Any) -> Any:
        def meanwhile(self: Server, *args: Any) -> None:
            shop.run("insert into shop.spent values ('2024-01-31', 100)")
            shop.run("insert into shop.orders values (99, '2024-03-01', 100, null)")
            fetch(self, *args)
            shop.run("delete from shop.orders where id = 99")

        return meanwhile

    for way in ("fetch", "fetch_large"):
        monkeypatch.setattr(Server, way, beside(getattr(Server, way)))
    shop.bring(postgres={"sales": ORDERS, "expenses": {"table": "shop.spent"}})
    found = facts.inspect("postgres", shop.place).tables
    assert (found["sales"].total, found["expenses"].total) == (Decimal("7.75"), 1)


END = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'a_reader'"


@pytest.mark.parametrize("who", ["ask", "fetch"])
def test_a_lost_connection_is_told_and_leaves_the_facts_as_they_were(shop, monkeypatch, who):
    shop.bring()
    shop.run("insert into shop.orders values (7, '2024-03-01', 5, 'North')")
    does = getattr(Server, who)
    monkeypatch.setattr(Server, who, lambda self, *args: shop.run(END) or does(self, *args))
    assert "the connection was lost. Run the same command again" in shop.error()
    assert shop.sales().total == Decimal("7.75")


def test_a_connection_that_is_lost_while_rows_come_leaves_the_facts_as_they_were(shop, postgres):
    shop.bring()
    shop.run(
        "create view shop.many as select n as id, date '2024-01-31' as day, 1.0 as net from generate_series(1, 100000000) as n"
    )
    with postgres.connect(shop.connection.info.dbname) as other:
        timer = threading.Timer(0.7, other.execute, [END])
        timer.start()
        said = shop.error({**ORDERS, "table": "shop.many"})
        timer.join()
    assert "the connection was lost" in said and shop.sales().total == Decimal("7.75")


def test_a_statement_timeout_is_told(shop, monkeypatch):
    shop.run("create view shop.slow as select id, day, net from shop.orders, lateral (select pg_sleep(id)) as sleep")
    monkeypatch.setenv(DSN, psycopg.conninfo.make_conninfo(os.environ[DSN], options="-c statement_timeout=50"))
    assert "stopped it after its statement_timeout" in shop.error({**ORDERS, "table": "shop.slow"})


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ({"password": "se cret"}, "the password is wrong or missing"),
        ({"password": ""}, "the password is wrong or missing"),
        ({"dbname": "nowhere"}, "there is no database nowhere"),
        ({"user": "a_reader_too"}, "the server does not let this role in"),
        ({"host": "/nowhere"}, "no server answers there"),
        ({"service": "no_such"}, "there is no service no_such in the service file"),
        ("se cret", "is no connection string"),
        ("postgresql://a_reader:se%20cret@127.0.0.1:1/shop", "no server answers there"),
        ("", "Set FORECASTING_FACTS_DSN in the environment"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_a_secret(shop, monkeypatch, dsn, said):
    given = dsn if isinstance(dsn, str) else psycopg.conninfo.make_conninfo(os.environ[DSN], **dsn)
    monkeypatch.setenv(DSN, given)
    assert said in shop.error()


def test_libpqs_own_variables_and_services_are_understood_and_no_secret_is_written(shop, monkeypatch, tmp_path):
    known = psycopg.conninfo.conninfo_to_dict(os.environ[DSN])
    monkeypatch.delenv(DSN)
    for name, of in {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGDATABASE": "dbname",
        "PGUSER": "user",
        "PGPASSWORD": "password",
    }.items():
        monkeypatch.setenv(name, known[of])
    assert shop.bring()
    for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"):
        monkeypatch.delenv(name)
    service = tmp_path / "services"
    service.write_text("[shop]\n" + "".join(f"{name}={value}\n" for name, value in known.items()), encoding="utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    monkeypatch.setenv("PGSERVICE", "shop")
    assert shop.bring() == []
    written = b"".join(path.read_bytes() for path in shop.place.rglob("*") if path.is_file())
    given = json.dumps(facts.inspect("postgres", shop.place).dbt_vars())
    assert b"cret" not in written and b"a_reader" not in written and "cret" not in given


# --- as a source


def test_a_workspace_of_postgres_needs_no_facts_and_takes_none(tmp_path):
    place = workspace.open_workspace(tmp_path, "acme", "postgres")
    assert place.facts is None and place.facts_path == tmp_path / "data" / "acme" / "facts"
    with pytest.raises(UserError, match=r"SOURCE=postgres takes no FACTS=….*params/workspaces"):
        workspace.open_workspace(tmp_path, "acme", "postgres", "somewhere")
    with pytest.raises(UserError, match=r"does not exist|Nothing has been fetched"):
        facts.inspect("postgres", place.facts_path)


def test_a_company_in_postgres_gives_the_training_sets_of_its_parquet_files(shop, root, tmp_path):
    write_company(tmp_path / "parquet", small=True)
    tables = {}
    for table in ("sales", "inventory", "expenses"):
        rows = duckdb.sql(f"from '{tmp_path}/parquet/{table}.parquet'")
        kinds = {"VARCHAR": "text", "DATE": "date", "DOUBLE": "double precision"}
        columns = ", ".join(
            f"{name} {kinds.get(str(type_), str(type_))}" for name, type_ in zip(rows.columns, rows.types, strict=True)
        )
        shop.run(f"create table shop.{table} ({columns})")
        rows.to_csv(str(tmp_path / "rows.csv"), header=False)
        with shop.connection.cursor().copy(f"copy shop.{table} from stdin (format csv)") as copy:
            copy.write((tmp_path / "rows.csv").read_bytes())
        tables[table] = {"table": f"shop.{table}"}
    shop.bring(postgres=tables)
    found = {source: training_sets(root / "dbt", tmp_path / f"dbt_{source}", facts.inspect(source, place))
             for source, place in {"parquet": tmp_path / "parquet", "postgres": shop.place}.items()}  # fmt: skip
    assert found["parquet"] == found["postgres"] and all(found["parquet"])


def training_sets(project: Path, scratch: Path, summary: Any) -> list[list[tuple]]:
    """Have dbt build the three training sets from facts."""
    scratch.mkdir()
    places = {"project-dir": project, "profiles-dir": project, "target-path": scratch, "log-path": scratch}
    options = [f"--{what}={where}" for what, where in {**places, "vars": json.dumps(summary.dbt_vars())}.items()]
    warehouse = str(scratch / "warehouse.duckdb")
    done = run_dbt(
        ["--quiet", "run", "--select", "+ml", *options], project, scratch / "said", FORECASTING_WAREHOUSE=warehouse
    )
    assert done.returncode == 0, done.stdout
    with duckdb.connect(warehouse, read_only=True) as connection:
        return [
            connection.execute(f"from ml_train_{each}_monthly order by all").fetchall()
            for each in ("sales", "inventory", "profit")
        ]
