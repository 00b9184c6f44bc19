"""The neural network: normalisation against loops and in any unit, windows in order of time, training that repeats itself."""

import json
import pickletools
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forecasting import engine, models
from forecasting.contracts import QUANTILE_COLUMNS, QUANTILES
from forecasting.errors import UserError
from forecasting.models.cnn_lstm import CNNLSTMForecastModel, training
from forecasting.models.cnn_lstm.data_module import (
    CHANNELS,
    PATHS,
    Examples,
    Inputs,
    SalesDataModule,
    Statistics,
    raw_features,
)
from forecasting.models.cnn_lstm.earlier import EarlierNetwork
from forecasting.models.cnn_lstm.network import CNNLSTM, NetworkSize
from forecasting.models.cnn_lstm.training import Trained, TrainingPlan, mean_loss, pinball_loss
from forecasting.series.panels import month_number, panel
from forecasting.series.seasonality import seasonal_index, seasons
from forecasting.series.windows import cutting, normalization
from forecasting.series.windows.cutting import cut_windows, last_windows
from forecasting.series.windows.normalization import DRIFT, SMOOTHING, TARGET_LIMIT, WINDOW, Windows, normalised
from synthetic import company, series
from test_models import KINDS, points

COLUMNS = list(QUANTILE_COLUMNS)
SMALL = {"variant": "from_scratch", "networks": 1, "steps": 50, "channels": 8, "hidden": 8, "batch": 64}
TINY = {"channels": 4, "hidden": 4, "trunk": 8, "head": 8}
YEAR = [10.0, 12, 9, 14, 20, 22, 25, 21, 18, 13, 11, 30]
VARIED = {
    **{kind: make(60) for kind, make in KINDS.items()},
    "exact season": np.array(YEAR * 4) * 0.1,
    "exact growth": 0.1 * 1.01 ** np.arange(50),
    "two values": np.tile([1.1, 2.3], 30),
    "noise": np.random.default_rng(0).lognormal(0.0, 1.0, 150),
    "short": np.random.default_rng(1).normal(size=13),
}


def window(values: list[float] | np.ndarray) -> np.ndarray:
    """One window [1, WINDOW] that ends with these values; nothing is known before them."""
    values = np.asarray(values, dtype=float)[-WINDOW:]
    return np.concatenate([np.full(WINDOW - len(values), np.nan), values])[None]


def small_size(data: SalesDataModule) -> NetworkSize:
    horizon, sequence = data.targets.shape[1], data.inputs.sequence.shape[2]
    return NetworkSize(horizon, sequence, CHANNELS, PATHS, data.inputs.features.shape[1], **TINY)


def quantiles(model: CNNLSTMForecastModel, values: np.ndarray, horizon: int = 12) -> np.ndarray:
    return model.predict(series(values), horizon)[COLUMNS].to_numpy()


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As the model itself trains and as the kernels run: more threads add the same numbers in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fitted() -> CNNLSTMForecastModel:
    return CNNLSTMForecastModel(**SMALL).fit(company(60))


# --- normalisation


@settings(max_examples=60)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=WINDOW), st.booleans(), st.integers(-40, 40))
def test_a_power_of_two_changes_the_scale_and_not_a_bit_of_anything_else(
    values: list[float], positive: bool, exponent: int
):
    known = np.round(np.abs(values) + 1.0 if positive else values, 6)
    plain, larger = normalised(window(known)), normalised(window(known * 2.0**exponent))
    assert larger.scale == plain.scale * 2.0**exponent
    for name in set(Windows.__dataclass_fields__) - {"scale"}:
        np.testing.assert_array_equal(getattr(larger, name), getattr(plain, name), err_msg=name)


@pytest.mark.parametrize("kind", list(VARIED))
def test_forecasts_have_the_unit_of_the_series(kind: str, fitted: CNNLSTMForecastModel):
    values = VARIED[kind]
    plain, size = quantiles(fitted, values), np.abs(values).mean()
    assert np.isfinite(plain).all()
    np.testing.assert_array_equal(quantiles(fitted, values * 2.0**20), plain * 2.0**20)
    for factor in (1000.0, 0.3, 1e-3, 1e9):
        np.testing.assert_allclose(
            quantiles(fitted, values * factor), plain * factor, rtol=1e-6, atol=1e-6 * size * factor
        )


