"""Scales, ranks, pools and quantiles against loops and against simulation."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import AGGREGATIONS, QUANTILE_COLUMNS, QUANTILES
from forecasting.intervals.conformal import (
    ENOUGH,
    MIDDLE,
    ORIGINS_FOR_HALF,
    Residuals,
    choose_pool,
    corrections,
    naive_errors,
    offsets,
    ordered_around_point,
)
from forecasting.series.buckets import BUCKETS, bucket_of
from forecasting.series.hierarchy import aggregate_actuals
from forecasting.series.panels import panel
from forecasting.series.typical_error import scale, scales, typical_error
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
        expected = beyond[min(needed, len(rows)) - 1] * origins / (origins + ORIGINS_FOR_HALF)
        assert moved[upper] == pytest.approx(expected) and moved[lower] == -moved[upper]
    assert moved[MIDDLE] == 0.0


def test_few_origins_leave_a_models_quantiles_nearly_as_they_are():
    """All series share the surprises of an origin, so thousands of residuals of one origin are not much evidence."""
    residuals = np.tile(np.linspace(4.0, 2.0, 11), (5000, 1))
    sizes = [corrections(residuals, origins)[-1] for origins in (0, 1, ORIGINS_FOR_HALF, 60)]
    assert sizes == pytest.approx([0.0, 2.0 / 7, 1.0, 2.0 * 60 / 66])


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
    return Residuals(level, bucket, month, month, values)


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
