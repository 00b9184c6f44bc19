"""Choice regret: against a loop, by what was known at each origin alone, kept set by set, and shown on the benchmark's page."""

import numpy as np
import pandas as pd
import pytest

from forecasting.benchmark import read_regret, regret
from forecasting.benchmark.regret_table import REGRET_COLUMNS, write_regret
from forecasting.errors import UserError
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.report import benchmark as page

HORIZON, STEP = 6, 2


def losses(by_model: dict[str, np.ndarray]) -> pd.DataFrame:
    """Losses of models [origins] that are the same for each of three series; origins every second month, the last one at −6."""
    parts = []
    for model, values in by_model.items():
        origins = -HORIZON - STEP * np.arange(len(values))[::-1]
        for series in ("A", "B", "C"):
            parts.append(pd.DataFrame({"unique_id": series, "origin": origins, "model_name": model, "mase": values}))
    return pd.concat(parts, ignore_index=True)


def test_the_regret_is_that_of_the_mean_loss_of_what_was_chosen():
    n = len(regret.origins(HORIZON, STEP))
    level = np.linspace(1.0, 2.0, n)
    found = regret.measure(
        "made", losses({"median": level, "weighted": 0.995 * level, "one": 1.2 * level, "other": 0.5 * level}), HORIZON
    )
    assert n == 14 and found["n_origins"] == 8 and found["n_series"] == 3
    assert (found["chosen"], found["best"]) == ("other 8", "other")  # half the error, at every origin
    assert found["mase"] == pytest.approx(0.5 * level[-8:].mean())
    assert (found["best_pct"], found["median_pct"]) == (pytest.approx(0.0), pytest.approx(-50.0))
    assert found["weighted_pct"] == pytest.approx(100 * (0.5 / 0.995 - 1))


def test_a_choice_knows_only_what_had_come():
    """One model was bad until six months before an origin, and is perfect since: nobody could know."""
    n = len(regret.origins(HORIZON, STEP))
    steady, late = np.ones(n), np.where(np.arange(n) < n - 3, 1.5, 0.0)
    found = regret.measure("made", losses({"median": steady, "weighted": steady, "late": late}), HORIZON)
    assert found["chosen"] == "weighted 8" and found["median_pct"] == 0.0
    early = regret.measure("made", losses({"median": steady, "weighted": steady, "late": late[::-1]}), HORIZON)
    assert "late" in early["chosen"] and early["median_pct"] > 1.0


@pytest.fixture(scope="module")
def walked() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two made series of 60 months, and what two models and both combinations lost at each origin."""
    rng = np.random.default_rng(0)
    months = pd.date_range("2019-01-01", periods=60, freq="MS")
    parts = [
        pd.DataFrame({"unique_id": name, "ds": months, "y": 100 + 10 * rng.standard_normal(60)}) for name in ("A", "B")
    ]
    train = pd.concat(parts, ignore_index=True)
    return train, regret.losses_of(train, [Naive(), SeasonalNaive()], HORIZON, STEP)


def test_the_walk_agrees_with_a_loop(walked):
    train, found = walked
    assert set(found["model_name"]) == {"naive", "seasonal_naive", "median", "weighted"}
    assert sorted(found["origin"].unique()) == [-months for months in regret.origins(HORIZON, STEP)]
    for row in found[found["model_name"] == "naive"].itertuples():
        y = train.loc[train["unique_id"] == row.unique_id, "y"].to_numpy()
        known, came = y[: row.origin], y[row.origin :][:HORIZON]
        scale = np.abs(known[12:] - known[:-12]).mean()
        assert row.mase == pytest.approx(np.abs(came - known[-1]).mean() / scale)


def test_what_comes_later_changes_no_loss_of_an_origin(walked):
    train, found = walked
    last = train["ds"].max() - pd.DateOffset(months=12)
    changed = train.assign(y=train["y"].where(train["ds"] <= last, 3.0 * train["y"]))
    again = regret.losses_of(changed, [Naive(), SeasonalNaive()], HORIZON, STEP)
    early = found["origin"] <= -12 - HORIZON
    assert early.sum() > 10 and not np.allclose(again["mase"], found["mase"])
    pd.testing.assert_frame_equal(again[early], found[early])


def row(dataset: str, **values: float) -> dict:
    known = {
        "n_series": 10,
        "n_origins": 8,
        "mase": 0.81234,
        "best": "auto_ets",
        "best_pct": 1.234,
        "median_pct": 0.0,
        "weighted_pct": -0.5,
    }
    return {"dataset": dataset, **known, "chosen": "median 8", **values}


def test_the_table_keeps_the_other_sets(tmp_path):
    path = tmp_path / "runs" / "regret.csv"
    assert read_regret(path).empty
    write_regret(path, row("m1_monthly"))
    write_regret(path, row("contoso sales"))
    write_regret(path, row("m1_monthly", best_pct=2.0))
    found = read_regret(path)
    assert list(found.columns) == REGRET_COLUMNS and dict(zip(found["dataset"], found["best_pct"], strict=True)) == {
        "contoso sales": 1.23,
        "m1_monthly": 2.0,
    }
    path.write_text("dataset,mase\n")
    with pytest.raises(UserError, match="run make benchmark-regret again"):
        read_regret(path)


def test_the_page_shows_it_where_it_was_measured(tmp_path):
    assert page.regrets(read_regret(tmp_path / "none.csv")) == ""
    shown = page.regrets(pd.DataFrame([row("m1_monthly"), row("contoso sales")]))
    for text in ("Choice regret", "M1 monthly", "Contoso sales", "0.812", "+1.2", "−0.5"):
        assert text in shown
