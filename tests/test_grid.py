"""Histories by the calendar: what is cut from them for a month is what a table up to it gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.intervals.conformal import naive_errors, naive_errors_at
from forecasting.series import Grid, panel
from synthetic import company

MONTHS = pd.date_range("2020-01-01", periods=20, freq="MS")
HISTORIES = st.lists(
    st.lists(st.sampled_from([None, 0.0, 1.5, -2.0]), min_size=1, max_size=len(MONTHS)).filter(
        lambda values: any(value is not None for value in values)
    ),
    min_size=1,
    max_size=5,
)


@given(HISTORIES, st.integers(0, len(MONTHS) - 1), st.randoms(use_true_random=False))
def test_what_was_known_at_a_month_is_the_panel_of_the_rows_up_to_it(histories, month, random):
    rows = [
        (f"s{number}", MONTHS[column], value)
        for number, values in enumerate(histories)
        for column, value in enumerate(values)
        if value is not None
    ]
    random.shuffle(rows)
    frame = pd.DataFrame(rows, columns=["unique_id", "ds", "y"])
    expected = panel(frame[frame["ds"] <= MONTHS[month]])
    found = Grid.of(frame).until(MONTHS[month])
    assert found.ids.tolist() == expected.ids.tolist() and found.last.tolist() == expected.last.tolist()
    np.testing.assert_array_equal(found.values, expected.values)


def test_the_seasonal_naives_errors_at_a_cutoff_are_those_of_the_history_up_to_it():
    actuals = company(30).assign(aggregation="series")
    cutoffs = [pd.Timestamp("2020-12-01"), pd.Timestamp("2021-06-01"), actuals["ds"].max()]
    naive = naive_errors_at(actuals)
    for cutoff in cutoffs:
        expected = naive_errors(actuals[actuals["ds"] <= cutoff])
        found = naive(cutoff)
        assert found.keys() == expected.keys()
        assert found["series"].tolist() == pytest.approx(expected["series"].tolist(), rel=1e-15)
