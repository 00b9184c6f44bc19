"""The direct trees: what they see of a window, halves that judge each other, and quantiles that are true."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import MIDDLE, QUANTILE_COLUMNS, QUANTILES
from forecasting.models.boosting import DirectBoostingModel, direct
from forecasting.models.boosting.trees import Trees
from forecasting.series.buckets import BUCKETS
from forecasting.series.panels import panel
from forecasting.series.windows.cutting import last_windows
from forecasting.series.windows.normalization import INPUT_LIMIT, normalised
from synthetic import company, series

NOISE = np.random.default_rng(5)


def seen(train: pd.DataFrame, horizon: int = 24, most: int = 10**6, seed: int = 1) -> direct.Rows:
    return direct.rows(train, horizon, most, seed, fewest=13)


# --- what the trees see


@pytest.mark.parametrize("ahead", [1, 5, 12, 13, 24])
def test_features_are_those_of_a_loop(ahead: int):
    """Adjusted values are counted back from the forecast month, by its calendar month."""
    train = pd.concat([series(NOISE.lognormal(3.0, 0.5, n), f"A/{n}") for n in (30, 75)])
    window, month = last_windows(panel(train))
    windows = normalised(window)
    found = direct.features(windows, month, np.array([0, 1]), np.full(2, ahead))
    for number, row in found.iterrows():
        spread = windows.spread[number]
        value = {
            month[number] - back: np.clip(windows.adjusted[number, -1 - back] / spread, -INPUT_LIMIT, INPUT_LIMIT)
            for back in range(120)
        }
        target = month[number] + ahead
        same = [value[one] for one in range(month[number], month[number] - 60, -1) if one % 12 == target % 12][:4]
        for years in (1, 2, 3, 4):
            np.testing.assert_allclose(row[f"level_same_month_{years}y"], same[years - 1], rtol=1e-6)
        np.testing.assert_allclose(row["level_same_month"], np.nanmean(same), rtol=1e-5)
        np.testing.assert_allclose(
            row["level_6m"], np.mean([value[month[number] - back] for back in range(6)]), rtol=1e-4
        )
        np.testing.assert_allclose(row["level_lag3"], value[month[number] - 3], rtol=1e-6)
        # the window's season is held by months before the origin
        season = next(windows.season[number, back] for back in range(12) if (month[number] - back - target) % 12 == 0)
        np.testing.assert_allclose(row["season"], season / spread, rtol=1e-5)
        assert row["months_ahead"] == ahead and row["calendar_month"] == target % 12 + 1
    assert found.loc[0, ["level_same_month_4y", "level_lag23"]].isna().tolist() == [True, False]  # 30 months are known


def test_there_is_a_row_for_every_known_month_ahead_and_its_target_leads_back_to_it():
    train = company(30, regions=1, categories=2)
    rows = seen(train, horizon=5)
    lengths = train.groupby("unique_id").size()
    assert len(rows) == sum(min(5, n - last) for n in lengths for last in range(13, n))
    assert rows.ahead.min() == 1 and rows.ahead.max() == 5 and np.isfinite(rows.target).all()
    one = train[train["unique_id"] == "R0/C0"]["y"].to_numpy()
    window, _ = last_windows(panel(train[train["unique_id"] == "R0/C0"].iloc[:-3]))
    windows = normalised(window)
    at = (rows.features["calendar_month"] == 12) & (rows.ahead == 3)
    found = rows.target[np.flatnonzero(at)]  # the window that ends three months before the end is one of these
    back = [windows.forecasts(np.full((1, 3, 1), value))[0, 2, 0] for value in found]
    assert min(abs(value / one[-1] - 1.0) for value in back) < 1e-9


def test_the_lot_keeps_so_many_rows_and_is_the_same_for_the_same_seed():
    train = company(60)
    first, again, other = seen(train, most=300), seen(train, most=300), seen(train, most=300, seed=2)
    assert len(first) == len(again) == len(other) == 300 < len(seen(train))
    pd.testing.assert_frame_equal(first.features, again.features)
    np.testing.assert_array_equal(first.target, again.target)
    assert not np.array_equal(first.target, other.target)


# --- halves that judge each other


@given(st.integers(0, 400), st.integers(0, 40))
def test_halves_are_about_equal_and_made_of_stretches(n_windows: int, n_series: int):
    found = direct.halves(n_windows, n_series)
    assert len(found) == n_windows and set(found) <= {0, 1}
    stretches = 1 + np.count_nonzero(np.diff(found)) if n_windows else 0
    assert stretches <= max(n_series, 2)
    if n_windows >= max(n_series, 2):
        longest = -(-n_windows // max(n_series, 2))
        assert abs(np.count_nonzero(found) - n_windows / 2) <= longest
        assert stretches == max(n_series, 2)


def test_a_series_lies_in_one_half_where_all_are_of_one_length():
    assert direct.halves(12, 4).tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]
    assert direct.halves(6, 1).tolist() == [0, 0, 0, 1, 1, 1]


def test_what_is_missed_is_judged_by_trees_that_never_saw_it(monkeypatch: pytest.MonkeyPatch):
    """Each median learns from one half alone; the sizes come from what it says of the other one."""
    learned = []
    grown = Trees.grown.__func__

    def recorded(cls, features, target, trees, weight, **options):
        learned.append((features, np.asarray(target)))
        return grown(cls, features, target, trees, weight, **options)

    monkeypatch.setattr(Trees, "grown", classmethod(recorded))
    train = company(48, categories=4)
    model = DirectBoostingModel(trees=20, horizon=6).fit(train)
    rows = seen(train, horizon=6)
    for half in (0, 1):
        np.testing.assert_array_equal(learned[half][1], rows.target[rows.half == half])
    missed = np.where(
        rows.half == 0,
        rows.target - model.medians[1].predict(rows.features),
        rows.target - model.medians[0].predict(rows.features),
    )
    np.testing.assert_allclose(learned[2][1], np.log(np.abs(missed) + direct.SMALLEST_MISS))
    pd.testing.assert_frame_equal(learned[2][0], rows.features)


# --- quantiles


def test_the_quantiles_minimise_the_weighted_loss():
    """Against a search of all values: the loss of missed − size × quantile, in weights."""
    n = 120
    rows = direct.Rows(pd.DataFrame(), np.zeros(n), NOISE.uniform(0.2, 3.0, n), np.repeat([2, 9], n // 2), np.zeros(n))
    missed, size = NOISE.normal(0.3, 1.0, n), NOISE.uniform(0.5, 2.0, n)
    found = direct.standardised(missed, size, rows)
    for bucket, inside in {"1-3": rows.ahead == 2, "7-12": rows.ahead == 9}.items():
        ratio = (missed / size)[inside]

        def loss(value: float, level: float, inside=inside) -> float:
            apart = missed[inside] - size[inside] * value
            return (rows.weight[inside] * np.maximum(level * apart, (level - 1.0) * apart)).sum()

        best = [min(ratio, key=lambda value, level=level: loss(value, level)) for level in QUANTILES]
        np.testing.assert_allclose(found[bucket], np.array(best) - best[MIDDLE], atol=1e-12)
    assert found["4-6"] == found["1-3"] and found["19+"] == found["7-12"]  # nothing is known of these
    assert list(found) == list(BUCKETS)


@pytest.fixture(scope="module")
def calm_and_noisy() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sixty series of noise around a level, the last six months apart: half of them three times as noisy for the same swings."""
    rng = np.random.default_rng(8)
    parts = [
        series(100.0 * rng.lognormal(0.0, 0.05 if k % 2 else 0.3, 66), f"{'calm' if k % 2 else 'wild'}/{k}")
        for k in range(60)
    ]
    train = pd.concat(parts, ignore_index=True)
    last = train["ds"] > "2023-06-01"
    return train[~last].reset_index(drop=True), train[last]


