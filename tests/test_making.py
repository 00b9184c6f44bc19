"""Made series: the same again, sound, and each part as it says, by a measure that does not use the part's own formula."""

import calendar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.pretraining import KINDS, make, mix
from forecasting.pretraining.making import (
    calendar_effects,
    intermittent,
    kernels,
    lives,
    mixtures,
    noise,
    season,
    shocks,
    trend,
)
from forecasting.pretraining.making.drawing import quotas
from forecasting.pretraining.making.recipes import flows, limits, stocks, sums

MONTHS = 144
JANUARY_2000 = 30 * 12


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="module")
def block():
    return make(seed=3, block=17)


def starts(n: int, month: int = JANUARY_2000) -> np.ndarray:
    return np.full(n, month)


def correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Correlation of each row with the row beside it."""
    one, other = (each - each.mean(axis=1, keepdims=True) for each in (one, other))
    return (one * other).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))


# ---- blocks


def test_a_block_is_the_same_whatever_was_made_before(block):
    make(seed=3, block=16, n=64)
    again = make(seed=3, block=17)
    np.testing.assert_array_equal(again.values, block.values)
    np.testing.assert_array_equal(again.first_month, block.first_month)
    np.testing.assert_array_equal(again.kind, block.kind)


@pytest.mark.parametrize(("seed", "number"), [(3, 18), (4, 17)])
def test_another_block_or_seed_is_another(seed, number):
    one, other = make(seed=3, block=17, n=400), make(seed=seed, block=number, n=400)
    assert (other.values[:, -1] == one.values[:, -1]).mean() < 0.1  # zeros may recur
    assert (other.first_month != one.first_month).mean() > 0.9


def test_made_series_are_sound(block):
    known = np.isfinite(block.values)
    assert block.values.shape == (4096, MONTHS)
    assert not np.isinf(block.values).any()
    assert known.sum(axis=1).min() >= 13
    assert (
        known[:, -1].all() and (np.diff(known.astype(int), axis=1) >= 0).all()
    )  # nothing is missing once a series is there
    assert (np.nan_to_num(block.values) != 0).any(axis=1).all()
    assert block.first_month.min() >= 5 * 12 and block.first_month.max() < 52 * 12
    assert len(np.unique(block.first_month % 12)) == 12


def test_kinds_have_the_shares_of_the_table(block):
    assert sum(kind.share for kind in KINDS.values()) == pytest.approx(1.0)
    names, counts = np.unique(block.kind, return_counts=True)
    assert dict(zip(names.tolist(), counts, strict=True)) == {
        name: pytest.approx(4096 * kind.share, abs=1) for name, kind in KINDS.items()
    }


def test_scales_are_of_many_orders_of_magnitude_and_pieces_stay_whole(block):
    size = np.nanmean(np.abs(block.values), axis=1)
    low, high = np.quantile(np.log10(size), [0.05, 0.95])
    assert high - low > 5
    whole = np.isin(block.kind, [name for name, kind in KINDS.items() if kind.whole])
    pieces = block.values[whole]
    assert (pieces[np.isfinite(pieces)] % 1 == 0).all()


def test_what_may_be_negative_is_negative_and_sales_are_not(block):
    negative = np.nanmin(block.values, axis=1) < 0
    assert set(np.unique(block.kind[negative])) == {"profit", "expense", "gaussian"}
    assert 0.3 < negative[block.kind == "profit"].mean() < 0.95


def test_too_few_months_are_refused():
    with pytest.raises(ValueError, match="at least 26 months, not 20"):
        make(1, 1, n=10, months=20)


@given(st.integers(1, 60), st.integers(26, 150))
@settings(max_examples=6, deadline=None)
def test_blocks_of_any_size(n, months):
    values = make(1, 2, n=n, months=months).values
    assert values.shape == (n, months)
    assert np.isfinite(values).sum(axis=1).min() >= 13


@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=9).map(
        lambda shares: dict(zip("abcdefghi", shares, strict=False))
    ),
    st.integers(0, 5000),
)
@settings(max_examples=50)
def test_quotas_add_up_and_are_within_one_of_the_share(shares, n):
    counts = quotas(shares, n)
    assert sum(counts.values()) == n
    assert all(abs(counts[name] - n * share / sum(shares.values())) < 1 for name, share in shares.items())


# ---- trend


def test_growth_is_at_most_tenfold(rng):
    level = trend.levels(rng, 2000, MONTHS)
    assert (level > 0).all()
    ratio = level.max(axis=1) / level.min(axis=1)
    assert ratio.max() <= 10 * (1 + 1e-9)
    assert (ratio > 9.99).any() and (ratio < 1.0001).mean() > 0.1  # the cap is met, and some have no trend


def test_each_trend_goes_as_its_name_says(rng):
    young, old = trend.logistic(rng, 300, MONTHS), trend.decline(rng, 300, MONTHS)
    assert (np.diff(young) > -1e-12).all() and (young[:, -1] > young[:, 0]).all()
    assert (np.diff(old) < 1e-12).all() and (old[:, -1] < old[:, 0]).all()
    assert np.abs(np.diff(np.exp(trend.linear(rng, 300, MONTHS)), n=2)).max() < 1e-9
    assert np.abs(np.diff(trend.exponential(rng, 300, MONTHS), n=2)).max() < 1e-9
    steps = np.abs(np.diff(trend.damped(rng, 300, MONTHS)))
    assert (np.diff(steps) <= 0).all()
    breaks = (np.abs(np.diff(trend.broken(rng, 300, MONTHS), n=2)) > 1e-9).sum(axis=1)
    assert breaks.min() >= 0 and breaks.max() <= 3 and (breaks > 0).mean() > 0.9
    assert max(len(np.unique(row)) for row in trend.regimes(rng, 300, MONTHS)) == 2
    change = np.diff(trend.walk(rng, 300, MONTHS))
    assert abs(correlation(change[:, 1:], change[:, :-1]).mean()) < 0.05
    pace = np.diff(trend.cycle(rng, 300, MONTHS))
    assert correlation(pace[:, 1:], pace[:, :-1]).mean() > 0.7


# ---- season


def test_a_season_belongs_to_the_calendar_month():
    """A series that begins five months later in the same year has the effects of the same months."""
    january = season.effects(np.random.default_rng(1), starts(500), 60)
    june = season.effects(np.random.default_rng(1), starts(500) + 5, 60)
    np.testing.assert_array_equal(january[:, 5:], june[:, :-5])


def test_shares_of_series_without_season_and_with_a_fixed_one(rng):
    found = season.effects(rng, starts(3000), MONTHS)
    none = (found == 0).all(axis=1)
    fixed = (found[:, 12:] == found[:, :-12]).all(axis=1) & ~none
    assert none.mean() == pytest.approx(season.NONE, abs=0.03)
    assert fixed.sum() / (~none).sum() == pytest.approx(season.CHANGES[season.fixed], abs=0.04)
    np.testing.assert_allclose(found[fixed][:, :12].mean(axis=1), 0.0, atol=1e-12)


def test_shapes_have_the_months_that_they_are_named_after(rng):
    december = season.peak(rng, 2000).argmax(axis=1) == 11
    assert 0.45 < december.mean() < 0.7
    august = season.holiday(rng, 2000).argmin(axis=1) == 7
    assert 0.5 < august.mean() < 0.8
    assert (season.school_year(rng, 500).argmax(axis=1) == 8).mean() > 0.6
    last_of_quarter = season.quarters(rng, 500)[:, 2::3].mean(axis=1)
    assert (last_of_quarter > 0).mean() > 0.95
    top = np.sort(season.standardised(season.two_peaks(rng, 500)), axis=1)
    assert (top[:, -2] > 0.5).mean() > 0.9
    waves = np.abs(np.fft.rfft(season.harmonics(rng, 4000), axis=1)).mean(axis=0)[1:]
    assert (np.diff(waves) < 0).all()


def test_seasons_change_as_they_say(rng):
    shape = season.shapes(rng, 400)
    walked = season.walking(rng, shape, 12)
    likeness = [correlation(walked[:, 0], walked[:, later]).mean() for later in (1, 5, 11)]
    assert likeness[0] > 0.9 and likeness[0] > likeness[1] > likeness[2]
    swollen = season.swelling(rng, shape, 12)
    np.testing.assert_allclose(correlation(swollen[:, 0], swollen[:, 11]), 1.0)
    assert np.ptp(swollen[:, 11].std(axis=1) / swollen[:, 0].std(axis=1)) > 1
    turned = season.turning(rng, shape, 12)
    assert abs(correlation(turned[:, 0], turned[:, 11]).mean()) < 0.35
    np.testing.assert_allclose(walked.mean(axis=2), 0.0, atol=1e-9)


@pytest.mark.parametrize(("recipe", "growth"), [(flows.multiplicative, 4.0), (flows.additive, 1.0)])
def test_a_multiplicative_season_grows_with_the_level_and_an_additive_one_does_not(rng, monkeypatch, recipe, growth):
    wave = 0.1 * np.cos(2 * np.pi * np.arange(MONTHS) / 12)
    step = np.where(np.arange(MONTHS) < MONTHS // 2, 1.0, 4.0)
    monkeypatch.setattr(flows, "sizes", lambda rng, n: np.full((n, 1), 1e-5))
    monkeypatch.setattr(flows, "calendar_factors", lambda rng, first_month, months: 1.0)
    monkeypatch.setattr(flows, "effects", lambda rng, first_month, months: np.tile(wave, (len(first_month), 1)))
    monkeypatch.setattr(flows, "levels", lambda rng, n, months: np.tile(step, (n, 1)))
    found = recipe(rng, starts(50), MONTHS)
    np.testing.assert_allclose(np.ptp(found[:, -12:], axis=1) / np.ptp(found[:, :12], axis=1), growth, rtol=0.02)


# ---- noise


@pytest.mark.parametrize("kind", noise.NOISES)
def test_noise_has_mean_0_and_deviation_1(rng, kind):
    found = kind(rng, 4000, MONTHS)
    assert found.mean() == pytest.approx(0.0, abs=0.02)
    assert found.std() == pytest.approx(1.0, abs=0.06)


def test_noises_differ_as_they_say(rng):
    def lagged(found):
        return correlation(found[:, 1:], found[:, :-1])

    assert abs(lagged(noise.normal(rng, 2000, MONTHS)).mean()) < 0.02
    ar = lagged(noise.autoregressive(rng, 2000, MONTHS))
    assert ar.min() < -0.3 and ar.max() > 0.7 and ar.mean() > 0.15
    ma = noise.moving_average(rng, 2000, MONTHS)
    assert lagged(ma).min() > -0.65 and abs(correlation(ma[:, 2:], ma[:, :-2]).mean()) < 0.05
    assert (noise.heavy(rng, 2000, MONTHS) ** 4).mean() > 4.0  # a normal's is 3
    assert abs((noise.skewed(rng, 2000, MONTHS) ** 3).mean(axis=1)).mean() > 1.0
    squares = noise.clustered(rng, 2000, MONTHS) ** 2
    assert correlation(squares[:, 1:], squares[:, :-1]).mean() > 0.08
    assert np.abs(noise.noise(rng, 2000, MONTHS)).max() <= noise.LIMIT


def test_noise_moves_with_level_or_season_in_some_series(rng):
    level = np.tile(np.exp(np.linspace(-1, 1, MONTHS)), (3000, 1))
    wave = np.tile(np.cos(2 * np.pi * np.arange(MONTHS) / 12), (3000, 1))
    found = noise.unrest(rng, level, wave)
    np.testing.assert_allclose((found**2).mean(axis=1), 1.0)
    assert (found.std(axis=1) < 1e-12).mean() == pytest.approx(0.65 * 0.8, abs=0.03)


# ---- calendar


def test_weekdays_are_those_of_the_calendar():
    months = np.arange(0, 80 * 12, 7)
    for month, found in zip(months, calendar_effects.weekday_counts(months), strict=True):
        weeks = calendar.monthcalendar(1970 + month // 12, month % 12 + 1)
        assert found.tolist() == [sum(week[day] > 0 for week in weeks) for day in range(7)]


def test_easter_is_on_its_day():
    known = {
        1954: "04-18", 1961: "04-02", 1967: "03-26", 1975: "03-30", 1981: "04-19", 1989: "03-26", 1994: "04-03", 2000: "04-23",
        2005: "03-27", 2008: "03-23", 2011: "04-24", 2016: "03-27", 2019: "04-21", 2020: "04-12", 2024: "03-31", 2038: "04-25",
    }  # fmt: skip
    years = np.array(list(known))
    first = np.array([f"{year}-03-01" for year in years], dtype="datetime64[D]")
    ours = first + calendar_effects.easter_sunday(years) - 1
    assert ours.astype(str).tolist() == [f"{year}-{day}" for year, day in known.items()]


def test_easter_moves_march_and_april_by_the_day_it_falls_on(rng):
    found = calendar_effects.easter(rng, starts(400), 15 * 12)
    moved = (found != 1).any(axis=0)
    assert set(np.flatnonzero(moved) % 12) == {2, 3}
    early, late = (2008 - 2000) * 12 + 2, (2011 - 2000) * 12 + 2  # 23 March and 24 April
    lifts = found[:, early] > 1
    assert lifts.mean() == pytest.approx(0.75, abs=0.07)
    assert ((found[:, late] < 1) == lifts).all() and ((found[:, early + 1] < 1) == lifts).all()
    np.testing.assert_allclose(found[:, early] + found[:, early + 1], 2.0)  # what one month wins the other loses


def test_office_hours_follow_the_count_of_working_days_and_leap_days_count(rng, monkeypatch):
    monkeypatch.setattr(calendar_effects, "WEEKS", {calendar_effects.office: 1.0})
    first = rng.integers(5 * 12, 52 * 12, 200)
    found = calendar_effects.working_days(rng, first, 96)
    month = (first[:, None] + np.arange(97)).astype("datetime64[M]").astype("datetime64[D]")
    counted = np.busday_count(month[:, :-1], month[:, 1:])
    np.testing.assert_allclose(found / counted, (found / counted)[0, 0])
    assert found.mean() == pytest.approx(1.0, abs=0.01)
    monkeypatch.setattr(calendar_effects, "WEEKS", {calendar_effects.every_day: 1.0})
    every_day = calendar_effects.working_days(rng, starts(1), 24)[0]
    assert every_day[1] / every_day[13] == pytest.approx(29 / 28)  # February 2000 and 2001


# ---- shocks


def test_shifts_last_and_a_third_of_them_come_in_the_last_six_months(rng):
    found = shocks.shifts(rng, 3000, MONTHS)
    changed = np.abs(np.diff(found)) > 1e-9
    assert set(changed.sum(axis=1)) <= {1, 2}
    late = changed[:, -shocks.LATE :].any(axis=1)
    assert 0.33 < late.mean() < 0.42
    assert 0.4 < (found[:, -1] > 1).mean() < 0.6


def test_outliers_are_few_and_single(rng):
    odd = shocks.outliers(rng, 1000, MONTHS) != 1
    assert odd.sum(axis=1).min() >= 1 and odd.sum(axis=1).mean() < 6


def test_promotions_pull_sales_forward(rng):
    found = shocks.promotions(rng, 2000, MONTHS)
    rows, month = np.nonzero(found[:, :-3] > 1.15)
    alone = (found[rows, month + 2] <= 1) & (found[rows, month + 1] < 1)
    assert alone.mean() > 0.6
    lift = found[rows, month][alone] - 1
    missing = 2 - found[rows, month + 1][alone] - found[rows, month + 2][alone]
    assert 0.15 < np.median(missing / lift) < 0.75
    assert found.min() > 0


def test_after_a_standstill_most_comes_back_and_seldom_all(rng):
    found = shocks.standstill(rng, 3000, 400)
    begin = (found != 1).argmax(axis=1)
    early = begin < 200
    found, begin = found[early], begin[early]
    fallen = found[np.arange(len(found)), begin]
    end = found[:, -60:].mean(axis=1)
    assert (found >= 0).all() and np.quantile(fallen, 0.9) < 0.75
    assert (end > fallen).mean() > 0.97 and np.median(end) > 0.8
    assert 0.1 < (end > 1).mean() < 0.35
    still = found[np.arange(len(found)), begin + 2]
    assert np.abs(still - fallen).mean() < 0.2  # three months at least


def test_every_disturbed_series_has_a_shock_and_nothing_is_sold_more_from_an_empty_shelf(rng):
    assert ((shocks.shocks(rng, 1000, MONTHS) != 1).any(axis=1)).mean() > 0.97
    empty = shocks.sold_out(rng, 1000, MONTHS)
    assert empty.min() == 0 and empty.max() == 1 and 0.02 < (empty < 1).mean() < 0.15


# ---- intermittent demand


@pytest.mark.parametrize("kind", intermittent.DEMANDS)
def test_the_mean_interval_between_demands_is_within_its_range(rng, kind):
    counts = kind(rng, 400, 3000)
    assert (counts >= 0).all() and (counts % 1 == 0).all()
    interval = 3000 / (counts > 0).sum(axis=1)
    low, high = intermittent.INTERVAL
    slack = 0.1 if kind is not intermittent.fading else 0.35  # its mean is over chances that rise or fall
    assert low * (1 - slack) < interval.min() and interval.max() < high * (1 + slack)
    assert interval.min() < 1.6 and interval.max() > 4.5


def test_counts_are_as_dispersed_as_their_kind_says(rng):
    plain, wild = intermittent.poisson(rng, 400, 3000), intermittent.overdispersed(rng, 400, 3000)
    assert np.median(plain.var(axis=1) / plain.mean(axis=1)) == pytest.approx(1.0, abs=0.05)
    assert np.median(wild.var(axis=1) / wild.mean(axis=1)) > 1.5
    found = intermittent.negative_binomial(rng, np.full((1, 200_000), 3.0), np.array([[0.5]]))
    assert found.mean() == pytest.approx(3.0, rel=0.03) and found.var() == pytest.approx(3 + 9 / 0.5, rel=0.06)


# ---- lives


@given(st.integers(26, 160), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_lives_leave_enough_months_and_miss_none_in_between(months, seed):
    found = lives.lives(np.random.default_rng(seed), 60, months)
    known = np.isfinite(found)
    assert known.sum(axis=1).min() >= lives.FEWEST and known[:, -1].all()
    assert (np.diff(known.astype(int), axis=1) >= 0).all()
    assert np.nanmin(found) >= 0 and (np.nan_to_num(found) > 0).any(axis=1).all()


def test_lives_begin_end_and_pause(rng):
    begun = lives.started(rng, 900, MONTHS)
    zeros_first = begun[:, 0] == 0
    assert zeros_first.mean() == pytest.approx(1 / 3, abs=0.05) and np.isnan(begun[~zeros_first, 0]).all()
    assert (begun[:, -1] > 0).all()
    over = lives.ended(rng, 900, MONTHS)
    assert (over[:, -1] == 0).all() and (np.diff(over) <= 0).all() and (over[:, 12] > 0).all()
    away = lives.paused(rng, 900, MONTHS) == 0
    assert away.sum(axis=1).max() == 14 and (~away[:, -1]).mean() > 0.85


def test_seasonal_goods_are_sold_in_the_same_months_of_every_year(rng):
    first = rng.integers(100, 200, 300)
    sold = lives.seasonal_goods(rng, first, MONTHS) > 0
    np.testing.assert_array_equal(sold[:, 12:], sold[:, :-12])
    assert set(sold[:, :12].sum(axis=1)) == set(range(2, 9))


# ---- Gaussian processes


def test_kernels_are_covariances_of_variance_1(rng):
    for _ in range(40):
        found = kernels.kernel(rng, 60)
        np.testing.assert_allclose(found, found.T)
        assert np.diag(found).mean() == pytest.approx(1.0)
        assert np.linalg.eigvalsh(found).min() > -1e-8


def test_draws_have_the_covariance_of_their_kernel(rng, monkeypatch):
    month = np.arange(48.0)
    yearly = kernels.periodic(np.random.default_rng(2), month)
    monkeypatch.setattr(kernels, "kernel", lambda rng, months: yearly)
    drawn = kernels.kernels(rng, 4000, 48)
    np.testing.assert_allclose(drawn.T @ drawn / 4000, yearly, atol=0.12)
    assert np.abs(drawn[:, 12:] - drawn[:, :-12]).max() < 0.02  # every kernel of the bank's years repeats


# ---- series of others


def test_members_of_a_market_move_together(rng):
    parts = sums.related(rng, starts(300), np.full(300, 2), MONTHS)
    changes = np.diff(np.log(np.maximum(parts, 1e-9)))
    within, across = (
        correlation(changes[::2], changes[1::2]),
        correlation(changes[::2], np.roll(changes[1::2], 1, axis=0)),
    )
    assert within.mean() > 0.2 and abs(across.mean()) < 0.05


def test_aggregates_are_calmer_than_what_they_are_made_of(rng):
    def restlessness(values):
        return np.median(np.abs(np.diff(np.log(np.maximum(values, 1e-9)), n=2)).mean(axis=1))

    whole = sums.aggregates(rng, starts(300), MONTHS)
    assert whole.shape == (300, MONTHS) and (whole > 0).all()
    assert restlessness(whole) < restlessness(flows.disturbed(rng, starts(300), MONTHS))


def test_overheads_follow_sales_slowly(rng):
    sales = np.tile(np.where(np.arange(200) < 60, 1.0, 2.0), (300, 1))
    costs = sums.overheads(rng, sales)
    np.testing.assert_allclose(costs[:, 0], costs[:, 59])
    assert (costs[:, 60] == costs[:, 59]).all() and (np.diff(costs[:, 61:]) > 0).all()
    assert (costs <= 0.45 * 2).all() and np.median(costs[:, -1] / costs[:, 0]) > 1.8


def test_a_stock_of_steady_demand_settles_at_its_months_of_cover(rng, monkeypatch):
    """Without lots, what is left at a month's end is the months of cover, 0.5 to 4; with lots at least that."""
    monkeypatch.setattr(stocks, "disturbed", lambda rng, first_month, months: np.full((len(first_month), months), 7.0))
    cover = stocks.stocks(rng, starts(600), 60) / 7.0
    steady = np.ptp(cover[:, -24:], axis=1) < 1e-6
    assert steady.mean() > 0.45
    assert cover[steady, -1].min() >= 0.5 - 1e-6 and cover[steady, -1].max() <= 4.0 + 1e-6
    assert cover[:, -24:].min() >= 0.5 - 1e-6 and cover.max() < 4.0 + 4.0 / 7.0 + 1.0


