"""What MLflow is told of a saved model: the packages it needs, and predictions by the rules that the notebooks follow."""

import ast
import importlib.metadata
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from forecasting import models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.models.boosting import BoostingModel
from forecasting.models.combination import MedianCombination
from forecasting.models.linear import LinearModel
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.registry import mlflow_model, store, tracking, versions
from forecasting.run import RunFolder, stamps
from forecasting.series import as_nodes
from synthetic import company, series


def saved(model: models.Model, folder: Path) -> Path:
    model.save(folder)
    return folder


def served(directory: Path, tmp_path: Path, flow: bool) -> mlflow.pyfunc.PyFuncModel:
    """Return a saved model as MLflow loads it."""
    path = tmp_path / f"served_{flow}"
    mlflow.pyfunc.save_model(
        path,
        python_model=mlflow_model.__file__,
        artifacts={"model": str(directory)},
        signature=tracking.signature(flow),
        pip_requirements=tracking.requirements(directory),
    )
    return mlflow.pyfunc.load_model(str(path))


def imports(code: str) -> Iterator[str]:
    """Yield the modules that code imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("family", models.families())
def test_every_package_that_a_family_imports_is_required(root, family):
    package = root / "src" / "forecasting"
    owners = importlib.metadata.packages_distributions()
    reached = stamps.closure(frozenset({f"forecasting.models.{family}"}), package)
    code = [stamps.module_file(name, package).read_text(encoding="utf-8") for name in reached]
    imported = {name.split(".")[0] for text in code for name in imports(text)}
    needed = {owners[name][0] for name in imported - {"forecasting"} if name in owners}
    for model in models.family_models(family):
        missing = needed - {*tracking.SHARED_PACKAGES, *model.packages}
        assert not missing, f"{model.__name__}.packages lacks {missing}"


def test_a_combination_requires_what_its_members_do_in_the_locked_versions(root, tmp_path):
    members = [model.fit(company()) for model in (Naive(), LinearModel(), BoostingModel(trees=5))]
    directory = saved(MedianCombination(members), tmp_path / "median")
    found = tracking.requirements(directory)
    assert [line.split("==")[0] for line in found] == [
        "lightgbm", "mlflow", "mlforecast", "numpy", "pandas", "scikit-learn", "scipy", "threadpoolctl",
    ]  # fmt: skip
    lock = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert set(found) <= {line.removesuffix(" \\").split(" ;")[0] for line in lock}


def run_folder(path: Path, train: pd.DataFrame, experiment: str = "sales") -> RunFolder:
    """Return a run of sales with two models and a combination that refers to them."""
    for member in (LinearModel(penalties=[100.0]), SeasonalNaive()):
        member.fit(as_nodes(train)).save(path / "models" / member.name)
    members = [models.saved_member(path / "models" / name) for name in ("linear", "seasonal_naive")]
    MedianCombination(members).save(path / "models" / "median")
    train.to_parquet(path / "train_sales.parquet")
    pd.DataFrame({"cutoff": [train["ds"].max()], "evaluation_set": "choice"}).to_parquet(path / "cutoffs.parquet")
    return RunFolder(path, "sales", "acme", experiment, {"20_train_x": "1", "25_combine": "2"})


def log(run: RunFolder, data: Path, step: str, name: str, **settings: int) -> str:
    """Log a model of a run and return its URI."""
    nothing = pd.DataFrame({"metric": [], "value": []})
    tracking.log_step(run, data, step, name, settings, nothing, model_dir=run.path / "models" / name)
    return run.read_json(f"tracking/{name}")["model_uri"]


def test_a_logged_combination_refers_to_its_members_wherever_the_store_lies(tmp_path):
    train, data = company(48), tmp_path / "data"
    run = run_folder(tmp_path / "run", train)
    names = ("linear", "seasonal_naive")
    logged = {name: log(run, data, "20_train_x", name) for name in names}
    uri = log(run, data, "25_combine", "median")
    history = as_nodes(train)
    expected = models.forecast(models.load(run.path / "models" / "median"), history, 6, flow=True)
    pd.testing.assert_frame_equal(mlflow.pyfunc.load_model(uri).predict(history), expected, check_exact=True)

    moved = shutil.move(data, tmp_path / "moved")
    shutil.rmtree(run.path / "models")
    location = mlflow.MlflowClient(store.store_uri(moved)).get_logged_model(uri.removeprefix("models:/"))
    folder = versions.stored(moved, location.artifact_location, "median")
    assert [path.name for path in folder.iterdir()] == ["model.json"]
    pd.testing.assert_frame_equal(models.forecast(models.load(folder), history, 6, True), expected, check_exact=True)
    assert [path.resolve().parts[-4] for path in models.member_folders(folder).values()] == [
        logged[name].removeprefix("models:/") for name in names
    ]


def test_a_combination_is_logged_again_when_a_member_is_and_not_else(tmp_path):
    run, data = run_folder(tmp_path / "run", company(48)), tmp_path / "data"
    log(run, data, "20_train_x", "linear")
    first = log(run, data, "25_combine", "median")
    assert log(run, data, "25_combine", "median") == first
    log(run, data, "20_train_x", "linear", penalty=1)
    assert log(run, data, "25_combine", "median") != first


def test_members_that_were_not_logged_or_by_hand_are_copied(tmp_path):
    run, data = run_folder(tmp_path / "run", company(48)), tmp_path / "data"
    by_hand = replace(run, experiment=f"sales {store.BY_HAND}")
    for one, copied in ((run, {"seasonal_naive"}), (by_hand, {"linear", "seasonal_naive"})):
        log(one, data, "20_train_x", "linear")
        uri = log(one, data, "25_combine", "median")
        logged = mlflow.MlflowClient().get_logged_model(uri.removeprefix("models:/"))
        folder = versions.stored(data, logged.artifact_location, "median")
        assert {path.name for path in (folder / "members").iterdir()} == copied
        assert models.load(folder).names == ["linear", "seasonal_naive"]


def test_mlflow_serves_numbers_for_every_series(tmp_path):
    """One too short for the model gets its mean, one that has ended gets zero where months add up, all by name."""
    usual = series([100.0 + month % 12 for month in range(36)], unique_id="A/usual", end="2025-06-01")
    short = series([4.0, 6.0], unique_id="B/short", end="2025-06-01")
    ended = series([5.0] * 20 + [0.0] * 12, unique_id="C/ended", end="2025-06-01")
    history = pd.concat([usual, short, ended])[["unique_id", "ds", "y"]]
    directory = saved(SeasonalNaive().fit(history), tmp_path / "seasonal_naive")
    flow = served(directory, tmp_path, flow=True)
    assert flow.predict(history)["unique_id"].value_counts().tolist() == [6, 6, 6]
    said = flow.predict(history, params={"horizon": 3})
    pd.testing.assert_frame_equal(said, models.forecast(models.load(directory), history, 3, flow=True))
    by_series = said.groupby("unique_id")["q500"].agg(list)
    assert by_series["A/usual"] == usual["y"].tolist()[-12:-9]
    assert by_series["B/short"] == [5.0] * 3 and by_series["C/ended"] == [0.0] * 3
    assert said.set_index("unique_id")["is_fallback"].groupby(level=0).all().to_dict() == {
        "A/usual": False, "B/short": True, "C/ended": True,
    }  # fmt: skip
    stock = served(directory, tmp_path, flow=False).predict(history, params={"horizon": 3})
    assert stock.set_index("unique_id")["is_fallback"].groupby(level=0).any().to_dict()["C/ended"] is False
    assert np.isfinite(stock[list(QUANTILE_COLUMNS)].to_numpy()).all()


def test_a_result_is_logged_anew_when_what_trained_before_it_or_the_cutoffs_are_others(tmp_path):
    """Else a combination would be registered with the members of a run before."""
    steps = {"10_check_data": "a", "20_train_linear": "b", "20_train_naive": "c", "25_combine": "d", "40_forecast": "e"}
    run = RunFolder(tmp_path, "sales", "acme", "sales", steps)
    cutoffs = pd.DataFrame({"cutoff": pd.to_datetime(["2024-01-01"]), "evaluation_set": "choice"})

    def ids(**changed: str) -> list[str]:
        run.write_table("cutoffs", cutoffs)
        other = replace(run, steps={**steps, **changed})
        return [
            tracking.step_id(other, step, "x", "training set", {}, {}) for step in ("20_train_linear", "25_combine")
        ]

    first = ids()
    for changed, anew in (
        ({"20_train_linear": "z"}, [True, True]),
        ({"20_train_naive": "z"}, [False, True]),
        ({"25_combine": "z"}, [False, True]),
        ({"10_check_data": "z", "40_forecast": "z"}, [False, False]),
    ):
        assert [old != new for old, new in zip(first, ids(**changed), strict=True)] == anew
    cutoffs["cutoff"] += pd.DateOffset(months=1)
    assert not set(ids()) & set(first)
