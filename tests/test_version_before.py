"""A workspace that the version before published is read, served, and continued by this one."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from forecasting.ledger import Published
from forecasting.registry import champion
from forecasting.serving import SalesForecaster
from project_copy import ProjectCopy

BEFORE = "0d37ef2ff77dea6b1c2762ee89e07b5e76c02265"  # the commit whose workspaces must go on
SMALL = ("PROFILE=smoke", "NAME=acme", "SOURCE=sample")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> ProjectCopy:
    """This version's code in a folder whose data and runs the version before has left."""
    folder = tmp_path_factory.mktemp("before")
    archive = subprocess.run(
        ["git", "archive", f"--output={folder / 'code.tar'}", BEFORE], cwd=root, capture_output=True, text=True
    )
    if archive.returncode:
        pytest.skip(f"the commit {BEFORE[:10]} is not in this copy of the project: {archive.stderr.strip()}")
    with tarfile.open(folder / "code.tar") as code:
        code.extractall(folder / "old", filter="data")
    old = on_little_data(ProjectCopy(folder / "old"))
    old.made("run", *SMALL)
    new = on_little_data(ProjectCopy.of(root, folder / "project"))
    for part in ("data", "runs"):
        shutil.move(old.path / part, new.path / part)
    return new


def on_little_data(project: ProjectCopy) -> ProjectCopy:
    """Have a copy forecast sales alone, by a few quick models and their combinations."""
    settings = project.with_families("naive", "linear").path / "params" / "default.yml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("domains: [sales, inventory, profit]", "domains: [sales]"), encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def data(project) -> Path:
    return project.path / "data" / "acme"


def test_it_is_read_and_served(project, data):
    published = Published(data / "published.duckdb")
    run = published.run(published.in_force_of("sales"))
    train = published.training_set("sales")
    rows = SalesForecaster.champion(data, "sales").forecast(train)
    was = published.forecasts(run.run_id, horizon=6)
    both = was.merge(rows, on=["aggregation", "region", "product_category", "ds"], suffixes=("_published", ""))
    assert len(both) == len(was)
    for name in ("predicted_value", "lo_80", "hi_80", "lo_95", "hi_95"):
        pd.testing.assert_series_equal(both[name], both[f"{name}_published"], check_names=False, check_exact=True)


@pytest.mark.parametrize("name", ["linear", "weighted"])
def test_its_models_load_by_mlflow(project, data, name):
    """Models-from-code name our modules: those that were logged before find them."""
    mlflow.set_tracking_uri(f"sqlite:///{data / 'mlflow.db'}")
    (run,) = mlflow.search_runs(
        experiment_names=["sales"], filter_string=f"tags.mlflow.runName = 'sales {name}'", output_format="list"
    )
    train = Published(data / "published.duckdb").training_set("sales")[["unique_id", "ds", "y"]]
    folder = moved(data, run.data.tags["model_uri"])
    found = mlflow.pyfunc.load_model(str(folder)).predict(train, params={"horizon": 3})
    assert len(found) == 3 * train["unique_id"].nunique() and found.notna().all(axis=None)


def moved(data: Path, uri: str) -> Path:
    """Return the folder of a logged model in a store that was moved."""
    (folder,) = (data / "mlflow").rglob(uri.removeprefix("models:/"))
    return folder / "artifacts"


def test_it_is_continued(project, data):
    before = Published(data / "published.duckdb").in_force_of("sales")
    alias = champion(data, "sales")
    project.made("report", *SMALL)
    published = Published(data / "published.duckdb")
    now = published.run(published.in_force_of("sales"))
    assert now.run_id != before
    assert published.run(before).manifest  # what was published stays
    assert now.manifest.incumbent.run_id == before
    assert now.manifest.incumbent.name == alias.model_name
    assert (project.path / "runs" / "acme" / "report" / "index.html").exists()
