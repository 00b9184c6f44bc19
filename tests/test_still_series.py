"""A series that never changes: its own forecast, an interval without width, and no jump where one month moves by a cent."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import BOUNDS
from forecasting.evaluation.backtest import forecast_nodes, known_at, walk_forward
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.evaluation.ranking import leaderboard
from forecasting.intervals import METHODS, Calibration, calibrate_backtest, calibrate_forecasts
from forecasting.models.boosting import BoostingModel, DirectBoostingModel
from forecasting.models.combination.combining import past_errors
from forecasting.models.linear import LinearModel
from forecasting.models.naive import SeasonalNaive
from forecasting.models.statistical import AutoETS
from forecasting.series import as_nodes, month_number, panel
from forecasting.series.typical_error import typical_error
from forecasting.serving.served_model import Series, ServedModel
from synthetic import company, series

MODELS = {
    "linear": LinearModel,
    "seasonal_naive": SeasonalNaive,
    "auto_ets": AutoETS,
    "lightgbm": lambda: BoostingModel(trees=10),
    "lightgbm_direct": lambda: DirectBoostingModel(trees=10),
}
VALUES = ["predicted_value", *BOUNDS]
SEASON = [5000.0 + 900.0 * np.sin(month) for month in range(12)]
STILL = {
    "constant": [5000.0] * 60,
    "small": [0.25] * 60,
    "a loss": [-5000.0] * 60,
    "zeros": [0.0] * 60,
    "young": [5000.0] * 14,
    "two months": [5000.0] * 2,
    "a season that repeats itself": SEASON * 5,
    "every third month": [0.0, 0.0, 500.0] * 20,
    "once a year": [12000.0, *[0.0] * 11] * 5,
}


def with_others(values: list[float]) -> pd.DataFrame:
    """A company of six noisy series and this one."""
    return pd.concat([company(60, seed=5), series(values, "R0/Contracts")], ignore_index=True)


def calibrated(train: pd.DataFrame, model, method: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame, Calibration]:
    """Return the back-test's rows, the forecast (by aggregation, unique_id, horizon) and its calibration."""
    table = plan(train["ds"], n_cutoffs=3, n_calibration=3)
    past = calibrate_backtest(walk_forward(model, train, "sales", list(table["cutoff"])), train, "sales", table, True)
    found = Calibration.from_json(past.calibration | ({"reconciliation": method} if method else {}))
    raw = forecast_nodes(model.fit(as_nodes(train)), known_at(train, train["ds"].max()), 6, False)
    rows = calibrate_forecasts(raw, train, "sales", model.name, "published", found, True).rows
    return past.rows, rows.set_index(["aggregation", "unique_id", "horizon"]), found


CASES = [*(("linear", kind) for kind in STILL), *((name, "constant") for name in MODELS if name != "linear")]


@pytest.mark.parametrize(("name", "kind"), [*CASES, ("lightgbm_direct", "a season that repeats itself")])
def test_a_series_that_never_changes_is_forecast_as_itself_without_a_width(name: str, kind: str):
    train = with_others(STILL[kind])
    past, found, calibration = calibrated(train, MODELS[name]())
    own = found.loc["series", "R0/Contracts"]
    expected = STILL[kind][:6] if len(set(STILL[kind])) > 1 else STILL[kind][:1] * 6
    for column in VALUES:
        assert own[column].tolist() == pytest.approx(expected, rel=1e-9)
    before = past[(past["aggregation"] == "series") & (past["unique_id"] == "R0/Contracts")]
    if kind != "two months":  # one month tells nothing of changes: its level is the only measure there is
        assert before["scale"].isna().all() and not (before["q975"] - before["q025"]).max() > 1e-6
    others = found[found["product_category"] != "Contracts"]
    assert (others["hi_80"] > others["lo_80"]).all()
    served = ServedModel("inventory", MODELS[name]().fit(as_nodes(train)), calibration, True)
    answer = served.forecast_series([Series(np.array(STILL[kind]), month_number(train["ds"]).max())], 6)[0]
    assert np.ptp(answer.quantiles, axis=1).max() <= 1e-6 and answer.points == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_sums_that_disagree_do_not_move_what_never_changes(method: str):
    _, found, _ = calibrated(with_others([5000.0] * 60), LinearModel(), method)
    assert found.loc[("series", "R0/Contracts"), "predicted_value"].tolist() == [5000.0] * 6
    total = found.loc[("total", "All/All"), "predicted_value"]
    assert total.tolist() == pytest.approx(found.loc["series", "predicted_value"].groupby("horizon").sum().tolist())


