"""The folder of a run: what is read, and what a missing file says."""

import json

import pandas as pd
import pytest

from forecasting import models
from forecasting.contracts import BackTest
from forecasting.errors import UserError
from forecasting.run.folder import MADE_BY, RunFolder


@pytest.fixture
def run(tmp_path) -> RunFolder:
    content = {"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": {}}
    (tmp_path / "run.json").write_text(json.dumps(content))
    return RunFolder.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("said_auto_ets", "20_train_statistical"),
        ("said_median", "25_combine"),
        ("calibrated_auto_ets", "20_train_statistical"),
        ("cutoffs", "10_check_data"),
        ("leaderboard", "30_evaluate"),
        ("train_sales", "make data"),
    ],
)
def test_a_missing_table_names_the_notebook_that_makes_it(run, name, maker):
    run.write_json("trained_statistical", ["auto_ets"])
    run.write_json("trained_combination", ["median"])
    with pytest.raises(UserError, match=rf"sales: {name}\.parquet is not there yet; run {maker} first"):
        run.read_table(name)


def test_a_model_that_was_not_trained_is_not_there(run):
    with pytest.raises(UserError, match=r"calibration/linear\.json is not there yet; run 20_train_… first"):
        run.read_json("calibration/linear")


def test_every_maker_is_a_notebook_or_a_target(root, run):
    run.write_json("trained_combination", ["median"])
    notes = [f"trained_{family}.json" for family in models.families()]
    makers = {*MADE_BY.values(), *(run.made_by(name) for name in ("calibration/median.json", *notes))}
    assert makers - {"make data"} <= {path.stem for path in (root / "notebooks").glob("*.ipynb")}


def test_the_models_of_a_run_are_those_that_the_notebooks_noted(run):
    run.write_json("trained_naive", ["naive", "seasonal_naive"])
    run.write_json("trained_statistical", ["auto_ets"])
    assert run.model_names(["naive", "statistical"]) == ["naive", "seasonal_naive", "auto_ets"]
    with pytest.raises(UserError, match=r"sales: trained_boosting\.json is not there yet; run 20_train_boosting first"):
        run.model_names(["naive", "boosting"])


def test_parts_of_a_step_stay_until_the_whole_family_is_there(run):
    rows = pd.DataFrame({"model_name": ["naive"]})
    for model in ("naive", "seasonal_naive"):
        (run.shards / model).mkdir(parents=True)
        found = run.write_backtest(model, BackTest(rows, rows, {"points": 0, "bounds": 0}, {}))
        assert found is rows and run.calibrated(model).equals(rows)
    assert sorted(path.name for path in run.shards.iterdir()) == ["naive", "seasonal_naive"]
    run.write_trained("naive", ["naive"])
    assert [path.name for path in run.shards.iterdir()] == ["seasonal_naive"]
    assert run.model_names(["naive"]) == ["naive"]