def test_training_does_not_depend_on_the_unit():
    train = company(40)
    plain = CNNLSTMForecastModel(**SMALL).fit(train).predict(train, 6)
    larger = train.assign(y=train["y"] * 2.0**10)
    found = CNNLSTMForecastModel(**SMALL).fit(larger).predict(larger, 6)
    np.testing.assert_array_equal(found[COLUMNS], plain[COLUMNS] * 2.0**10)


def test_zeros_stay_zero_and_signs_stay_possible(fitted: CNNLSTMForecastModel):
    assert (quantiles(fitted, np.zeros(40)) == 0).all()
    assert quantiles(fitted, -100.0 - np.arange(40.0))[:, 5].max() < 0
    assert normalised(window([1.0, 2.0, 3.0])).is_log.item()
    for values in ([1.0, 2.0, 0.0], [1.0, -2.0, 3.0], [0.0, 0.0]):
        assert not normalised(window(values)).is_log.item()


@pytest.mark.parametrize("length", [24, 31, 47, 60, 100])
@pytest.mark.parametrize("noise", [0.05, 1.0])
def test_the_seasonal_index_is_that_of_single_series(length: int, noise: float):
    rng, months = np.random.default_rng(length), 600 + np.arange(length)
    values = np.array(YEAR)[months % 12] * rng.lognormal(0.0, noise, length) * 1.01 ** np.arange(length)
    for number, history in ((np.log(values), values), (values - 15.0, values - 15.0)):
        (single,) = seasons([history], [months])
        assert single.multiplicative == (history is values)
        found = seasonal_index(window(number))[0][0]
        np.testing.assert_allclose(found, single.effects[(months[-1] - np.arange(12)) % 12], atol=1e-9)


def test_there_is_no_season_below_two_years():
    index, kept, noise = seasonal_index(window((YEAR * 2)[1:]))
    assert (index == 0).all() and kept == 0 and np.isnan(noise)


@given(st.lists(st.one_of(st.none(), st.floats(-50, 50)), min_size=13, max_size=60))
def test_level_and_trend_agree_with_loops(given_values: list[float | None]):
    values = np.array([np.nan if value is None else round(value, 3) for value in [*given_values, 1.0]])
    known = np.flatnonzero(np.isfinite(values))
    slope = np.polyfit(known, values[known], 1)[0] if len(known) >= 13 else 0.0
    np.testing.assert_allclose(normalization.trend(window(values)), slope, atol=1e-9)
    tried = {}
    for constant in SMOOTHING:
        level, squares = values[known[0]], 0.0
        for month in known[1:]:
            squares += (values[month] - level) ** 2
            level += constant * (values[month] - level)
        tried[constant] = squares, level
    levels, squares = (found[0] for found in normalization.smoothed(window(values)))
    np.testing.assert_allclose(levels, [level for _, level in tried.values()], atol=1e-9)
    months = max(len(known) - 1, 1)
    np.testing.assert_allclose(squares, [square / months for square, _ in tried.values()], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shift", [0.0, -15.0])
@pytest.mark.parametrize("after", [0, 5, 11])
def test_an_exact_season_goes_on_by_itself(shift: float, after: int):
    values = np.tile(YEAR, 7) + shift
    windows = normalised(window(values[: 48 + after]))
    assert windows.is_log.item() == (shift == 0)
    found = windows.forecasts(np.zeros((1, 24, 1)))[0, :, 0]
    np.testing.assert_allclose(found, values[48 + after : 72 + after], atol=0.02 * windows.scale.item())


def test_the_line_follows_part_of_the_trend_and_the_calendar():
    values = -40.0 + np.arange(60.0) + 3.0 * np.tile(YEAR, 5)
    windows = normalised(window(values[:53]))
    assert windows.slope * windows.scale == pytest.approx(1.0, rel=0.2)
    line = windows.line(24)[0]
    for step in range(1, 25):
        season = windows.season[
            0, (12 - step) % 12
        ]  # the month twelve before the forecast month, counted from the origin
        assert line[step - 1] == pytest.approx(windows.level + DRIFT * step * windows.slope + season)
    assert np.corrcoef(line[:7], values[53:])[0, 1] > 0.99


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=WINDOW), st.booleans(), st.data())
def test_departures_are_taken_back_by_forecasts(values: list[float], positive: bool, data: st.DataObject):
    known = np.round(np.abs(values) + 1.0 if positive else values, 6)
    future = np.array(data.draw(st.lists(st.sampled_from(list(known)), min_size=1, max_size=30)))
    windows = normalised(window(known))
    departures = windows.departures(future[None])
    assume(np.abs(departures).max() < TARGET_LIMIT)
    back = windows.forecasts(departures[:, :, None])[0, :, 0]
    np.testing.assert_allclose(back, future, rtol=1e-7, atol=1e-7 * np.abs(known).mean())


