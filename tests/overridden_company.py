"""A workspace with a ledger of several published runs, without dbt and training: dbt's own views over the rows of `report_fixtures`."""

from pathlib import Path

import duckdb
import pandas as pd

from dbt_sql import DBT, environment
from forecasting.contracts import DOMAINS
from forecasting.ledger.publishing import publish_copy
from forecasting.ledger.tables import PREDICTIONS
from forecasting.run import Workspace
from ledger_by_macros import migrate
from made_once import made_once
from report_fixtures import Company, build, series

SHIPPED = Company(history=True, regions=("East", "North"), categories=("Bikes", "Parts"))
LEVELS = """
    select '' as aggregation, 1 as position, '' as region, '' as product_category, '' as node_region, '' as node_product_category
    limit 0
"""
VIEWS = (
    "predictions/latest_runs", "marts/counted_forecasts", "marts/counted_backfills", "marts/counted_overrides",
    "marts/monthly_actuals", "marts/first_known_actuals", "marts/actual_vs_forecast", "marts/forecast_accuracy",
    *(f"predictions/{name}" for name in PREDICTIONS), *(f"bi/Pred{domain.capitalize()}1m" for domain in DOMAINS),
)  # fmt: skip


def workspace(folder: Path, company: Company = SHIPPED) -> Workspace:
    """Return a workspace of its own in a new folder, published."""
    place = Workspace(folder, "acme", "sample", None)
    made = made_once(f"ledger of {company}", lambda new: write(new, company))
    place.data.mkdir(parents=True)
    for name in ("warehouse.duckdb", "published.duckdb"):
        (place.data / name).write_bytes((made / name).read_bytes())
    return place


def write(folder: Path, company: Company) -> None:
    """Write the warehouse and the published file of a company."""
    folder.mkdir()
    published = build(folder / "rows" / "published.duckdb", company)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(f"attach '{published}' as made (read_only)")
        ledger(connection)
        for table in ("forecasts", "runs", "publications"):
            connection.execute(f"insert into {table} by name select * from made.{table}")
        for table in ("domain_calendar", "left_out_months"):
            connection.execute(f"create table {table} as select * from made.{table}")
        for domain in DOMAINS:
            rows = series(company, domain).assign(is_imputed=False)
            rows = rows.assign(ds=pd.to_datetime(rows["ds"]).dt.date)
            connection.register("rows", rows)
            connection.execute(f"create table ml_train_{domain}_monthly as select * from rows order by unique_id, ds")
        connection.execute(f"create table series_levels as {LEVELS}")
        connection.execute("detach made")
        views(connection)
        publish_copy(connection, folder / "published.duckdb")


def ledger(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the ledger's tables."""
    migrate(connection)


def views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create dbt's views over the ledger and the training sets."""
    found = environment()
    found.globals.update(var=lambda name, default=None: {"countries": {}}.get(name, default))
    for path in sorted((DBT / "macros").glob("*.sql")):
        module = found.from_string(path.read_text(encoding="utf-8")).module
        found.globals.update({name: macro for name, macro in vars(module).items() if not name.startswith("_")})
    for name in VIEWS:
        sql = found.from_string((DBT / "models" / f"{name}.sql").read_text(encoding="utf-8")).render()
        connection.execute(f'create view "{name.split("/")[1]}" as {sql}')
