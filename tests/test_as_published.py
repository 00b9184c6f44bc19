"""An accuracy figure once published is found again, to the last bit, after the past was restated and later months became known."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from dbt_sql import DBT, environment, macros
from forecasting.contracts import BACKTEST_COLUMNS, FORECAST_COLUMNS, QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.evaluation import restated_forecasts
from forecasting.ledger import accuracy_as_published, as_published, publishing
from forecasting.report import as_published as shown
from forecasting.run import Manifest, identity
from forecasting.series import aggregate_actuals
from parquet_files import parquet_file
from synthetic import company

CUTOFFS = ("2023-10-01", "2023-11-01", "2023-11-01", "2023-12-01")
NAMES = ("October", "November", "November again", "December")
WHOLE = company(48, categories=2)


def known(cutoff: str, factor: float = 1.0, gone: str = "") -> pd.DataFrame:
    """What is known up to a month: the first year and the last month times a factor, one series perhaps gone, another name in its place."""
    train = WHOLE[WHOLE["ds"] <= cutoff]
    changed = (train["ds"] < "2021-01-01") | (train["ds"] == cutoff)
    named = train["unique_id"].replace(gone, "R9/C9") if gone else train["unique_id"]
    parts = named.str.split("/", expand=True)
    train = train.assign(
        y=train["y"].where(~changed, train["y"] * factor), unique_id=named, region=parts[0], product_category=parts[1]
    )
    return train.sort_values(["unique_id", "ds"], ignore_index=True)


def said(train: pd.DataFrame, cutoffs: list[str], rng: np.random.Generator, models: list[str]) -> pd.DataFrame:
    """Made-up forecasts of every node at some cutoffs: all quantiles, scale, horizons 1 to 6."""
    nodes = aggregate_actuals(train)[["aggregation", "unique_id", "region", "product_category"]].drop_duplicates()
    frames = []
    for cutoff in cutoffs:
        for horizon in range(1, 7):
            for model in models:
                values = pd.DataFrame(
                    np.sort(rng.normal(200, 60, (len(nodes), 11)), axis=1), columns=QUANTILE_COLUMNS, index=nodes.index
                )
                ds = pd.Timestamp(cutoff) + pd.DateOffset(months=horizon)
                row = {
                    "cutoff": pd.Timestamp(cutoff),
                    "horizon": horizon,
                    "ds": ds,
                    "model_name": model,
                    "scale": rng.uniform(5, 50),
                }
                frames.append(pd.concat([nodes.assign(**row), values], axis=1))
    both = {"domain": "sales", "interval_pool": "series", "interval_n": 40, "is_fallback": False}
    return pd.concat(frames, ignore_index=True).assign(**both)


def a_run(name: str, train: pd.DataFrame, champion: str, seed: int) -> SimpleNamespace:
    """A finished run of made-up forecasts, and a walk-forward of two compared cutoffs and one before them."""
    rng, last = np.random.default_rng(seed), train["ds"].max()
    back = [f"{last - pd.DateOffset(months=n):%Y-%m-%d}" for n in (8, 7, 6)]
    tests = said(train, back, rng, ["linear", "seasonal_naive"])
    tests["evaluation_set"] = tests["cutoff"].map(
        dict(zip(map(pd.Timestamp, back), ("calibration", "choice", "held_out"), strict=True))
    )
    names = {"q500": "predicted_value", "q100": "lo_80", "q900": "hi_80", "q025": "lo_95", "q975": "hi_95"}
    made = said(train, [f"{last:%Y-%m-%d}"], rng, [champion, "baseline"]).rename(columns=names)
    made["status"] = made["model_name"].map({champion: "published", "baseline": "baseline"})
    made["model_name"] = made["model_name"].replace("baseline", "seasonal_naive")
    about = {
        "run_id": name,
        "domain": "sales",
        "cutoff": f"{last:%Y-%m-%d}",
        "unit": "USD",
        "champion": {"name": champion},
    }
    about |= {"fingerprint": identity.train_fingerprint(train), "params": {"as_of": None}}
    about |= {"facts": {"last_fact": f"{last + pd.offsets.MonthEnd(0):%Y-%m-%d}"}}
    return SimpleNamespace(
        run_id=name, domain="sales", manifest=Manifest.from_json(about), train=parquet_file(train), restated=restated_forecasts(None, None),
        forecasts=made[FORECAST_COLUMNS], backtests=parquet_file(tests[BACKTEST_COLUMNS]),
    )  # fmt: skip


def make_views(connection: duckdb.DuckDBPyConnection) -> None:
    """The marts as dbt makes them, over tables of the warehouse."""
    found = environment()
    for file in ("measures", "predictions"):
        found.globals.update({name: macro for name, macro in vars(macros(file)).items() if not name.startswith("_")})
    for path in as_published.MODELS:
        sql = found.from_string((DBT / "models" / f"{path}.sql").read_text(encoding="utf-8")).render()
        connection.execute(f"create view {Path(path).name} as {sql}")


def figures(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute(
        "select * exclude (domain) from forecast_accuracy where domain = 'sales' order by all"
    ).df()


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> SimpleNamespace:
    """Four runs, each with a past restated otherwise, and the second in force again at the end; with the figures of each publication."""
    path = tmp_path_factory.mktemp("ledger") / "warehouse.duckdb"
    trains = [known(CUTOFFS[0]), known(CUTOFFS[1], 1.3), known(CUTOFFS[2], 0.7, "R1/C0"), known(CUTOFFS[3], 1.1)]
    champions = ("linear", "linear", "seasonal_naive", "linear")
    runs = [a_run(*each, seed) for seed, each in enumerate(zip(NAMES, trains, champions, strict=True))]
    expected = []
    with duckdb.connect(str(path)) as connection:
        made = macros("ledger")
        for version in sorted(name for name in vars(made) if name.startswith("ledger_version_")):
            connection.execute(getattr(made, version)())
        for domain in ("sales", "inventory", "profit"):
            connection.execute(
                f"create table ml_train_{domain}_monthly as select unique_id, ds, y, region, product_category, is_imputed "
                "from training_changes limit 0"
            )
        make_views(connection)
        for run in [*runs, runs[1]]:
            connection.register("train", pd.read_parquet(run.train))
            connection.execute(
                "delete from ml_train_sales_monthly; insert into ml_train_sales_monthly by name from train"
            )
            publishing.add_to_ledger(connection, [run], {"sales": "1"})
            expected.append(figures(connection))
        moments = connection.execute("select published_at from publications order by 1").fetchall()
        for day, (moment,) in enumerate(moments):
            then = pd.Timestamp("2024-01-10 12:00") + pd.Timedelta(days=day)
            for table in ("publications", "runs"):
                connection.execute(f"update {table} set published_at = ? where published_at = ?", [then, moment])
    return SimpleNamespace(runs=runs, figures=expected, place=SimpleNamespace(warehouse=path, root=DBT.parent))


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert len(found) and found.notna().any().all()
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12, atol=0)


@pytest.mark.parametrize("number", range(4))
def test_a_runs_figures_are_those_of_its_publication(history, number):
    found = accuracy_as_published(history.place, "sales", run_id=NAMES[number])
    same(found.accuracy, history.figures[number])
    assert (found.run_id, f"{found.cutoff:%Y-%m-%d}") == (NAMES[number], CUTOFFS[number])
    text = shown.text("sales", found)
    total = history.figures[number].query(
        "aggregation == 'total' and horizon_group == 'all' and forecast_kind == 'walk_forward'"
    )
    assert f"published by {NAMES[number]} on 2024-01-1{number} 12:00 UTC" in text
    assert "champion" in text and "; MAE, bias and FVA in USD." in text
    assert all(f" {mase:,.3f} " in text for mase in total["mase"])


def test_the_figures_at_the_end_of_a_day_are_those_of_the_run_in_force(history):
    for day in range(5):
        found = accuracy_as_published(history.place, "sales", day=f"2024-01-{10 + day}")
        same(found.accuracy, history.figures[day])
        assert found.run_id == (*NAMES, NAMES[1])[day]
    same(accuracy_as_published(history.place, "sales").accuracy, history.figures[-1])
    same(accuracy_as_published(history.place, "sales", day="2030-01-01").accuracy, history.figures[-1])


def test_what_was_restated_since_would_have_changed_them(history):
    """Else the figures above would prove nothing: no two publications have the same."""
    for one, other in zip(history.figures, history.figures[1:], strict=False):
        assert not one.equals(other)


def test_every_training_set_is_kept_to_the_last_bit(history):
    with duckdb.connect(str(history.place.warehouse), read_only=True) as connection:
        for run in history.runs:
            found = as_published.known_by(connection, run.run_id, "sales")
            assert identity.train_fingerprint(found) == run.manifest.fingerprint
        assert connection.execute("select count(*) from training_changes where run_id = 'December'").fetchone()[
            0
        ] < len(pd.read_parquet(history.runs[3].train))


def test_what_cannot_be_found_is_said(history, tmp_path):
    with pytest.raises(UserError, match="Nothing of sales had been published by 2024-01-09"):
        accuracy_as_published(history.place, "sales", day="2024-01-09")
    with pytest.raises(UserError, match="No run 'May' of sales was published. The latest: November, December"):
        accuracy_as_published(history.place, "sales", run_id="May")
    with pytest.raises(UserError, match="say DOMAIN=sales"):
        accuracy_as_published(history.place, "costs")
    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes(history.place.warehouse.read_bytes())
    place = SimpleNamespace(warehouse=copy, root=DBT.parent)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "update training_changes set y = y + 0.01 where run_id = 'December' and ds = date '2023-12-01'"
        )
    with pytest.raises(UserError, match="its fingerprint differs"):
        accuracy_as_published(place, "sales", run_id="December")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("delete from training_changes where run_id <> 'December'")
    with pytest.raises(UserError, match="October was published by an older version"):
        accuracy_as_published(place, "sales", run_id="October")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("drop table ml_train_sales_monthly; drop table training_changes")
    with pytest.raises(UserError, match="warehouse.duckdb is of an older version"):
        accuracy_as_published(place, "sales")


def test_the_copy_for_readers_measures_what_it_has_copied(history, tmp_path, monkeypatch):
    """The view's own SQL, with the table that was copied in place of that table's view."""
    path = shutil.copy(history.place.warehouse, tmp_path / "warehouse.duckdb")
    monkeypatch.setattr(publishing, "PUBLISHED", ("actual_vs_forecast", "forecast_accuracy"))
    with duckdb.connect(str(path)) as connection:
        expected = figures(connection)
        (view,) = connection.execute("select sql from duckdb_views() where view_name = 'forecast_accuracy'").fetchone()
        by_dbt = view.replace("FROM actual_vs_forecast", "FROM warehouse.main.actual_vs_forecast")  # as dbt names it
        connection.execute(by_dbt.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
        publishing.publish_copy(connection, tmp_path / "published.duckdb")
        connection.execute(f"attach '{tmp_path / 'published.duckdb'}' as published (read_only)")
        asked = publishing.content(connection, "forecast_accuracy")
    with duckdb.connect(str(tmp_path / "published.duckdb"), read_only=True) as connection:
        pd.testing.assert_frame_equal(figures(connection), expected, rtol=1e-12)
    assert "published.main.actual_vs_forecast" in asked and "warehouse.main.actual_vs_forecast" not in asked


def test_figures_are_the_same_to_the_last_digit_each_time(history, tmp_path, monkeypatch):
    """However many threads there are, and whatever the order in which they end."""
    path = shutil.copy(history.place.warehouse, tmp_path / "warehouse.duckdb")
    monkeypatch.setattr(publishing, "PUBLISHED", ("actual_vs_forecast", "forecast_accuracy"))
    found = []
    for _ in range(20):
        with duckdb.connect(str(path), config={"threads": 8}) as connection:
            publishing.publish_copy(connection, tmp_path / "published.duckdb")
            assert connection.execute("select current_setting('threads')").fetchone() == (8,)
        with duckdb.connect(str(tmp_path / "published.duckdb"), read_only=True) as connection:
            found.append(figures(connection))
    for again in found[1:]:
        pd.testing.assert_frame_equal(again, found[0], check_exact=True)
