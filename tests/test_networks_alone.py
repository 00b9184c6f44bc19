"""make benchmark PRETRAINED=1: the networks by themselves, each set by the one that has not seen it; the table, the log and the page."""

from pathlib import Path

import pandas as pd
import pytest

from forecasting import competitions
from forecasting.benchmark import fracast, pretrained, read_log, read_pretrained, reference, run
from forecasting.benchmark.pretrained_table import PRETRAINED_COLUMNS
from forecasting.errors import UserError
from forecasting.models.cnn_lstm import VARIANTS, CNNLSTMForecastModel
from forecasting.models.cnn_lstm.experience import card
from forecasting.report import benchmark as page
from forecasting.run.benchmark_files import LOG, PRETRAINED, RESULTS, TRIAL

FEW = {name: competitions.load(name).spread(4) for name in ("m3_monthly", "tourism_monthly")}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Sets of four series, and networks from scratch that hardly learn; returns the settings of every network that was asked."""
    asked = []

    class Quick(CNNLSTMForecastModel):
        defaults = CNNLSTMForecastModel.defaults | {
            "networks": 1,
            "steps": 2,
            "channels": 4,
            "hidden": 4,
            "tuning_steps": 2,
        }

        def __init__(self, **settings: object) -> None:
            asked.append(settings)
            super().__init__(**settings)

    monkeypatch.setattr(pretrained, "CNNLSTMForecastModel", Quick)
    monkeypatch.setattr(competitions, "load", FEW.get)
    monkeypatch.setattr(reference, "verify", lambda dataset, shared: [])
    monkeypatch.setattr(fracast, "is_installed", lambda: False)
    return asked


def nobody(*_: object) -> None:
    raise AssertionError("the chosen forecast is not asked for")


def test_each_set_is_scored_with_the_network_that_has_not_seen_it_and_the_scoring_is_logged(
    small: list[dict], tmp_path: Path
):
    table = run.run(tmp_path, run.Options(names=tuple(FEW), pretrained=True), nobody)
    assert [(one["variant"], one["without"]) for one in small] == [
        (variant, None if variant == "from_scratch" else name) for name in FEW for variant in VARIANTS
    ]
    pd.testing.assert_frame_equal(read_pretrained(tmp_path / PRETRAINED), table)
    assert (
        list(table.columns) == PRETRAINED_COLUMNS and table.groupby("dataset")["model"].agg(set).eq({*VARIANTS}).all()
    )
    ours = table["model"] != "from_scratch"
    assert (table.loc[ours, "weights"] == card()["weights_sha256"]).all() and (table.loc[~ours, "weights"] == "").all()
    log = read_log(tmp_path / LOG)
    assert log["dataset"].tolist() == list(FEW) and (log["model"] == "zero_shot").all()
    assert not (tmp_path / RESULTS).exists()
    again = run.run(tmp_path, run.Options(names=("m3_monthly",), pretrained=True), nobody)
    assert len(again) == len(table)  # the set's rows are replaced, the other's stay


def test_a_trial_leaves_the_test_parts_and_the_log_alone(small: list[dict], tmp_path: Path):
    run.run(tmp_path, run.Options(names=("m3_monthly",), pretrained=True, inside=True), nobody)
    assert (tmp_path / TRIAL).exists() and not (tmp_path / PRETRAINED).exists() and not (tmp_path / LOG).exists()


def test_the_page_shows_the_networks_where_they_were_measured(small: list[dict], tmp_path: Path):
    assert page.networks(read_pretrained(tmp_path / "none.csv")) == ""
    shown = page.networks(run.run(tmp_path, run.Options(names=("m3_monthly",), pretrained=True), nobody))
    assert "The network by itself" in shown and "as it comes" in shown and "trained from scratch" in shown
    history = page.history(read_log(tmp_path / LOG))
    assert "the network as it comes" in history


def test_a_table_of_other_columns_is_refused(tmp_path: Path):
    path = tmp_path / "pretrained.csv"
    path.write_text("dataset,model\nm3_monthly,zero_shot\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"pretrained\.csv has the columns dataset, model; run make benchmark PRETRAINED=1 again"
    ):
        read_pretrained(path)