def test_forecasts_stay_finite_however_far_the_network_goes():
    windows = normalised(np.vstack([window(values) for values in VARIED.values()]))
    for wild in (-1e9, 1e9):
        assert np.isfinite(windows.forecasts(np.full((len(VARIED), 24, 11), wild))).all()


def test_nothing_after_a_window_s_last_month_matters():
    train = company(60)
    cutoff = pd.Timestamp("2022-06-01")
    later = train["ds"] > cutoff
    changed = train.assign(y=train["y"].where(~later, -7.0 * train["y"] - 1e6))
    plain, other = (cut_windows(panel(frame), 6, 13) for frame in (train, changed))
    early = plain[2] <= month_number(pd.DatetimeIndex([cutoff]))[0]
    assert early.any() and not early.all()
    before, after = (normalised(found[0]) for found in (plain, other))
    for name in Windows.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(after, name)[early], getattr(before, name)[early], err_msg=name)
        assert not np.array_equal(getattr(after, name)[~early], getattr(before, name)[~early], equal_nan=True)


# --- windows, targets, masks


def with_gaps() -> pd.DataFrame:
    """Two series that end in different months, one of them with months missing."""
    rng = np.random.default_rng(3)
    long = series(rng.lognormal(2.0, 0.3, 50), "A/x").drop(index=[20, 21, 40])
    return pd.concat([long, series(rng.normal(size=31), "B/x", "2023-06-01")], ignore_index=True)


def test_windows_and_targets_agree_with_a_loop():
    train, expected = with_gaps(), []
    for _, one in train.groupby("unique_id"):
        y = one.set_index("ds")["y"].asfreq("MS")
        for position, month in enumerate(y.index[:-1]):
            if y[:month].count() >= 13 and np.isfinite(y[month]):
                future = y.reindex(pd.date_range(month, periods=6, freq="MS")[1:])
                expected.append((window(y[:month])[0], future, month, len(y) - 1 - position))
    found = cut_windows(panel(train), 5, 13)
    assert len(found[0]) == len(expected) > 40
    order = np.argsort([one[2] for one in expected], kind="stable")
    mine = np.lexsort((np.isnan(found[0]).sum(axis=1), found[2]))
    expected = sorted((expected[k] for k in order), key=lambda one: (one[2], np.isnan(one[0]).sum()))
    for row, (past, future, month, age) in zip(mine, expected, strict=True):
        np.testing.assert_array_equal(found[0][row], past)
        np.testing.assert_array_equal(found[1][row], future)
        assert found[2][row] == month_number(pd.DatetimeIndex([month]))[0] and found[3][row] == age