NEARLY = {"constant": [5000.0] * 60, "young": [5000.0] * 14, "season": SEASON * 5}
NEARLY_CASES = [("linear", "constant"), ("linear", "young"), ("linear", "season"), ("lightgbm", "constant")]


@pytest.mark.parametrize(
    ("name", "kind"), [*NEARLY_CASES, ("lightgbm_direct", "constant"), ("lightgbm_direct", "young")]
)
def test_a_cent_moves_no_bound_by_much(name: str, kind: str):
    """Of the series itself by some cents; of the others and of the sums by what they would move anyway: next to nothing."""
    values = NEARLY[kind]
    _, before, _ = calibrated(with_others(values), MODELS[name]())
    for month in (len(values) // 2, -1):
        moved = [*values]
        moved[month] += 0.01
        _, after, _ = calibrated(with_others(moved), MODELS[name]())
        assert (after[VALUES] - before[VALUES]).abs().le(0.25 + 1e-5 * before[VALUES].abs()).all(axis=None)
        own = (after[VALUES] - before[VALUES]).loc["series", "R0/Contracts"]
        assert own.abs().max(axis=None) < 0.08


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.sampled_from([-0.02, -0.01, 0.01, 0.02]), min_size=1, max_size=4),
    st.integers(0, 10_000),
    st.sampled_from([5.0, 800.0, 5000.0, 2e6]),
)
def test_cents_make_cents(changes: list[float], seed: int, level: float):
    """Wherever they fall: no bound moves by more than some times all that changed."""
    rng = np.random.default_rng(seed)
    moved = np.full(60, level)
    np.add.at(moved, rng.integers(0, 60, len(changes)), changes)
    _, before, _ = calibrated(with_others([level] * 60), SeasonalNaive())
    _, after, _ = calibrated(with_others(moved.tolist()), SeasonalNaive())
    assert (after[VALUES] - before[VALUES]).abs().max(axis=None) <= 10 * np.abs(changes).sum()


def test_alone_it_has_no_mase_and_no_width_and_nothing_breaks():
    train = series([5000.0] * 48)
    past, found, _ = calibrated(train, LinearModel())
    assert (found[VALUES] == 5000.0).all(axis=None)
    board = leaderboard(past, train)
    assert board["mase"].isna().all() and board["rmsse"].isna().all() and (board["mae"] == 0).all()


def test_what_never_changes_has_no_say_in_the_weights_of_a_combination():
    train = with_others([5000.0] * 59 + [5000.01])
    table = plan(train["ds"], n_cutoffs=3, n_calibration=3)
    raw = walk_forward(LinearModel(), train, "sales", list(table["cutoff"]))
    known = past_errors(raw, train, ["linear"])
    assert len(known) and "R0/Contracts" not in set(known["unique_id"])


ALIKE = {  # the typical error of what never changes but for so much, in its unit: months, and how many changes of a cent that makes
    "every other month": ([500.0, 0.0] * 30, 0),
    "a loss every quarter": ([0.0, 0.0, -900.0] * 20, 0),
    "once a year": ([12000.0, *[0.0] * 11] * 5, 0),
    "a cent more every other month": ([5000.0, 5000.01] * 30, 0),
    "a cent, in the middle": ([5000.0] * 30 + [5000.01] + [5000.0] * 29, 2),
    "a cent, at the end": ([5000.0] * 59 + [5000.01], 1),
    "a cent, at the beginning": ([5000.01] + [5000.0] * 59, 1),
    "a cent of millions": ([5e6] * 59 + [5000000.01], 1),
    "a cent of a cent": ([0.01] * 59 + [0.02], 1),
    "a cent of an order now and then": ([0.0, 0.0, 500.0] * 19 + [0.0, 0.0, 500.01], 1),
    "a cent a year": ([5000.0 + 0.01 * (month // 12) for month in range(60)], 48),
    "a young one": ([5000.0] * 13 + [5000.01], 1),
}


@pytest.mark.parametrize("name", ALIKE)
def test_the_level_is_no_measure_of_change(name: str):
    values, n_cents = ALIKE[name]
    zeros = next(place for place, value in enumerate(values) if value)  # those before it began are no history
    months = len(values) - 12 - zeros
    found = float(typical_error(panel(series(values)))[0])
    monthly = sum(abs(b - a) for a, b in pairwise(values)) / (len(values) - 1) if months < 12 else 0.0
    assert found == pytest.approx(max(0.01 * n_cents / months, monthly), abs=1e-8)
