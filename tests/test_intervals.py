"""Scales, ranks, pools and quantiles against loops and against simulation."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import AGGREGATIONS, QUANTILE_COLUMNS, QUANTILES
from forecasting.intervals.conformal import (
    ENOUGH,
    MIDDLE,
    ORIGINS_TO_NARROW,
    ORIGINS_TO_WIDEN,
    Residuals,
    choose_pool,
    corrections,
    further_out,
    independent,
    naive_errors,
    offsets,
    ordered_around_point,
    unrest_helps,
)
from forecasting.series.buckets import BUCKETS, bucket_of
from forecasting.series.hierarchy import aggregate_actuals
from forecasting.series.panels import panel
from forecasting.series.typical_error import LEAST_UNREST, scale, scales, typical_error, unrest
from synthetic import company, series

COLUMNS = list(QUANTILE_COLUMNS)


def test_scale_is_the_seasonal_naive_error_of_the_history():
    train = company(40)
    found = scale(train)
    for unique_id, part in train.groupby("unique_id"):
        y = part["y"].tolist()
        yearly = [abs(y[t] - y[t - 12]) for t in range(12, len(y))]
        monthly = [abs(y[t] - y[t - 1]) for t in range(1, len(y))]
        expected = sum(yearly) / len(yearly)
        if len(yearly) < 12:
            expected = max(expected, sum(monthly) / len(monthly))
        assert found[unique_id] == pytest.approx(expected)


def test_one_lucky_month_makes_no_tiny_scale():
    """Thirteen months whose only seasonal change is 0.01: an error of 5 is one step from month to month, not 500 scales."""
    y = [10.0, 15.0] * 6 + [10.01]
    assert scale(series(y, "A/x"))["A/x"] == pytest.approx((11 * 5 + 4.99) / 12)


def test_no_level_stands_in_for_a_typical_error_that_is_zero():
    frame = pd.concat(
        [
            series([1.0, 4.0, 2.0], "A/x"),  # short: mean change from month to month (3 + 2) / 2
            series([7.0] * 30, "B/x"),  # constant: it has no typical error
            series(list(range(1, 13)) * 3, "C/x"),  # repeats itself exactly: it neither
            series([0.0] * 30, "D/x"),  # nothing to measure by
            series([-5.0], "E/x"),  # one month: nothing is known of changes
            series([*[7.0] * 29, 7.01], "F/x"),  # a cent: the interval is as narrow, and nothing is measured by it
        ]
    )
    assert typical_error(panel(frame)).tolist() == pytest.approx([2.5, 0.0, 0.0, 0.0, 5.0, 0.01 / 18])
    assert scale(frame).isna().all()  # A and E changed too seldom for a measure of errors


@given(st.lists(st.sampled_from([0.0, 0.0, 3.0, 5.0, 8.0]), min_size=1, max_size=60))
def test_a_scale_rests_on_six_changes_or_is_left_out(values: list[float]):
    begun = [y for place, y in enumerate(values) if any(values[: place + 1])] or values
    changes = [sum(begun[i] != begun[i - lag] for i in range(lag, len(begun))) for lag in (1, 12)]
    found = scale(series(values, "A/x"))["A/x"]
    typical = typical_error(panel(series(values)))[0]
    assert found == typical if max(changes) >= 6 and typical > 0 else np.isnan(found)


def test_unrest_is_the_error_of_last_years_month_and_last_months_growth():
    train = company(40)
    rising = pd.concat(
        [train, series([100.0 + 5.0 * month for month in range(40)], "Z/even"), series([1.0, 4.0] * 12, "Z/new")]
    )
    known = panel(rising)
    typical = dict(zip(known.ids, typical_error(known), strict=True))
    for unique_id, found in zip(known.ids, unrest(known), strict=True):
        y = rising.loc[rising["unique_id"] == unique_id, "y"].tolist()
        errors = [abs(y[t] - (y[t - 12] + y[t - 1] - y[t - 13])) for t in range(13, len(y))]
        expected = (
            max(sum(errors) / len(errors), LEAST_UNREST * typical[unique_id])
            if len(errors) >= 12
            else typical[unique_id]
        )
        assert found == pytest.approx(expected)
    assert unrest(known)[list(known.ids).index("Z/even")] == pytest.approx(60.0 * LEAST_UNREST)


def test_scales_use_the_history_up_to_each_cutoff():
    actuals = aggregate_actuals(company(40))
    cutoffs = [pd.Timestamp("2023-01-01"), pd.Timestamp("2023-06-01")]
    found = scales(actuals, cutoffs)
    assert not found.duplicated(["aggregation", "unique_id", "cutoff"]).any()
    for cutoff in cutoffs:
        total = actuals[(actuals["aggregation"] == "total") & (actuals["ds"] <= cutoff)]
        row = found[(found["aggregation"] == "total") & (found["cutoff"] == cutoff)]
        assert row["scale"].item() == scale(total).item()


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=120))
def test_offsets_agree_with_counting(residuals: list[float]):
    moved = offsets(np.array(residuals))
    for level, found in zip(QUANTILES, moved, strict=True):
        upper = max(level, 1 - level)
        signed = (
            residuals if level > 0.5 else [-r for r in residuals]
        )  # a lower bound is an upper one of the mirror image
        needed = math.ceil((len(residuals) + 1) * upper - 1e-9)
        enough = [r for r in signed if sum(other <= r for other in signed) >= needed]
        expected = min(enough) if enough else max(signed)
        assert found == (0.0 if level == 0.5 else expected if level > 0.5 else -expected)


def test_bounds_that_rest_on_little_lie_further_out_and_hold_more():
    """Five months, all series of a month alike: as many residuals as one likes, worth five."""
    rng, inside = np.random.default_rng(3), {True: [], False: []}
    for _ in range(1000):
        months = rng.normal(0.0, 1.0, 6)
        sample = np.repeat(months[:5], 40) + rng.normal(0.0, 0.05, 200)
        for widened, evidence in ((True, 5.0), (False, np.inf)):
            moved = offsets(sample, evidence)
            inside[widened].append((moved[1] <= months[5] <= moved[-2], moved[0] <= months[5] <= moved[-1]))
    with_care, without = np.mean(inside[True], axis=0), np.mean(inside[False], axis=0)
    assert 0.73 < with_care[0] < 0.83 and 0.79 < with_care[1] < 0.98
    assert without[0] < with_care[0] - 0.05 and without[1] < with_care[1] - 0.08


def test_with_much_evidence_bounds_stay_where_the_ranks_put_them():
    sample = np.random.default_rng(1).normal(size=500)
    np.testing.assert_allclose(offsets(sample, 5000.0), offsets(sample), rtol=2e-3)
    few = [offsets(sample, evidence)[-1] for evidence in (1.0, 3.0, 10.0, 100.0)]
    assert few == sorted(few, reverse=True) and few[0] == few[1] and np.isfinite(few[0])


def naive_independent(values: list[float], group: list[int]) -> float:
    """Kish's design effect by loops: n / (1 + (m - 1) rho), rho from the mean squares between and within groups."""
    n, places = (
        len(values),
        {value: [i + 1 for i, other in enumerate(sorted(values)) if other == value] for value in values},
    )
    scores = [NormalDist().inv_cdf(np.mean(places[value]) / (n + 1)) for value in values]
    members = {each: [score for score, of in zip(scores, group, strict=True) if of == each] for each in group}
    if len(members) < 2 or n <= len(members):
        return 1.0
    mean = sum(scores) / n
    between = sum(len(own) * (np.mean(own) - mean) ** 2 for own in members.values()) / (len(members) - 1)
    within = sum((score - np.mean(own)) ** 2 for own in members.values() for score in own) / (n - len(members))
    size = (n - sum(len(own) ** 2 for own in members.values()) / n) / (len(members) - 1)
    total = between + (size - 1) * within
    return max(1.0, n / (1 + (size - 1) * (max(0.0, (between - within) / total) if total > 0 else 0.0)))


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 11)), min_size=1, max_size=40))
def test_what_residuals_are_worth_agrees_with_a_loop(rows: list[tuple[int, int]]):
    values, month = [float(value) for value, _ in rows], [month for _, month in rows]
    quarter = [each // 3 for each in month]
    expected = min(naive_independent(values, quarter), naive_independent([abs(value) for value in values], quarter))
    assert independent(np.array(values), np.array(month)) == pytest.approx(expected)


def test_what_is_shared_is_found_whether_it_is_a_lean_or_a_storm():
    rng, month = np.random.default_rng(5), np.repeat(np.arange(24), 50)
    alone = rng.normal(size=1200)
    leaning, stormy = alone + np.repeat(rng.normal(0, 3, 8), 150), alone * np.repeat(rng.uniform(0.1, 6, 8), 150)
    assert independent(alone, month) > 300
    assert 4 < independent(leaning, month) < 20 and 4 < independent(stormy, month) < 60


def test_the_unit_is_the_one_that_knows_which_series_will_be_missed():
    rng = np.random.default_rng(2)
    ratio = np.repeat(rng.uniform(0.2, 2.0, 30), 40)
    noise = rng.laplace(size=1200)
    assert unrest_helps(np.abs(noise) * ratio, ratio) and unrest_helps(np.abs(noise) * np.sqrt(ratio), ratio)
    assert not unrest_helps(np.abs(noise), ratio)
    assert not unrest_helps(np.abs(noise * ratio)[: ENOUGH - 1], ratio[: ENOUGH - 1])
    assert not unrest_helps(np.zeros(1200), ratio)


def test_what_is_further_off_is_never_surer():
    near, far = np.linspace(-5.0, 5.0, 11), np.linspace(-3.0, 8.0, 11)
    expected = [min(a, b) if place < MIDDLE else max(a, b) for place, (a, b) in enumerate(zip(near, far, strict=True))]
    found = further_out(far, near)
    assert found[:MIDDLE].tolist() == expected[:MIDDLE] and found[MIDDLE + 1 :].tolist() == expected[MIDDLE + 1 :]


@pytest.mark.parametrize("n", [39, 80, 400])
def test_coverage_of_exchangeable_residuals_is_what_the_ranks_promise(n: int):
    rng = np.random.default_rng(7)
    inside_80 = inside_95 = 0
    trials = 4000
    for _ in range(trials):
        sample = rng.gamma(2.0, 1.0, n + 1) - 1.0  # skew, and not centred
        moved = offsets(sample[:n])
        inside_80 += moved[1] <= sample[n] <= moved[-2]
        inside_95 += moved[0] <= sample[n] <= moved[-1]
    for inside, level in ((inside_80, 0.8), (inside_95, 0.95)):
        tail = math.floor((n + 1) * (1 - level) / 2 + 1e-9)
        promised = 1 - 2 * tail / (n + 1)  # the rank of a new value among n + 1 is uniform
        assert promised >= level - 1e-9
        assert abs(inside / trials - promised) < 4 * math.sqrt(promised * (1 - promised) / trials)


def test_many_origins_correct_the_quantiles_of_a_model_that_is_too_sure():
    rng = np.random.default_rng(1)
    actual = rng.normal(0.0, 1.0, 4000)
    too_narrow = np.quantile(rng.normal(0.0, 0.3, 100_000), QUANTILES)
    moved = corrections(actual[:2000, None] - too_narrow, origins=10_000)
    corrected = ordered_around_point((too_narrow + moved)[None, :])[0]
    share = [(actual[2000:] <= bound).mean() for bound in corrected]
    np.testing.assert_allclose(share, QUANTILES, atol=0.035)


@given(st.lists(st.lists(st.floats(-9, 9), min_size=11, max_size=11), min_size=1, max_size=60), st.integers(0, 30))
def test_corrections_agree_with_counting(rows: list[list[float]], origins: int):
    moved = corrections(np.array(rows), origins)
    for lower, upper in ((0, 10), (1, 9), (2, 8), (3, 7), (4, 6)):
        beyond = sorted(max(row[upper], -row[lower]) for row in rows)
        needed = math.ceil((len(rows) + 1) * (QUANTILES[upper] - QUANTILES[lower]) - 1e-9)
        found = beyond[min(needed, len(rows)) - 1]
        expected = found * origins / (origins + (ORIGINS_TO_WIDEN if found > 0 else ORIGINS_TO_NARROW))
        assert moved[upper] == pytest.approx(expected) and moved[lower] == -moved[upper]
    assert moved[MIDDLE] == 0.0


def test_few_origins_leave_a_models_quantiles_nearly_as_they_are():
    """All series share the surprises of an origin, so thousands of residuals of one origin are not much evidence."""
    residuals = np.tile(np.linspace(4.0, 2.0, 11), (5000, 1))
    wider = [corrections(residuals, origins)[-1] for origins in (0, 1, ORIGINS_TO_WIDEN, 60)]
    assert wider == pytest.approx([0.0, 2.0 / 3, 1.0, 2.0 * 60 / 62])
    too_wide = np.tile(np.linspace(2.0, -2.0, 11), (5000, 1))
    narrower = [-corrections(too_wide, origins)[-1] for origins in (0, 1, ORIGINS_TO_NARROW, 60)]
    assert narrower == pytest.approx([0.0, 2.0 / 13, 1.0, 2.0 * 60 / 72])
    assert all(less < more for less, more in zip(narrower[1:], wider[1:], strict=True) if less < 1.0)


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=11, max_size=11), min_size=1, max_size=5))
def test_quantiles_never_cross_and_the_point_stays(rows: list[list[float]]):
    given_rows = np.array(rows)
    result = ordered_around_point(given_rows)
    assert (np.diff(result, axis=1) >= 0).all()
    np.testing.assert_array_equal(result[:, MIDDLE], given_rows[:, MIDDLE])
    np.testing.assert_array_equal(ordered_around_point(result), result)


