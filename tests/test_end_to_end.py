"""The whole main job at small size, as a user runs it: `make report` in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from forecasting.contracts import DOMAINS
from forecasting.ledger.postgres.connection import DSN
from forecasting.serving.forecaster import SalesForecaster
from nbval_on_any_machine import run_nbval
from project_copy import ProjectCopy
from published_tables import query
from test_postgres_out import in_file, in_postgres
from waiting import PATIENCE

SMOKE = ("report", "PROFILE=smoke")
RUN = ("run", "PROFILE=smoke")
TRAIN = tuple(
    f"20_train_{family}" for family in ("naive", "linear", "statistical", "intermittent", "boosting", "cnn_lstm")
)
STEPS = ("10_check_data", "50_monitor", *TRAIN, "25_combine", "30_evaluate", "40_forecast")
MODELS = {
    "naive",
    "seasonal_naive",
    "linear",
    "auto_ets",
    "dynamic_optimized_theta",
    "tsb",
    "lightgbm",
    "lightgbm_direct",
    "cnn_lstm",
    "median",
    "weighted",
}

SHARED_PAGES = ("accuracy", "model_card", "data_quality", "glossary")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> ProjectCopy:
    """The project after one `make report` on the small sample company. Tests run in the order they stand here."""
    copy = ProjectCopy.of(root, tmp_path_factory.mktemp("whole") / "project")
    copy.made(*SMOKE)
    return copy


@pytest.fixture(scope="module", autouse=True)
def first_run(project, tmp_path_factory) -> Path:
    """A copy of what the first run left of profit, to be compared with another run from the same inputs."""
    return shutil.copytree(project.path / "runs" / "sample" / "profit", tmp_path_factory.mktemp("first") / "profit")


@pytest.fixture(scope="module")
def published(project) -> Path:
    return project.path / "data" / "sample" / "published.duckdb"


def test_the_report_shows_all_three_domains(project):
    report = project.path / "runs" / "sample" / "report"
    assert {path.stem for path in report.glob("*.html")} == {"index", *DOMAINS, *SHARED_PAGES}
    index = (report / "index.html").read_text(encoding="utf-8")
    for domain in DOMAINS:
        assert f'href="{domain}.html"' in index and domain.capitalize() in index
    assert not re.search(r'(?:src|href)="(?:https?:)?//', index), "the report must be readable without a network"


def test_a_second_run_changes_nothing(project):
    before = project.checksums("data", "runs"), project.times("runs/sample/**/*.ipynb")
    said = project.made(*SMOKE)
    assert (project.checksums("data", "runs"), project.times("runs/sample/**/*.ipynb")) == before
    assert not any(step in said for step in STEPS)


def test_forecasts_are_complete_and_traceable(published):
    for domain in DOMAINS:
        rows = query(published, f"select * from ml_pred_{domain}_6m")
        series = query(published, f"select distinct unique_id from ml_train_{domain}_monthly")
        assert len(rows) == 6 * len(series)
        assert rows["predicted_value"].notna().all() and rows["run_id"].str.startswith(f"{domain}-2025-06-01-").all()
        assert ((rows["lo_95"] <= rows["lo_80"]) & (rows["hi_80"] <= rows["hi_95"])).all()
        assert rows["predicted_value"].between(rows["lo_80"], rows["hi_80"]).all()
        assert (query(published, f"select distinct horizon from ml_pred_{domain}_1m")["horizon"] == 1).all()
    months = query(published, "select cutoff, horizon, ds from forecasts")
    assert (months["ds"] == [row.cutoff + pd.DateOffset(months=row.horizon) for row in months.itertuples()]).all()


def test_published_sums_are_the_sums_of_their_parts(published):
    rows = query(published, "select * from forecasts where status = 'published'")
    by_level = rows.groupby(["domain", "aggregation", "ds"])["predicted_value"].sum().unstack("aggregation")
    for level in ("region", "category", "total"):
        assert by_level[level].to_numpy() == pytest.approx(by_level["series"].to_numpy(), rel=1e-9)


def test_the_accuracy_mart_agrees_with_the_leaderboard(project, published):
    """SQL and Python compute the same measures independently."""
    mart = query(published, "select * from forecast_accuracy where forecast_kind = 'walk_forward'")
    for domain in DOMAINS:
        board = pd.read_parquet(project.path / "runs" / "sample" / domain / "leaderboard.parquet")
        keys = ["aggregation", "evaluation_set", "horizon_group", "model_name"]
        both = board.merge(mart[mart["domain"] == domain], on=keys, suffixes=("", "_sql"), validate="one_to_one")
        assert len(both) == len(board) > 0
        for measure in ("n", "mae", "rmse", "wape", "bias", "mase", "coverage_80", "coverage_95", "fva", "masc"):
            assert both[measure].to_numpy() == pytest.approx(both[f"{measure}_sql"].to_numpy(), rel=1e-9, nan_ok=True)


def test_the_accuracy_of_a_publication_is_the_marts(project, published):
    """Put together from what the run knew, by dbt's SQL without dbt."""
    said = project.made("accuracy", "DOMAIN=sales", "PROFILE=smoke")
    (path,) = (project.path / "runs" / "sample" / "accuracy").glob("sales-*.csv")
    assert path.stem in said and path.name in said
    found, mart = pd.read_csv(path), query(published, "select * from forecast_accuracy where domain = 'sales'")
    key = ["aggregation", "model_name", "forecast_kind", "evaluation_set", "horizon_group"]
    both = found.merge(mart, on=key, suffixes=("", "_mart"), validate="one_to_one")
    assert len(both) == len(found) == len(mart) > 0
    for name in ("n", "mae", "wape", "mase", "masc", "coverage_80", "fva"):
        assert both[name].to_numpy() == pytest.approx(both[f"{name}_mart"].to_numpy(), rel=1e-12, nan_ok=True)


