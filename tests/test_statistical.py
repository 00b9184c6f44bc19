"""Models of single series: what the library says, on any series, in any unit, and with newer months."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import engine, models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.models.naive import SeasonalNaive
from forecasting.models.statistical import AutoCES, AutoETS, DynamicOptimizedTheta, StatisticalModel
from forecasting.run.folder import RunFolder
from forecasting.series.history import histories
from forecasting.series.panels import month_number, panel
from synthetic import company, series
from test_models import KINDS, points
from test_seasonality import season

NAMES = ["auto_ets", "dynamic_optimized_theta", "auto_ces"]
ALL_KINDS = {
    **KINDS,
    "tiny": lambda n: 1e-6 * (2.0 + np.sin(np.arange(n))),
    "noise": lambda n: np.random.default_rng(1).lognormal(3.0, 1.0, n),
    "line": lambda n: 1.0 + np.arange(n),
}


def until(frame: pd.DataFrame, month: str) -> pd.DataFrame:
    return frame[frame["ds"] <= month].reset_index(drop=True)


@pytest.mark.parametrize(
    ("name", "length"),
    [*((name, n) for name in NAMES for n in (1, 5, 12, 13, 24, 25, 37, 400)), ("auto_arima", 13), ("auto_arima", 25)],
)
def test_every_series_gets_finite_plausible_numbers_and_no_warning(name: str, length: int):
    frame = pd.concat([series(make(length), f"A/{kind}") for kind, make in ALL_KINDS.items()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = models.forecast(models.get(name)().fit(frame), frame, 24, flow=False)
    assert len(result) == len(ALL_KINDS) * 24
    assert np.isfinite(result[list(QUANTILE_COLUMNS)].to_numpy()).all()
    assert points(result, "A/zero") == [0.0] * 24 and points(result, "A/constant") == [5.0] * 24
    seen = frame.groupby("unique_id")["y"].agg(["min", "max"])
    for kind in ("huge", "tiny", "noise", "line"):
        low, high = seen.loc[f"A/{kind}"]
        assert low / 2 <= min(points(result, f"A/{kind}")) <= max(points(result, f"A/{kind}")) <= 2 * high
    assert result["is_fallback"].all() == (length < 13)


@pytest.mark.parametrize("name", NAMES)
def test_quantiles_are_the_point_and_series_come_in_order(name: str):
    train = company(30)
    result = models.get(name)().fit(train).predict(train, 3)
    assert list(result.columns) == ["unique_id", "ds", "horizon", *QUANTILE_COLUMNS]
    assert result["unique_id"].tolist() == sorted(train["unique_id"].unique().tolist() * 3)
    assert result["horizon"].tolist() == [1, 2, 3] * train["unique_id"].nunique()
    assert (result[list(QUANTILE_COLUMNS)].nunique(axis=1) == 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_an_exact_season_is_repeated(name: str):
    year = [10.0, 12, 9, 14, 20, 22, 25, 21, 18, 13, 11, 30]
    for years in (2, 3, 5, 11):
        result = models.forecast(models.get(name)(), series(year * years), 24, flow=True)
        np.testing.assert_allclose(points(result, "North/Bikes"), year * 2, rtol=1e-3)


def test_theta_is_the_library_s_own_on_the_seasonally_adjusted_series():
    from statsforecast.models import DynamicOptimizedTheta as Library

    train = company(48).query("unique_id == 'R1/C1'")
    size = train["y"].mean()
    values, months = train["y"].to_numpy() / size, month_number(train["ds"])
    ahead = months[-1] + np.arange(1, 19)
    found = season(values, months)
    expected = found.restored(Library(1).fit(found.removed(values, months)).predict(18)["mean"], ahead)
    np.testing.assert_allclose(DynamicOptimizedTheta().predict(train, 18)["q500"], expected * size, rtol=1e-4)


@pytest.mark.parametrize("months", [48, 90])
def test_ets_damps_its_trend_or_has_none_and_takes_the_lower_criterion(months: int):
    from statsforecast.models import AutoETS as Library

    long = months >= AutoETS.own_season_from
    for key, one in AutoETS().fit(company(months, categories=2)).estimates.items():
        components = one.model.model_["components"]
        assert components[1] + components[3] in ("AD", "NN")
        if key.endswith("C0"):
            assert (one.season is None) == long and (components[2] != "N") == long
            with_trend = Library(12 if long else 1, model="ZAZ", damped=True).fit(one.prepared(one.history))
            assert one.model.model_["aicc"] <= with_trend.model_["aicc"]


@pytest.mark.parametrize("name", [*NAMES, "auto_arima"])
def test_a_loaded_model_gives_the_same_numbers(name: str, tmp_path: Path):
    train = company(30, regions=1)
    model = models.get(name)().fit(train)
    model.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]
    loaded = models.load(tmp_path)
    assert type(loaded) is type(model) and not loaded.estimates
    pd.testing.assert_frame_equal(loaded.predict(train, 9), model.predict(train, 9), check_exact=True)


@pytest.mark.parametrize("name", ["dynamic_optimized_theta", "auto_ces"])
def test_cheap_models_are_estimated_on_the_newer_months(name: str):
    train = company(40, regions=1)
    model = models.get(name)().fit(until(train, "2023-09-01"))
    pd.testing.assert_frame_equal(model.predict(train, 6), models.get(name)().predict(train, 6), check_exact=True)


@pytest.mark.parametrize("name", ["auto_ets", "auto_arima"])
def test_newer_months_run_through_the_model_as_it_was_estimated(name: str):
    train = company(40, regions=1)
    model = models.get(name)().fit(until(train, "2023-09-01"))
    estimate = model.estimates["R0/C0"]
    whole = dict(histories(panel(train)))["R0/C0"]
    ahead = whole.months[-1] + np.arange(1, 7)
    forwarded = estimate.model.forward(estimate.prepared(whole), 6)["mean"]
    expected = estimate.season.restored(forwarded, ahead) * estimate.history.scale
    newer = model.predict(train, 6)
    np.testing.assert_allclose(points(newer, "R0/C0"), expected, rtol=1e-9)
    assert newer["ds"].min() == pd.Timestamp("2024-01-01")
    changed = train.assign(y=train["y"].where(train["ds"] < "2023-10-01", train["y"] * 1.5))
    assert (points(model.predict(changed, 6), "R0/C0") != np.array(points(newer, "R0/C0"))).all()
    assert model.estimates["R0/C0"] is estimate


@pytest.mark.parametrize("name", NAMES)
def test_what_was_fitted_on_later_or_other_months_is_not_used(name: str):
    train = company(40, regions=1)
    past = until(train, "2023-06-01")
    model, fresh = models.get(name)().fit(train), models.get(name)()
    pd.testing.assert_frame_equal(model.predict(past, 6), fresh.predict(past, 6), check_exact=True)
    restated = train.assign(y=train["y"].where(train["ds"] > "2021-06-01", 50.0))
    pd.testing.assert_frame_equal(model.predict(restated, 6), fresh.predict(restated, 6), check_exact=True)


@settings(max_examples=6)
@given(st.sampled_from(NAMES), st.integers(0, 1000), st.floats(1e-6, 1e7))
def test_units_and_row_order_do_not_matter(name: str, seed: int, factor: float):
    train = company(30, seed=seed, regions=1)
    plain = models.get(name)().predict(train, 12)
    scaled = models.get(name)().fit(train).predict(train.assign(y=train["y"] * factor), 12)
    np.testing.assert_allclose(scaled["q500"], factor * plain["q500"], rtol=1e-8)
    mirrored = models.get(name)().predict(train.assign(y=-train["y"] * factor), 12)
    assert np.isfinite(mirrored["q500"]).all() and (mirrored["q500"] < 0).all()
    shuffled = models.get(name)().predict(train.sample(frac=1, random_state=seed), 12)
    pd.testing.assert_frame_equal(shuffled, plain, check_exact=True)


def test_processes_side_by_side_change_no_number(can_start_processes: None):
    train = company(30)
    alone = AutoCES().fit(train).predict(train, 6)
    with engine.pool(2):
        together = AutoCES().fit(train).predict(train, 6)
    pd.testing.assert_frame_equal(together, alone, check_exact=True)


class Choosy(StatisticalModel):
    """Refuses series with negative values, as the library refuses some."""

    name = "choosy"

    @staticmethod
    def fitted(values: np.ndarray, season_length: int) -> Any:
        if values.min() < 0:
            raise Exception("no model able to be fitted")
        return DynamicOptimizedTheta.fitted(values, season_length)


def test_a_series_that_cannot_be_fitted_falls_back_alone():
    good = company(30)
    both = pd.concat([good, series(np.cos(np.arange(30.0)), "A/x")])
    model = Choosy().fit(both)
    result = models.forecast(model, both, 6, flow=True)
    assert result.loc[result["is_fallback"], "unique_id"].unique().tolist() == ["A/x"]
    assert points(result, "A/x") == points(SeasonalNaive().predict(both, 6), "A/x")
    alone = models.forecast(Choosy().fit(good), good, 6, flow=True)
    rest = result[result["unique_id"] != "A/x"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, alone, check_exact=True)


def test_they_beat_the_seasonal_naive_on_a_trend():
    train = company(72, seed=4)
    past, future = until(train, "2023-06-01"), train[train["ds"] > "2023-06-01"]
    errors = {}
    for name in [*NAMES, "seasonal_naive"]:
        result = models.forecast(models.get(name)().fit(past), past, 6, True).merge(future, on=["unique_id", "ds"])
        errors[name] = ((result["q500"] - result["y"]).abs() / result["y"]).mean()
    assert max(errors[name] for name in NAMES) < errors["seasonal_naive"]


def test_models_are_chosen_by_name_in_the_order_of_the_family():
    assert [model.name for model in models.chosen("statistical", ["auto_ces", "auto_ets"])] == ["auto_ets", "auto_ces"]
    with pytest.raises(UserError, match=r"statistical_models may hold auto_ets.*auto_arima; found linear\."):
        models.chosen("statistical", ["auto_ets", "linear"])
    with pytest.raises(UserError, match=r"boosting_models may hold lightgbm, lightgbm_direct; found none of them\."):
        models.chosen("boosting", [])


def test_chosen_models_take_the_settings_that_they_know():
    recursive, direct = models.chosen("boosting", None, trees=7, horizon=3)
    assert (recursive.settings["trees"], direct.settings["trees"], direct.settings["horizon"]) == (7, 7, 3)
    assert "horizon" not in recursive.settings


def test_a_run_compares_the_models_that_were_trained(tmp_path: Path):
    run = RunFolder(tmp_path, "sales", "acme", "sales", {})
    run.write_json("trained_naive", ["naive", "seasonal_naive"])
    run.write_json("trained_statistical", ["auto_ces"])
    assert run.model_names(["naive", "statistical"]) == ["naive", "seasonal_naive", "auto_ces"]