def test_intervals_cover_as_often_as_they_say_and_are_wide_where_it_is_noisy(calm_and_noisy):
    train, future = calm_and_noisy
    found = DirectBoostingModel(trees=60, learning_rate=0.1, horizon=6).fit(train).predict(train, 6)
    rows = found.merge(future, on=["unique_id", "ds"])
    assert len(rows) == 360
    for share, low, high in ((0.8, "q100", "q900"), (0.95, "q025", "q975")):
        inside = rows["y"].between(rows[low], rows[high]).mean()
        assert abs(inside - share) < 0.07
    width = (rows["q900"] - rows["q100"]).groupby(rows["unique_id"].str.startswith("wild")).mean()
    assert 4.0 < width[True] / width[False] < 9.0
    quantiles = found[list(QUANTILE_COLUMNS)].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all() and (quantiles[:, -1] > quantiles[:, 0]).all()


def test_beyond_its_reach_it_forecasts_again_from_its_own_medians():
    train = company()
    model = DirectBoostingModel(trees=20, horizon=4).fit(train)
    found = model.predict(train, 10)
    first = found[found["horizon"] <= 4]
    pd.testing.assert_frame_equal(model.predict(train, 4), first.reset_index(drop=True))
    grown = pd.concat(
        [train[["unique_id", "ds", "y"]], first[["unique_id", "ds", "q500"]].rename(columns={"q500": "y"})]
    )
    second = model.predict(grown, 4)
    np.testing.assert_allclose(second["q900"], found[found["horizon"].between(5, 8)]["q900"])


def test_a_single_tree_is_enough_to_speak():
    found = DirectBoostingModel(trees=1, horizon=3).fit(company()).predict(company(), 3)
    assert np.isfinite(found[list(QUANTILE_COLUMNS)].to_numpy()).all()


def test_too_little_to_learn_from_says_nothing(tmp_path):
    model = DirectBoostingModel(trees=20).fit(series(np.arange(17.0)))
    assert model.predict(company(30), 3)["q500"].isna().all() and model.importances().empty
    model.save(tmp_path)
    assert DirectBoostingModel.load(tmp_path).predict(company(30), 3)["q500"].isna().all()