def test_the_network_sees_values_in_spreads_a_mask_and_the_calendar():
    train = with_gaps()
    data = SalesDataModule(train, 5, 18)
    raw, _, origin, _ = cut_windows(panel(train), 5, 13)
    windows = normalised(raw)
    sequence = data.inputs.sequence.numpy()
    assert sequence.shape == (len(data), CHANNELS, 18) and np.isfinite(sequence).all()
    known = np.isfinite(raw[:, -18:])
    np.testing.assert_array_equal(sequence[:, 2], known)
    shown = np.clip(
        windows.values[:, -18:] / windows.spread[:, None], -normalization.INPUT_LIMIT, normalization.INPUT_LIMIT
    )
    np.testing.assert_allclose(sequence[:, 0], np.where(known, shown, 0.0), rtol=1e-6)
    raw_seen = raw_features(windows, origin)
    np.testing.assert_allclose(raw_seen[:, -2], np.sin(2 * np.pi * (origin % 12) / 12), atol=1e-6)
    np.testing.assert_allclose(raw_seen[:, -1], np.cos(2 * np.pi * (origin % 12) / 12), atol=1e-6)
    unknown = ~known
    assert unknown.any() and (sequence[:, 0][unknown] == 0).all() and (sequence[:, 1][unknown] == 0).all()
    features = data.inputs.features.numpy()
    np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=0.2)
    assert features.std(axis=0).max() < 1.5 and data.weight.mean() == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("months", [1, 6, 12])
def test_months_that_are_left_out_are_neither_input_nor_target(months: int):
    train = company(48)
    left_out = train["ds"] > train["ds"].max() - pd.DateOffset(months=months)
    changed = train.assign(y=train["y"].where(~left_out, -3.0 * train["y"] + 1e5))
    plain, other = (SalesDataModule(frame, 8, 24).examples(leave_out=months) for frame in (train, changed))
    for name in ("targets", "counts"):
        torch.testing.assert_close(getattr(other, name), getattr(plain, name), rtol=0, atol=0)
    torch.testing.assert_close(other.inputs.sequence, plain.inputs.sequence, rtol=0, atol=0)
    every, less = SalesDataModule(train, 8, 24).examples(), SalesDataModule(changed, 8, 24).examples()
    assert len(every) > len(plain) and not torch.equal(every.targets, less.targets)
    assert every.counts.sum() - plain.counts.sum() == sum(  # each month left out was a target of up to eight windows
        min(8, length - 13 - back) for length in (48, 48, 24) * 2 for back in range(months) if length - 13 > back
    )


@pytest.mark.parametrize("months", [6, 12])
def test_validation_is_the_last_months_and_comes_after_what_is_learned(months: int):
    train = company(48)
    data = SalesDataModule(train, 24, 24)
    late = data.validation(months)
    long_enough = [key for key, one in train.groupby("unique_id") if len(one) - months >= 13]
    assert len(late) == len(long_enough) > 0
    np.testing.assert_array_equal(late.counts, np.arange(24)[None].repeat(len(late), axis=0) < months)
    raw, future, _, age = cut_windows(panel(train), 24, 13)
    expected = normalised(raw[age == months]).departures(future[age == months])
    np.testing.assert_allclose(late.targets[:, :months], expected[:, :months], rtol=1e-6)
    actual = train[train["unique_id"] == long_enough[0]]["y"].to_numpy()[-months:]
    np.testing.assert_array_equal(future[age == months][0, :months], actual)
    before = data.examples(leave_out=months)
    assert len(before) == ((age > months) & np.isfinite(future).any(axis=1)).sum()


def test_thinned_windows_keep_the_last_origin_and_those_that_training_stops_by(monkeypatch: pytest.MonkeyPatch):
    train = company(60)
    every = SalesDataModule(train, 6, 24)
    for most in (150, 60, 20):
        monkeypatch.setattr(cutting, "MOST_WINDOWS", most)
        data = SalesDataModule(train, 6, 24)
        assert len(data) < len(every) and len(data) <= most + 2 * 6
        for age in (1, 6, 12):
            assert (data.age == age).sum() == (every.age == age).sum() == 6
    curve = training.train(data, small_size(data), TrainingPlan(steps=4, check_every=2, batch=8), seed=1).curve
    assert curve.loc[curve["stage"] == "early stopping", "validation_loss"].notna().all()
    assert set(curve["stage"]) == {"early stopping", "all months"}


