"""Adding a model, as CONTRIBUTING.md says it: one file, one notebook, one line. Nothing else knows the families."""

import json
import subprocess
import sys
import textwrap

import pandas as pd
import pytest

from project_copy import ProjectCopy
from published_tables import query

TOY = '''
"""A family that somebody adds: the mean of the last year, repeated."""

import numpy as np

from forecasting.models.base import Model, point_forecast
from forecasting.series import panel


class Toy(Model):
    """The mean of the last twelve months, repeated."""

    name = "toy_mean"
    family = "toy"
    title = "ToyMean"
    what = "the mean of the last year, repeated"
    is_combined = True
    side_by_side = True

    def fit(self, train):
        """Nothing to learn."""
        return self

    def predict(self, history, horizon):
        """See `Model.predict`."""
        known = panel(history)
        points = np.nanmean(known.values[:, -12:], axis=1)
        return point_forecast(known.ids, known.last, np.repeat(points[:, None], horizon, axis=1))


MODELS = (Toy,)
'''


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> ProjectCopy:
    """A copy of the project with the family, that has published the sales of a small company."""
    copy = ProjectCopy.of(root, tmp_path_factory.mktemp("toy") / "project")
    (copy.path / "src" / "forecasting" / "models" / "toy.py").write_text(TOY.lstrip(), encoding="utf-8")
    pattern = (copy.path / "notebooks" / "20_train_naive.ipynb").read_text(encoding="utf-8")
    (copy.path / "notebooks" / "20_train_toy.ipynb").write_text(pattern.replace("naive", "toy"), encoding="utf-8")
    copy.with_families("naive", "toy")
    facts = copy.path / "sales.csv"
    days = pd.date_range("2022-01-01", "2024-12-31", freq="D")
    rows = [f"{day:%Y-%m-%d},{100 + day.month % 5}.5,{region}" for day in days for region in ("North", "South")]
    facts.write_text("\n".join(["order_date,net_amount,region", *rows, ""]), encoding="utf-8")
    copy.made("run", "NAME=acme", "SOURCE=csv", f"FACTS={facts}", "PROFILE=smoke")
    return copy


def said(project: ProjectCopy, code: str) -> str:
    """Run code in the copy and return what it prints."""
    environment = {**project.environment(), "PYTHONPATH": str(project.path / "src")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=project.path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_forecasts_are_in_the_ledger_and_combined(project):
    published = project.path / "data" / "acme" / "published.duckdb"
    found = query(published, "select model_name, count(*) as n from backtests group by all")
    n = dict(zip(found["model_name"], found["n"], strict=True))
    assert n["toy_mean"] == n["seasonal_naive"] > 0
    weighted = json.loads((project.path / "runs" / "acme" / "sales" / "models" / "weighted" / "model.json").read_text())
    assert list(weighted["state"]["weights"]["1-3"]) == ["toy_mean"]


def test_the_model_card_calls_it_by_its_title(project):
    text = said(
        project,
        """
        from pathlib import Path
        from forecasting.ledger import Published
        from forecasting.report import model_card, accuracy
        path = Path("data/acme/published.duckdb")
        parts = accuracy.backtest_parts(path, Published(path).domains())
        print(model_card.sections(Published(path).domains()), *(part.data for part in parts if not hasattr(part, "figure")))
        """,
    )
    assert "ToyMean" in text and "the mean of the last year, repeated" in text


def test_it_can_be_promoted_and_is_served(project):
    project.made("promote", "NAME=acme", "DOMAIN=sales", "MODEL=toy_mean")
    text = said(
        project,
        """
        from forecasting.serving import SalesForecaster
        served = SalesForecaster.champion("data/acme", "sales").served
        print(served.name, served.model.side_by_side)
        """,
    )
    assert text.split() == ["toy_mean", "True"]
