"""Warehouses of every earlier version of the ledger become today's: nothing is lost, and publishing goes on. And what readers are given
of it does not grow with every publication.

A migration that is added to `ledger_migrations` is tested here without more work: the rows of a version are made from what its tables say
of their columns.
"""

import itertools
import re
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest

from forecasting.contracts import BACKTEST_COLUMNS, QUANTILE_COLUMNS
from forecasting.ledger import publishing
from forecasting.run import Manifest, Workspace
from forecasting.training_set import building
from ledger_by_macros import create_views, migrate, migrations, of_version
from parquet_files import parquet_file
from synthetic import series

ROWS = 3  # of each table of an old warehouse
ONE_OF = re.compile(r"\(?\"?(\w+)\"? IN \(('[^)]*')\)", re.IGNORECASE)
PLAIN = {
    "DOUBLE": 1.5,
    "INTEGER": 1,
    "BIGINT": 1,
    "BOOLEAN": False,
    "TIMESTAMP": pd.Timestamp("2024-02-10 08:30"),
    "VARCHAR": "x",
}
AT = pd.Timestamp("2024-01-01")


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall()]


def rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> pd.DataFrame:
    """Rows that the checks of a table allow, as full as may be; what is free says which row it is."""
    columns = connection.execute(
        f"select column_name, column_type, \"null\" = 'YES' from (describe {table})"
    ).fetchall()
    optional = [name for name, _, may_lack in columns if may_lack]
    for n in range(len(optional) + 1):
        for lacking in itertools.combinations(optional, n):
            rows = [row_of(connection, table, columns, number) | dict.fromkeys(lacking) for number in range(ROWS)]
            try:
                connection.execute("begin")
                insert(connection, table, rows)
                return connection.execute(f"from {table}").df()
            except duckdb.ConstraintException:
                continue
            finally:
                connection.execute("rollback")
    raise AssertionError(f"{table}: no row was found that its checks allow")


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict]) -> None:
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        connection.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", list(row.values()))


def row_of(connection: duckdb.DuckDBPyConnection, table: str, columns: list[tuple], number: int) -> dict:
    """A row with something in every column."""
    checks = connection.execute(
        "select constraint_text from duckdb_constraints() where table_name = ? and constraint_type = 'CHECK'", [table]
    ).fetchall()
    allowed = {name: values.split(",")[0].strip("' ") for (text,) in checks for name, values in ONE_OF.findall(text)}
    months = {"cutoff": AT, "horizon": 1, "ds": AT + pd.DateOffset(months=1)}
    row = {name: {**months, **allowed}.get(name, AT if kind == "DATE" else PLAIN[kind]) for name, kind, _ in columns}
    row |= {name: f"{table}-{name}-{number}" for name, value in row.items() if value == "x"}
    row |= {name: 1 + number for name, kind, _ in columns if kind == "INTEGER" and name != "horizon"}
    row |= {"run_id": f"run-{number}"} if "run_id" in row else {}
    row |= {"published_at": PLAIN["TIMESTAMP"] + pd.DateOffset(days=number)} if "published_at" in row else {}
    row |= {"manifest": f'{{"run_id": "run-{number}", "unit": "EUR"}}'} if "manifest" in row else {}
    return row


def contents(connection: duckdb.DuckDBPyConnection, names: list[str]) -> dict[str, pd.DataFrame]:
    return {name: connection.execute(f"from {name} order by all").df() for name in names}


