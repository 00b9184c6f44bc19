"""The SQL of docs/bi.md, on the published file and on PostgreSQL, against the columns and marts that it stands beside."""

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import psycopg
import pytest

from forecasting.ledger.postgres.connection import DSN
from forecasting.ledger.postgres.publishing import publish
from forecasting.ledger.tables import FOR_BI
from forecasting.run.workspace import Workspace
from published_rows import shapes
from report_fixtures import Company, build

ON_BOTH = pytest.mark.parametrize("ask", ["published", "postgres"], indirect=True)
MEASURES = ["mae", "rmse", "wape", "bias", "mase", "coverage_80", "coverage_95"]


def measure(root: Path, name: str) -> str:
    """Return the statement of the page that begins with this comment."""
    (found,) = re.findall(
        rf"```sql\n-- {name}\n(.*?)```", (root / "docs" / "bi.md").read_text(encoding="utf-8"), re.DOTALL
    )
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A published file with a history, in the shape of dbt's contracts: one month restated, one publication superseded."""
    folder = tmp_path_factory.mktemp("measures")
    made = build(
        folder / "made.duckdb", Company(months=40, history=True, publications=5, restated=True, republished=True)
    )
    target = folder / "data" / "acme" / "published.duckdb"
    target.parent.mkdir(parents=True)
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{made}' as made (read_only)")
        there = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_catalog = 'made'"
            ).fetchall()
        }
        connection.execute("create table publications as from made.publications")
        for name, (columns, _) in shapes().items():
            typed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            connection.execute(f'create table "{name}" ({typed})')
            if name in there:
                status = "replace (coalesce(status, 'walk_forward') as status)" if name == "actual_vs_forecast" else ""
                known = {row[0] for row in connection.execute(f"describe made.{name}").fetchall()} & set(columns)
                connection.execute(
                    f"insert into {name} by name select {', '.join(known)} from (select * {status} from made.{name})"
                )
    return target


@pytest.fixture
def ask(request, file, root, postgres_dsn, monkeypatch) -> Callable[[str], pd.DataFrame]:
    """Run a SELECT on the published file, or on what was published of it to PostgreSQL."""

    def of_the_file(statement: str) -> pd.DataFrame:
        with duckdb.connect(str(file), read_only=True) as connection:
            return connection.execute(statement).df()

    def of_postgres(statement: str) -> pd.DataFrame:
        with psycopg.connect(postgres_dsn, options="-c search_path=forecasting -c datestyle=ISO") as connection:
            done = connection.execute(statement)
            return pd.DataFrame(done.fetchall(), columns=[column.name for column in done.description])

    if request.param == "published":
        return of_the_file
    (file.parents[2] / "dbt").exists() or (file.parents[2] / "dbt").symlink_to(root / "dbt")
    monkeypatch.setenv(DSN, postgres_dsn)
    publish(Workspace(file.parents[2], "acme", "sample", None), "forecasting", [])
    return of_postgres


@ON_BOTH
def test_the_variance_of_a_month_is_that_of_actual_vs_forecast(ask, root):
    found = ask(measure(root, "variance"))
    expected = ask("select * from actual_vs_forecast where aggregation = 'total' and status = 'published' and horizon = 1 "
                   "and actual is not null and run_id in (select run_id from counted_forecasts) order by domain, ds")  # fmt: skip
    assert len(found) == len(expected) > 6
    for column in ("actual", "variance", "variance_pct"):
        assert found[column].tolist() == pytest.approx(expected[column].tolist(), rel=1e-9)


@ON_BOTH
def test_the_accuracy_is_that_of_the_mart(ask, root):
    found = ask(measure(root, "accuracy")).set_index(["domain", "aggregation", "model_name"]).sort_index()
    mart = ask("select * from forecast_accuracy where forecast_kind = 'published' and horizon_group = 'all'")
    mart = mart.set_index(["domain", "aggregation", "model_name"]).sort_index()
    assert found.index.equals(mart.index) and len(found) == 3 * 4 * 2
    assert found["n"].tolist() == mart["n"].tolist()
    for name in MEASURES:
        assert found[name].astype(float).tolist() == pytest.approx(mart[name].tolist(), rel=1e-9, abs=1e-9), name
    assert found["accuracy_pct"].tolist() == pytest.approx([100 - 100 * wape for wape in mart["wape"]])


@ON_BOTH
def test_the_year_so_far_is_the_sum_of_its_months(ask, root):
    found = ask(measure(root, "year to date")).assign(month=lambda rows: pd.to_datetime(rows["month"]))
    actuals = ask("select * from monthly_actuals where aggregation = 'total' and domain <> 'inventory'").assign(
        ds=lambda rows: pd.to_datetime(rows["ds"])
    )
    assert len(found) == len(actuals) == 2 * 40
    for row in found.itertuples():
        of_domain = actuals[(actuals["domain"] == row.domain)].set_index("ds")["y"]
        last = row.month - pd.DateOffset(years=1)
        assert row.actual_ytd == pytest.approx(of_domain[f"{row.month.year}-01" : row.month].sum())
        if last >= of_domain.index.min():
            assert row.actual_ytd_last_year == pytest.approx(of_domain[f"{last.year}-01" : last].sum())
        else:
            assert pd.isna(row.actual_ytd_last_year)


@ON_BOTH
def test_what_is_expected_is_what_the_run_in_force_says(ask, root):
    found = ask(measure(root, "coming"))
    expected = ask("select * from forecasts where status = 'published' and aggregation = 'total' "
                   "and run_id in (select run_id from latest_runs) order by domain, ds")  # fmt: skip
    assert found["forecast"].tolist() == expected["predicted_value"].tolist() and len(found) == 18


def test_the_page_names_every_table_that_is_published(root):
    text = (root / "docs" / "bi.md").read_text(encoding="utf-8")
    spans = {f"ml_pred_{domain}_{months}m" for domain in ("sales", "inventory", "profit") for months in (1, 3, 6)}
    assert "`ml_pred_{sales,inventory,profit}_{1m,3m,6m}`" in text
    assert [name for name in FOR_BI if name not in spans and name not in text] == []