def residuals(counts: dict[tuple[str, str], int], months: int = 3) -> Residuals:
    """Residuals of the given number per aggregation and bucket, of so many months; their value is their count."""
    rows = [
        (AGGREGATIONS.index(level), list(BUCKETS).index(bucket), n)
        for (level, bucket), n in counts.items()
        for _ in range(n)
    ]
    level, bucket, value = np.array(rows).T
    month, values = np.arange(len(rows)) % months, np.repeat(value[:, None], len(COLUMNS), axis=1).astype(float)
    return Residuals(level, bucket, month, month, np.ones(len(rows)), values)


def test_pools_widen_step_by_step_and_say_so():
    naive = naive_errors(aggregate_actuals(company(40)))
    some = residuals({("series", "1-3"): 40, ("series", "4-6"): 10, ("total", "1-3"): 5, ("region", "1-3"): 34})
    expected = {
        ("series", "1-3"): ("series, horizons 1-3", 40),
        ("series", "4-6"): ("series, all horizons", 50),
        ("series", "7-12"): ("series, all horizons", 50),
        ("series", "19+"): ("series, all horizons", 50),
        ("total", "1-3"): ("sums, horizons 1-3", 39),
        ("total", "4-6"): ("sums, all horizons", 39),
    }
    for (level, bucket), (name, n) in expected.items():
        pool = choose_pool(some, naive, level, bucket)
        assert (pool.name, len(pool.residuals), pool.origins, pool.around_point) == (name, n, 3, False)


