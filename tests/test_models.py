"""Baselines against loops, the fallback rules, and the ridge regression's promises."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.models.base import Model, point_forecast
from forecasting.models.linear import DIRECT, LinearModel, ridge, search, training_rows
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.models.statistical import AutoCES
from forecasting.series.panels import panel
from synthetic import company, series

QUANTILES = list(QUANTILE_COLUMNS)


def points(frame: pd.DataFrame, unique_id: str) -> list[float]:
    return frame.loc[frame["unique_id"] == unique_id, "q500"].tolist()


class Mute(Model):
    """Says nothing finite about series B/x."""

    name = "mute"
    family = "test"
    min_history = 3

    def fit(self, train: pd.DataFrame) -> "Mute":
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        known = panel(history)
        values = np.ones((len(known.ids), horizon))
        values[known.ids == "B/x", -1] = np.inf
        return point_forecast(known.ids, known.last, values)


@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=40), st.integers(1, 24))
def test_baselines_agree_with_a_loop(values: list[int | None], horizon: int):
    values = [*values, 7]  # the last month is known
    frame = series([np.nan if v is None else v for v in values]).dropna()
    naive = Naive().predict(frame, horizon)
    assert naive["q500"].tolist() == [7.0] * horizon
    seasonal = SeasonalNaive().predict(frame, horizon)["q500"].tolist()
    for step in range(1, horizon + 1):
        position = len(values) - 1 + step - 12
        while position >= 0 and (position >= len(values) or values[position] is None):
            position -= 12
        expected = values[position] if position >= 0 else np.nan
        assert seasonal[step - 1] == expected or (np.isnan(seasonal[step - 1]) and np.isnan(expected))


def test_forecast_months_follow_each_series_own_last_month():
    frame = pd.concat([series([1, 2, 3], "A/x", "2020-11-01"), series([4, 5, 6], "B/x", "2021-06-01")])
    result = models.forecast(Naive(), frame.sample(frac=1, random_state=1), 3, flow=True)
    assert (
        result["ds"].tolist()
        == pd.to_datetime(["2020-12-01", "2021-01-01", "2021-02-01", "2021-07-01", "2021-08-01", "2021-09-01"]).tolist()
    )
    assert list(result.columns) == ["unique_id", "ds", "horizon", *QUANTILES, "is_fallback"]
    assert result["horizon"].tolist() == [1, 2, 3, 1, 2, 3]


def test_fallbacks():
    frame = pd.concat(
        [
            series([2.0, 4.0], "A/x"),  # short: mean
            series([5.0, 6.0, 7.0], "B/x"),  # the model says infinity at the last horizon: mean
            series(np.arange(1.0, 15.0), "C/x"),  # spoken
            series([9.0, *[0.0] * 12], "D/x"),  # ended
            series([9.0, *[0.0] * 11], "E/x"),  # not ended yet
        ]
    )
    result = models.forecast(Mute(), frame, 2, flow=True)
    assert points(result, "A/x") == [3.0, 3.0] and points(result, "B/x") == [6.0, 6.0]
    assert (
        points(result, "C/x") == [1.0, 1.0]
        and points(result, "D/x") == [0.0, 0.0]
        and points(result, "E/x") == [1.0, 1.0]
    )
    flagged = result.groupby("unique_id")["is_fallback"].unique().map(list).to_dict()
    assert flagged == {"A/x": [True], "B/x": [True], "C/x": [False], "D/x": [True], "E/x": [False]}
    stock = models.forecast(Mute(), frame, 2, flow=False)
    assert points(stock, "D/x") == [1.0, 1.0] and not stock.loc[stock["unique_id"] == "D/x", "is_fallback"].any()


def test_fallback_is_the_seasonal_naive_from_twelve_months_on():
    frame = series(np.arange(1.0, 13.0))
    result = models.forecast(LinearModel().fit(company()), frame, 14, flow=True)
    assert points(result, "North/Bikes") == [*np.arange(1.0, 13.0), 1.0, 2.0] and result["is_fallback"].all()


KINDS = {
    "constant": lambda n: np.full(n, 5.0),
    "zero": np.zeros,
    "intermittent": lambda n: np.where(np.arange(n) % 10 == 0, 3.0, 0.0),
    "negative": lambda n: -100.0 - np.arange(n),
    "huge": lambda n: 1e9 * (1.0 + 0.1 * np.sin(np.arange(n))),
    "changing sign": lambda n: np.cos(np.arange(n)),
    "one spike": lambda n: np.where(np.arange(n) == n - 1, 1e9, 1.0),
}


@pytest.mark.parametrize("name", ["naive", "seasonal_naive", "linear"])
@pytest.mark.parametrize("length", [1, 5, 12, 13, 24, 37, 400])
def test_every_series_gets_finite_numbers_of_the_right_shape(name: str, length: int):
    frame = pd.concat([series(make(length), f"A/{kind}") for kind, make in KINDS.items()])
    for horizon in (1, 6, 24):
        model = models.get(name)().fit(frame)
        result = models.forecast(model, frame, horizon, flow=True)
        assert len(result) == len(KINDS) * horizon
        assert np.isfinite(result[QUANTILES].to_numpy()).all()
        assert points(result, "A/zero") == [0.0] * horizon
        np.testing.assert_allclose(points(result, "A/constant"), 5.0, rtol=0.25)


def test_ridge_does_not_depend_on_units_or_row_order():
    train = company()
    plain = models.forecast(LinearModel().fit(train), train, 12, flow=True)
    larger = train.assign(y=train["y"] * 1000.0)
    scaled = models.forecast(LinearModel().fit(larger), larger, 12, flow=True)
    np.testing.assert_allclose(scaled["q500"], 1000.0 * plain["q500"], rtol=1e-9)
    one = train["unique_id"] == "R0/C0"  # one series in another unit, among others that keep theirs
    mixed = train.assign(y=train["y"].where(~one, train["y"] * 1000.0))
    fitted = LinearModel().fit(train)
    np.testing.assert_allclose(
        points(models.forecast(fitted, mixed, 12, True), "R0/C0"), 1000.0 * np.array(points(plain, "R0/C0")), rtol=1e-9
    )
    shuffled = train.sample(frac=1, random_state=5)
    again = models.forecast(LinearModel().fit(shuffled), shuffled, 12, flow=True)
    pd.testing.assert_frame_equal(again, plain, check_exact=True)


@pytest.mark.parametrize("train", [company(), series(np.arange(14.0))], ids=["company", "too short to search"])
def test_ridge_is_saved_as_json_and_comes_back_the_same(train: pd.DataFrame, tmp_path: Path):
    model = LinearModel(penalties=[100.0, 1000.0]).fit(train)
    model.save(tmp_path / "linear")
    loaded = models.load(tmp_path / "linear")
    assert isinstance(loaded, LinearModel) and loaded.settings["penalties"] == [100.0, 1000.0]
    pd.testing.assert_frame_equal(loaded.predict(train, 9), model.predict(train, 9), check_exact=True)
    pd.testing.assert_frame_equal(loaded.search, model.search)
    assert [path.suffix for path in (tmp_path / "linear").iterdir()] == [".json"]
    json.loads((tmp_path / "linear" / "model.json").read_text(), parse_constant=pytest.fail)


def test_a_model_that_was_saved_with_a_number_of_processes_is_loaded_as_any_other(tmp_path: Path):
    train = company()
    model = AutoCES().fit(train)
    model.save(tmp_path / "auto_ces")
    path = tmp_path / "auto_ces" / "model.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "settings": {"jobs": 1}}))
    pd.testing.assert_frame_equal(models.load(path.parent).predict(train, 6), model.predict(train, 6), check_exact=True)
    assert models.saved_settings(path.parent) == model.settings == {}


def test_ridge_beats_the_seasonal_naive_on_a_trend():
    train = company(72, seed=4)
    past, future = train[train["ds"] < "2023-07-01"], train[train["ds"] >= "2023-07-01"]
    errors = {}
    for model in (LinearModel(), SeasonalNaive()):
        result = models.forecast(model.fit(past), past, 6, flow=True).merge(future, on=["unique_id", "ds"])
        errors[model.name] = (
            (result["q500"] - result["y"]).abs() / result.groupby("unique_id")["y"].transform("mean")
        ).mean()
    assert errors["linear"] < 0.8 * errors["seasonal_naive"]


def test_ridge_reaches_further_by_feeding_its_own_forecasts():
    train = company()
    model = LinearModel().fit(train)
    long, short = model.predict(train, 2 * DIRECT), model.predict(train, DIRECT)
    pd.testing.assert_frame_equal(long[long["horizon"] <= DIRECT].reset_index(drop=True), short)
    extended = pd.concat(
        [train[["unique_id", "ds", "y"]], short.rename(columns={"q500": "y"})[["unique_id", "ds", "y"]]]
    )
    second = model.predict(extended, DIRECT)
    np.testing.assert_array_equal(long.loc[long["horizon"] > DIRECT, "q500"], second["q500"])


def test_coefficients_and_search_can_be_shown():
    model = LinearModel().fit(company())
    table = model.coefficients()
    assert list(table.columns) == ["feature", "horizon", "coefficient"] and sorted(set(table["horizon"])) == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert table["feature"].nunique() * 6 == len(table) and np.isfinite(table["coefficient"]).all()
    assert model.search["chosen"].sum() == 1 and len(model.search) == 10
    assert model.search.loc[model.search["chosen"], "error"].item() == model.search["error"].min()


def test_search_fits_on_months_before_those_it_scores():
    known = panel(company(60))
    rows = training_rows(known, range(1, DIRECT + 1))
    table = search(rows, [100.0], [False])
    for step in range(1, DIRECT + 1):  # rows whose target lies in the last year and whose origin does not are unused
        between = (rows[step - 1].age > 12) & (rows[step - 1].age < 12 + step)
        rows[step - 1].target[between] = 99.0
    pd.testing.assert_frame_equal(search(rows, [100.0], [False]), table)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.1, 1000.0))
def test_ridge_agrees_with_the_normal_equations(seed: int, penalty: float):
    rng = np.random.default_rng(seed)
    features, target, weight = rng.normal(size=(30, 4)), rng.normal(size=30), rng.uniform(0.1, 3.0, 30)
    unit = weight / weight.mean()
    gram = sum(u * np.outer(x, x) for u, x in zip(unit, features, strict=True)) + penalty * np.eye(4)
    moment = sum(u * x * y for u, x, y in zip(unit, features, target, strict=True))
    found = ridge(features, target, weight, np.array([penalty, 7.0]))
    np.testing.assert_allclose(found[0], np.linalg.solve(gram, moment), rtol=1e-8, atol=1e-12)


def test_a_series_too_short_to_learn_from_leaves_the_seasonal_naive():
    train = series(np.arange(14.0))
    result = LinearModel().fit(train).predict(train, 6)
    assert result["q500"].tolist() == list(np.arange(2.0, 8.0))


def test_models_are_found_by_name_and_family():
    assert models.get("seasonal_naive") is SeasonalNaive and models.family_models("linear") == (LinearModel,)
    with pytest.raises(UserError, match=r"no model family cnn.*linear, naive"):
        models.family_models("cnn")
    with pytest.raises(UserError, match=r"no model best.*linear, naive"):
        models.get("best")
    with pytest.raises(UserError, match=r"linear has no setting alpha.*month_effects, penalties"):
        LinearModel(alpha=1)
    with pytest.raises(UserError, match="holds no saved model"):
        models.load(Path("nowhere"))


def test_names_are_unique_and_every_model_belongs_to_its_file():
    classes = [(family, model) for family in models.families() for model in models.family_models(family)]
    assert len({model.name for _, model in classes}) == len(classes)
    assert all(model.family == family for family, model in classes)
    for family in models.families():  # combinations count families, not models
        assert len({model.is_combined for model in models.family_models(family)}) == 1


def test_every_setting_of_a_family_is_shown_with_its_model(root):
    """`parameters` of the classes and the keys of params/ that are named after a family are the same."""
    settings = yaml.safe_load((root / "params" / "default.yml").read_text(encoding="utf-8"))
    for family in models.families():
        stated = {key for model in models.family_models(family) for key in model.parameters}
        assert stated == {key for key in settings if key.startswith(f"{family}_")}


def test_what_models_say_of_themselves_is_known_without_the_libraries_that_they_need():
    code = """
        import sys
        from forecasting import models
        assert models.model_name("cnn_lstm") == "CNN-LSTM"
        print([name for name in ("lightgbm", "mlforecast", "scipy", "sklearn", "statsforecast", "torch") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
