"""Zeros before a series' first value are no history: not for models, not for scales, not for intervals; people still see them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import evaluation, models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.evaluation.ranking import scored_rows
from forecasting.intervals import naive_errors
from forecasting.series import aggregate_actuals, panel, scales
from forecasting.serving import served_model
from synthetic import company, series

ZEROS = 14
NEW = "R0/New"


def with_new(zeros: int, months: int = 40) -> pd.DataFrame:
    """A company with one more series that begins late, after so many months of zeros in the table."""
    rng = np.random.default_rng(7)
    sold = 50.0 * (1.0 + 0.3 * np.sin(np.arange(months) / 2.0)) + rng.normal(0.0, 4.0, months)
    return pd.concat([company(60), series([*[0.0] * zeros, *sold], NEW)], ignore_index=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.0, 1.5, -2.0, None]), min_size=1, max_size=30), min_size=1, max_size=4)
)
def test_a_history_begins_with_its_first_value_that_is_not_zero(values: list[list[float | None]]):
    rows = [[*each, 0.0] for each in values]  # the last month is known
    table = pd.concat([series([np.nan if v is None else v for v in row], f"A/{n}") for n, row in enumerate(rows)])
    known = panel(table.dropna())
    for row, found in zip(rows, known.values, strict=True):
        first = next((place for place, value in enumerate(row) if value), None)
        expected = row if first is None else [None] * first + row[first:]
        width = len(found)
        shown = [None if np.isnan(v) else v for v in found]
        assert shown == ([None] * width + expected)[-width:]


@pytest.mark.parametrize("name", ["seasonal_naive", "linear", "auto_ets", "dynamic_optimized_theta"])
def test_models_forecast_as_if_the_zeros_were_not_there(name: str):
    said = []
    for zeros in (0, ZEROS):
        train = with_new(zeros)
        model = models.get(name)().fit(train)
        said.append(models.forecast(model, train, 6, flow=True))
    pd.testing.assert_frame_equal(*said)


def test_what_is_shorter_than_a_model_needs_gets_the_fallback_however_many_zeros_come_before():
    train = with_new(30, months=5)
    found = models.forecast(models.get("linear")().fit(train), train, 3, flow=True)
    own = found[found["unique_id"] == NEW]
    assert own["is_fallback"].all()
    assert own["q500"].to_numpy() == pytest.approx(train.loc[train["unique_id"] == NEW, "y"].tail(5).mean())


def test_a_server_sees_the_same_history_as_a_notebook():
    train = with_new(ZEROS)
    own = train.loc[train["unique_id"] == NEW]
    handed_in = served_model._panel([served_model.Series(own["y"].to_numpy(), int(panel(own).last[0]))])
    assert np.array_equal(handed_in.values, panel(own).values, equal_nan=True)


def test_scales_and_errors_in_the_history_do_not_see_them():
    cutoff = pd.Timestamp("2023-12-01")
    found = []
    for zeros in (0, ZEROS):
        single = with_new(zeros).query("unique_id == @NEW")
        actuals = single.assign(aggregation="series")[["aggregation", "unique_id", "ds", "y"]]
        found.append((scales(actuals, [cutoff]), naive_errors(actuals)["series"]))
    pd.testing.assert_frame_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])


def rows_of(train: pd.DataFrame, forecast: float, cutoff: str) -> pd.DataFrame:
    """What a model said of the one series of a training set, always the same."""
    known = scales(aggregate_actuals(train), [pd.Timestamp(cutoff)]).query("aggregation == 'series'")
    ahead = pd.DataFrame({"horizon": range(1, 4), "ds": pd.date_range(cutoff, periods=4, freq="MS")[1:]})
    said = known.merge(ahead, how="cross").assign(
        model_name="seasonal_naive", **dict.fromkeys(QUANTILE_COLUMNS, forecast)
    )
    return said.rename(columns={"typical_error": "of"})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 20), st.integers(20, 40), st.integers(0, 1000))
def test_mase_and_rmsse_agree_with_a_loop_over_the_history(zeros: int, months: int, seed: int):
    values = np.random.default_rng(seed).normal(100.0, 20.0, months)
    train = series([*[0.0] * zeros, *values], NEW)
    cutoff = train["ds"].iloc[-4]
    rows = scored_rows(rows_of(train, 90.0, str(cutoff.date())), train)
    past, coming = values[:-3], values[-3:]
    changes = [past[i] - past[i - 12] for i in range(12, len(past))]
    monthly = [abs(past[i] - past[i - 1]) for i in range(1, len(past))]
    size = np.mean(np.abs(changes))
    size = max(size, np.mean(monthly)) if len(changes) < 12 else size
    assert evaluation.metrics.mase(rows) == pytest.approx(np.mean(np.abs(90.0 - coming)) / size)
    assert evaluation.metrics.rmsse(rows) == pytest.approx(
        np.sqrt(np.mean((90.0 - coming) ** 2) / np.mean(np.square(changes)))
    )


@pytest.mark.parametrize(
    "values",
    [
        [*[0.0] * 60, 500.0, 503.0, 480.0, 900.0, 4000.0],  # zero until two months before the cutoff
        [*[0.0] * 20, 9.0, *[0.0] * 40, 900.0, 0.0, 900.0, 0.0],  # 99 % zeros
    ],
)
def test_one_series_that_is_barely_known_does_not_decide_the_mase_of_a_set(values: list[float]):
    train = pd.concat([company(60), series(values, NEW)], ignore_index=True)
    cutoff = train["ds"].max() - pd.DateOffset(months=3)
    model = models.get("seasonal_naive")()
    plan = pd.DataFrame({"cutoff": [cutoff], "evaluation_set": ["choice"]})
    scored = {}
    for name, table in {"with": train, "without": company(60)}.items():
        made = evaluation.back_test(model, table, "sales", plan, allow_negative=True)
        board = evaluation.leaderboard(made.rows, table).query("aggregation == 'series' and horizon_group == 'all'")
        scored[name] = board.iloc[0]
    assert scored["with"]["mase"] == pytest.approx(scored["without"]["mase"])
    assert scored["with"]["mase_excluded"] == 3 and scored["without"]["mase_excluded"] == 0
