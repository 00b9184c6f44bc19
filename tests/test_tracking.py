"""What MLflow is told of a saved model: the packages it needs, and predictions by the rules that the notebooks follow."""

import ast
import importlib.metadata
from collections.abc import Iterator
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
from forecasting.registry import mlflow_model, tracking
from forecasting.run import stamps
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
    required = {*tracking.SHARED_PACKAGES, *tracking.PACKAGES.get(family, ())}
    assert needed <= required, f"say in tracking.PACKAGES that {family} needs {needed - required}"


def test_a_combination_requires_what_its_members_do_in_the_locked_versions(root, tmp_path):
    members = [model.fit(company()) for model in (Naive(), LinearModel(), BoostingModel(trees=5))]
    directory = saved(MedianCombination(members), tmp_path / "median")
    found = tracking.requirements(directory)
    assert [line.split("==")[0] for line in found] == [
        "lightgbm", "mlflow", "mlforecast", "numpy", "pandas", "scikit-learn", "threadpoolctl",
    ]  # fmt: skip
    lock = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert set(found) <= {line.removesuffix(" \\").split(" ;")[0] for line in lock}


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