def test_what_is_published_goes_to_postgres_and_into_files(project, published, postgres_dsn, monkeypatch):
    monkeypatch.setenv(DSN, postgres_dsn)
    said = project.made("publish", "TARGET=postgres", "PROFILE=smoke")
    assert "PostgreSQL, schema «forecasting»" in said and postgres_dsn not in said
    found = in_postgres(postgres_dsn)
    nothing_of = {"counted_backfills", "counted_overrides"}  # nobody has filled in or changed anything
    assert found == in_file(published) and {name for name, rows in found.items() if not rows} == nothing_of
    project.made("export")
    for domain in DOMAINS:
        file = pd.read_parquet(project.path / "runs" / "sample" / "bi" / f"Pred{domain.capitalize()}1m.parquet")
        total = query(published, f"select * from forecasts where domain = '{domain}' and aggregation = 'total' and horizon = 1 "
                                 "and status = 'published'")  # fmt: skip
        assert file["values"].sum() == pytest.approx(total["predicted_value"].item()) and set(file["date"]) == set(
            total["ds"].dt.date
        )


def test_every_model_is_measured_and_the_gate_decides(project, published):
    for domain in DOMAINS:
        board = pd.read_parquet(project.path / "runs" / "sample" / domain / "leaderboard.parquet")
        assert set(board["model_name"]) == MODELS
        champion = json.loads(query(published, "select manifest from latest_runs join runs using (run_id) "
                                    f"where runs.domain = '{domain}'")["manifest"].item())["champion"]  # fmt: skip
        assert champion["verdict"] in ("first", "promoted", "vetoed") and champion["name"] in MODELS
        assert champion["next_best"] in MODELS - {champion["name"]}
        used = query(
            published, f"select distinct model_name from forecasts where domain = '{domain}' and status = 'published'"
        )
        assert used["model_name"].tolist() == [champion["name"]]