# --- the network and its loss


@pytest.mark.parametrize(("horizon", "sequence"), [(24, 24), (6, 12), (3, 36)])
def test_the_network_gives_quantiles_for_every_month(horizon: int, sequence: int):
    network = CNNLSTM(NetworkSize(horizon, sequence, CHANNELS, PATHS, features=5, **TINY))
    kinds = [type(module).__name__ for module in network.modules()]
    assert kinds.index("Conv1d") < kinds.index("LSTM") < kinds.index("Linear")
    inputs = torch.zeros(7, CHANNELS, sequence), torch.zeros(7, PATHS, horizon), torch.zeros(7, 5)
    assert network(*inputs).shape == (7, horizon, len(QUANTILES))


@pytest.mark.parametrize(("horizon", "sequence"), [(24, 48), (6, 12), (3, 37)])
def test_a_month_ahead_is_shown_the_same_month_of_earlier_years(horizon: int, sequence: int):
    network = CNNLSTM(NetworkSize(horizon, sequence, CHANNELS, PATHS, features=5, **TINY))
    months = 600 + np.arange(sequence)  # the month numbers that the sequence holds; the last is the origin
    for step in range(1, horizon + 1):
        shown = months[network.same_month[step - 1].numpy()]
        assert (shown % 12 == (months[-1] + step) % 12).all()
        assert len(set(shown)) == sequence // 12 and shown.max() > months[-1] - 12


def test_the_loss_agrees_with_a_loop():
    rng = np.random.default_rng(5)
    said, targets, counts = rng.normal(size=(4, 3, 11)), rng.normal(size=(4, 3)), rng.random((4, 3)) < 0.6
    counts[0], weight = False, np.array([1.0, 2.0, 0.5, 3.0])
    total = 0.0
    for row in range(4):
        losses = []
        for step in np.flatnonzero(counts[row]):
            for position, level in enumerate(QUANTILES):
                missed = targets[row, step] - said[row, step, position]
                losses.append(level * missed if missed > 0 else (level - 1) * missed)
        total += weight[row] * (np.mean(losses) if losses else 0.0)
    tensors = [torch.from_numpy(array.astype(np.float32)) for array in (targets, counts, weight)]
    examples = Examples(Inputs(*[torch.zeros(4, 1)] * 3), *tensors)
    found = pinball_loss(lambda *_: torch.from_numpy(said.astype(np.float32)), examples)
    assert found.item() == pytest.approx(total / 4, rel=1e-5)


# --- training


def state(trained: Trained) -> dict[str, torch.Tensor]:
    return trained.network.state_dict()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    data = SalesDataModule(company(40), 6, 24)
    plan = TrainingPlan(steps=20, check_every=10, batch=16)
    first, again, other = (training.train(data, small_size(data), plan, seed) for seed in (3, 3, 4))
    for name, weights in state(first).items():
        assert torch.equal(state(again)[name], weights), name
    assert any(not torch.equal(state(other)[name], weights) for name, weights in state(first).items())
    pd.testing.assert_frame_equal(again.curve, first.curve, check_exact=True)


