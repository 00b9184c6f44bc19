"""The published file of a made company with as many series as are asked for, without training anything: for what reads such files.

The facts are those of `made_company`. The forecasts are simple: the champion says the mean of last year's month and of the last three
months known, the seasonal naive says last year's month, a sum what its series say. So nothing here tells how good a model is; tables,
types, sizes and the order of rows are those that `publish` leaves, because dbt's own models and the ledger's own macros make them.

    python tests/made_published.py data/made/published.duckdb --series 100000
"""

import argparse
import json
import re
import tempfile
from pathlib import Path

import duckdb
import jinja2
import pandas as pd
from jinja2.runtime import Macro

import made_company
import report_fixtures
from dbt_sql import DBT, environment
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.ledger.tables import BY_SERIES, PUBLISHED
from ledger_by_macros import migrate
from overridden_company import LEVELS
from report_fixtures import CHAMPION, Company, Z

BASELINE = "seasonal_naive"
CUTOFFS = 4  # past ones of the back-test, the last two held out
MEMORY = "3GB"
MODELS = (
    "marts/first_known_actuals", "predictions/latest_runs", "marts/counted_forecasts", "marts/counted_backfills",
    "marts/counted_overrides", "marts/actual_vs_forecast", "marts/forecast_accuracy", "predictions/ml_pred_sales_1m",
    "predictions/ml_pred_sales_3m", "predictions/ml_pred_sales_6m", "bi/PredSales1m",
)  # fmt: skip
LEDGER = ("forecasts", "backtests", "actuals", "training_changes")  # what is made here; all else of the ledger is empty
CALENDAR = """
    create table domain_calendar as
    select 'sales' as domain, 'monthly' as grain, count(*) as n_facts, min(order_date) as first_fact, max(order_date) as last_fact,
        date_trunc('month', min(order_date))::date as first_month, date_trunc('month', max(order_date))::date as last_month,
        {months} as n_months, 'net amount' as measure
    from facts
"""
MONTHLY = """
    create view sales_monthly as
    select region, product_category, date_trunc('month', order_date)::date as ds, sum(net_amount)::decimal(18, 2) as net_amount
    from facts group by all
"""
SCALES = """
    create table scales as
    select aggregation, unique_id, coalesce(nullif(avg(abs(now.y - before.y)), 0), 1.0) as scale
    from monthly_actuals as now
    inner join monthly_actuals as before using (domain, aggregation, unique_id)
    where before.ds = now.ds - interval 12 month group by all
"""
# What both models say at a cutoff: of each series, and of each sum what its series say.
SAID = """
    with
    recent as (
        select region, product_category, avg(y) as level from monthly_actuals
        where aggregation = 'series' and ds between '{cutoff}'::date - interval 2 month and '{cutoff}'::date group by all
    ),
    said as (
        select 'sales' as domain, region, product_category, (ds + interval 12 month)::date as ds, y as naive, (y + level) / 2 as champion,
            false as is_imputed
        from monthly_actuals inner join recent using (region, product_category)
        where aggregation = 'series' and ds > '{cutoff}'::date - interval 12 month and ds <= '{cutoff}'::date - interval 6 month
    ),
    naive as ({naive}),
    champion as ({champion}),
    both_said as (
        select *, naive as point, '{baseline}' as model_name from naive
        union all by name
        select *, champion as point, '{champion_name}' as model_name from champion
    )
    select domain, aggregation, unique_id, region, product_category, '{cutoff}'::date as cutoff,
        datediff('month', '{cutoff}'::date, ds)::integer as horizon, ds, model_name, coalesce(scale, 1.0) as scale, {quantiles},
        'series' as interval_pool, 108 as interval_n, false as is_fallback
    from both_said left join scales using (aggregation, unique_id)
"""


