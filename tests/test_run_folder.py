"""The folder of a run: what is read, and what a missing file says."""

import json

import pytest

from forecasting import models
from forecasting.errors import UserError
from forecasting.run.folder import MADE_BY, RunFolder, made_by


@pytest.fixture
def run(tmp_path) -> RunFolder:
    content = {"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": {}}
    (tmp_path / "run.json").write_text(json.dumps(content))
    return RunFolder.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("backtest_auto_ets", "20_train_statistical"),
        ("backtest_median", "25_combine"),
        ("leaderboard", "30_evaluate"),
        ("train_sales", "make data"),
    ],
)
def test_a_missing_table_names_the_notebook_that_makes_it(run, name, maker):
    with pytest.raises(UserError, match=rf"sales: {name}\.parquet is not there yet; run {maker} first"):
        run.read_table(name)


def test_every_maker_is_a_notebook_or_a_target(root):
    names = [model.name for family in models.families() for model in models.family_models(family)]
    makers = {
        *MADE_BY.values(),
        made_by("calibration/linear.json"),
        *(made_by(f"backtest_{name}.parquet") for name in names),
    }
    assert makers - {"make data"} <= {path.stem for path in (root / "notebooks").glob("*.ipynb")}


def test_a_family_whose_models_are_chosen_notes_which_were_trained(run):
    assert run.model_names(["naive", "statistical"])[2:] == [
        model.name for model in models.family_models("statistical")
    ]
    run.write_json("trained_statistical", ["auto_ets"])
    names = run.model_names(["naive", "statistical", "boosting"])
    assert names == ["naive", "seasonal_naive", "auto_ets", "lightgbm", "lightgbm_direct"]
