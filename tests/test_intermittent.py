"""Series that sell now and then: which they are, what is said of them, and that nobody else has a say there."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forecasting import evaluation, models
from forecasting.contracts import BOUNDS, MIDDLE, QUANTILE_COLUMNS, QUANTILES
from forecasting.evaluation import metrics
from forecasting.evaluation.ranking import scored_rows
from forecasting.intervals import ENTRIES, Calibration, calibrate_backtest
from forecasting.models.base import Model, point_forecast
from forecasting.models.combination import MedianCombination, WeightedCombination
from forecasting.models.combination.combining import past_errors
from forecasting.models.intermittent import SMOOTHING, TSB, demand, smoothed
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.series import as_nodes, intermittent, lowest, mean, panel, typical_error
from forecasting.serving.served_model import Series, ServedModel
from synthetic import company, now_and_then, series

COLUMNS = list(QUANTILE_COLUMNS)
SOLD = st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0, 7.5]), min_size=13, max_size=60)
NOW_AND_THEN = [0.0, 3.0, 0.0, 0.0, 2.0, 5.0, 0.0, 0.0, 0.0, 1.0, 0.0, 4.0, 0.0] * 3  # thirteen: it is no season


def one(values: list[float]) -> np.ndarray:
    return panel(series(values)).values


# --- which series


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (NOW_AND_THEN, True),
        ([*[0.0] * 30, *NOW_AND_THEN], True),  # not yet sold for years, and then now and then
        ([-value for value in NOW_AND_THEN], True),  # losses now and then
        ([3.0, 4.0, 0.0, 5.0, 6.0, 7.0] * 6, False),  # a month in six without a sale
        ([*[0.0] * 40, *[9.0, 8.0, 7.0] * 6], False),  # begins late: zeros before are no history
        ([9.0, 8.0, 7.0, 6.0] * 5 + [0.0] * 11, False),  # ended, though not yet for a year
        ([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 30.0, 50.0, 80.0, 60.0, 40.0, 0.0] * 4, False),  # skis: the zeros are a season
        ([0.0] * 30, False),
        ([5.0, *[0.0] * 20, 7.0, *[0.0] * 10], False),  # two sales say nothing of a third
    ],
)
def test_intermittent_are_those_that_are_zero_by_chance(values: list[float], expected: bool):
    assert intermittent(panel(series(values))).tolist() == [expected]


@given(SOLD, st.floats(0.001, 1e6))
def test_it_does_not_hang_on_the_unit(values: list[float], unit: float):
    known = [panel(series(np.array(values) * factor)) for factor in (1.0, unit)]
    assert intermittent(known[0]) == intermittent(known[1]) and lowest(known[0]) == lowest(known[1])


# --- what is said


@settings(max_examples=25, deadline=None)
@given(SOLD)
@example(NOW_AND_THEN)
def test_the_rate_agrees_with_the_library_where_it_begins_as_the_library_does(values: list[float]):
    from statsforecast.models import TSB as Library

    values = [2.0, *values]
    theirs = Library(alpha_d=SMOOTHING, alpha_p=SMOOTHING).fit(np.array(values)).predict(1)["mean"][0]
    share, size = smoothed(np.array([values[1:]]), np.array([1.0]), np.array([2.0]))
    assert share[0] * size[0] == pytest.approx(theirs)


def by_hand(values: list[float]) -> list[float]:
    """The quantiles of `demand` for one history, by sorting what may come."""
    values = values[next(place for place, value in enumerate(values) if value) :]
    sold = [value for value in values if value]
    share, size = len(sold) / len(values), sum(sold) / len(sold)
    for value in values:
        share += SMOOTHING * ((value != 0) - share)
        size += SMOOTHING * (value - size) if value else 0.0
    outcomes = sorted(
        [(value * size * len(sold) / sum(sold), share / (len(sold) + 1)) for value in sold] + [(0.0, 1 - share)]
    )
    found = []
    for level in QUANTILES:
        reached = share / (len(sold) + 1) if level < 0.5 else 0.0
        above = [outcome for outcome, chance in outcomes if (reached := reached + chance) >= level - 1e-9]
        outcome = above[0] if above else outcomes[-1][0]
        point = share * size
        found.append(point if level == 0.5 else min(outcome, point) if level < 0.5 else max(outcome, point))
    return found


@settings(max_examples=100, deadline=None)
@given(SOLD.filter(any))
def test_the_quantiles_agree_with_sorting_what_may_come(values: list[float]):
    assert demand(one(values))[0].tolist() == pytest.approx(by_hand(values))


@settings(max_examples=60, deadline=None)
@given(SOLD.filter(any), st.sampled_from([1.0, -1.0]))
def test_quantiles_are_in_order_and_never_beyond_zero(values: list[float], sign: float):
    found = demand(one([sign * value for value in values]))[0]
    assert (np.diff(found) >= 0).all() and (sign * found >= 0).all()
    assert sign * found[MIDDLE] > 0  # the mean of a month, not its median, which is 0 for most of these


def test_gains_and_losses_have_bounds_on_both_sides():
    found = demand(one([0.0, 30.0, 0.0, -20.0, 0.0, 0.0, 25.0, -30.0, 0.0, 0.0, 5.0, 0.0] * 3))[0]
    assert -30.0 <= found[0] < 0 < found[-1] <= 30.0


def test_what_is_no_longer_sold_fades_away():
    sold = NOW_AND_THEN * 2
    rates = [demand(one([*sold, *[0.0] * months]))[0, MIDDLE] for months in range(11)]
    assert (np.diff(rates) < 0).all() and rates[-1] < 0.5 * rates[0]


def test_it_speaks_of_intermittent_series_alone_and_the_others_get_the_fallback():
    train = pd.concat([company(48), series(NOW_AND_THEN, "R0/Parts")], ignore_index=True)
    model = TSB().fit(train)
    assert model.explanation() == {"methods": {"intermittent: TSB": 1, "not intermittent: fallback": 6}}
    found = models.forecast(model, train, 6, flow=True)
    assert set(found.loc[~found["is_fallback"], "unique_id"]) == {"R0/Parts"}
    others = found[found["is_fallback"]].drop(columns="is_fallback").reset_index(drop=True)
    baseline = models.forecast(SeasonalNaive(), train, 6, flow=True).drop(columns="is_fallback")
    pd.testing.assert_frame_equal(others, baseline[baseline["unique_id"] != "R0/Parts"].reset_index(drop=True))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_a_series_has_the_bits_that_it_has_alone(seed: int):
    known = panel(now_and_then(9, 40, seed))
    together = TSB().predict_panel(known, 3)
    for place in range(len(known.ids)):
        alone = TSB().predict_panel(known.only(np.arange(len(known.ids)) == place), 3)
        assert np.array_equal(together[place], alone[0], equal_nan=True)


# --- in a combination


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    """A company with series that are always sold and series that are now and then."""
    return pd.concat([company(60), now_and_then(12, 60, seed=3)], ignore_index=True)


@pytest.fixture(scope="module")
def plan(mixed: pd.DataFrame) -> pd.DataFrame:
    return evaluation.plan_cutoffs(mixed["ds"], 4, 4)


@pytest.fixture(scope="module")
def raw(mixed: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    parts = [evaluation.walk_forward(model, mixed, "sales", plan["cutoff"]) for model in members()]
    return pd.concat(parts, ignore_index=True)


class LastYear(Model):
    """The mean of the last twelve months, as another kind of model."""

    name = "last_year"
    family = "other"

    def fit(self, train: pd.DataFrame) -> "LastYear":
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        known = panel(history)
        level = mean(known.values[:, -12:])
        return point_forecast(known.ids, known.last, np.repeat(level[:, None], horizon, axis=1))


def members(specialist: bool = True) -> list[Model]:
    return [Naive(), SeasonalNaive(), LastYear(), *([TSB()] if specialist else [])]


KEY = ["aggregation", "unique_id", "cutoff", "horizon"]


@pytest.mark.parametrize("kind", [MedianCombination, WeightedCombination])
def test_where_it_speaks_a_combination_takes_its_word_and_elsewhere_nothing_changes(kind, mixed, raw):
    def combined(specialist: bool) -> pd.DataFrame:
        model = kind(members(specialist))
        rows = raw if specialist else raw[raw["model_name"] != "tsb"]
        found = model.walk_forward(rows, mixed) if kind is WeightedCombination else model.combine(rows)
        return found.set_index(KEY).sort_index()

    own = raw[(raw["model_name"] == "tsb") & ~raw["is_fallback"]].set_index(KEY).sort_index()
    found = combined(True)
    pd.testing.assert_frame_equal(found.loc[own.index, COLUMNS], own[COLUMNS])
    assert not found.loc[own.index, "is_fallback"].any() and 0 < len(own) < len(found)
    elsewhere = found.index.difference(own.index)
    if kind is MedianCombination:
        pd.testing.assert_frame_equal(found.loc[elsewhere], combined(False).loc[elsewhere])


def test_the_others_learn_their_weights_where_they_have_a_say(mixed, raw):
    known = past_errors(raw, mixed, ["naive", "seasonal_naive", "last_year"])
    own = raw[(raw["model_name"] == "tsb") & ~raw["is_fallback"]].set_index(KEY).index
    assert len(known) and not pd.MultiIndex.from_frame(known[KEY]).isin(own).any()
    weighted = WeightedCombination(members())
    weighted.learn(known)
    assert list(weighted.weights) == weighted.names == ["naive", "seasonal_naive", "last_year"]
    np.testing.assert_allclose(weighted.weights.sum(axis=1), 1.0)


def test_saved_and_served_it_says_the_same(tmp_path, mixed, raw):
    weighted = WeightedCombination([Naive(), SeasonalNaive(), TSB()]).fit(as_nodes(mixed))
    weighted.learn(past_errors(raw, mixed, weighted.names))
    weighted.save(tmp_path / "weighted")
    loaded = models.load(tmp_path / "weighted")
    history = mixed[mixed["unique_id"].str.startswith("R0/")]
    said = models.forecast(weighted, history, 6, flow=True)
    pd.testing.assert_frame_equal(models.forecast(loaded, history, 6, flow=True), said)
    known = panel(history)
    each = models.forecast_each(loaded, known, 6, flow=True)
    np.testing.assert_allclose(each.quantiles.reshape(-1, 11), said[COLUMNS].to_numpy(), rtol=1e-4)
    assert np.array_equal(np.repeat(each.is_fallback, 6), said["is_fallback"])


def test_alone_with_baselines_it_is_a_member_like_any_other():
    assert MedianCombination([TSB()]).names == ["tsb"]


# --- how good it is


def test_it_is_better_than_the_others_where_it_speaks_and_its_intervals_hold(mixed, raw, plan):
    """Scaled CRPS, divided by the mean absolute actual, which zeros do not break; bounds after calibration, as they are published."""
    own = raw[(raw["model_name"] == "tsb") & ~raw["is_fallback"] & (raw["aggregation"] == "series")]
    keys = own.set_index(KEY).index
    found = {}
    for name, specialist in {"with": True, "without": False}.items():
        combined = MedianCombination(members(specialist)).combine(
            raw if specialist else raw[raw["model_name"] != "tsb"]
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = scored_rows(calibrate_backtest(combined, mixed, "sales", plan, True).rows, mixed)
        zero_heavy = rows[pd.MultiIndex.from_frame(rows[KEY]).isin(keys)]
        crps = np.mean([metrics.scaled_crps(part) for _, part in zero_heavy.groupby("unique_id")])
        bounds = zero_heavy[list(BOUNDS.values())]
        found[name] = (crps, metrics.coverage_80(zero_heavy), metrics.coverage_95(zero_heavy), bounds.min(axis=None))
    assert found["with"][0] < 0.95 * found["without"][0]
    assert found["with"][1] >= 0.76 and found["with"][2] >= 0.92
    assert found["with"][3] >= 0.0


def test_the_intervals_of_the_others_do_not_hang_on_series_that_miss_otherwise(plan):
    entries, sold = [], np.resize(NOW_AND_THEN, 60)
    parts = [series(np.roll(sold, place), f"R{place % 2}/Parts {place}") for place in range(6)]
    for train in (pd.concat([company(60), *parts], ignore_index=True), company(60)):
        raw = evaluation.walk_forward(SeasonalNaive(), train, "sales", plan["cutoff"])
        entries.append(calibrate_backtest(raw, train, "sales", plan, True).calibration["entries"])
    assert entries[0]["series, 1-3"] == entries[1]["series, 1-3"]
    assert entries[0]["intermittent, 1-3"]["pool"] == "intermittent, horizons 1-3"
    assert entries[1]["intermittent, 1-3"] == entries[1]["series, 1-3"] | {
        "pool": "intermittent and other series, horizons 1-3"
    }


def test_a_server_gives_what_a_notebook_gives_and_no_bound_is_below_zero():
    wider = {"pool": "intermittent", "n": 400, "offsets": [0.0] * 11, "corrections": [-1.0] * 5 + [0.0] + [1.0] * 5}
    same = wider | {"pool": "others", "corrections": [0.0] * 11}
    entries = {f"{level}, {bucket}": wider if level == "intermittent" else same for level, bucket in ENTRIES}
    served = ServedModel("sales", TSB(), Calibration("bottom_up", {}, entries), True)
    train = series(NOW_AND_THEN, "R0/Parts")
    table = served.forecast(train, 6).query("aggregation == 'series'")
    answer = served.forecast_series([Series(train["y"].to_numpy(), int(panel(train).last[0]))], 6)[0]
    own = demand(one(NOW_AND_THEN))[0]
    for bound, column in BOUNDS.items():
        place = COLUMNS.index(column)
        assert table[bound].tolist() == answer.quantiles[:, place].tolist()
        expected = own[place] + typical_error(panel(train))[0] if bound.startswith("hi") else 0.0
        assert table[bound].tolist() == pytest.approx([expected] * 6)
    assert table["predicted_value"].tolist() == answer.points.tolist() == pytest.approx([own[MIDDLE]] * 6)