def build(path: Path, n_series: int, months: int = 60) -> Path:
    """Write the published file of a company of `n_series` and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        made_company.write(Path(scratch), n_series, months)
        with duckdb.connect(str(Path(scratch) / "warehouse.duckdb")) as connection:
            connection.execute(f"set memory_limit = '{MEMORY}'")
            connection.execute("set preserve_insertion_order = false")
            connection.execute(f"create view facts as from '{scratch}/sales.parquet'")
            fill(connection, months)
            new = Path(scratch) / "published.duckdb"
            connection.execute(f"attach '{new}' as published")
            connection.execute("set preserve_insertion_order = true")
            for table in PUBLISHED:
                connection.execute(f"create table published.main.{table} as from {table}")
            for table in BY_SERIES:
                connection.execute(f"create index {table}_by_series on published.main.{table} (unique_id)")
            connection.execute("detach published")
        new.replace(path)
    return path


def fill(connection: duckdb.DuckDBPyConnection, months: int) -> None:
    """Make every table of the warehouse that is published."""
    migrate(connection)
    for name in LEDGER:  # the keys of the ledger take longer to keep than all the rest
        connection.execute(f"create table bare as from {name}; drop table {name}; alter table bare rename to {name}")
    connection.execute(CALENDAR.format(months=months))
    connection.execute(MONTHLY)
    connection.execute(
        "create table left_out_months (domain varchar, ds date, n_facts bigint, amount double, reason varchar)"
    )
    connection.execute(f"create table series_levels as {LEVELS}")
    table(connection, "ml_train_sales_monthly", sql("ml/ml_train_sales_monthly"))
    for name in ("ml_train_inventory_monthly", "ml_train_profit_monthly"):
        connection.execute(f"create table {name} as from ml_train_sales_monthly limit 0")
    table(connection, "monthly_actuals", sql("marts/monthly_actuals"))
    connection.execute(SCALES)
    last = connection.execute("select last_month from domain_calendar").fetchone()[0]
    add_run(connection, pd.Timestamp(last))
    for model in MODELS:
        table(connection, model.rpartition("/")[2], sql(model))
    for name in PUBLISHED:
        if name.startswith(("ml_pred_", "Pred")) and "sales" not in name.lower():
            like = re.sub("inventory|profit", "sales", re.sub("Inventory|Profit", "Sales", name))
            connection.execute(f"create table {name} as from {like} limit 0")


def add_run(connection: duckdb.DuckDBPyConnection, last: pd.Timestamp) -> None:
    """Add one run: its forecasts, its back-test, what it knew and its manifest."""
    run_id = f"sales-{last:%Y-%m-%d}-0123456789"
    table(connection, "said", said_at(last))
    bounds = "q500 as predicted_value, q100 as lo_80, q900 as hi_80, q025 as lo_95, q975 as hi_95"
    connection.execute(f"""
        insert into forecasts by name
        select *, '{run_id}' as run_id, if(model_name = '{CHAMPION}', 'published', 'baseline') as status, '1' as model_version,
            '2025-01-10 08:30'::timestamp as prediction_time
        from (select * exclude ({", ".join(QUANTILE_COLUMNS)}), {bounds} from said)
        order by status desc, aggregation, unique_id, horizon
    """)
    for n in range(CUTOFFS):
        cutoff, kind = last - pd.DateOffset(months=6 + n), "held_out" if n < 2 else "choice"
        connection.execute(
            f"insert into backtests by name select *, '{run_id}' as run_id, '{kind}' as evaluation_set from ({said_at(cutoff)})"
        )
    connection.execute(
        f"insert into actuals select 'sales', unique_id, ds, y, '{last:%Y-%m-%d}' from ml_train_sales_monthly"
    )
    connection.execute(
        f"insert into training_changes by name select *, '{run_id}' as run_id, 'sales' as domain from ml_train_sales_monthly"
    )
    text = json.dumps(report_fixtures.manifest(Company(), "sales", run_id, last) | {"restored": None})
    connection.execute(
        "insert into runs values (?, 'sales', ?, ?, ?, '2025-01-10 08:30')", [run_id, last, CHAMPION, text]
    )
    connection.execute("insert into publications values ('sales', ?, '2025-01-10 08:30')", [run_id])


def said_at(cutoff: pd.Timestamp) -> str:
    """Return the SQL of what both models say at a cutoff."""
    parts = {name: macro("bottom_up", "said", name) for name in ("naive", "champion")}
    quantiles = ", ".join(
        f"greatest(point + {z} * 1.1 * scale, 0) as {name}" for z, name in zip(Z, QUANTILE_COLUMNS, strict=True)
    )
    return SAID.format(
        cutoff=f"{cutoff:%Y-%m-%d}", baseline=BASELINE, champion_name=CHAMPION, quantiles=quantiles, **parts
    )


def table(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Make a table of a query, in its order."""
    connection.execute(f'create table "{name}" as {query}')


def jinja() -> jinja2.Environment:
    """Return Jinja with all macros of the dbt project."""
    found = environment()
    found.globals.update({"return": lambda value: value, "var": lambda name, default=None: default or {}})
    for path in sorted((DBT / "macros").glob("*.sql")):
        module = found.from_string(path.read_text(encoding="utf-8")).module
        found.globals.update({name: each for name, each in vars(module).items() if isinstance(each, Macro)})
    return found


def sql(model: str) -> str:
    """Return the SQL of a dbt model; macros are known to it."""
    return jinja().from_string((DBT / "models" / f"{model}.sql").read_text(encoding="utf-8")).render()


def macro(name: str, *arguments: str) -> str:
    """Return the SQL of a macro."""
    return str(jinja().globals[name](*arguments))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("target", type=Path)
    asked.add_argument("--series", type=int, default=100_000)
    given = asked.parse_args()
    build(given.target, given.series)
