"""Any series, however short, long, empty, negative or large: every model, or its fallback, gives finite numbers, twice the same."""

import numpy as np
import pandas as pd
import pytest

from forecasting import models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.evaluation.backtest import forecast_nodes, known_at, walk_forward
from forecasting.intervals import Calibration, calibrate_backtest, calibrate_forecasts
from forecasting.models.base import Model
from forecasting.series.hierarchy import Hierarchy, as_nodes
from synthetic import series

COLUMNS = list(QUANTILE_COLUMNS)
LENGTHS = (1, 5, 12, 13, 24, 37, 400)
SHORT = (1, 5, 12, 13)
NOISE = np.random.default_rng(11).lognormal(3.0, 0.4, 400)
KINDS = {
    "constant": lambda n: np.full(n, 5.0),
    "zero": np.zeros,
    "mostly zero": lambda n: np.where(np.arange(n) % 10 == 3, 3.0, 0.0),
    "negative": lambda n: -NOISE[:n] - 1.0,
    "huge": lambda n: 1e9 * NOISE[:n] / 20.0,
    "plain": lambda n: NOISE[:n],
}
HORIZONS = (6, 24)
SETTINGS = {
    "cnn_lstm": {"networks": 1, "steps": 20, "channels": 4, "hidden": 4, "batch": 64},
    "lightgbm": {"trees": 20},
    "lightgbm_direct": {"trees": 20},
}
MEMBERS = ("seasonal_naive", "linear", "dynamic_optimized_theta", "lightgbm", "lightgbm_direct", "cnn_lstm")
NAMES = [model.name for family in models.families() for model in models.family_models(family)]


def small(name: str) -> Model:
    """A model of this name with settings that cost little; a combination has members, the weighted one weights."""
    if models.get(name).family != "combination":
        return models.get(name)(**SETTINGS.get(name, {}))
    model = models.get(name)([small(member) for member in MEMBERS])
    if name == "weighted":
        errors = np.random.default_rng(1).normal(size=(40, len(MEMBERS))) * [1.0, 0.9, 0.8, 0.9, 0.8, 0.7]
        month = pd.date_range("2020-01-01", periods=40, freq="MS")
        model.learn(
            pd.DataFrame(errors, columns=model.names).assign(
                aggregation="series", unique_id="A", ds=month, bucket="1-3"
            )
        )
    return model


def panel_of(lengths: tuple[int, ...]) -> pd.DataFrame:
    """One series of every kind for every length, all ending in the same month."""
    parts = [series(make(length), f"{length}/{kind}") for length in lengths for kind, make in KINDS.items()]
    return pd.concat(parts, ignore_index=True)


def forecasts(name: str, frame: pd.DataFrame) -> dict[int, pd.DataFrame]:
    fitted = small(name).fit(frame)
    return {horizon: models.forecast(fitted, frame, horizon, flow=False) for horizon in HORIZONS}


def check(found: pd.DataFrame, frame: pd.DataFrame, horizon: int, model: Model) -> None:
    """The right rows, finite and ordered quantiles, and a flag wherever the model could not speak."""
    ids = sorted(frame["unique_id"].unique())
    assert list(found.columns) == ["unique_id", "ds", "horizon", *COLUMNS, "is_fallback"]
    assert found["unique_id"].tolist() == [key for key in ids for _ in range(horizon)]
    months = pd.date_range(frame["ds"].max(), periods=horizon + 1, freq="MS")[1:]
    assert found["ds"].tolist() == list(months) * len(ids)
    assert found["horizon"].tolist() == list(range(1, horizon + 1)) * len(ids)
    quantiles = found[COLUMNS].to_numpy()
    assert np.isfinite(quantiles).all() and (np.diff(quantiles, axis=1) >= 0).all()
    length, kind = found["unique_id"].str.split("/", expand=True).T.to_numpy()
    assert found.loc[length.astype(int) < model.min_history, "is_fallback"].all()
    assert (quantiles[kind == "zero"] == 0).all()
    size = np.abs(found["q500"].to_numpy())
    typical = frame.groupby("unique_id")["y"].apply(lambda y: y.abs().max())[found["unique_id"]].to_numpy()
    assert (size <= 50 * typical).all()