def test_stocks_are_never_negative_and_follow_demand(rng):
    found = stocks.stocks(rng, starts(500), MONTHS)
    assert np.isfinite(found).all() and (found >= 0).all() and (found > 0).any(axis=1).all()


def test_a_capacity_is_never_exceeded(rng, monkeypatch):
    monkeypatch.setattr(limits, "sold_out", lambda rng, n, months: np.zeros((n, months)))
    found = limits.censored(rng, starts(500), MONTHS)
    cut = found.any(axis=1)
    assert 0.4 < cut.mean() < 0.6
    at_the_top = (found[cut] == found[cut].max(axis=1, keepdims=True)).mean(axis=1)
    assert at_the_top.min() > 0.02 and at_the_top.max() < 0.27


def test_expenses_rise_once_a_year_and_are_mostly_negative(rng):
    found = flows.expenses(rng, starts(900), MONTHS)
    steps = (np.abs(np.diff(found)) > 1e-12).sum(axis=1)
    flat = steps <= 12
    assert flat.mean() == pytest.approx(1 / 3, abs=0.05)
    assert (found < 0).all(axis=1).mean() == pytest.approx(0.7, abs=0.05) and (
        (found < 0).all(axis=1) | (found > 0).all(axis=1)
    ).all()


# ---- mixtures


