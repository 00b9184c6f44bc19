"""A ledger as dbt makes it, by dbt's own macros and models but without dbt, which takes seconds to start."""

from types import SimpleNamespace

import duckdb

from dbt_sql import DBT, environment, model

MACROS = DBT / "macros" / "ledger.sql"
VIEWS = {"latest_runs": "predictions/latest_runs", "counted_forecasts": "marts/counted_forecasts"}


def migrations() -> list[dict]:
    """Return what dbt is told to apply, oldest first: version, description, statements."""
    found: list[dict] = []
    known = environment()
    known.globals["return"] = lambda value: found.extend(value) or ""
    known.from_string(MACROS.read_text(encoding="utf-8")).module.ledger_migrations()
    return found


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Do what dbt does when it starts: bring the ledger of a warehouse to today's version."""

    def run_query(sql: str) -> SimpleNamespace:
        rows = connection.execute(sql).fetchall()
        return SimpleNamespace(columns=[SimpleNamespace(values=lambda: [row[0] for row in rows])])

    known = environment()
    known.globals.update(execute=True, run_query=run_query, all_migrations=migrations())
    known.globals["return"] = lambda value: value
    # a macro of dbt hands on a value, one of Jinja a text: the list stands in the loop's place
    text = MACROS.read_text(encoding="utf-8").replace("in ledger_migrations()", "in all_migrations")
    known.from_string(text).module.create_ledger()


def of_version(connection: duckdb.DuckDBPyConnection, version: int) -> None:
    """Make an empty ledger as the version of the project had it that knew no later migration."""
    connection.execute("create table ledger_schema (version integer primary key, description varchar not null)")
    for migration in migrations()[:version]:
        connection.execute(migration["statements"])
        connection.execute("insert into ledger_schema values (?, ?)", [migration["version"], migration["description"]])


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views that publishing reads."""
    for view, source in VIEWS.items():
        connection.execute(f"create view {view} as {model(source)}")
