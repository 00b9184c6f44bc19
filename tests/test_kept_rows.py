"""Of many series the ledger keeps champion and seasonal naive whole, of other models sums and a sample; no figure mixes the two."""

from dataclasses import replace
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

import made_published
from forecasting.contracts import BACKTEST_COLUMNS, FORECAST_COLUMNS, QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.evaluation import kept_rows, restated_forecasts, rows_kept
from forecasting.ledger import Published, publishing
from forecasting.ledger.finished_run import check_months
from forecasting.report import accuracy, as_published, model_card, provenance, walk_forward
from forecasting.run import Manifest, RunFolder, identity
from forecasting.series import aggregate_actuals
from ledger_by_macros import migrate
from parquet_files import parquet_file
from report_fixtures import Company, build
from synthetic import company

MODELS = ("linear", "median", "seasonal_naive", "tsb")  # as notebook 30 sorts them
CHAMPION, WHOLE = "median", ("median", "seasonal_naive")
SETS = {"2022-10-01": "calibration", "2022-11-01": "choice", "2022-12-01": "choice", "2023-01-01": "held_out"}
MANY, SAMPLED = 10, 4
MARTS = ("monthly_actuals", "first_known_actuals", "actual_vs_forecast", "forecast_accuracy")


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return company(48, regions=2, categories=9)


@pytest.fixture(scope="module")
def rows(train) -> dict[str, pd.DataFrame]:
    """The calibrated rows of four models, made up, of every node at four cutoffs."""
    rng = np.random.default_rng(3)
    nodes = aggregate_actuals(train)[["aggregation", "unique_id", "region", "product_category"]].drop_duplicates()
    made = {name: [] for name in MODELS}
    for cutoff, evaluation_set in SETS.items():
        for horizon in range(1, 7):
            ds = pd.Timestamp(cutoff) + pd.DateOffset(months=horizon)
            both = {"domain": "sales", "cutoff": pd.Timestamp(cutoff), "horizon": horizon, "ds": ds, "evaluation_set": evaluation_set,
                    "interval_pool": "series", "interval_n": 40, "is_fallback": False}  # fmt: skip
            scale = rng.uniform(5, 50, len(nodes))
            scale[0] = np.nan
            for name in MODELS:
                values = pd.DataFrame(
                    np.sort(rng.normal(200, 60, (len(nodes), 11))), columns=QUANTILE_COLUMNS, index=nodes.index
                )
                part = pd.concat([nodes.assign(**both, scale=scale, model_name=name), values], axis=1)
                made[name].append(part[BACKTEST_COLUMNS])
    dates = dict.fromkeys(("cutoff", "ds"), "datetime64[ns]")
    return {name: pd.concat(parts, ignore_index=True).astype(dates) for name, parts in made.items()}


@pytest.fixture
def many(monkeypatch) -> None:
    """As if eighteen series were many."""
    monkeypatch.setattr(kept_rows, "MANY", MANY)
    monkeypatch.setattr(kept_rows, "SAMPLED", SAMPLED)


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder(tmp_path, "sales", "acme", "sales", {})


def kept(rows: dict[str, pd.DataFrame], champion: str = CHAMPION) -> dict[str, pd.DataFrame]:
    """What is kept of each model."""
    return dict(zip(MODELS, rows_kept(rows.get, MODELS, champion), strict=True))


def series_of(table: pd.DataFrame) -> set[str]:
    return set(table.loc[table["aggregation"] == "series", "unique_id"])


def test_few_series_are_written_as_in_one_piece(rows, folder):
    for name in MODELS:
        folder.write_table(f"calibrated_{name}", rows[name])
    folder.write_parts("evaluation", rows_kept(folder.calibrated, MODELS, CHAMPION))
    folder.write_table("before", pd.concat([rows[name] for name in MODELS], ignore_index=True))
    pd.testing.assert_frame_equal(folder.read_table("evaluation"), folder.read_table("before"), check_exact=True)
    with duckdb.connect() as connection:
        types = [
            connection.execute(f"describe from '{folder.path}/{name}.parquet'").fetchall()
            for name in ("evaluation", "before")
        ]
    assert types[0] == types[1]
    written = (folder.path / "evaluation.parquet").stat().st_mtime_ns
    folder.write_parts("evaluation", rows_kept(rows.get, MODELS, CHAMPION))
    assert (folder.path / "evaluation.parquet").stat().st_mtime_ns == written
    assert not [*folder.path.glob("*.running")]


