"""A series without gaps in its own unit, and the bounds of its forecasts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.series.history import histories, history_bounds, within_history
from forecasting.series.panels import panel
from synthetic import series


def test_a_missing_month_lies_between_its_neighbours_and_months_before_the_first_are_left_out():
    frame = series([np.nan, 1.0, np.nan, np.nan, 7.0, 5.0], end="2020-06-01").dropna()
    found = dict(histories(panel(frame)))["North/Bikes"]
    assert found.first == 50 * 12 + 1 and found.values.tolist() == [1.0, 3.0, 5.0, 7.0, 5.0]


def test_a_history_continues_an_earlier_one_only_if_nothing_of_it_changed():
    long, short, other, later = (
        dict(histories(panel(series(values, end=end))))["North/Bikes"]
        for values, end in (
            ([1.0, 2.0, 3.0], "2020-03-01"),
            ([1.0, 2.0], "2020-02-01"),
            ([1.0, 9.0], "2020-02-01"),
            ([1.0, 2.0], "2020-03-01"),
        )
    )
    assert long.continues(short) and long.continues(long)
    assert not short.continues(long) and not long.continues(other) and not long.continues(later)


def test_zeros_have_the_scale_one_and_constants_are_recognised_in_every_unit():
    for value, scale in ((0.0, 1.0), (0.1, 0.1), (-3e9, 3e9)):
        found = dict(histories(panel(series(np.full(17, value)))))["North/Bikes"]
        assert found.is_constant and found.scale == pytest.approx(scale)
    assert not dict(histories(panel(series([1.0, 1.0 + 1e-6]))))["North/Bikes"].is_constant


@pytest.mark.parametrize(
    ("values", "lower", "upper"),
    [([4.0, 10.0], 2.0, 20.0), ([0.0, 10.0], 0.0, 20.0), ([-10.0, -4.0], -20.0, -2.0), ([-2.0, 3.0], -7.0, 8.0), ([0.0, 0.0], 0.0, 0.0)],
)  # fmt: skip
def test_bounds(values: list[float], lower: float, upper: float):
    found = history_bounds(np.array([[np.nan, *values]]))
    assert (found[0].tolist(), found[1].tolist()) == ([lower], [upper])


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=10), st.floats(-1e4, 1e4))
def test_a_forecast_within_the_range_of_its_history_is_kept(values: list[int], point: float):
    kept = within_history(np.array([[point, np.inf]]), np.array([values], dtype=float))
    assert np.isnan(kept[0, 1])
    if min(values) <= point <= max(values):
        assert kept[0, 0] == point
    if min(values) > 0:
        assert kept[0, 0] > 0