def lengths_of(name: str) -> tuple[int, ...]:
    """The lengths that a model is tried with: the costliest one with the short ones."""
    return SHORT if name == "auto_arima" else LENGTHS


@pytest.mark.parametrize(
    ("name", "length"),
    [(name, length) for name in NAMES if models.get(name).family != "combination" for length in lengths_of(name)],
)
def test_series_of_one_length_alone(name: str, length: int):
    frame = panel_of((length,))
    first, second = forecasts(name, frame), forecasts(name, frame)
    for horizon in HORIZONS:
        check(first[horizon], frame, horizon, small(name))
        pd.testing.assert_frame_equal(second[horizon], first[horizon], check_exact=True)


@pytest.mark.parametrize("name", NAMES)
def test_all_of_them_side_by_side_in_any_order_of_rows(name: str):
    frame = panel_of(lengths_of(name))
    first, second = forecasts(name, frame), forecasts(name, frame.sample(frac=1, random_state=3))
    for horizon in HORIZONS:
        check(first[horizon], frame, horizon, small(name))
        pd.testing.assert_frame_equal(second[horizon], first[horizon], check_exact=True)
    spoken = first[24].loc[~first[24]["is_fallback"], "unique_id"].unique()
    able = [n for n in lengths_of(name) if n >= small(name).min_history and not models.get(name).is_specialist]
    assert {f"{n}/plain" for n in able} <= set(spoken)


@pytest.mark.parametrize("name", NAMES)
def test_published_numbers_are_finite_ordered_and_coherent(name: str):
    train, model = panel_of(lengths_of(name)), small(name)
    chosen = [train["ds"].max() - pd.DateOffset(months=back) for back in (4, 2)]
    raw = walk_forward(model, train, "sales", chosen)
    history = known_at(train, train["ds"].max())
    ahead = forecast_nodes(model.fit(as_nodes(history)), history, 24, flow=True)
    plan = pd.DataFrame({"cutoff": chosen, "evaluation_set": "choice"})
    for allow_negative in (True, False):
        backtest = calibrate_backtest(raw, train, "sales", plan, allow_negative)
        calibration = Calibration.from_json(backtest.calibration)
        published = calibrate_forecasts(ahead, train, "sales", name, "published", calibration, allow_negative).rows
        check_bounds(backtest.rows[COLUMNS], allow_negative)
        check_bounds(published[["lo_95", "lo_80", "predicted_value", "hi_80", "hi_95"]], allow_negative)
        assert len(published) == 24 * len(Hierarchy.of(train).nodes)
        assert (published["hi_95"] > published["lo_95"]).mean() > 0.5
        sums = published[published["aggregation"] == "series"].groupby("horizon")["predicted_value"].sum()
        total = published[published["aggregation"] == "total"].set_index("horizon")["predicted_value"]
        np.testing.assert_allclose(total, sums, rtol=1e-9)


def check_bounds(bounds: pd.DataFrame, allow_negative: bool) -> None:
    """Finite, in order from the lowest to the highest, and below zero only where that is allowed."""
    values = bounds.to_numpy()
    assert np.isfinite(values).all() and (np.diff(values, axis=1) >= 0).all()
    assert (values >= 0).all() != allow_negative


def test_the_weighted_combination_gets_weights_from_such_series_too():
    train = panel_of((5, 13, 37))
    chosen = [train["ds"].max() - pd.DateOffset(months=back) for back in (6, 4, 2)]
    members = [small(name) for name in ("naive", "seasonal_naive", "linear")]
    raw = pd.concat([walk_forward(member, train, "sales", chosen) for member in members])
    model = models.get("weighted")(members)
    found = model.walk_forward(raw, train)
    assert np.isfinite(found[COLUMNS].to_numpy()).all()
    np.testing.assert_allclose(model.weights.sum(axis=1), 1.0)
    assert (model.weights >= 0).all(axis=None) and not np.allclose(model.weights.loc["1-3"], 1 / 3)