def test_the_champion_is_registered_and_predicts_what_was_published(project, published):
    """From the registry, through MLflow's own loader and the calibration of its name, come the numbers of the ledger."""
    code = """
        import json, mlflow
        from forecasting.evaluation import known_at
        from forecasting.intervals import Calibration, calibrate_forecasts
        from forecasting.ledger import Published
        from forecasting.registry.store import open_store
        from forecasting.series import as_nodes, from_nodes
        open_store("data/sample", "sales")
        version = mlflow.MlflowClient().get_model_version_by_alias("sales_monthly", "champion")
        model = mlflow.pyfunc.load_model("models:/sales_monthly@champion")
        train = Published("data/sample/published.duckdb").training_set("sales")
        history = known_at(train, train["ds"].max())
        raw = from_nodes(model.predict(as_nodes(history), params={"horizon": 6}), history)
        name = version.tags["model_name"]
        known = Calibration.from_json(json.load(open(f"runs/sample/sales/calibration/{name}.json")))
        calibrate_forecasts(raw, train, "sales", name, "published", known, allow_negative=False).rows.to_parquet("said.parquet")
        print(json.dumps({"run_id": version.tags["run_id"], "version": version.version, "name": name}))
    """
    found = json.loads(python(project, code))
    said = pd.read_parquet(project.path / "said.parquet")
    rows = query(published, "select * from forecasts where domain = 'sales' and status = 'published'")
    assert len(rows) == len(said) > 100
    assert {(row.run_id, row.model_version, row.model_name) for row in rows.itertuples()} == {
        (found["run_id"], str(found["version"]), found["name"])
    }
    both = rows.merge(said, on=["aggregation", "unique_id", "horizon"], suffixes=("", "_said"), validate="one_to_one")
    assert len(both) == len(rows)
    for column in ("ds", "predicted_value", "lo_80", "hi_80", "lo_95", "hi_95", "is_fallback"):
        assert both[column].tolist() == both[f"{column}_said"].tolist()


def test_the_forecaster_gives_what_was_published_from_a_copy_of_the_data_alone(published, tmp_path):
    """What notebook 40 said in a process of its own, to the last digit; the run folder is not asked."""
    data = shutil.copytree(published.parent, tmp_path / "data")
    for domain in DOMAINS:
        forecaster = SalesForecaster.champion(data, domain)
        said = forecaster.forecast(forecaster.training_set())
        rows = query(published, f"select * from forecasts where domain = '{domain}' and status = 'published'")
        assert set(rows["run_id"]) == {forecaster.served.origin.run_id} and len(rows) == len(said) > 100
        both = rows.merge(
            said, on=["aggregation", "unique_id", "horizon"], suffixes=("", "_said"), validate="one_to_one"
        )
        for column in ("ds", "predicted_value", "lo_80", "hi_80", "lo_95", "hi_95", "is_fallback", "interval_pool"):
            assert both[column].tolist() == both[f"{column}_said"].tolist()


def test_mlflow_holds_parameters_metrics_plots_forecasts_and_the_fingerprint(project, published):
    code = """
        import json, mlflow
        from forecasting.registry import store
        client = store.open_store("data/sample", "profit")
        experiment = client.get_experiment_by_name("profit").experiment_id
        runs = client.search_runs([experiment])
        files = {run.data.tags["step"] + "/" + run.data.tags["made"]: sorted(
            entry.path for folder in client.list_artifacts(run.info.run_id) for entry in client.list_artifacts(run.info.run_id, folder.path)
        ) for run in runs}
        linear = next(run for run in runs if run.info.run_name.startswith("linear: "))
        history = client.get_metric_history(linear.info.run_id, "mase")
        print(json.dumps({"files": files, "tags": linear.data.tags, "params": linear.data.params,
                          "metrics": linear.data.metrics, "steps": [metric.step for metric in history]}))
    """
    found = json.loads(python(project, code))
    manifest = json.loads(query(published, "select manifest from runs where domain = 'profit'")["manifest"][0])
    assert found["tags"]["fingerprint"] == manifest["fingerprint"] and found["tags"]["run_id"] == manifest["run_id"]
    assert json.loads(found["params"]["penalties"]) == manifest["params"]["linear_penalties"]
    assert len(found["metrics"]) == 20 and {"mase", "held_out_mase_seasonal_naive", "seconds"} < set(found["metrics"])
    assert "tables/all_scores.csv" in found["files"]["20_train_linear/linear"]
    assert sorted(found["steps"]) == [202409, 202410, 202411, 202412]
    assert "tables/forecasts.csv" in found["files"]["40_forecast/forecast"]
    assert "plots/coefficients.png" in found["files"]["20_train_linear/linear"]
    assert "tables/variants.csv" in found["files"]["20_train_cnn_lstm/cnn_lstm"]
    assert "tables/weights.csv" in found["files"]["25_combine/weighted"]
    assert set(manifest["mlflow"]) == {*MODELS, "evaluation", "forecast"} and set(manifest["models"]) == MODELS


