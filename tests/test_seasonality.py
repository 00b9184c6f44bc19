"""The season of one series: found where it is, shrunk where chance explains it, in any unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.series.seasonality import FEWEST, SEASON_MONTHS, Season, detrended, seasons, shrunk

YEAR = np.array([0.9, 0.8, 1.0, 1.1, 1.2, 1.0, 0.9, 0.7, 1.0, 1.1, 1.1, 1.6])


def season(values: np.ndarray, months: np.ndarray) -> Season:
    """Return the season of one history."""
    return seasons([values], [months])[0]


@pytest.mark.parametrize("years", [2, 3, 8])
@pytest.mark.parametrize("growth", [0.0, 0.01])
def test_an_exact_season_on_exponential_growth_is_found_whole(years: int, growth: float):
    months = 600 + np.arange(12 * years)
    level = 50.0 * np.exp(growth * np.arange(12 * years))
    values = level * YEAR[months % 12]
    found = season(values, months)
    assert found.multiplicative
    np.testing.assert_allclose(found.effects, np.log(YEAR) - np.log(YEAR).mean(), atol=1e-9)
    np.testing.assert_allclose(found.removed(values, months), level * np.exp(np.log(YEAR).mean()))


def test_amounts_where_values_touch_zero_or_are_negative():
    months = np.arange(48)
    values = -20.0 + months + 10 * YEAR[months % 12]
    found = season(values, months)
    assert not found.multiplicative
    np.testing.assert_allclose(found.effects, 10 * (YEAR - YEAR.mean()), atol=1e-9)
    assert not season(np.abs(values) * (months % 7 > 0), months).multiplicative


def test_noise_has_hardly_a_season_and_less_than_its_means_show():
    rng, kept = np.random.default_rng(0), []
    for _ in range(200):
        departure, group = rng.normal(size=36), np.arange(36) % 12
        raw = np.array([departure[group == k].mean() for k in range(12)]) - departure.mean()
        index, share, _ = shrunk(departure[None])
        np.testing.assert_allclose(index[0], share * raw[::-1])
        kept.append(np.square(index).sum() / np.square(raw).sum())
    assert np.mean(kept) < 0.2 and min(kept) == 0.0


def test_shrinkage_agrees_with_the_formula():
    rng = np.random.default_rng(1)
    group = np.arange(20, 60) % 12
    departure = YEAR[group] + rng.normal(0, 0.1, 40)
    means = np.array([departure[group == k].mean() for k in range(12)])
    means -= means.mean()
    within = sum((departure[i] - departure.mean() - means[group[i]]) ** 2 for i in range(40))
    between = sum(means[group[i]] ** 2 for i in range(40))
    expected = means * (1 - 9 / 11 * (28 / 30) / ((between / 11) / (within / 28)))
    padded = np.r_[np.full(8, np.nan), departure]
    np.testing.assert_allclose(shrunk(padded[None])[0][0], expected[::-1])


def test_the_trend_is_the_centred_mean_and_goes_on_at_the_ends():
    values = np.arange(30.0) ** 2
    inner = [values[i] - (values[i - 6 : i + 7].sum() - (values[i - 6] + values[i + 6]) / 2) / 12 for i in range(6, 24)]
    found = detrended(values[None])[0]
    np.testing.assert_allclose(found[6:24], inner)
    slope = (values[12:] - values[:-12]).mean() / 12
    trend = values - found
    np.testing.assert_allclose(np.diff(trend)[:6], slope)
    np.testing.assert_allclose(np.diff(trend)[-6:], slope)


def test_only_the_last_years_count_and_two_are_needed():
    months = np.arange(48 + SEASON_MONTHS)
    old = np.where(months < 48, 3.0, 1.0) * YEAR[(months + (months < 48) * 5) % 12]
    np.testing.assert_allclose(season(old, months).effects, np.log(YEAR) - np.log(YEAR).mean(), atol=1e-9)
    short = season(YEAR[np.arange(FEWEST - 1) % 12], np.arange(FEWEST - 1))
    assert (short.effects == 0).all()


@given(st.lists(st.floats(-100, 100), min_size=24, max_size=80), st.integers(0, 500))
def test_what_was_removed_comes_back_in_any_unit(values: list[float], first: int):
    given_values = np.round(np.array(values), 6)
    months = first + np.arange(len(values))
    found = season(given_values, months)
    back = found.restored(found.removed(given_values, months), months)
    np.testing.assert_allclose(back, given_values, rtol=1e-9, atol=1e-9)
    larger = season(given_values * 1024.0, months)
    assert larger.multiplicative == found.multiplicative
    unit = 1.0 if found.multiplicative else 1024.0
    np.testing.assert_allclose(larger.effects, found.effects * unit, rtol=1e-6, atol=1e-6 * unit)


@given(st.lists(st.integers(1, 90), max_size=40), st.integers(0, 2**32 - 1))
def test_side_by_side_each_has_the_bits_that_it_has_alone(lengths: list[int], seed: int):
    rng = np.random.default_rng(seed)
    values = [rng.normal(rng.choice([0.0, 9.0]), 1.0, n) * rng.choice([1e-3, 1.0, 1e6]) for n in lengths]
    months = [rng.integers(0, 700) + np.arange(n) for n in lengths]
    found = seasons(values, months)
    assert len(found) == len(lengths)
    for one, own, its in zip(found, values, months, strict=True):
        alone = season(own, its)
        assert one.multiplicative == alone.multiplicative and one.effects.tolist() == alone.effects.tolist()
