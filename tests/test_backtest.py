"""Cutoffs against their definition; nothing after a cutoff is seen."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import RAW_BACKTEST_COLUMNS
from forecasting.evaluation.backtest import (
    back_test,
    continued,
    empty_backtest,
    forecast_nodes,
    known_at,
    refit_month,
    walk_forward,
)
from forecasting.evaluation.cutoffs import COMPARED, cutoffs
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.models.base import Model, point_forecast
from forecasting.models.linear import LinearModel
from forecasting.models.naive import SeasonalNaive
from forecasting.series.hierarchy import aggregate_actuals, as_nodes
from forecasting.series.panels import panel
from synthetic import company, series


@given(st.integers(0, 80), st.integers(1, 12), st.integers(1, 8), st.integers(1, 40), st.integers(1, 4))
def test_cutoffs_follow_their_definition(n_months: int, horizon: int, n: int, min_train: int, step: int):
    months = pd.date_range("2015-01-01", periods=n_months, freq="MS")
    expected = []
    for back in range(horizon, n_months, step):
        known = n_months - back
        if known >= min_train and len(expected) < n:
            expected.insert(0, months[known - 1])
    assert cutoffs(months[::-1].repeat(2), horizon, n, min_train, step) == expected


def test_plan_names_what_each_cutoff_is_for():
    months = pd.date_range("2018-01-01", periods=60, freq="MS")
    table = plan(months, n_cutoffs=6, n_calibration=3)
    assert table["evaluation_set"].tolist() == ["calibration"] * 3 + ["choice"] * 4 + ["held_out"] * 2 + ["recent"] * 5
    compared = table[table["evaluation_set"].isin(COMPARED)]
    assert compared["cutoff"].iloc[-1] == months[-7] and table["cutoff"].tolist() == list(months[-15:-1])
    for n_months, sets in {
        24: [],
        25: [],
        29: [],
        30: ["held_out"],
        31: ["held_out"] * 2,
        32: ["choice", "held_out", "held_out"],
    }.items():
        recent = min(max(n_months - 24, 0), 5)  # at least 24 months are known at each, and the month after it
        assert plan(months[:n_months])["evaluation_set"].tolist() == sets + ["recent"] * recent
    expected = ["calibration", *["choice"] * 4, *["held_out"] * 2, *["recent"] * 5]
    assert plan(months[:36])["evaluation_set"].tolist() == expected


def test_recent_cutoffs_have_the_horizons_that_were_observed():
    train = company(40)
    table = plan(train["ds"], n_cutoffs=1, n_calibration=0)
    rows = back_test(SeasonalNaive(), train, "sales", table, False)
    assert rows.rows.groupby("cutoff")["horizon"].max().tolist() == [6, 5, 4, 3, 2, 1]
    assert set(rows.raw.groupby("cutoff")["horizon"].max()) == {6}  # what was said of months to come is measured later


class Spy(Model):
    """Notes what it is shown; its forecast is the number of fits so far."""

    name = "spy"
    family = "test"
    refit_every = 2

    def fit(self, train: pd.DataFrame) -> "Spy":
        LOG.append(("fit", train["ds"].max(), train["unique_id"].nunique()))
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        LOG.append(("predict", history["ds"].max(), history["unique_id"].nunique()))
        known = panel(history)
        return point_forecast(known.ids, known.last, np.full((len(known.ids), horizon), 1.0))


LOG: list[tuple[str, pd.Timestamp, int]] = []


def test_walk_forward_shows_a_model_the_past_only_and_refits_on_the_calendar():
    LOG.clear()
    train = company(60)  # January 2019 to December 2023
    chosen = cutoffs(train["ds"], n_cutoffs=5)  # February to June
    walk_forward(Spy(), train, "sales", chosen)
    january, march, may = (pd.Timestamp(2023, month, 1) for month in (1, 3, 5))
    assert [(kind, cutoff) for kind, cutoff, _ in LOG] == [
        ("fit", january), ("predict", chosen[0]), ("fit", march), ("predict", chosen[1]), ("predict", chosen[2]),
        ("fit", may), ("predict", chosen[3]), ("predict", chosen[4]),
    ]  # fmt: skip


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 24))
def test_a_refit_month_is_the_last_on_the_calendar_at_which_enough_was_known(n_known: int, start: int, every: int):
    first = pd.Timestamp("2001-01-01") + pd.DateOffset(months=start)
    cutoff = first + pd.DateOffset(months=n_known)
    found = refit_month(cutoff, first, every)
    possible = [cutoff - pd.DateOffset(months=back) for back in range(n_known + 1)]
    on_calendar = [
        m for m in possible if (m.year * 12 + m.month - 1) % every == 0 and m >= first + pd.DateOffset(months=23)
    ]
    earliest = first + pd.DateOffset(months=23)
    assert found == (on_calendar[0] if on_calendar else min(cutoff, earliest))


def test_what_is_said_at_a_cutoff_does_not_depend_on_the_month_from_which_one_looks():
    train = company(60)
    later = walk_forward(LinearModel(), train, "sales", cutoffs(train["ds"], n_cutoffs=9))
    before = train[train["ds"] <= train["ds"].max() - pd.DateOffset(months=4)]
    earlier = walk_forward(LinearModel(), before, "sales", cutoffs(before["ds"], n_cutoffs=9))
    both = sorted({*later["cutoff"]} & {*earlier["cutoff"]})
    assert len(both) == 5
    cut = [rows[rows["cutoff"].isin(both)].reset_index(drop=True) for rows in (later, earlier)]
    pd.testing.assert_frame_equal(*cut, check_exact=True)


def test_a_model_that_is_kept_says_at_later_cutoffs_what_it_says_there_and_at_earlier_ones_what_was_noted():
    train = company(60)
    trained = train["ds"].max() - pd.DateOffset(months=2)
    then = train[train["ds"] <= trained]
    noted = walk_forward(LinearModel(), then, "sales", list(plan(then["ds"])["cutoff"]))
    model = LinearModel().fit(as_nodes(known_at(then, trained)))
    now = list(plan(train["ds"])["cutoff"])
    rows = continued(model, noted, train, "sales", trained, now)
    assert sorted(set(rows["cutoff"])) == now and list(rows.columns) == RAW_BACKTEST_COLUMNS
    old = rows[rows["cutoff"] < trained].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, noted[noted["cutoff"].isin(now)].reset_index(drop=True), check_exact=True)
    for cutoff in now[-2:]:
        own = forecast_nodes(model, known_at(train, cutoff), 6, True)
        assert rows.loc[rows["cutoff"] == cutoff, "q500"].tolist() == own["q500"].tolist()


def test_walk_forward_rows():
    train = company(40)
    chosen = cutoffs(train["ds"], n_cutoffs=3)
    rows = walk_forward(SeasonalNaive(), train, "sales", chosen)
    assert list(rows.columns) == RAW_BACKTEST_COLUMNS
    assert not rows.duplicated(["aggregation", "unique_id", "cutoff", "horizon"]).any()
    assert (
        rows["ds"] == [c + pd.DateOffset(months=h) for c, h in zip(rows["cutoff"], rows["horizon"], strict=True)]
    ).all()
    assert len(rows) == 3 * 6 * (6 + 2 + 3 + 1)


def test_a_model_sees_series_and_sums_alike():
    LOG.clear()
    train = company(40)
    walk_forward(Spy(), train, "sales", cutoffs(train["ds"], n_cutoffs=1))
    assert [n for _, _, n in LOG] == [6 + 2 + 3 + 1] * 2
    LOG.clear()
    walk_forward(Spy(), company(40, regions=1), "sales", cutoffs(train["ds"], n_cutoffs=1))
    assert [n for _, _, n in LOG] == [3 + 1] * 2  # the categories are the series, and the total is the region


def test_a_sum_is_forecast_from_its_own_history():
    train = company(40)
    cutoff = cutoffs(train["ds"], n_cutoffs=1)[0]
    rows = walk_forward(SeasonalNaive(), train, "sales", [cutoff])
    actuals = aggregate_actuals(train).set_index(["aggregation", "unique_id", "ds"])["y"]
    for row in rows.itertuples():
        assert row.q500 == actuals[row.aggregation, row.unique_id, row.ds - pd.DateOffset(years=1)]
    history = known_at(train, cutoff)
    later = forecast_nodes(SeasonalNaive().fit(as_nodes(history)), history, 6, flow=True)
    pd.testing.assert_frame_equal(later, rows[later.columns])


def test_series_that_begin_later_or_have_ended_are_absent():
    train = pd.concat(
        [series(np.ones(40), "A/x"), series(np.ones(5), "B/x"), series(np.ones(20), "C/x", "2022-12-01")],
        ignore_index=True,
    )
    cutoff = pd.Timestamp("2023-06-01")
    assert set(known_at(train, cutoff)["unique_id"]) == {"A/x"}
    rows = walk_forward(SeasonalNaive(), train, "sales", [cutoff])
    assert set(rows["unique_id"]) == {"A/x", "A/All", "All/x", "All/All"} and set(rows["q500"]) == {1.0}
    assert set(known_at(train, train["ds"].max())["unique_id"]) == {"A/x", "B/x"}


def test_no_forecast_depends_on_what_came_later():
    train = company(60, seed=2)
    chosen = cutoffs(train["ds"], n_cutoffs=4)
    before = walk_forward(LinearModel(), train, "sales", chosen)
    for cutoff in chosen:
        later = train["ds"] > cutoff
        changed = train.assign(y=train["y"].where(~later, -1e6 - train["y"]), is_imputed=later)
        after = walk_forward(LinearModel(), changed, "sales", chosen)
        same = before["cutoff"] <= cutoff
        pd.testing.assert_frame_equal(after[same], before[same], check_exact=True)
        if cutoff < chosen[-1]:
            assert not np.allclose(after.loc[~same, "q500"], before.loc[~same, "q500"])


def test_no_cutoffs_no_rows():
    rows = walk_forward(LinearModel(), company(20), "sales", [])
    pd.testing.assert_frame_equal(rows, empty_backtest())
    assert list(rows.columns) == RAW_BACKTEST_COLUMNS and rows["cutoff"].dtype == "datetime64[ns]"
