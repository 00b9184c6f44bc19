"""Calendar, windows and the design matrix against plain loops."""

import calendar
import datetime

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecasting.models.linear.features import (
    LIMIT,
    LOOK_BACK_MONTHS,
    LookBack,
    days_in_month,
    design,
    rolling_mean,
    seasonal_profile,
    windows,
    working_days,
    year_on_year,
)
from forecasting.series.panels import month_number, month_start, panel
from forecasting.series.typical_error import seasonal_error
from synthetic import company, series

full_windows = arrays(np.float64, (3, LOOK_BACK_MONTHS), elements=st.floats(-1e6, 1e6, width=32))


@given(st.integers(1900, 2100), st.integers(1, 12))
def test_calendar_counts_agree_with_the_standard_library(year: int, month: int):
    number = month_number(pd.Series([pd.Timestamp(year, month, 1)]))
    days = calendar.monthrange(year, month)[1]
    weekdays = sum(datetime.date(year, month, day).weekday() < 5 for day in range(1, days + 1))
    assert days_in_month(number).tolist() == [days]
    assert working_days(number).tolist() == [weekdays]
    assert pd.Timestamp(month_start(number)[0]) == pd.Timestamp(year, month, 1)


def test_panel_is_right_aligned_and_keeps_gaps_whatever_the_order_of_rows():
    one, other = series([1, 2, 3, 4], "A/x", "2020-04-01"), series([7, 8], "B/x", "2021-01-01")
    frame = pd.concat([one.drop(index=2), other]).sample(frac=1, random_state=3)
    known = panel(frame)
    assert known.ids.tolist() == ["A/x", "B/x"]
    np.testing.assert_array_equal(known.values, [[1, 2, np.nan, 4], [np.nan, np.nan, 7, 8]])
    assert [pd.Timestamp(m) for m in month_start(known.last)] == [
        pd.Timestamp("2020-04-01"),
        pd.Timestamp("2021-01-01"),
    ]
    assert known.lengths.tolist() == [3, 2]
    assert (known.origins[:, -1] == known.last).all() and (np.diff(known.origins, axis=1) == 1).all()


def test_windows_end_at_their_column():
    values = np.arange(10.0).reshape(2, 5)
    seen = windows(values, length=3)
    for row in range(2):
        for column in range(5):
            expected = [values[row, column - k] if column >= k else np.nan for k in (2, 1, 0)]
            np.testing.assert_array_equal(seen[row, column], expected)


@given(full_windows, st.sampled_from([1, 3, 6, 12]))
def test_year_on_year_agrees_with_a_loop(window: np.ndarray, months: int):
    scale = np.abs(window).mean(axis=1)
    ratio, difference = year_on_year(window, months, scale)
    for row in range(len(window)):
        now = sum(window[row][-k] for k in range(1, months + 1)) / months
        before = sum(window[row][-k - 12] for k in range(1, months + 1)) / months
        assert np.isclose(difference[row], now - before, rtol=1e-9, atol=1e-6)
        if now * before > 0 and abs(before) > 2e-3 * scale[row]:
            assert np.isclose(ratio[row], min(max(now / before, 0.5), 2.0), rtol=1e-6)
        if now * before < -1e-6:
            assert ratio[row] == 1.0


@given(full_windows)
def test_seasonal_profile_agrees_with_a_loop(window: np.ndarray):
    profile = seasonal_profile(window)
    for row in range(len(window)):
        for month in range(12):
            distances = []
            for year in range(3):
                values = window[row][12 * year : 12 * year + 12]
                distances.append(values[month] - sum(values) / 12)
            assert np.isclose(profile[row, month], sum(distances) / 3, rtol=1e-9, atol=1e-5)


def test_means_use_only_what_is_known():
    window = np.full((1, LOOK_BACK_MONTHS), np.nan)
    window[0, -14:] = np.arange(14.0)
    assert rolling_mean(window, 3)[0] == 12.0
    assert rolling_mean(window, 12, before=12)[0] == 0.5  # two months of that year are known: 0 and 1
    assert seasonal_error(window)[0] == 12.0
    assert np.isnan(seasonal_error(np.where(np.arange(LOOK_BACK_MONTHS) < 24, np.nan, window))[0])


def test_design_does_not_depend_on_the_unit():
    known = panel(company())
    window = windows(known.values)[:, -1]
    for horizon in (1, 6, 12):
        plain, thousand = (design(LookBack.of(factor * window), known.last, horizon) for factor in (1.0, 1000.0))
        np.testing.assert_allclose(plain.features, thousand.features, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(1000.0 * plain.reference, thousand.reference, rtol=1e-12)
        np.testing.assert_allclose(1000.0 * plain.scale, thousand.scale, rtol=1e-12)


def test_design_refers_to_the_same_month_of_last_year_and_stays_there_without_history():
    values = np.full((1, LOOK_BACK_MONTHS), np.nan)
    values[0, -13:] = np.arange(13.0) + 1.0
    described = design(LookBack.of(values), np.array([600]), horizon=2)
    assert described.reference[0] == values[0, -11]
    by_name = dict(zip(described.names, described.features[0], strict=True))
    assert by_name["same_month_2y"] == 0.0 and by_name["same_month_3y_at_level"] == 0.0
    assert by_name["growth_3m"] == 0.0  # the three months of the year before are not all known
    assert by_name["change_1m"] * described.scale[0] == values[0, -1] - values[0, -13]


def test_design_is_finite_and_bounded_for_zeros_and_spikes():
    values = np.zeros((2, LOOK_BACK_MONTHS))
    values[1, -1] = 1e9
    described = design(LookBack.of(values), np.array([600, 600]), horizon=1)
    assert np.isfinite(described.features).all() and np.abs(described.features).max() <= LIMIT
    assert described.scale.tolist() == [0.0, 1e9 / 24]