def seasonal_panel(rng: np.random.Generator, n: int = 5, months: int = 240) -> np.ndarray:
    """Series that repeat their own year exactly, of different sizes and extents; column 0 is a January."""
    year = rng.uniform(0.2, 3.0, (n, 12)) * 10.0 ** rng.integers(-2, 6, (n, 1))
    panel = np.tile(year, months // 12)
    for row in range(n):
        panel[row, : rng.integers(0, 60)] = np.nan
        panel[row, months - rng.integers(0, 60) :] = np.nan
    return panel


def test_mixtures_are_in_phase_and_within_their_members_hull(rng):
    panel = seasonal_panel(rng)
    years = np.array([np.nanmean(row.reshape(-1, 12), axis=0) for row in panel])
    found = mix(rng, panel, 600, 96)
    assert set(found.kind) == {"arithmetic", "geometric"}
    for values, first, kind in zip(found.values, found.first_month, found.kind, strict=True):
        known = np.flatnonzero(np.isfinite(values))
        assert known[-1] == 95 and len(known) == 96 - known[0] >= 24
        members = years[:, (first + known) % 12]
        members, share = members / members.mean(axis=1, keepdims=True), values[known] / values[known].mean()
        np.testing.assert_allclose(share[12:], share[:-12])  # of members out of phase nothing else would come
        if kind == "arithmetic":
            assert (members.min(axis=0) <= share * (1 + 1e-9)).all() and (
                share <= members.max(axis=0) * (1 + 1e-9)
            ).all()
    arithmetic = found.kind == "arithmetic"
    assert arithmetic.mean() == pytest.approx(0.5, abs=0.07)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_an_average_lies_between_its_members_and_has_the_leading_ones_mean(seed):
    rng = np.random.default_rng(seed)
    taken = rng.lognormal(0.0, 1.0, (40, 3, 30)) * 10.0 ** rng.integers(-3, 7, (40, 3, 1))
    weights = mixtures.mixing_weights(rng, 40)
    found, geometric = mixtures.averaged(taken, weights, rng.random(40) < 0.5)
    shares = taken / taken.mean(axis=2, keepdims=True)
    for row in range(40):
        members = shares[row][weights[row] > 0]
        share = found[row] / taken[row, 0].mean()
        assert (share >= members.min(axis=0) * (1 - 1e-9)).all() and (share <= members.max(axis=0) * (1 + 1e-9)).all()
        logs = sum(weight * np.log(member) for weight, member in zip(weights[row], shares[row], strict=True))
        plain = sum(weight * member for weight, member in zip(weights[row], shares[row], strict=True))
        np.testing.assert_allclose(share, np.exp(logs) if geometric[row] else plain)
        assert geometric[row] or found[row].mean() == pytest.approx(taken[row, 0].mean())


def test_weights_are_those_of_one_two_or_three_members(rng):
    weights = mixtures.mixing_weights(rng, 6000)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    members = (weights > 0).sum(axis=1)
    np.testing.assert_allclose(np.bincount(members)[1:] / 6000, 1 / 3, atol=0.03)
    three = weights[members == 3]
    assert three.var() == pytest.approx(
        (1 / 3) * (2 / 3) / (3 * mixtures.CONCENTRATION + 1), rel=0.05
    )  # of a Dirichlet


def test_where_no_other_series_is_long_enough_a_mixture_is_a_stretch_of_its_leading_one(rng):
    panel = np.full((3, 150), np.nan)
    panel[1, 20:54] = rng.lognormal(3.0, 0.5, 34)
    panel[2, :20] = 1.0  # too short to be used
    found = mix(rng, panel, 200, 60, first_month=JANUARY_2000)
    column = found.first_month[:, None] - JANUARY_2000 + np.arange(60)
    known = np.isfinite(found.values)
    np.testing.assert_allclose(found.values[known], panel[1, column[known]])
    assert set(known.sum(axis=1)) == set(range(24, 35))
    assert column[:, -1].min() < 45 and column[:, -1].max() == 53  # cut out anywhere


def test_zeros_and_negative_months_are_averaged_plainly_and_gaps_stay_gaps(rng):
    panel = rng.normal(0.0, 5.0, (6, 120))
    panel[:, 60] = np.nan
    found = mix(rng, panel, 300, 48)
    assert set(found.kind) == {"arithmetic"}
    column = 60 - found.first_month
    hits = (found.first_month % 12 == (60 - column) % 12) & (column >= 0) & (column < 48)
    assert hits.any() and np.isnan(found.values[hits, column[hits]]).all()
    zero = mix(rng, np.zeros((4, 60)), 20, 36)
    assert set(np.unique(zero.values[np.isfinite(zero.values)])) == {0.0}


def test_what_cannot_be_mixed_is_refused(rng):
    with pytest.raises(ValueError, match="No series of the panel has 24 months"):
        mix(rng, np.ones((3, 20)), 5, 60)
    with pytest.raises(ValueError, match="at least 24 months, not 12"):
        mix(rng, np.ones((3, 60)), 5, 12)