def test_the_order_of_rows_does_not_matter(fitted: CNNLSTMForecastModel):
    train = company(60)
    shuffled = CNNLSTMForecastModel(**SMALL).fit(train.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(shuffled.predict(train, 6), fitted.predict(train, 6), check_exact=True)


def test_processes_side_by_side_change_no_number(can_start_processes: None):
    train = company(40)
    chosen = {**SMALL, "networks": 2, "channels": 4, "hidden": 4}
    alone = CNNLSTMForecastModel(**chosen).fit(train)
    with engine.pool(2):
        together = CNNLSTMForecastModel(**chosen).fit(train)
    pd.testing.assert_frame_equal(together.predict(train, 6), alone.predict(train, 6), check_exact=True)
    pd.testing.assert_frame_equal(together.curve, alone.curve, check_exact=True)
    assert alone.curve["seed"].unique().tolist() == [1, 2]
    single = CNNLSTMForecastModel(**{**chosen, "networks": 1}).fit(train).predict(train, 6)
    assert not np.array_equal(single[COLUMNS], alone.predict(train, 6)[COLUMNS])


def test_training_stops_when_the_last_months_are_forecast_no_better_and_keeps_the_best(monkeypatch: pytest.MonkeyPatch):
    noise = np.random.default_rng(0).lognormal(0.0, 0.5, (3, 48))  # nothing to learn: soon it learns by heart
    train = pd.concat([series(values, f"A/{number}") for number, values in enumerate(noise)])
    data = SalesDataModule(train, 6, 24)
    plan = TrainingPlan(steps=2000, check_every=10, patience=3, batch=32, learning_rate=0.02)
    monkeypatch.setattr(training._Run, "on_all", lambda *_: None)  # what comes after the best weights were found
    trained = training.train(data, small_size(data), plan, seed=1)
    losses = trained.curve["validation_loss"]
    best = int(losses.argmin())
    assert len(losses) == best + 1 + plan.patience < 2000 // 10
    late = data.validation(training.validation_months(data))
    assert mean_loss(trained.network, late) == losses.min() < losses.iloc[-1]


def test_training_ends_on_all_months():
    data = SalesDataModule(company(40), 6, 24)
    plan = TrainingPlan(steps=40, check_every=10, batch=16)
    curve = training.train(data, small_size(data), plan, seed=1).curve
    assert list(curve.columns) == ["seed", "stage", "step", "training_loss", "validation_loss"]
    assert curve["stage"].iloc[0] == "early stopping" and curve["stage"].iloc[-1] == "all months"
    assert curve["step"].is_monotonic_increasing and np.isfinite(curve["training_loss"]).all()
    assert curve.loc[curve["stage"] == "all months", "validation_loss"].isna().all()


def test_it_learns():
    train = company(84, seed=6, regions=4, categories=4)
    past, future = train[train["ds"] <= "2022-12-01"], train[train["ds"] > "2022-12-01"]
    errors = {}
    for model in (CNNLSTMForecastModel(**{**SMALL, "steps": 200}), models.get("seasonal_naive")()):
        result = models.forecast(model.fit(past), past, 12, True).merge(future, on=["unique_id", "ds"])
        errors[model.name] = (result["q500"] - result["y"]).abs().mean()
        if model.name == "cnn_lstm":
            inside = result["y"].between(result["q100"], result["q900"])
            assert not result["is_fallback"].any() and 0.5 < inside.mean() < 0.99
    assert errors["cnn_lstm"] < 0.9 * errors["seasonal_naive"]


# --- forecasts


def test_quantiles_never_cross_and_months_follow(fitted: CNNLSTMForecastModel):
    history = pd.concat([series(values, f"A/{kind}") for kind, values in VARIED.items()])
    result = fitted.predict(history, 24)
    assert list(result.columns) == ["unique_id", "ds", "horizon", *COLUMNS]
    assert result["unique_id"].tolist() == sorted(list(history["unique_id"].unique()) * 24)
    assert np.isfinite(result[COLUMNS].to_numpy()).all() and (np.diff(result[COLUMNS], axis=1) >= 0).all()
    is_wide = (result["q900"] > result["q100"]).groupby(result["unique_id"]).mean()
    certain = {
        f"A/{kind}" for kind in ("constant", "zero", "exact season", "two values")
    }  # they only repeat themselves
    assert set(is_wide.index[is_wide == 0]) == certain and is_wide.drop(certain).min() > 0.9
    assert result["ds"].tolist() == list(pd.date_range("2024-01-01", periods=24, freq="MS")) * len(VARIED)


def test_beyond_its_months_it_goes_on_from_its_own_medians(fitted: CNNLSTMForecastModel):
    train = company(60)
    result, near = fitted.predict(train, 30), fitted.predict(train, 24)
    pd.testing.assert_frame_equal(result[result["horizon"] <= 24].reset_index(drop=True), near)
    grown = pd.concat([train, near.rename(columns={"q500": "y"})])
    further = fitted.predict(grown, 6)
    beyond = result[result["horizon"] > 24].reset_index(drop=True)
    np.testing.assert_allclose(beyond[COLUMNS], further[COLUMNS], rtol=1e-6)
    assert beyond["ds"].tolist() == further["ds"].tolist()


def test_predictions_start_from_the_history_they_are_given():
    fitted = CNNLSTMForecastModel(variant="zero_shot").fit(company(60))
    past = company(60).query("ds <= '2023-06-01'")
    earlier = fitted.predict(past, 6)
    assert earlier["ds"].min() == pd.Timestamp("2023-07-01")
    alone = fitted.predict(past[past["unique_id"] == "R0/C1"], 6)
    np.testing.assert_allclose(alone["q500"], points(earlier, "R0/C1"), rtol=1e-5)
    lately = past.assign(y=past["y"].where(past["ds"] < "2023-04-01", past["y"] * 1.5))
    assert (fitted.predict(lately, 6)["q500"] / earlier["q500"]).mean() > 1.05


def test_short_series_get_the_fallback(fitted: CNNLSTMForecastModel):
    frame = pd.concat([series(np.arange(1.0, n + 1), f"A/{n:02d}") for n in (1, 5, 12, 13)])
    result = models.forecast(fitted, frame, 6, flow=True)
    assert points(result, "A/01") == [1.0] * 6 and points(result, "A/05") == [3.0] * 6
    assert points(result, "A/12") == list(np.arange(1.0, 7.0))
    flagged = result.groupby("unique_id")["is_fallback"].unique().map(list).to_dict()
    assert flagged == {"A/01": [True], "A/05": [True], "A/12": [True], "A/13": [False]}


@pytest.mark.parametrize("length", [1, 12, 13])
def test_too_little_to_learn_from_leaves_the_fallback(length: int, tmp_path: Path):
    little, history = series(np.arange(1.0, length + 1)), company(30)
    model = CNNLSTMForecastModel(**SMALL).fit(little)
    assert np.isnan(model.predict(history, 6)[COLUMNS].to_numpy()).all() and model.curve.empty
    result = models.forecast(model, history, 6, flow=True)
    assert result["is_fallback"].all()
    naive = models.forecast(models.get("seasonal_naive")(), history, 6, flow=True)
    pd.testing.assert_frame_equal(result[COLUMNS], naive[COLUMNS])
    model.save(tmp_path)
    pd.testing.assert_frame_equal(models.forecast(models.load(tmp_path), history, 6, flow=True), result)


def test_fitting_again_forgets_what_was_learned_before():
    train = company(40)
    model = CNNLSTMForecastModel(**SMALL).fit(company(60, seed=9)).fit(train)
    fresh = CNNLSTMForecastModel(**SMALL).fit(train)
    pd.testing.assert_frame_equal(model.predict(train, 6), fresh.predict(train, 6), check_exact=True)
    assert np.isnan(model.fit(series([1.0, 2.0])).predict(train, 6)["q500"]).all() and model.curve.empty


# --- on disk


@pytest.fixture(scope="module")
def saved(fitted: CNNLSTMForecastModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("cnn_lstm")
    fitted.save(directory)
    return directory


def test_a_loaded_model_gives_the_same_numbers(fitted: CNNLSTMForecastModel, saved: Path):
    assert sorted(path.name for path in saved.iterdir()) == ["model.ckpt", "model.json", "normalization.json"]
    loaded = models.load(saved)
    assert isinstance(loaded, CNNLSTMForecastModel) and loaded.settings == fitted.settings
    longer = pd.concat([company(60), series(np.arange(30.0), "A/x")])
    for history in (company(60), longer):
        pd.testing.assert_frame_equal(loaded.predict(history, 30), fitted.predict(history, 30), check_exact=True)


def test_the_files_hold_tensors_and_json_and_no_objects(fitted: CNNLSTMForecastModel, saved: Path):
    content = json.loads((saved / "normalization.json").read_text(), parse_constant=pytest.fail)
    assert content["features_mean"] == fitted.statistics.mean.tolist() and content["window_size"] == WINDOW
    states = torch.load(saved / "model.ckpt", weights_only=True)
    assert len(states) == SMALL["networks"]
    assert all(isinstance(value, torch.Tensor) for one in states for value in one.values())
    with zipfile.ZipFile(saved / "model.ckpt") as archive:
        pickles = [name for name in archive.namelist() if name.endswith(".pkl")]
        opcodes = [found for name in pickles for found in pickletools.genops(archive.read(name))]
    named = {argument for code, argument, _ in opcodes if code.name == "GLOBAL"}
    assert pickles and not {code.name for code, *_ in opcodes} & {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ"}
    assert named <= {"torch._utils _rebuild_tensor_v2", "torch FloatStorage", "collections OrderedDict"}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.ckpt", None), ("model.ckpt", b""), ("model.ckpt", b"no checkpoint"), ("model.ckpt", 0.5),
        ("normalization.json", None), ("normalization.json", b"{"), ("normalization.json", b"{}"),
        ("normalization.json", b'{"features_mean": [1.0], "features_deviation": [1.0]}'),  # as it was before networks had sizes
    ],
)  # fmt: skip
def test_missing_or_damaged_files_are_named(file: str, content: bytes | float | None, saved: Path, tmp_path: Path):
    directory = shutil.copytree(saved, tmp_path / "model")
    damaged = directory / file
    if content is None:
        damaged.unlink()
    else:
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[: int(len(whole) * content)] if isinstance(content, float) else content)
    with pytest.raises(UserError, match=r"model\.ckpt.*normalization\.json.*missing or damaged.*20_train_cnn_lstm"):
        models.load(directory)


