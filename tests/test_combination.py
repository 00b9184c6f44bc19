"""Combinations: weights against a loop, learned from known months only, and the same numbers once saved."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import models
from forecasting.contracts import QUANTILE_COLUMNS, RAW_BACKTEST_COLUMNS
from forecasting.errors import UserError
from forecasting.evaluation.backtest import empty_backtest, known_at, walk_forward
from forecasting.evaluation.cutoffs import cutoffs
from forecasting.models.base import Model, point_forecast
from forecasting.models.cnn_lstm import CNNLSTMForecastModel
from forecasting.models.combination import MedianCombination, WeightedCombination
from forecasting.models.combination.combining import KEY, LARGEST_ERROR, MONTHS_FOR_HALF, past_errors
from forecasting.models.linear import LinearModel
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.series.buckets import BUCKETS, bucket_of
from forecasting.series.hierarchy import aggregate_actuals, as_nodes
from forecasting.series.panels import panel
from forecasting.serving.model_source import folder_times
from synthetic import company, series

COLUMNS = list(QUANTILE_COLUMNS)
NAMES = ["naive", "seasonal_naive", "wide"]


class Wide(Model):
    """Last month with quantiles of its own around it, not symmetric; silent below five months."""

    name = "wide"
    family = "test"
    min_history = 5
    around = np.array([-9.0, -5, -3, -2, -1, 0, 2, 4, 6, 8, 12])

    def fit(self, train: pd.DataFrame) -> "Wide":
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        known = panel(history)
        frame = point_forecast(known.ids, known.last, np.repeat(known.values[:, -1:], horizon, axis=1))
        return frame.assign(**{name: frame["q500"] + apart for name, apart in zip(COLUMNS, self.around, strict=True)})


def named(kind: type[Model], name: str, family: str) -> Model:
    """Return a model of this kind under another name and family."""
    return type(name, (kind,), {"name": name, "family": family})()


def members() -> list[Model]:
    return [Naive(), SeasonalNaive(), Wide()]


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return company(60, seed=3)


@pytest.fixture(scope="module")
def chosen(train: pd.DataFrame) -> list[pd.Timestamp]:
    return cutoffs(train["ds"], n_cutoffs=6)


@pytest.fixture(scope="module")
def raw(train: pd.DataFrame, chosen: list[pd.Timestamp]) -> pd.DataFrame:
    parts = [walk_forward(model, train, "sales", chosen) for model in members()]
    return pd.concat(parts, ignore_index=True)


# --- weights


def scaled_errors(seed: int, n: int, count: int = 3) -> np.ndarray:
    """Errors [n, count] of members of different skill that share some of their surprises and now and then miss by far."""
    rng = np.random.default_rng(seed)
    own = rng.standard_t(3, size=(n, count)) * rng.uniform(0.3, 2.0, count)
    return rng.standard_t(3, size=(n, 1)) + own + rng.normal(0.0, 0.3, count)


def known_errors(scaled: np.ndarray, bucket: str = "1-3", months: int = 4) -> pd.DataFrame:
    """Errors as `combining.past_errors` gives them, spread over so many months."""
    month = pd.date_range("2023-01-01", periods=months, freq="MS")[np.arange(len(scaled)) % months]
    of = {"aggregation": "series", "unique_id": "A", "ds": month, "bucket": bucket}
    return pd.DataFrame({**of, **dict(zip(NAMES, scaled.T, strict=True))})


def weights(known: pd.DataFrame, **settings: float) -> pd.DataFrame:
    return WeightedCombination(members(), **settings).learn(known).weights


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 30), st.floats(0.0, 20.0))
def test_weights_agree_with_a_loop(seed: int, n: int, months: int, power: float):
    known = known_errors(50.0 ** (seed % 2) * scaled_errors(seed, n), months=months)
    months = known["ds"].nunique()
    size = [sum(min(abs(error), LARGEST_ERROR) for error in known[name]) / n for name in NAMES]
    used = power * months / (months + MONTHS_FOR_HALF)
    claims = {name: one**-used / (2 if "naive" in name else 1) for name, one in zip(NAMES, size, strict=True)}
    expected = [claim / sum(claims.values()) for claim in claims.values()]
    np.testing.assert_allclose(weights(known, power=power), [expected] * len(BUCKETS), rtol=1e-6, atol=1e-12)


def test_models_of_one_family_share_its_weight_where_nothing_tells_them_apart():
    expected = [[0.25, 0.25, 0.5]] * len(BUCKETS)
    np.testing.assert_allclose(weights(known_errors(np.zeros((0, 3)))), expected)
    np.testing.assert_allclose(weights(known_errors(scaled_errors(1, 30)), power=0.0), expected)
    np.testing.assert_allclose(weights(known_errors(np.ones((30, 3)))), expected)


def test_the_better_member_counts_more_and_the_more_so_the_more_months_are_known():
    scaled = scaled_errors(4, 48)
    order = np.argsort(np.abs(scaled).mean(axis=0) * [1.0, 1.0, 1e-3])  # the last one is the best by far
    assert order[0] == 2
    shares = [
        weights(known_errors(scaled * [1.0, 1.0, 0.8], months=months)).loc["1-3", "wide"] for months in (1, 4, 24)
    ]
    better = np.abs(scaled).mean(axis=0)
    assert (np.diff(shares) > 0).all() == (0.8 * better[2] < better[:2].min())
    few = [weights(known_errors(scaled * [1.0, 1.0, factor])).loc["1-3", "wide"] for factor in (2.0, 1.0, 0.5, 0.1)]
    assert (np.diff(few) > 0).all()


@pytest.mark.parametrize(
    "scaled", [np.zeros((5, 3)), np.full((1, 3), 1e9), np.eye(3) * 1e-9, np.eye(3)[:, :1] * [0, 1, 1e9]]
)
def test_strange_errors_leave_proper_weights(scaled: np.ndarray):
    found = weights(known_errors(scaled))
    assert (found >= 0).all(axis=None)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_a_bucket_of_which_nothing_is_known_takes_the_one_before_it():
    first, second = scaled_errors(1, 30), scaled_errors(2, 30)
    one, other = (weights(known_errors(scaled)).loc["1-3"] for scaled in (first, second))
    equal = weights(known_errors(first), power=0.0).loc["1-3"]
    assert not np.allclose(one, other) and not np.allclose(one, equal)
    table = weights(known_errors(first))
    assert list(table.index) == list(BUCKETS) and list(table.columns) == NAMES and table.index.name == "bucket"
    np.testing.assert_allclose(table, [one] * len(BUCKETS))
    table = weights(pd.concat([known_errors(first), known_errors(second, "4-6")]))
    np.testing.assert_allclose(table, [one] + [other] * (len(BUCKETS) - 1))
    table = weights(known_errors(second, "4-6"))
    np.testing.assert_allclose(table, [equal] + [other] * (len(BUCKETS) - 1))


def test_errors_are_scaled_as_known_at_the_cutoff(raw: pd.DataFrame, train: pd.DataFrame):
    table = past_errors(raw, train, NAMES)
    actuals = aggregate_actuals(train)
    for row in table.sample(25, random_state=1).itertuples():
        one = actuals[(actuals["aggregation"] == row.aggregation) & (actuals["unique_id"] == row.unique_id)]
        y = one.set_index("ds")["y"]
        past = y[: row.cutoff].to_numpy()
        yearly, monthly = np.abs(past[12:] - past[:-12]), np.abs(np.diff(past))
        scale = yearly.mean() if len(yearly) >= 12 else max(yearly.mean() if len(yearly) else 0.0, monthly.mean())
        said = y[row.cutoff]  # of the naive
        assert row.naive == pytest.approx((said - y[row.ds]) / scale)
        assert row.seasonal_naive == pytest.approx((y[row.ds - pd.DateOffset(years=1)] - y[row.ds]) / scale)
        assert row.bucket == list(BUCKETS)[bucket_of(np.array([row.horizon]))[0]]
    assert set(table["aggregation"]) == {"series", "region", "category", "total"}


# --- walk-forward


def combined(raw: pd.DataFrame, train: pd.DataFrame) -> tuple[pd.DataFrame, WeightedCombination]:
    model = WeightedCombination(members())
    return model.walk_forward(raw, train), model


def test_each_cutoff_has_the_weights_of_the_months_known_then(
    raw: pd.DataFrame, train: pd.DataFrame, chosen: list[pd.Timestamp]
):
    found, model = combined(raw, train)
    known = past_errors(raw, train, NAMES)
    values = raw.pivot(index=KEY, columns="model_name", values="q500")[NAMES].reindex(
        pd.MultiIndex.from_frame(found[KEY])
    )
    seen = []
    for cutoff in chosen:
        table = weights(known[known["ds"] <= cutoff])
        seen.append(table)
        rows = (found["cutoff"] == cutoff).to_numpy()
        counted = table.loc[["1-3" if h <= 3 else "4-6" for h in found.loc[rows, "horizon"]]].to_numpy()
        naive, seasonal, wide = values.to_numpy()[rows].T
        median = ((naive + seasonal) / 2 + wide) / 2  # one family of two, the other of one
        weighted = (values.to_numpy()[rows] * counted).sum(axis=1)
        due = known[(known["ds"] <= cutoff) & (known["aggregation"] == "series")]["unique_id"].nunique()
        counts = due / (due + 100)
        np.testing.assert_allclose(found.loc[rows, "q500"], (1 - counts) * median + counts * weighted)
    assert np.allclose(seen[0], [0.25, 0.25, 0.5]) and not np.allclose(seen[-1], seen[-2])
    pd.testing.assert_frame_equal(model.weights, weights(known))


def test_no_weight_depends_on_what_came_later(raw: pd.DataFrame, train: pd.DataFrame, chosen: list[pd.Timestamp]):
    found, _ = combined(raw, train)
    for cutoff in chosen[2:5]:
        later = train["ds"] > cutoff
        noise = np.random.default_rng(0).normal(0.0, 500.0, len(train))
        changed = train.assign(y=train["y"].where(~later, -3.0 * train["y"] + noise))
        again, _ = combined(raw, changed)
        same = found["cutoff"] <= cutoff
        pd.testing.assert_frame_equal(again[same], found[same], check_exact=True)
        assert not np.allclose(again.loc[~same, "q500"], found.loc[~same, "q500"])


def test_every_model_that_is_combined_and_no_other_counts(raw: pd.DataFrame, train: pd.DataFrame):
    plain, _ = combined(raw, train)
    other = raw[raw["model_name"] == "naive"].assign(model_name="other", is_fallback=False, q500=1e9)
    flagged = raw.assign(is_fallback=True)
    again, _ = combined(pd.concat([other, flagged]), train)
    pd.testing.assert_frame_equal(again.drop(columns="is_fallback"), plain.drop(columns="is_fallback"))
    assert again["is_fallback"].all() and not plain["is_fallback"].any()
    for name in NAMES:
        with pytest.raises(UserError, match=rf"weighted: there are no forecasts of {name}\. Run its 20_train"):
            combined(raw[raw["model_name"] != name], train)


def test_rows_come_in_one_order_whatever_the_order_of_the_forecasts(raw: pd.DataFrame, train: pd.DataFrame):
    plain, _ = combined(raw, train)
    assert list(plain.columns) == RAW_BACKTEST_COLUMNS and len(plain) == len(raw) / 3
    assert not plain.duplicated(KEY).any() and set(plain["model_name"]) == {"weighted"}
    assert plain["cutoff"].is_monotonic_increasing
    shuffled, _ = combined(raw.sample(frac=1, random_state=4), train.sample(frac=1, random_state=5))
    pd.testing.assert_frame_equal(shuffled, plain, check_exact=True)
    median = MedianCombination(members()).combine(raw)
    pd.testing.assert_frame_equal(MedianCombination(members()).combine(raw.sample(frac=1, random_state=6)), median)


def test_a_history_too_short_for_a_cutoff_has_no_rows_and_weights_that_no_error_moved():
    train, model = company(20), WeightedCombination(members())
    for found in (
        model.walk_forward(empty_backtest(), train),
        MedianCombination(members()).combine(empty_backtest()),
    ):
        assert found.empty and list(found.columns) == RAW_BACKTEST_COLUMNS
    np.testing.assert_allclose(model.weights, [[0.25, 0.25, 0.5]] * len(BUCKETS))
    assert np.isfinite(models.forecast(model, train, 6, flow=True)[COLUMNS].to_numpy()).all()


def test_rows_that_a_member_lacks_are_left_out(raw: pd.DataFrame):
    lacking = raw[~((raw["model_name"] == "naive") & (raw["horizon"] == 6))]
    found = MedianCombination(members()).combine(lacking)
    assert set(found["horizon"]) == {1, 2, 3, 4, 5}


# --- points and quantiles


def test_the_median_agrees_with_a_loop(raw: pd.DataFrame):
    found = MedianCombination(members()).combine(raw).set_index(KEY)["q500"]
    said: dict[tuple, dict[str, float]] = {}
    for row in raw.itertuples():
        said.setdefault(tuple(getattr(row, name) for name in KEY), {})[row.model_name] = row.q500
    assert len(found) == len(said)
    for key, values in said.items():
        baselines = (values["naive"] + values["seasonal_naive"]) / 2  # one family of two, the other of one
        assert found[key] == pytest.approx((baselines + values["wide"]) / 2)
    threes = [Naive(), Wide(), named(Wide, "third", "other")]
    three = pd.concat([raw, raw[raw["model_name"] == "seasonal_naive"].assign(model_name="third")])
    found = MedianCombination(threes).combine(three).set_index(KEY)["q500"]
    for key, values in said.items():
        assert found[key] == sorted([values["naive"], values["wide"], values["seasonal_naive"]])[1]
    two = raw[raw["model_name"] != "wide"]
    found = MedianCombination(members()[:2]).combine(two).set_index(KEY)["q500"]
    mean = two.groupby(KEY)["q500"].mean()
    np.testing.assert_allclose(found, mean.reindex(found.index))


@pytest.mark.parametrize("kind", [MedianCombination, WeightedCombination])
def test_quantiles_lie_around_the_point_as_those_of_the_members_that_have_some(
    kind: type[Model], raw: pd.DataFrame, train: pd.DataFrame
):
    model = kind(members())
    found = model.combine(raw) if kind is MedianCombination else model.walk_forward(raw, train)
    np.testing.assert_allclose(found[COLUMNS].sub(found["q500"], axis=0), [Wide.around] * len(found), atol=1e-9)
    points_only = [member for member in members() if member.name != "wide"]
    model, rest = kind(points_only), raw[raw["model_name"] != "wide"]
    found = model.combine(rest) if kind is MedianCombination else model.walk_forward(rest, train)
    assert (found[COLUMNS].nunique(axis=1) == 1).all()


def test_members_with_quantiles_share_the_width_by_weight(raw: pd.DataFrame):
    class Wider(Wide):
        name = "wider"
        around = 3.0 * Wide.around

    wide = raw[raw["model_name"] == "wide"]
    wider = wide.assign(model_name="wider")
    wider[COLUMNS] = wide["q500"].to_numpy()[:, None] + Wider.around
    model = WeightedCombination([Naive(), Wide(), Wider()])
    model.learned = pd.DataFrame([[0.2, 0.6, 0.2]] * len(BUCKETS), index=list(BUCKETS), columns=model.names)
    found = model.combine(pd.concat([raw, wider]))
    expected = (0.6 * Wide.around + 0.2 * Wider.around) / 0.8
    np.testing.assert_allclose(found[COLUMNS].sub(found["q500"], axis=0), [expected] * len(found), atol=1e-9)


# --- forecasting with members, and on disk


def test_a_member_that_cannot_speak_gives_its_fallback():
    model = MedianCombination([Naive(), Wide(), LinearModel()]).fit(company(40))
    frame = pd.concat([series([4.0, 8.0], "A/x"), series([1.0, 2, 3, 4, 5, 9], "B/x")])
    result = models.forecast(model, frame, 2, flow=True)
    by_id = {key: one["q500"].tolist() for key, one in result.groupby("unique_id")}
    assert by_id == {"A/x": [6.0, 6.0], "B/x": [9.0, 9.0]}  # 8, mean 6, mean 6; and 9, 9, mean 4
    wide = result[result["unique_id"] == "B/x"][COLUMNS].sub(9.0)
    np.testing.assert_allclose(wide, [Wide.around] * 2)
    assert not result["is_fallback"].any()


def test_predicting_is_combining_what_the_members_predict(train: pd.DataFrame, chosen: list[pd.Timestamp]):
    cutoff = chosen[2]
    past = as_nodes(known_at(train, cutoff))
    parts = [walk_forward(model, train, "sales", [cutoff]) for model in members()]
    rows = MedianCombination(members()).combine(pd.concat(parts))
    rows = rows.assign(unique_id=rows["aggregation"] + "|" + rows["unique_id"]).sort_values(["unique_id", "horizon"])
    found = MedianCombination(members()).fit(past).predict(past, 6)
    assert list(found.columns) == ["unique_id", "ds", "horizon", *COLUMNS]
    pd.testing.assert_frame_equal(found, rows[found.columns].reset_index(drop=True))


@pytest.mark.parametrize("kind", [MedianCombination, WeightedCombination])
def test_a_saved_combination_is_a_folder_of_its_own(kind: type[Model], train: pd.DataFrame, tmp_path: Path):
    network = CNNLSTMForecastModel(variant="from_scratch", networks=1, steps=20, channels=4, hidden=4, batch=16)
    parts = [member.fit(train) for member in (SeasonalNaive(), LinearModel(penalties=[100.0]), network)]
    model = kind(parts)
    if kind is WeightedCombination:
        scaled = scaled_errors(3, 40)
        known = known_errors(scaled).set_axis(["aggregation", "unique_id", "ds", "bucket", *model.names], axis=1)
        model.learn(known)
    model.save(tmp_path / "first")
    folder = shutil.move(tmp_path / "first", tmp_path / "elsewhere")
    loaded = models.load(folder)
    assert isinstance(loaded, kind) and loaded.names == model.names and loaded.settings == model.settings
    for horizon in (6, 24):
        expected, found = (models.forecast(one, train, horizon, flow=True) for one in (model, loaded))
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    if kind is WeightedCombination:
        pd.testing.assert_frame_equal(loaded.weights.loc[list(BUCKETS)], model.weights, check_exact=True)
        assert loaded.trust == model.trust == pytest.approx(1 / 101)
    loaded.save(tmp_path / "again")
    for path in folder.rglob("*"):
        if path.is_file():
            assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".ckpt"}


def test_a_member_that_is_missing_on_disk_is_named(train: pd.DataFrame, tmp_path: Path):
    MedianCombination([Naive().fit(train), SeasonalNaive().fit(train)]).save(tmp_path)
    shutil.rmtree(tmp_path / "members" / "naive")
    with pytest.raises(UserError, match=r"members/naive holds no saved model"):
        models.load(tmp_path)


def beside(folder: Path, train: pd.DataFrame) -> MedianCombination:
    """Save three models and, beside them, a combination that refers to them; return the same of models in memory."""
    parts = [member.fit(train) for member in (SeasonalNaive(), LinearModel(penalties=[100.0]), Naive())]
    for member in parts:
        member.save(folder / member.name)
    MedianCombination([models.saved_member(folder / member.name) for member in parts]).save(folder / "median")
    return MedianCombination(parts)


def test_a_combination_refers_to_members_that_are_saved_beside_it(train: pd.DataFrame, tmp_path: Path):
    model = beside(tmp_path / "models", train)
    moved = shutil.move(tmp_path / "models", tmp_path / "elsewhere") / "median"
    assert [path.name for path in moved.iterdir()] == ["model.json"]
    loaded = models.load(moved)
    assert loaded.names == model.names == ["seasonal_naive", "linear", "naive"]
    expected, found = (models.forecast(one, train, 6, flow=True) for one in (model, loaded))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    before = folder_times(moved)
    path = moved.parent / "linear" / "model.json"
    path.write_bytes(path.read_bytes() + b" ")
    assert folder_times(moved) != before
    path.unlink()
    with pytest.raises(UserError, match=r"linear holds no saved model"):
        models.load(moved)
    loaded.save(moved)  # what was loaded is whole again, wherever it is saved
    pd.testing.assert_frame_equal(models.forecast(models.load(moved), train, 6, flow=True), expected, check_exact=True)


def test_a_folder_of_the_version_before_names_members_that_lie_inside(train: pd.DataFrame, tmp_path: Path):
    model = MedianCombination([member.fit(train) for member in (SeasonalNaive(), LinearModel(), Naive())])
    model.save(tmp_path)
    path = tmp_path / "model.json"
    content = json.loads(path.read_text())
    content["state"]["members"] = model.names
    path.write_text(json.dumps(content))
    found = models.load(tmp_path)
    assert found.names == model.names
    assert models.forecast(found, train, 6, flow=True).equals(models.forecast(model, train, 6, flow=True))


def test_a_saved_member_that_is_not_beside_is_refused(train: pd.DataFrame, tmp_path: Path):
    Naive().fit(train).save(tmp_path / "models" / "naive")
    model = MedianCombination([models.saved_member(tmp_path / "models" / "naive")])
    with pytest.raises(UserError, match=r"models/naive is not beside .*other/median"):
        model.save(tmp_path / "other" / "median")


# --- who takes part


def test_baselines_are_not_combined_unless_there_is_nothing_else():
    everything = ["naive", "linear", "statistical", "intermittent", "boosting", "cnn_lstm"]
    assert models.member_families(everything) == ["statistical", "intermittent", "boosting", "cnn_lstm"]
    assert models.member_families(["naive", "linear"]) == ["naive", "linear"]


def test_a_combination_that_has_learned_no_weights_says_so(train: pd.DataFrame):
    model = WeightedCombination([SeasonalNaive(), Naive()]).fit(train)
    with pytest.raises(UserError, match="weighted: it has no weights yet"):
        model.predict(train, 3)