def python(project: ProjectCopy, code: str) -> str:
    """Run code in the project with its own modules and return what it printed."""
    lines = code.splitlines()[1:]
    indent = len(lines[0]) - len(lines[0].lstrip())
    text = "\n".join(line[indent:] for line in lines)
    env = {**project.environment(), "PYTHONPATH": str(project.path / "src")}
    done = subprocess.run([sys.executable, "-c", text], cwd=project.path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_in_a_notebook_is_a_warning(project):
    """A library's advice, with paths of this machine in it, is nothing a reader needs."""
    written = [
        (path.stem, "".join(output["text"]))
        for path in (project.path / "runs" / "sample").glob("*/*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    ]
    assert written == []


def test_executed_notebooks_are_pages_to_be_read(project):
    """Each names its domain, has one cell of parameters, calls models by their titles, and shows no more digits than are used."""
    ids = re.compile("|".join(rf"\b{name}\b" for name in MODELS if "_" in name))
    for path in (project.path / "runs" / "sample").glob("*/[1-4]?_*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert "".join(cells[0]["source"]).startswith(f"# {path.parent.name.capitalize()} – "), path
        assert [tag for cell in cells for tag in cell["metadata"].get("tags", [])] == ["parameters"], path
        for output in (output for cell in cells for output in cell.get("outputs", [])):
            shown = "".join([*output.get("text", []), *output.get("data", {}).get("text/html", [])])
            assert not ids.search(shown) and not re.search(r"\d\.\d{4}", shown), (path, shown[:2000])


def test_nbval_finds_no_difference(project, tmp_path):
    """Notebooks and pages, executed again in a copy of their folder with a store of its own, give the same outputs.

    And the same tables, bit for bit. One domain, and of its steps the models with most to go wrong, and those that choose and forecast:
    every notebook is executed a second time where a domain is built anew, below, and every page in the tests of the report.
    """
    shutil.copytree(project.path / "runs", tmp_path / "runs")
    (tmp_path / "data" / "sample").mkdir(parents=True)
    shutil.copy2(project.path / "data" / "sample" / "published.duckdb", tmp_path / "data" / "sample")
    folder = tmp_path / "runs" / "sample"
    steps = ("20_train_cnn_lstm", "30_evaluate", "40_forecast")
    notebooks = [*(f"inventory/{step}" for step in steps), "pages/index", "pages/inventory"]
    before = tables(folder)
    paths = [folder / f"{name}.ipynb" for name in notebooks]
    done = run_nbval(tmp_path, *paths, **project.environment(), PYTHONPATH=str(project.path / "src"))
    assert done.returncode == 0, done.stdout[-5000:]
    assert (tmp_path / "data" / "sample" / "mlflow.db").exists(), "the re-run must log to its own store"
    assert len(before) > 50 and tables(folder) == before


def tables(folder: Path) -> dict[str, bytes]:
    """Return the content of every table and model below a folder: all but MLflow's run ids."""
    found = [path for kind in ("parquet", "json", "ckpt", "txt") for path in sorted(folder.glob(f"**/*.{kind}"))]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found if path.parent.name != "tracking"}


def test_by_hand_every_notebook_runs_with_its_defaults_and_publishes_nothing(project, tmp_path):
    before = project.checksums("runs/sample/sales", "runs/sample/report"), project.checksums("data/sample")
    python(
        project,
        '\n        import sys\n        from forecasting.__main__ import main\n        sys.exit(main(["by-hand"]))',
    )
    line = [sys.executable, "-m", "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output-dir", str(tmp_path),
            "--ExecutePreprocessor.kernel_manager_class=forecasting.pipeline.kernels.PrivateKernelManager",
            f"--ExecutePreprocessor.startup_timeout={PATIENCE:.0f}", f"--ExecutePreprocessor.iopub_timeout={PATIENCE:.0f}",
            *(f"by_hand/{step}.ipynb" for step in STEPS)]  # fmt: skip
    env = {**project.environment(), "PYTHONPATH": str(project.path / "src"), "JUPYTER_PREFER_ENV_PATH": "1"}
    shutil.copytree(project.path / "notebooks", project.path / "by_hand")
    shorten(project.path / "by_hand")
    with tempfile.TemporaryDirectory(prefix="fc-") as runtime:  # short: the path of a socket has about 100 characters
        env["JUPYTER_RUNTIME_DIR"] = runtime
        done = subprocess.run(line, cwd=project.path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {path.stem for path in tmp_path.glob("*.ipynb")} == set(STEPS)
    after = project.checksums("runs/sample/sales", "runs/sample/report"), project.checksums("data/sample")
    assert after[0] == before[0]
    assert {name for name in after[1] if after[1][name] != before[1].get(name)} <= {"data/sample/mlflow.db"} | {
        name for name in after[1] if "by_hand" in name
    }


LESS = {"cnn_lstm_tuning_steps": "1", "boosting_trees": "10", "n_cutoffs": "4", "n_calibration": "2"}


def shorten(notebooks: Path) -> None:
    """Have copies of notebooks compute little where they would for minutes by their defaults, which are declared as before."""
    found: set[str] = set()
    for path in notebooks.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        for name, value in LESS.items():
            text, n = re.subn(rf"\b{name} = \d+", f"{name} = {value}", text)
            found |= {name} if n else set()
        path.write_text(text, encoding="utf-8")
    assert found == set(LESS)


def to_do(project: ProjectCopy) -> set[str]:
    """Return what `make report` would do after `make data`: notebooks, pages, publishing and rendering; nothing is done."""
    said = project.made("--dry-run", "_pages", "NAME=sample", "PROFILE=smoke")
    found = re.findall(r"-m forecasting (?:step (\w+ \w+)|(page \w+)|(publish|render))\b", said)
    return {"".join(parts) for parts in found}


PAGES = {f"page {page}" for page in ("index", *DOMAINS, *SHARED_PAGES)}


def test_a_colour_retrains_nothing(project):
    assert to_do(project) == set()
    plots = project.path / "src" / "forecasting" / "plots.py"
    text = plots.read_text(encoding="utf-8")
    plots.write_text(text.replace('"#0072B2"', '"#0072B3"'), encoding="utf-8")
    project.made("data", "PROFILE=smoke")
    wanted = to_do(project)
    plots.write_text(text, encoding="utf-8")
    assert {f"page {domain}" for domain in DOMAINS} <= wanted and wanted - PAGES == {"render"}
    project.made("data", "PROFILE=smoke")
    project.made("--touch", "_pages", "NAME=sample", "PROFILE=smoke")  # as if the pages had been made again


def test_a_value_in_profit_yml_runs_profit_alone_from_the_first_step_that_declares_it(project):
    assert to_do(project) == set()
    before = project.times("runs/sample/*/*.ipynb")
    settings = project.path / "params" / "profit.yml"
    settings.write_text(settings.read_text() + "boosting_leaves: 7\n")
    project.made(*RUN)
    after = project.times("runs/sample/*/*.ipynb")
    changed = {tuple(name.removesuffix(".ipynb").split("/")[2:]) for name in after if after[name] != before[name]}
    assert changed == {("profit", step) for step in ("20_train_boosting", "25_combine", "30_evaluate", "40_forecast")}
    assert to_do(project) == {*PAGES, "render"}


def test_the_same_inputs_give_the_same_forecasts_while_a_reader_looks_and_history_survives(
    root, project, published, first_run
):
    """Profit is built anew, from nothing, and the value that was changed in profit.yml is taken back: its first run is in force again.

    Every notebook says again what it said in the first run, and writes the same tables and models, bit for bit.
    """
    settings = project.path / "params" / "profit.yml"
    settings.write_text((root / "params" / "profit.yml").read_text())
    only(project, "profit")
    in_force = query(published, "select run_id from latest_runs order by all")["run_id"].tolist()
    sql = "select * exclude (prediction_time) from forecasts order by all"
    before, runs = query(published, sql), query(published, "select run_id from runs order by all")
    evaluation = query(published, "select * from backtests order by all")
    with duckdb.connect(str(published), read_only=True) as reader:
        project.made("clean")
        assert not (project.path / "runs").exists()
        project.made(*RUN)
        assert reader.execute("select count(*) from forecasts").fetchone()[0] == len(before)
    pd.testing.assert_frame_equal(query(published, sql), before, check_exact=True)
    pd.testing.assert_frame_equal(
        query(published, "select * from backtests order by all"), evaluation, check_exact=True
    )
    assert query(published, "select run_id from runs order by all").equals(runs)
    folder = project.path / "runs" / "sample" / "profit"
    assert set(outputs(folder)) == set(STEPS) and outputs(folder) == outputs(first_run)
    assert len(tables(folder)) > 20 and tables(folder) == tables(first_run)
    now = query(published, "select run_id from latest_runs order by all")["run_id"].tolist()
    assert (
        len(runs) == 4
        and set(runs["run_id"]) - set(now) == set(in_force) - set(now)
        and len(set(in_force) - set(now)) == 1
    )
    fresh = pd.read_parquet(folder / "forecasts.parquet")
    keys = ["domain", "aggregation", "unique_id", "model_name", "status", "horizon"]
    latest = before[before["run_id"].isin(now) & (before["domain"] == "profit")].sort_values(keys)
    assert fresh.sort_values(keys)["predicted_value"].tolist() == latest["predicted_value"].tolist()


def only(project: ProjectCopy, *domains: str) -> None:
    """Have the project build these domains alone."""
    settings = project.path / "params" / "default.yml"
    text, n = re.subn(r"(?m)^domains: .*$", f"domains: [{', '.join(domains)}]", settings.read_text(encoding="utf-8"))
    assert n == 1
    settings.write_text(text, encoding="utf-8")


def outputs(folder: Path) -> dict[str, list]:
    """Return what each notebook in a domain's folder shows."""
    return {
        path.stem: [
            cell["outputs"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if "outputs" in cell
        ]
        for path in folder.glob("*.ipynb")
    }


def test_the_dbt_documentation_leads_from_raw_facts_to_report_pages(project):
    project.made("docs", "PROFILE=smoke")
    assert (project.path / "runs" / "sample" / "dbt" / "static_index.html").stat().st_size > 100_000
    graph = json.loads((project.path / "runs" / "sample" / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    parents, seen, waiting = graph["parent_map"], set(), ["exposure.forecasting.sales"]
    while waiting:
        node = waiting.pop()
        seen.add(node)
        waiting += [parent for parent in parents[node] if parent not in seen]
    assert any(node.startswith("source.forecasting.sample.sales") for node in seen)
    assert {"model.forecasting.known_sales", "model.forecasting.ml_train_sales_monthly"} <= seen
