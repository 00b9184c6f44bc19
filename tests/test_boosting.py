"""Gradient boosting: any series, any unit, the history it is given, and the same numbers once it was saved."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import models, plots
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.models.boosting import Boosting, BoostingModel, DirectBoostingModel
from forecasting.models.boosting.changes import COMPRESSION, changes, lag_features
from forecasting.series.history import histories
from forecasting.series.panels import panel
from synthetic import company, series
from test_models import KINDS, points
from test_seasonality import season

ALL_KINDS = {**KINDS, "tiny": lambda n: 1e-6 * (2.0 + np.sin(np.arange(n))), "line": lambda n: 1.0 + np.arange(n)}


both = pytest.mark.parametrize("kind", [BoostingModel, DirectBoostingModel])


def fitted(train: pd.DataFrame, kind: type[Boosting] = BoostingModel) -> Boosting:
    reach = {"horizon": 12} if kind is DirectBoostingModel else {}
    return kind(trees=60, learning_rate=0.1, leaves=15, **reach).fit(train)


@both
@pytest.mark.parametrize("length", [1, 5, 12, 13, 24, 25, 37, 400])
def test_every_series_gets_finite_plausible_numbers_and_no_warning(length: int, kind: type[Boosting]):
    frame = pd.concat([series(make(length), f"A/{kind}") for kind, make in ALL_KINDS.items()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = models.forecast(fitted(frame, kind), frame, 30, flow=False)
        unseen = models.forecast(fitted(company(), kind), frame, 30, flow=False)
    for found in (result, unseen):
        assert len(found) == len(ALL_KINDS) * 30
        assert np.isfinite(found[list(QUANTILE_COLUMNS)].to_numpy()).all()
        assert points(found, "A/zero") == [0.0] * 30 and points(found, "A/constant") == pytest.approx([5.0] * 30)
        assert min(points(found, "A/huge")) > 1e8 and max(points(found, "A/tiny")) < 1e-5
        assert max(points(found, "A/negative")) < 0
    assert unseen["is_fallback"].all() == (length < kind.min_history)


def test_features_are_those_of_a_loop():
    values = np.random.default_rng(3).lognormal(3.0, 0.5, 60)
    history = dict(histories(panel(series(values))))["North/Bikes"]
    rows = changes(lag_features(), [history]).set_index("ds")
    scaled = np.round(values / values.mean(), 9)
    compressed = np.arcsinh(season(scaled, history.months).removed(scaled, history.months) / COMPRESSION)
    change = np.append(np.nan, np.diff(compressed))
    for at in (20, 40, 59):
        row = rows.loc[history.first + at]
        assert row["y"] == pytest.approx(change[at])
        assert row["lag1"] == pytest.approx(change[at - 1]) and row["lag13"] == pytest.approx(change[at - 13])
        assert row["mean_6m_lag1"] == pytest.approx(change[at - 6 : at].mean())
        assert row["spread_12m_lag1"] == pytest.approx(change[at - 12 : at].std(ddof=1))
        years = [change[k] for k in range(at - 12, 0, -12)][:3]
        assert row["same_month_3y_lag12"] == pytest.approx(np.mean(years))
        assert row["calendar_month"] == (history.first + at) % 12 + 1
    assert rows.index.min() == history.first + 14 and not rows.isna().any().any()


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        (BoostingModel, ["model.json", "model.txt"]),
        (DirectBoostingModel, ["median_1.txt", "median_2.txt", "model.json", "size.txt"]),
    ],
)
def test_a_loaded_model_gives_the_same_numbers(tmp_path: Path, kind: type[Boosting], files: list[str]):
    train = company()
    model = kind(trees=30, leaves=7).fit(train)
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert json.loads((tmp_path / "model.json").read_text())["settings"]["leaves"] == 7
    loaded = models.load(tmp_path)
    assert type(loaded) is kind
    longer = pd.concat([train, series(np.arange(30.0), "A/x")])
    for history in (train, longer):
        pd.testing.assert_frame_equal(loaded.predict(history, 14), model.predict(history, 14), check_exact=True)
    pd.testing.assert_frame_equal(loaded.importances(), model.importances())


@both
def test_the_same_data_give_the_same_trees_in_any_order_of_rows(kind: type[Boosting], tmp_path: Path):
    train = company()
    first, second = fitted(train, kind), fitted(train.sample(frac=1, random_state=7), kind)
    for name, model in {"first": first, "second": second}.items():
        model.save(tmp_path / name)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    pd.testing.assert_frame_equal(second.predict(train, 6), first.predict(train, 6), check_exact=True)


@both
@settings(max_examples=5)
@given(seed=st.integers(0, 1000), factor=st.floats(1e-6, 1e7))
def test_units_do_not_matter(kind: type[Boosting], seed: int, factor: float):
    train = company(40, seed=seed)
    plain = fitted(train, kind).predict(train, 12)
    larger = train.assign(y=train["y"] * factor)
    found = fitted(larger, kind).predict(larger, 12)
    for column in QUANTILE_COLUMNS:
        np.testing.assert_allclose(found[column], factor * plain[column], rtol=1e-8)
    one = train["unique_id"] == "R0/C0"  # one series in another unit, among others that keep theirs
    mixed = train.assign(y=train["y"].where(~one, train["y"] * factor))
    found = points(fitted(mixed, kind).predict(mixed, 12), "R0/C0")
    np.testing.assert_allclose(found, factor * np.array(points(plain, "R0/C0")), rtol=1e-8)


@pytest.mark.parametrize(("kind", "share_that_rises"), [(BoostingModel, 0.9), (DirectBoostingModel, 0.0)])
def test_predictions_start_from_the_history_they_are_given(kind: type[Boosting], share_that_rises: float):
    """A jump lifts the recursive forecasts; trees that learned of noise around a level only may take it for noise."""
    train = company()
    model = fitted(train, kind)
    past = train[train["ds"] <= "2023-06-01"]
    earlier = model.predict(past, 6)
    assert earlier["ds"].min() == pd.Timestamp("2023-07-01")
    alone = model.predict(past[past["unique_id"] == "R0/C1"], 6)
    np.testing.assert_array_equal(alone["q500"], points(earlier, "R0/C1"))
    lately = past.assign(y=past["y"].where(past["ds"] < "2023-04-01", past["y"] * 1.5))
    found = model.predict(lately, 6)["q500"]
    assert (found != earlier["q500"]).all() and (found > earlier["q500"]).mean() > share_that_rises
    extended = model.predict(past, 18)
    pd.testing.assert_frame_equal(extended[extended["horizon"] <= 6].reset_index(drop=True), earlier)


@both
def test_each_series_continues_from_its_own_last_month(kind: type[Boosting]):
    train = company()
    early = train["unique_id"].eq("R1/C0") & (train["ds"] > "2023-08-01")
    result = fitted(train, kind).predict(train[~early], 2)
    assert result.groupby("unique_id")["ds"].min().loc["R1/C0"] == pd.Timestamp("2023-09-01")
    assert result.groupby("unique_id")["ds"].min().loc["R0/C0"] == pd.Timestamp("2024-01-01")
    assert result["unique_id"].tolist() == sorted(result["unique_id"])


def test_nothing_to_learn_from_leaves_the_fallback(tmp_path: Path):
    """The recursive model still repeats a constant; the direct one has nothing to say."""
    model = fitted(pd.concat([series(np.arange(14.0)), series([1.0], "A/x"), series(np.full(60, 3.0), "A/y")]))
    history = pd.concat([company(30), series(np.full(60, 3.0), "A/y")])
    result = models.forecast(model, history, 6, flow=True)
    assert result.loc[~result["is_fallback"], "unique_id"].unique().tolist() == ["A/y"]
    model.save(tmp_path)
    pd.testing.assert_frame_equal(models.forecast(models.load(tmp_path), history, 6, flow=True), result)
    empty = model.importances()
    assert list(empty.columns) == ["feature", "importance"] and empty.empty
    assert "none" in plots.coefficients(empty.rename(columns={"importance": "coefficient"})).alt


@pytest.mark.parametrize(
    ("kind", "features"),
    [
        (BoostingModel, {"lag1", "same_month_3y_lag12", "mean_12m_lag1", "calendar_month"}),
        (DirectBoostingModel, {"months_ahead", "season", "level_same_month_2y", "level_12m", "spread", "level_lag23"}),
    ],
)
def test_importances_are_shares(kind: type[Boosting], features: set[str]):
    table = fitted(company(), kind).importances()
    assert table["importance"].sum() == pytest.approx(1.0) and table["importance"].is_monotonic_decreasing
    assert features <= set(table["feature"])


@both
def test_it_beats_the_seasonal_naive_on_a_trend(kind: type[Boosting]):
    train = company(72, seed=4)
    past, future = train[train["ds"] <= "2023-06-01"], train[train["ds"] > "2023-06-01"]
    errors = {}
    for name in (kind.name, "seasonal_naive"):
        result = models.forecast(models.get(name)().fit(past), past, 6, True).merge(future, on=["unique_id", "ds"])
        errors[name] = ((result["q500"] - result["y"]).abs() / result["y"]).mean()
    assert errors[kind.name] < 0.9 * errors["seasonal_naive"]
