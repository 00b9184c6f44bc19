"""Every measure against a loop, and against utilsforecast where it has it."""

import math

import numpy as np
import pandas as pd
import pytest
import utilsforecast.losses as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import QUANTILE_COLUMNS, QUANTILES
from forecasting.evaluation.metrics import METRICS, excluded, score

COLUMNS = list(QUANTILE_COLUMNS)
number = st.one_of(st.just(0.0), st.floats(-1e6, 1e6).map(lambda x: round(x, 2)))


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Rows of one series and cutoff: actuals, ordered quantiles, scales."""
    n = draw(st.integers(1, 12))
    quantiles = np.sort([draw(st.lists(number, min_size=11, max_size=11)) for _ in range(n)], axis=1)
    frame = pd.DataFrame(quantiles, columns=COLUMNS)
    frame["y"] = draw(st.lists(number, min_size=n, max_size=n))
    frame["scale"], frame["squared_scale"] = draw(st.floats(0.01, 1e6)), draw(st.floats(0.01, 1e6))
    return frame.assign(
        unique_id="A/x", cutoff=pd.Timestamp("2020-01-01"), ds=pd.date_range("2020-02-01", periods=n, freq="MS")
    )


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def by_loop(frame: pd.DataFrame) -> dict[str, float]:
    """Compute every measure one row at a time."""
    lists: dict[str, list[float]] = {name: [] for name in METRICS}
    absolute_error = absolute_actual = loss = 0.0
    for row in frame.to_dict("records"):
        error, y = row["q500"] - row["y"], row["y"]
        lists["mae"].append(abs(error))
        lists["rmse"].append(error**2)
        lists["bias"].append(error)
        lists["mase"].append(abs(error) / row["scale"])
        lists["rmsse"].append(error**2 / row["squared_scale"])
        lists["coverage_80"].append(float(row["q100"] <= y <= row["q900"]))
        lists["coverage_95"].append(float(row["q025"] <= y <= row["q975"]))
        if y != 0:
            lists["mape"].append(100 * abs(error) / abs(y))
        if abs(y) + abs(row["q500"]) > 0:
            lists["smape"].append(200 * abs(error) / (abs(y) + abs(row["q500"])))
        for level, column in zip(QUANTILES, COLUMNS, strict=True):
            missed = y - row[column]
            loss += (level * missed if missed >= 0 else (level - 1) * missed) / len(COLUMNS)
        absolute_error, absolute_actual = absolute_error + abs(error), absolute_actual + abs(y)
    result = {name: mean(values) for name, values in lists.items()}
    result["rmse"], result["rmsse"] = math.sqrt(result["rmse"]), math.sqrt(result["rmsse"])
    result["wape"] = absolute_error / absolute_actual if absolute_actual else math.nan
    result["scaled_crps"] = 2 * loss / absolute_actual if absolute_actual else math.nan
    return result


@given(tables())
def test_measures_agree_with_a_loop(frame: pd.DataFrame):
    expected = by_loop(frame)
    for name, measure in METRICS.items():
        assert measure(frame) == pytest.approx(expected[name], rel=1e-9, abs=1e-9, nan_ok=True), name


@settings(max_examples=40)
@given(tables())
def test_measures_agree_with_utilsforecast(frame: pd.DataFrame):
    plain = {"mae": 1, "rmse": 1, "bias": 1, "wape": 1, "mape": 100}
    for name, factor in plain.items():
        found = getattr(theirs, name)(frame, ["q500"])["q500"].item() * factor
        assert METRICS[name](frame) == pytest.approx(found, rel=1e-9, abs=1e-9, nan_ok=True), name
    some = frame[
        (frame["y"] != 0) | (frame["q500"] != 0)
    ]  # utilsforecast counts 0 of 0 as a perfect forecast; we leave it out
    if len(some):
        assert METRICS["smape"](frame) == pytest.approx(
            200 * theirs.smape(some, ["q500"])["q500"].item(), rel=1e-9, abs=1e-9
        )
    bounds = frame.rename(columns={"q100": "m-lo-80", "q900": "m-hi-80", "q025": "m-lo-95", "q975": "m-hi-95"})
    for level in (80, 95):
        assert METRICS[f"coverage_{level}"](frame) == theirs.coverage(bounds, ["m"], level)["m"].item()
    if frame["y"].abs().sum() > 0:
        found = theirs.scaled_crps(frame, {"m": COLUMNS}, np.array(QUANTILES))["m"].item()
        assert METRICS["scaled_crps"](frame) == pytest.approx(found, rel=1e-6, abs=1e-9)


@settings(max_examples=40)
@given(tables(), st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 2)), min_size=15, max_size=40))
def test_scaled_errors_agree_with_utilsforecast(frame: pd.DataFrame, history: list[float]):
    changes = np.array(history[12:]) - np.array(history[:-12])
    if np.abs(changes).max() < 0.01:
        return
    months = pd.date_range(end="2020-01-01", periods=len(history), freq="MS")
    train = pd.DataFrame({"unique_id": "A/x", "ds": months, "y": history})
    scaled = frame.assign(scale=np.abs(changes).mean(), squared_scale=(changes**2).mean())
    for name in ("mase", "rmsse"):
        found = getattr(theirs, name)(frame, ["q500"], 12, train)["q500"].item()
        assert METRICS[name](scaled) == pytest.approx(found, rel=1e-9, abs=1e-9), name


def test_zeros_are_counted_and_not_measured():
    values = {"y": [0.0, 0.0, 10.0], "q500": [0.0, 5.0, 5.0], "scale": [2.0, np.nan, 0.0], "squared_scale": 4.0}
    frame = pd.DataFrame({name: [0.0] * 3 for name in COLUMNS}).assign(**values)
    assert excluded(frame) == {"mape_excluded": 2, "smape_excluded": 1, "mase_excluded": 2}
    assert METRICS["mape"](frame) == 50.0 and METRICS["mase"](frame) == 0.0
    assert METRICS["smape"](frame) == pytest.approx((200 + 200 * 5 / 15) / 2)
    only_zeros = frame.iloc[:1]
    assert all(math.isnan(METRICS[name](only_zeros)) for name in ("mape", "smape", "wape", "scaled_crps"))


@settings(max_examples=20)
@given(tables(), tables())
def test_score_measures_each_group_by_itself(one: pd.DataFrame, other: pd.DataFrame):
    table = score(pd.concat([other.assign(model_name="b"), one.assign(model_name="a")]), ["model_name"])
    assert table["model_name"].tolist() == ["a", "b"] and table["n"].tolist() == [len(one), len(other)]
    for row, frame in zip(table.to_dict("records"), (one, other), strict=True):
        for name, measure in METRICS.items():
            assert row[name] == pytest.approx(measure(frame), rel=1e-12, nan_ok=True)
        assert {key: row[key] for key in excluded(frame)} == excluded(frame)


def test_a_table_without_rows_keeps_the_kinds_of_its_keys():
    """A history too short for any cutoff has nothing to score; dates stay dates for what is done with the table next."""
    frame = pd.DataFrame({"cutoff": pd.Series(dtype="datetime64[ns]"), "horizon": pd.Series(dtype="int64")})
    found = score(frame, ["cutoff", "horizon"])
    assert found.empty and found["cutoff"].dtype == "datetime64[ns]" and found["horizon"].dtype == "int64"