def test_without_residuals_the_seasonal_naive_speaks_for_its_own_history():
    history = aggregate_actuals(company(40))
    few = residuals({("series", "1-3"): ENOUGH - 1})
    naive = naive_errors(history)
    pool = choose_pool(few, naive, "series", "1-3")
    errors = []
    for _, part in history[history["aggregation"] == "series"].groupby("unique_id"):
        y = part["y"].tolist()
        changes = [y[t] - y[t - 12] for t in range(12, len(y))]
        errors += [change / scale(part).item() for change in changes]
    assert pool.name == "series, seasonal naive errors in the history" and pool.around_point
    np.testing.assert_allclose(sorted(pool.residuals[:, 0]), sorted(errors))
    total = choose_pool(few, naive, "total", "1-3")  # 28 of its own
    sums = history[history["aggregation"] != "series"].groupby(["aggregation", "unique_id"]).size()
    assert total.name == "sums, seasonal naive errors in the history" and len(total.residuals) == (sums - 12).sum()


def test_many_series_of_one_month_are_not_many_residuals():
    naive = naive_errors(aggregate_actuals(company(40)))
    assert choose_pool(residuals({("series", "1-3"): 400}, months=2), naive, "series", "1-3").around_point
    assert not choose_pool(residuals({("series", "1-3"): 400}, months=3), naive, "series", "1-3").around_point


def test_half_years_ahead_have_buckets_of_their_own():
    expected = {"1-3": [1, 3], "4-6": [4, 6], "7-12": [7, 12], "13-18": [13, 18], "19+": [19, 24, 400]}
    for number, (name, horizons) in enumerate(expected.items()):
        assert list(BUCKETS)[number] == name and set(bucket_of(np.array(horizons))) == {number}
