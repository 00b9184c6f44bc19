"""Which variant of a model is kept: the better one at past cutoffs that are not held out, the first where nothing tells."""

import numpy as np
import pandas as pd
import pytest

from forecasting import evaluation, intervals
from forecasting.evaluation import kept_variant
from forecasting.models.cnn_lstm import VARIANTS
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.run.ranges import CHOICES
from synthetic import company


def back_tests(train: pd.DataFrame, n_cutoffs: int = 6, **models: type) -> dict:
    cutoffs = evaluation.plan_cutoffs(train["ds"], n_cutoffs=n_cutoffs, n_calibration=2)
    said = {
        name: evaluation.walk_forward(model(), train, "sales", cutoffs["cutoff"]).assign(model_name=name)
        for name, model in models.items()
    }
    return intervals.calibrate_backtests(said, train, "sales", cutoffs, allow_negative=False)


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return company(60, seed=3)


def mean_error(back_test, train: pd.DataFrame) -> float:
    """MASE on the cutoffs that choose, by a loop over origins: the older one half as much a year, each origin's mean over its series."""
    rows = back_test.rows[
        (back_test.rows["aggregation"] == "series") & back_test.rows["evaluation_set"].isin(["calibration", "choice"])
    ]
    rows = rows.merge(train[["unique_id", "ds", "y"]], on=["unique_id", "ds"])
    rows["error"] = ((rows["q500"] - rows["y"]).abs() / rows["scale"]).clip(upper=20)
    newest, total, weights = rows["cutoff"].max(), 0.0, 0.0
    for cutoff, part in rows.groupby("cutoff"):
        age = (newest.year - cutoff.year) * 12 + newest.month - cutoff.month
        total += 0.5 ** (age / 12) * part["error"].mean()
        weights += 0.5 ** (age / 12)
    return total / weights


@pytest.mark.parametrize("order", [("plain", "seasonal"), ("seasonal", "plain")])
def test_the_better_variant_is_kept_whichever_comes_first(order: tuple[str, str], train: pd.DataFrame):
    kinds = {"plain": Naive, "seasonal": SeasonalNaive}
    found = back_tests(train, **{name: kinds[name] for name in order})
    kept, comparison = kept_variant(found, train)
    losses = {name: mean_error(found[name], train) for name in order}
    assert kept == min(losses, key=losses.get)
    for name in order:
        assert comparison.loc[name, "loss"] == pytest.approx(losses[name])
        assert comparison.loc[name, "lead_pct"] == pytest.approx(100 * (1 - losses[name] / losses[order[0]]))
    assert comparison.loc[order[0], "noise_pct"] == 0 < comparison.loc[order[1], "noise_pct"]


def test_what_happens_at_the_cutoffs_held_out_chooses_nothing(train: pd.DataFrame):
    found = back_tests(train, plain=Naive, seasonal=SeasonalNaive)
    plain, table = kept_variant(found, train)
    rows = found["seasonal"].rows
    held_out = rows["evaluation_set"] == "held_out"
    assert held_out.any()
    columns = [name for name in rows if name.startswith("q")]
    spoilt = rows.assign(**{name: rows[name].where(~held_out, rows[name] * 50) for name in columns})
    again, other = kept_variant(found | {"seasonal": found["seasonal"]._replace(rows=spoilt)}, train)
    assert again == plain
    pd.testing.assert_frame_equal(other, table)


def test_the_first_is_kept_where_two_are_as_good_or_nothing_was_measured(train: pd.DataFrame):
    same, comparison = kept_variant(back_tests(train, one=Naive, other=Naive), train)
    assert same == "one" and comparison["lead_pct"].tolist() == [0, 0]
    short = train[train["ds"] <= train["ds"].min() + pd.DateOffset(months=25)]
    kept, comparison = kept_variant(back_tests(short, one=Naive, other=SeasonalNaive), short)
    assert kept == "one" and comparison.empty
    alone, comparison = kept_variant(back_tests(train, only=SeasonalNaive), train)
    assert alone == "only" and comparison.empty


def test_what_is_kept_goes_by_the_model_s_name(train: pd.DataFrame):
    found = back_tests(train, plain=Naive)["plain"]
    renamed = found.renamed("cnn_lstm")
    assert set(renamed.rows["model_name"]) == set(renamed.raw["model_name"]) == {"cnn_lstm"}
    pd.testing.assert_frame_equal(renamed.rows.drop(columns="model_name"), found.rows.drop(columns="model_name"))
    assert set(found.rows["model_name"]) == {"plain"} and np.isfinite(renamed.rows["q500"]).all()


def test_params_offer_the_variants_that_there_are():
    assert CHOICES["cnn_lstm_variants"] == VARIANTS