def test_of_many_series_the_others_have_sums_and_a_sample(rows, many, train):
    found = kept(rows)
    for name in MODELS:
        whole = rows[name]
        if name in WHOLE:
            pd.testing.assert_frame_equal(found[name], whole)
            continue
        sample = series_of(found[name])
        assert len(sample) == SAMPLED and sample < set(train["unique_id"])
        assert sample == series_of(found["linear"])
        expected = whole[(whole["aggregation"] != "series") | whole["unique_id"].isin(sample)]
        pd.testing.assert_frame_equal(found[name], expected)
    naive_alone = kept(rows, "seasonal_naive")
    assert [name for name in MODELS if len(naive_alone[name]) == len(rows[name])] == ["seasonal_naive"]


def test_the_sample_stays_from_month_to_month():
    names = [f"R{i % 50}/C{i}" for i in range(5_000)]
    before = kept_rows.sampled(names)
    assert len(before) == kept_rows.SAMPLED and kept_rows.sampled(reversed(names)) == before
    assert kept_rows.sampled([name for name in names if name not in before] + sorted(before)) == before
    with_new = kept_rows.sampled([*names, *(f"R{i}/new" for i in range(100))])
    assert with_new - before <= {f"R{i}/new" for i in range(100)} and len(with_new & before) >= len(before) - 100
    assert kept_rows.sampled(names[: kept_rows.MANY]) == set()


def test_parts_without_rows_are_written_too(rows, folder):
    nothing = rows["linear"].head(0)
    folder.write_parts("evaluation", [nothing, nothing])
    assert [*folder.read_table("evaluation").columns] == BACKTEST_COLUMNS and len(folder.read_table("evaluation")) == 0
    check_months("evaluation", folder.path / "evaluation.parquet", BACKTEST_COLUMNS)
    folder.write_parts("evaluation", [nothing, rows["linear"], nothing])
    pd.testing.assert_frame_equal(folder.read_table("evaluation"), rows["linear"])


def test_a_part_that_breaks_leaves_the_old_file(rows, folder):
    folder.write_parts("evaluation", [rows["linear"]])
    before = (folder.path / "evaluation.parquet").read_bytes()

    def broken():
        yield rows["tsb"]
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        folder.write_parts("evaluation", broken())
    assert (folder.path / "evaluation.parquet").read_bytes() == before


@pytest.mark.parametrize("change", [{"horizon": 2}, {"q500": None}, {"ds": None}, {"model_name": None}])
def test_a_row_that_does_not_fit_is_named(rows, change):
    table = rows["linear"].iloc[[5, 6]].copy()
    check_months("evaluation", parquet_file(table), BACKTEST_COLUMNS)
    for name, value in change.items():
        table[name] = [value, table[name].iloc[1]]
    for given in (table, parquet_file(table)):
        with pytest.raises(UserError, match=r"evaluation\.parquet: .*, cutoff 2022-10, horizon .* does not fit"):
            check_months("evaluation", given, BACKTEST_COLUMNS)


def test_the_fingerprint_is_the_digest_of_the_whole(train, monkeypatch):
    told = {**train.assign(ds=train["ds"].dt.strftime("%Y-%m-%d"), y=train["y"].map(float.hex)).to_dict("list")}
    for piece in (7, 100, 100_000):
        monkeypatch.setattr(identity, "PIECE", piece)
        assert identity.train_fingerprint(train) == identity.digest(told)


@pytest.fixture
def published(rows, train) -> duckdb.DuckDBPyConnection:
    """A ledger with what is kept of a run of these rows, and the marts as dbt makes them; ask for `many` before it."""
    forecast = {"domain": "sales", "aggregation": "series", "unique_id": "R0/C0", "region": "R0", "product_category": "C0",
                "cutoff": train["ds"].max(), "horizon": 1, "ds": train["ds"].max() + pd.DateOffset(months=1), "model_name": CHAMPION,
                **dict.fromkeys(("predicted_value", "lo_80", "hi_80", "lo_95", "hi_95", "scale"), 1.0), "interval_pool": "series",
                "interval_n": 40, "status": "published", "is_fallback": False}  # fmt: skip
    about = {"run_id": "run", "domain": "sales", "cutoff": f"{train['ds'].max():%Y-%m-%d}", "champion": {"name": CHAMPION},
             "params": {"as_of": None}, "facts": {"last_fact": "2023-12-31"}}  # fmt: skip
    run = SimpleNamespace(
        run_id="run", domain="sales", manifest=Manifest.from_json(about), train=parquet_file(train),
        restated=restated_forecasts(None, None),
        forecasts=pd.DataFrame([forecast])[FORECAST_COLUMNS],
        backtests=parquet_file(pd.concat(kept(rows).values(), ignore_index=True)),
    )  # fmt: skip
    with duckdb.connect() as connection:
        migrate(connection)
        for domain in ("sales", "inventory", "profit"):
            connection.execute(
                f"create table ml_train_{domain}_monthly as select unique_id, ds, y, region, product_category, is_imputed "
                "from training_changes limit 0"
            )
        connection.register("known", train)
        connection.execute("insert into ml_train_sales_monthly by name from known")
        for model in ("marts/monthly_actuals", *made_published.MODELS[:7]):
            connection.execute(f"create view {model.rpartition('/')[2]} as {made_published.sql(model)}")
        publishing.add_to_ledger(connection, [run], {"sales": "1"})
        yield connection