def test_a_network_that_was_saved_before_there_was_a_pretrained_one_still_forecasts(tmp_path: Path):
    torch.manual_seed(4)
    settings = {
        "networks": 2,
        "horizon": 24,
        "sequence": 24,
        "channels": 8,
        "hidden": 8,
        "dropout": 0.1,
        "steps": 600,
        "seed": 1,
        "jobs": 1,
    }
    statistics = Statistics(np.zeros(22), np.ones(22))
    networks = [EarlierNetwork(settings, statistics) for _ in range(2)]
    content = {"name": "cnn_lstm", "family": "cnn_lstm", "settings": settings, "state": {"curve": []}}
    (tmp_path / "model.json").write_text(json.dumps(content))
    (tmp_path / "normalization.json").write_text(
        json.dumps({"features_mean": [0.0] * 22, "features_deviation": [1.0] * 22, "window_size": 120})
    )
    torch.save([network.state_dict() for network in networks], tmp_path / "model.ckpt")
    history = company(60)
    found = models.load(tmp_path).predict(history, 12)
    assert np.isfinite(found[COLUMNS]).all(axis=None) and (np.diff(found[COLUMNS], axis=1) >= 0).all()
    window, month = last_windows(panel(history))
    windows = normalised(window)
    said = np.mean([network.quantiles(windows, month, 7) for network in networks], axis=0, dtype=np.float64)
    expected = windows.forecasts(np.sort(said, axis=2))[:, :12].reshape(-1, 11)
    np.testing.assert_allclose(found[COLUMNS], expected, rtol=1e-5)
    model = models.load(tmp_path)
    assert model.explanation()["variant"] == "from_scratch"
    model.save(tmp_path / "again")  # as whoever takes a logged combination out of the store does with its members
    pd.testing.assert_frame_equal(models.load(tmp_path / "again").predict(history, 12), found, check_exact=True)


class Code:
    """What touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_code_in_a_checkpoint_is_not_run(saved: Path, tmp_path: Path):
    directory = shutil.copytree(saved, tmp_path / "model")
    torch.save([Code(tmp_path / "was run")], directory / "model.ckpt")
    with pytest.raises(UserError, match=r"model\.ckpt"):
        models.load(directory)
    assert not (tmp_path / "was run").exists()
    torch.load(directory / "model.ckpt", weights_only=False)
    assert (tmp_path / "was run").exists()
