"""Series in their first year: the season and growth of those like them, at their own level, flagged as the fallback that it is."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import evaluation, models
from forecasting.errors import UserError
from forecasting.models.combination import MedianCombination
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.series import alike, as_nodes, panel
from forecasting.training_set import of_series
from synthetic import series

MONTHS = 60
SEASON = 1.0 + 0.5 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)


class Seasonal(SeasonalNaive):
    """The same month of last year, as a model that speaks from thirteen months on."""

    name = "seasonal"
    learns = True
    min_history = 13


class Last(Naive):
    """The last month, as another one."""

    name = "last"
    family = "other"
    learns = True
    min_history = 13


def market(level: float = 100.0, growth: float = 0.0) -> np.ndarray:
    """A series with a season and steady growth."""
    return level * SEASON * (1.0 + growth) ** (np.arange(MONTHS) / 12)


def shop(months: int, share: float = 0.25) -> pd.DataFrame:
    """Two regions with bikes and helmets, and bikes in a new region that sell a share of what they sell in the others together."""
    bikes = [market(100.0), market(60.0)]
    parts = [series(values, f"R{place}/Bikes") for place, values in enumerate(bikes)]
    helmets = 40.0 * (1.0 + 0.5 * np.cos(2 * np.pi * np.arange(MONTHS) / 12))
    parts += [series(helmets, f"R{place}/Helmets") for place in range(3)]
    parts.append(series(share * sum(bikes)[-months:], "R2/Bikes"))
    return pd.concat(parts, ignore_index=True)


def like(train: pd.DataFrame) -> dict[str, list[str]]:
    return alike(train, panel(as_nodes(train)))


def said(model, train: pd.DataFrame, unique_id: str = "R2/Bikes") -> pd.DataFrame:
    found = evaluation.forecast_nodes(model.fit(as_nodes(train)), train, 6, flow=True)
    return found[(found["aggregation"] == "series") & (found["unique_id"] == unique_id)].set_index("horizon")


@pytest.mark.parametrize("months", [1, 3, 7, 12])
def test_it_has_the_season_of_its_category_at_its_own_level(months: int):
    train = shop(months)
    found = said(Seasonal(), train)
    others = sum(said(Seasonal(), train, f"R{place}/Bikes")["q500"] for place in range(2))
    np.testing.assert_allclose(found["q500"], 0.25 * others)
    assert found["is_fallback"].all()
    assert np.ptp(found["q500"]) > 0.3 * found["q500"].mean()  # a season that nobody can see in a month or three


def test_from_thirteen_months_on_it_is_forecast_by_itself():
    assert not said(Seasonal(), shop(13))["is_fallback"].any()


def test_the_baseline_stays_the_simplest_forecast_that_there_is():
    train = shop(5)
    own = train.loc[train["unique_id"] == "R2/Bikes", "y"]
    assert said(SeasonalNaive(), train)["q500"].tolist() == pytest.approx([own.mean()] * 6)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ["series|R0/Bikes", "series|R1/Bikes"]),  # the category's other series
        ({"R2/Bikes": "R1/Helmets"}, ["series|R1/Helmets"]),  # whom people name
        ({"R2/Bikes": "R2/Gloves"}, ["series|R0/Bikes", "series|R1/Bikes"]),  # is not there at this cutoff
    ],
)
def test_whom_it_is_like(changed: dict[str, str], expected: list[str]):
    train = shop(5)
    train = train.assign(like=train["unique_id"].map(changed)) if changed else train
    assert like(train) == {"series|R2/Bikes": expected}


def test_a_new_category_is_like_the_region_s_others_and_a_new_region_like_the_other_regions():
    train = shop(MONTHS)
    begun = [series(market()[-4:], name) for name in ("R0/Gloves", "R9/Gloves", "R9/Bikes")]
    found = like(pd.concat([train, *begun], ignore_index=True))
    assert found["series|R0/Gloves"] == ["series|R0/Bikes", "series|R0/Helmets"]
    assert "series|R9/Gloves" not in found  # nothing is known of its region, nor of its category
    assert found["region|R9/All"] == [f"region|R{place}/All" for place in range(3)]
    assert found["category|All/Gloves"] == ["category|All/Bikes", "category|All/Helmets"]
    assert like(train) == {}


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 12), st.floats(0.001, 1000.0), st.integers(0, 1000))
def test_its_level_is_its_own_and_hangs_on_no_unit(months: int, factor: float, seed: int):
    train = shop(months)
    noise = np.random.default_rng(seed).lognormal(0.0, 0.2, len(train))
    train = train.assign(y=train["y"] * noise)
    new = train["unique_id"] == "R2/Bikes"
    times = train.assign(y=train["y"].where(~new, train["y"] * factor))
    before, after = (said(Seasonal(), each)["q500"].to_numpy() for each in (train, times))
    np.testing.assert_allclose(after, factor * before, rtol=1e-6)
    window = train[train["ds"] > train["ds"].max() - pd.DateOffset(months=months)]
    bikes = window[window["product_category"] == "Bikes"].groupby("unique_id")["y"].sum()
    others = sum(said(Seasonal(), train, f"R{place}/Bikes")["q500"].to_numpy() for place in range(2))
    np.testing.assert_allclose(before, others * bikes["R2/Bikes"] / (bikes["R0/Bikes"] + bikes["R1/Bikes"]))


def test_gains_and_losses_that_cancel_out_say_nothing_of_a_level():
    rng = np.random.default_rng(1)
    parts = [series(rng.normal(0.0, 50.0, MONTHS), f"R{place}/Bikes") for place in range(2)]
    train = pd.concat([*parts, series([10.0, 12.0, 14.0], "R2/Bikes")], ignore_index=True)
    assert said(Seasonal(), train)["q500"].tolist() == pytest.approx([12.0] * 6)


def test_a_combination_flags_it_and_gives_it_the_season_too():
    found = said(MedianCombination([Seasonal(), Last()]), shop(4))
    assert found["is_fallback"].all() and np.ptp(found["q500"]) > 0.3 * found["q500"].mean()


def test_it_is_nearer_to_what_comes_than_the_mean_of_its_months():
    whole = shop(18)
    train = whole[whole["ds"] <= whole["ds"].max() - pd.DateOffset(months=6)]
    actual = whole.loc[(whole["unique_id"] == "R2/Bikes") & (whole["ds"] > train["ds"].max()), "y"].to_numpy()
    own = train.loc[train["unique_id"] == "R2/Bikes", "y"]
    new = train[(train["unique_id"] != "R2/Bikes") | (train["ds"] > train["ds"].max() - pd.DateOffset(months=4))]
    error = np.abs(said(Seasonal(), new)["q500"].to_numpy() - actual).mean()
    assert error < 0.3 * np.abs(own.tail(4).mean() - actual).mean()


def test_what_a_series_alone_gets_is_what_it_always_got():
    train = series([3.0, 5.0, 10.0], "A/x")
    found = models.forecast(Seasonal(), train, 3, flow=True)
    assert found["q500"].tolist() == [6.0] * 3 and found["is_fallback"].all()


# --- who is like whom, as people say it in params/


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """A warehouse with a shop's sales; its names have what SQL may stumble over."""
    connection = duckdb.connect()
    connection.register("shop", shop(5).replace({"unique_id": {"R2/Bikes": "O'Hara/Bikes"}}))
    connection.execute("create table ml_train_sales_monthly as select * from shop")
    return connection


def test_the_training_set_says_whom_a_new_series_is_like(warehouse):
    found = warehouse.execute(of_series.train_select("sales", {"O'Hara/Bikes": "R1/Helmets"})).df()
    assert set(found.loc[found["unique_id"] == "O'Hara/Bikes", "like"]) == {"R1/Helmets"}
    assert found.loc[found["unique_id"] != "O'Hara/Bikes", "like"].isna().all()
    assert like(found)["series|O'Hara/Bikes"] == ["series|R1/Helmets"]
    plain = warehouse.execute(of_series.train_select("sales", {})).df()
    pd.testing.assert_frame_equal(plain, found.drop(columns="like"))


@pytest.mark.parametrize("named", [{"R2/Bike": "R1/Bikes"}, {"O'Hara/Bikes": "R1/Bike"}])
def test_a_name_that_no_series_has_is_refused_with_the_nearest(warehouse, named: dict[str, str]):
    with pytest.raises(
        UserError, match=r"like: there is no series 'R\d/Bike'.*region/product_category; the nearest is 'R\d/Bikes'"
    ):
        of_series.require_series(warehouse, {"sales"}, named)
    of_series.require_series(warehouse, {"sales"}, {"O'Hara/Bikes": "R1/Bikes"})