def shape(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    """Columns and constraints of every table."""
    rules = "select constraint_type, constraint_text from duckdb_constraints() where table_name = ? order by all"
    return {
        name: connection.execute(f"describe {name}").fetchall() + connection.execute(rules, [name]).fetchall()
        for name in tables(connection)
    }


def old_warehouse(path: Path, version: int) -> dict[str, pd.DataFrame]:
    """Write a warehouse of a version with some rows in every table; return them."""
    with duckdb.connect(str(path)) as connection:
        of_version(connection, version)
        names = [name for name in tables(connection) if name != "ledger_schema"]
        for name in names:
            insert(connection, name, rows_of(connection, name).astype(object).to_dict("records"))
        return contents(connection, names)


def publish(connection: duckdb.DuckDBPyConnection, run_id: str, backtest_rows: int = 0) -> None:
    """Publish a run of one series; its back-test has so many rows."""
    cutoff = pd.Timestamp("2023-12-01")
    manifest = {"run_id": run_id, "domain": "sales", "cutoff": "2023-12-01", "unit": "EUR", "params": {"as_of": None},
                "facts": {"last_fact": "2024-01-31"}}  # fmt: skip
    row = {"domain": "sales", "aggregation": "series", "unique_id": "North/Bikes", "region": "North", "cutoff": cutoff,
           "product_category": "Bikes",
           "model_name": "naive", "scale": 1.0, "interval_pool": "series", "interval_n": 40, "is_fallback": False}  # fmt: skip
    forecast = {**row, "horizon": 1, "ds": cutoff + pd.DateOffset(months=1), "status": "published", "predicted_value": 1.0,
                **dict.fromkeys(("lo_80", "hi_80", "lo_95", "hi_95"), 1.0)}  # fmt: skip
    back = [
        {**row, "horizon": 1, "cutoff": month, "ds": month + pd.DateOffset(months=1), "evaluation_set": "choice"}
        | dict.fromkeys(QUANTILE_COLUMNS, 1.0)
        for month in pd.date_range("2001-01-01", periods=backtest_rows, freq="MS")
    ]
    run = SimpleNamespace(
        run_id=run_id, domain="sales", manifest=Manifest.from_json(manifest), train=parquet_file(series([1.0] * 48)),
        restated=pd.DataFrame(),
        forecasts=pd.DataFrame([forecast]), backtests=parquet_file(pd.DataFrame(back, columns=BACKTEST_COLUMNS)),
    )  # fmt: skip
    publishing.add_to_ledger(connection, [run], {"sales": "1"})


@pytest.mark.parametrize("version", range(1, len(migrations()) + 1))
def test_an_old_warehouse_becomes_todays_and_loses_nothing(tmp_path, version):
    before = old_warehouse(tmp_path / "old.duckdb", version)
    with duckdb.connect(str(tmp_path / "new.duckdb")) as fresh:
        migrate(fresh)
    with duckdb.connect(
        str(tmp_path / "new.duckdb")
    ) as fresh:  # DuckDB writes some checks otherwise once it has reread them
        expected = shape(fresh)
    with duckdb.connect(str(tmp_path / "old.duckdb")) as connection:
        migrate(connection)
    with duckdb.connect(str(tmp_path / "old.duckdb")) as connection:
        migrate(connection)  # the next start finds nothing to do
        assert shape(connection) == expected
        now = contents(connection, list(before))
        for name, rows in before.items():
            assert len(rows) == ROWS
            pd.testing.assert_frame_equal(now[name][rows.columns], rows, check_exact=True)
        applied = connection.execute("select version from ledger_schema order by 1").fetchall()
        assert applied == [(migration["version"],) for migration in migrations()]
        create_views(connection)
        assert connection.execute("select run_id from latest_runs").fetchall() == [(f"run-{ROWS - 1}",)]
        publish(connection, "next")
        publish(connection, "next")
        assert connection.execute("select run_id from latest_runs").fetchall() == [("next",)]
        assert connection.execute("select count(*) from runs").fetchone() == (ROWS + 1,)
        assert connection.execute("select run_id from counted_forecasts order by cutoff").fetchall()[0] == ("next",)


def test_the_versions_are_one_list():
    assert [migration["version"] for migration in migrations()] == sorted({each["version"] for each in migrations()})
    assert all(migration["description"] and "'" not in migration["description"] for migration in migrations())


def test_dbt_itself_migrates_the_first_version(root, tmp_path):
    for part in ("dbt", "src", "params", "notebooks", "reports", "requirements.lock"):
        (tmp_path / part).symlink_to(root / part)
    place = Workspace(tmp_path, "acme", "csv", "facts")
    place.data.mkdir(parents=True)
    before = old_warehouse(place.warehouse, 1)
    building.run_dbt(place, "build --select latest_runs counted_forecasts", {})
    with duckdb.connect(str(place.warehouse)) as connection:
        for name, rows in contents(connection, list(before)).items():
            pd.testing.assert_frame_equal(rows[before[name].columns], before[name], check_exact=True)
        assert connection.execute("select count(*) from restatements").fetchone() == (0,)
        publish(connection, "next")
        assert connection.execute("select run_id from latest_runs").fetchall() == [("next",)]


def test_what_readers_are_given_of_back_tests_does_not_grow(tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "PUBLISHED", ["forecasts", "backtests", "runs", "publications"])
    rows, path = 24, tmp_path / "published.duckdb"
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        migrate(connection)
        create_views(connection)
        for number in range(1, 6):
            publish(connection, f"run-{number}", rows)
            publishing.publish_copy(connection, path)
            with duckdb.connect(str(path), read_only=True) as published:
                kept = published.execute("select run_id, count(*) from backtests group by all order by all").fetchall()
                assert kept == [(f"run-{each}", rows) for each in range(max(1, number - 1), number + 1)]
                assert published.execute("select count(distinct run_id) from forecasts").fetchone() == (number,)
        publish(connection, "run-3", rows)  # a setting was taken back: an old run is in force again
        publishing.publish_copy(connection, path)
        with duckdb.connect(str(path), read_only=True) as published:
            kept = published.execute("select distinct run_id from backtests order by 1").fetchall()
        assert kept == [("run-3",), ("run-5",)]
        in_warehouse = connection.execute("select count(*) from backtests").fetchone()
        assert in_warehouse == (5 * rows,)