def walk_forward_of(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute("from forecast_accuracy where forecast_kind = 'walk_forward'").df()


def test_the_ledger_has_the_rows_of_the_file(published, rows):
    found = published.execute(f"select {', '.join(BACKTEST_COLUMNS)} from backtests").df()
    expected = pd.concat([rows[name] for name in MODELS], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)


def test_few_series_are_compared_on_all(published, rows):
    found = walk_forward_of(published)
    assert (found["n_series"] == found["of_series"]).all() and provenance.sample(found) == ""
    n = {level: part["unique_id"].nunique() for level, part in rows["linear"].groupby("aggregation")}
    assert (found["n_series"] == found["aggregation"].map(n)).all()


def test_models_are_compared_on_the_same_series(many, published, rows, train):
    found = walk_forward_of(published)
    sample = series_of(kept(rows)["tsb"])
    series = found[found["aggregation"] == "series"]
    assert set(series["n_series"]) == {SAMPLED} and set(series["of_series"]) == {train["unique_id"].nunique()}
    sums = found[found["aggregation"] != "series"]
    assert (sums["n_series"] == sums["of_series"]).all()
    actual = train.set_index(["unique_id", "ds"])["y"]
    for row in series[series["horizon_group"] == "all"].itertuples():
        mine = rows[row.model_name].query("aggregation == 'series' and evaluation_set == @row.evaluation_set")
        mine = mine[mine["unique_id"].isin(sample)]
        error = (mine["q500"] - actual.loc[[*zip(mine["unique_id"], mine["ds"], strict=True)]].to_numpy()).abs()
        assert row.n == len(mine) and row.mae == pytest.approx(error.mean(), abs=1e-3)
        naive = rows["seasonal_naive"].loc[mine.index]
        naive_error = (
            naive["q500"] - actual.loc[[*zip(naive["unique_id"], naive["ds"], strict=True)]].to_numpy()
        ).abs()
        assert row.fva == pytest.approx(naive_error.mean() - error.mean(), abs=1e-3)  # the marts round actuals
    assert set(series["model_name"]) == set(MODELS)


def test_champion_and_baseline_are_there_series_by_series(many, published, train):
    told = published.execute("""
        select model_name, count(distinct unique_id) as n from actual_vs_forecast
        where forecast_kind = 'walk_forward' and aggregation = 'series' group by all order by all
    """).fetchall()
    n = train["unique_id"].nunique()
    assert told == [("linear", SAMPLED), ("median", n), ("seasonal_naive", n), ("tsb", SAMPLED)]


def test_readers_are_told_of_the_sample(many, published):
    found = walk_forward_of(published)
    words = provenance.sample(found)
    assert words == "Single series: measured on a sample of 4 of 18, the same for every model."
    assert provenance.sample(found[found["aggregation"] == "total"]) == ""
    assert provenance.sample(found.assign(n_series=np.nan, of_series=np.nan)) == ""  # of an older version's file
    of_run = SimpleNamespace(
        accuracy=found,
        run_id="run",
        published_at=pd.Timestamp("2024-01-10"),
        cutoff=pd.Timestamp("2023-12-01"),
        champion=CHAMPION,
        unit="",
    )
    assert words in as_published.text("sales", of_run)


def test_pages_say_that_models_are_compared_on_a_sample(tmp_path):
    path = build(tmp_path / "published.duckdb", Company(domains=("sales",)))
    few = Published(path).domain("sales")
    single = few.accuracy["aggregation"] == "series"
    many = replace(few, accuracy=few.accuracy.assign(of_series=few.accuracy["n_series"].where(~single, 100_000)))
    held_out = Published(path).held_out("sales")
    said = f"measured on a sample of {few.n_series} of 100,000, the same for every model"
    for part in (accuracy.tables, model_card.compared):
        assert said in part(many) and "sample" not in part(few)
    assert "over a sample of series and months ahead" in model_card.compared(many)
    assert "over all series and months ahead" in model_card.compared(few)
    assert "Of all series, not of the sample." in walk_forward.details(many, held_out)
    assert "sample" not in walk_forward.details(few, held_out)
    assert "sample" not in accuracy.one_set(many, "held_out", accuracy.FOLDED_TABLES)


def test_a_file_of_an_older_version_is_read(tmp_path):
    path = build(tmp_path / "published.duckdb", Company(domains=("sales",)))
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table forecast_accuracy drop n_series; alter table forecast_accuracy drop of_series")
    found = Published(path).domain("sales")
    assert found.accuracy["of_series"].isna().all() and provenance.sample(found.accuracy) == ""
