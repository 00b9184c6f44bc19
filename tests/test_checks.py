"""The data checks, against naive counts, and on a frame shaped like AdventureWorks: a feed that ends a month early."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import TRAIN_COLUMNS
from forecasting.errors import UserError
from forecasting.sample import writing as sample
from forecasting.training_set import checks

FACTS = {
    "domain": "sales", "grain": "daily", "n_facts": 100, "first_fact": "2010-12-29", "last_fact": "2014-01-28",
    "first_month": "2011-01-01", "last_month": "2013-12-01", "n_months": 36, "measure": "net amount",
    "left_out": [], "notes": [],
}  # fmt: skip
SEASON = 100 + 40 * np.sin(np.arange(12) * np.pi / 6)


def frame(last: str = "2013-12", **series: list[float]) -> pd.DataFrame:
    """A training set whose series all end in `last`; `North_Bikes` becomes North/Bikes; zeros are imputed."""
    parts = []
    for name, y in series.items():
        region, category = name.split("_", 1)
        ds = pd.date_range(end=f"{last}-01", periods=len(y), freq="MS")
        rows = {"unique_id": f"{region}/{category}", "ds": ds, "y": np.asarray(y, float), "region": region}
        parts.append(pd.DataFrame(rows | {"product_category": category, "is_imputed": np.asarray(y, float) == 0}))
    return pd.concat(parts, ignore_index=True)[TRAIN_COLUMNS].sort_values(["unique_id", "ds"], ignore_index=True)


def seasonal(years: int = 3, level: float = 1.0, noise: float = 2.0, seed: int = 0) -> np.ndarray:
    return level * (np.tile(SEASON, years) + np.random.default_rng(seed).normal(0, noise, 12 * years))


@pytest.fixture(scope="module")
def early_end() -> pd.DataFrame:
    """40 series of 36 months, the first 15 of which are empty in the last one."""
    series = {}
    for i in range(40):
        y = seasonal(seed=i)
        y[-1] = 0 if i < 15 else y[-1]
        series[f"R{i // 4}_C{i:02d}"] = y
    return frame(**series)


def codes(found: list[dict[str, str]]) -> list[str]:
    return [warning["code"] for warning in found]


def text_of(found: list[dict[str, str]], code: str) -> str:
    return next(warning["text"] for warning in found if warning["code"] == code)


def test_series_table_counts_what_a_loop_counts() -> None:
    y = {
        "N_active": seasonal(),
        "N_ended": [5.0] * 20 + [0.0] * 12,
        "N_silent": [5.0] * 30 + [0.0, 0.0],
        "S_short": [1.0] * 23,
        "S_rare": [0.0, 7.0, 0.0] * 12,
        "S_back": [4.0, -1.0] * 15,
    }
    table = checks.series_table(frame(**y)).set_index("unique_id")
    status = {name: name.split("_")[1] for name in y} | {"S_rare": "intermittent", "S_back": "active"}
    assert table["status"].to_dict() == {name.replace("_", "/"): alive for name, alive in status.items()}
    total = sum(sum(values[-12:]) for values in y.values())
    for name, values in y.items():
        row = table.loc[name.replace("_", "/")]
        assert row["n_months"] == len(values)
        assert row["n_nonzero"] == sum(v != 0 for v in values)
        assert row["n_imputed"] == sum(v == 0 for v in values)
        assert row["n_negative"] == sum(v < 0 for v in values)
        assert row["share"] == pytest.approx(sum(values[-12:]) / total)
    assert table.loc["N/ended", "last_nonzero_month"] == pd.Timestamp("2012-12-01")
    assert table.loc["S/short", "first_month"] == pd.Timestamp("2012-02-01")


def test_a_carried_forward_stock_is_silent() -> None:
    train = frame(N_a=[5.0] * 30)
    train.loc[train.index[-2:], "is_imputed"] = True
    assert checks.series_table(train)["status"].tolist() == ["silent"]


def test_all_zero_series_have_no_last_month_and_no_share() -> None:
    table = checks.series_table(frame(N_a=[0.0] * 5, N_b=[0.0] * 30))
    assert table["status"].tolist() == ["short", "ended"]
    assert table["last_nonzero_month"].isna().all() and table["share"].isna().all()


def test_gaps_lists_imputed_months() -> None:
    gaps = checks.gaps(frame(N_a=[1.0, 0.0, 0.0, 1.0], N_b=[1.0] * 4, N_c=[0.0] * 9))
    assert gaps["unique_id"].tolist() == ["N/a", "N/c"]
    assert gaps["n_imputed"].tolist() == [2, 9] and gaps["n_months"].tolist() == [4, 9]
    assert gaps["months"].tolist() == [
        "2013-10, 2013-11",
        "2013-04, 2013-05, 2013-06, 2013-07, 2013-08, 2013-09 and 3 more",
    ]


def test_outliers_finds_the_planted_month_once_and_says_what_was_expected() -> None:
    y = seasonal(years=5)
    y[30] = 600
    found = checks.outliers(frame(N_a=y, N_b=seasonal(years=5, seed=1)))
    assert found["unique_id"].tolist() == ["N/a"]  # and not its echo twelve months later
    assert found["ds"].tolist() == [pd.date_range(end="2013-12-01", periods=60, freq="MS")[30]]
    assert found["expected"].iloc[0] == pytest.approx(y[18], rel=0.1)
    assert found["z"].iloc[0] > 6


def test_outliers_z_is_the_modified_z_score() -> None:
    y = np.r_[np.zeros(12), np.arange(12.0), 80.0] - 1  # differences are 0 … 11 and, for the last month, 80
    found = checks.outliers(frame(N_a=y), threshold=3)
    differences = y[12:] - y[:-12]
    mad = np.median(np.abs(differences - np.median(differences)))
    assert found["z"].iloc[-1] == pytest.approx((differences[-1] - np.median(differences)) / (1.4826 * mad))
    assert checks.outliers(frame(N_a=y), threshold=1e6).empty


def test_outliers_of_a_growing_series_are_judged_by_ratios() -> None:
    growing = seasonal(years=12, noise=3) * 1.02 ** np.arange(144)
    assert checks.outliers(frame(N_a=growing)).empty


def test_outliers_needs_two_years_and_some_variation() -> None:
    assert checks.outliers(frame(N_a=[1.0] * 23, N_b=[3.0] * 60, N_c=[0.0] * 60)).empty


def test_sudden_falls_at_every_level(early_end: pd.DataFrame) -> None:
    falls = checks.sudden_falls(early_end)
    assert falls["aggregation"].drop_duplicates().tolist() == ["total", "region", "category", "series"]
    series = falls[falls["aggregation"] == "series"]
    assert len(series) == 15 and (series["change_pct"] == -100).all()
    regions = falls[falls["aggregation"] == "region"]
    assert set(regions["unique_id"]) == {"R0/All", "R1/All", "R2/All", "R3/All"}
    total = falls.iloc[0]
    by_month = early_end.groupby("ds")["y"].sum()
    change = by_month.iloc[-4:-1].mean() - by_month.iloc[-16:-13].mean()
    lowest = min(by_month.iloc[-13], by_month.iloc[-13] + change)
    assert total["unique_id"] == "All/All" and total["expected"] == pytest.approx(lowest)
    assert total["change_pct"] == pytest.approx(100 * (by_month.iloc[-1] / lowest - 1))


@pytest.mark.parametrize("end", range(24, 61))
def test_neither_a_season_nor_a_decline_is_a_sudden_fall(end: int) -> None:
    decline = seasonal(years=5, level=9, seed=1) * 0.97 ** np.arange(60)
    assert checks.sudden_falls(frame(N_a=seasonal(years=5)[:end], S_b=decline[:end])).empty


def spiked(times: float, month: int, end: int = 60) -> pd.DataFrame:
    """Four series of five years, one month of one of them multiplied; months count from the end, 0 is the last."""
    series = {f"{region}_{name}": seasonal(years=5, seed=ord(name))[:end] for region in "NS" for name in "ab"}
    series["N_a"][-1 - month] *= times
    return frame(**series)


@pytest.mark.parametrize("month", [0, 1, 2, 7, 12, 23])
@pytest.mark.parametrize("times", [40.0, 5.0, -3.0, 0.0])
def test_a_month_that_nobody_would_expect_is_named_in_both_directions(times: float, month: int) -> None:
    train = spiked(times, month)
    found = checks.spikes(train)
    if month == 0 and times <= 0:
        assert found.empty and set(checks.sudden_falls(train)["aggregation"]) >= {"region", "series"}
        return
    own = found[found["aggregation"] == "series"].iloc[0]
    row = train[(train["unique_id"] == "N/a") & (train["ds"] == own["ds"])].iloc[0]
    assert own["unique_id"] == "N/a" and (own["ds"] == sorted(train["ds"].unique())[-1 - month])
    assert own["y"] == row["y"] and own["expected"] == pytest.approx(row["y"] / times if times else 100, rel=0.5)
    assert (found["ds"] == own["ds"]).all() and (np.sign(found["y"] - found["expected"]) == np.sign(times - 1)).all()
    severities = [w["severity"] for w in checks.warnings(train, "sales", FACTS) if w["code"] == "spike"]
    assert ("high" in severities) == ("total" in set(found["aggregation"])) and len(severities) == found[
        "aggregation"
    ].nunique()
    if times == 40.0:
        assert found["aggregation"].drop_duplicates().tolist() == ["total", "region", "category", "series"]
        text = text_of(checks.warnings(train, "sales", FACTS), "spike")
        total = train.groupby("ds")["y"].sum()[own["ds"]]
        assert text.startswith(f"Total sales stands out in {own['ds']:%Y-%m} (amount {total:,.2f}, expected amount ")


@pytest.mark.parametrize("end", [14, 20, 30])
def test_a_short_history_shows_its_spikes_and_not_its_first_season(end: int) -> None:
    assert checks.spikes(frame(N_a=seasonal(years=5)[:end])).empty
    assert len(checks.spikes(spiked(40.0, 3, end))) == 4
    christmas = np.where(np.arange(end) % 12 == 11, 250.0, 100.0)
    assert checks.spikes(frame(N_a=christmas)).empty


def test_two_months_side_by_side_stand_out_a_change_of_level_does_not() -> None:
    twice, step = seasonal(years=4), seasonal(years=4)
    twice[-9:-7] *= 10
    step[-9:] *= 10
    assert checks.spikes(frame(N_a=twice))["ds"].tolist() == [pd.Timestamp("2013-04-01"), pd.Timestamp("2013-05-01")]
    assert checks.spikes(frame(N_a=step)).empty


def test_a_year_after_a_spike_nothing_has_fallen() -> None:
    assert checks.sudden_falls(spiked(40.0, 12)).empty


def test_a_node_with_one_part_is_named_once_and_an_old_spike_only_where_it_is_huge() -> None:
    lonely = seasonal(years=5)
    lonely[-5] *= 40
    assert checks.spikes(frame(N_a=lonely))["aggregation"].tolist() == ["total"]
    assert checks.spikes(spiked(3.0, 24)).empty and checks.spikes(spiked(0.0, 24)).empty
    assert checks.spikes(spiked(80.0, 40))["aggregation"].tolist() == ["total"]


@pytest.mark.parametrize("month", [0, 1, 2, 12, 13])
def test_in_a_history_of_fourteen_months_a_spike_is_no_measure_of_itself(month: int) -> None:
    train = spiked(40.0, month, 14)
    assert set(checks.spikes(train)["ds"]) == {sorted(train["ds"].unique())[-1 - month]}


def test_that_a_company_grew_excuses_no_month_without_sales() -> None:
    young = np.concatenate([np.full(18, np.nan), 3 * seasonal(years=5, seed=4)[:18]])
    old = seasonal(years=5, seed=5)[:36]
    train = frame(N_a=old, S_b=young).dropna()
    train.loc[train["ds"] == sorted(train["ds"].unique())[20], "y"] *= 0.02
    found = checks.spikes(train)
    assert "total" in set(found["aggregation"]) and (found["y"] < found["expected"]).all()


def test_growth_decline_and_orders_now_and_then_are_no_spikes() -> None:
    now_and_then = np.where(np.arange(60) % 5 == 3, 500.0, 0.0)
    growing, falling = seasonal(years=5) * 1.05 ** np.arange(60), seasonal(years=5, seed=3) * 0.95 ** np.arange(60)
    assert checks.spikes(frame(N_a=now_and_then, S_b=growing)).empty and checks.spikes(frame(N_a=falling)).empty


def test_the_sample_company_gives_no_false_alarm(tmp_path: Path) -> None:
    sample.write_company(tmp_path)
    facts = pd.read_parquet(
        tmp_path / "sales.parquet", columns=["order_date", "net_amount", "region", "product_category"]
    )
    month = pd.to_datetime(facts["order_date"]).dt.to_period("M").dt.to_timestamp()
    uid = facts["region"] + "_" + facts["product_category"]
    wide = facts["net_amount"].astype(float).groupby([month, uid]).sum().unstack()[:"2025-06"]
    train = frame(last="2025-06", **from_first(wide))
    assert codes(checks.warnings(train, "sales", FACTS)) == ["ended_series"]
    for end in pd.date_range("2024-01-01", "2025-06-01", freq="MS"):
        falls = checks.sudden_falls(train[train["ds"] <= end])
        assert set(falls["aggregation"]) <= {"series"} and len(falls) <= 2
        assert set(checks.spikes(train[train["ds"] <= end])["aggregation"]) <= {"category"}


def from_first(wide: pd.DataFrame) -> dict[str, list[float]]:
    """Each column from its first value on, with zeros for the months without facts."""
    return {name: y[y.first_valid_index() :].fillna(0.0).tolist() for name, y in wide.items()}


def test_a_fall_in_negative_profit_has_the_right_sign() -> None:
    falls = checks.sudden_falls(frame(N_costs=[-100.0] * 29 + [-200.0]))
    assert (falls["change_pct"] == -100).all() and set(falls["aggregation"]) == {
        "total",
        "region",
        "category",
        "series",
    }


def test_a_short_history_needs_a_deeper_fall() -> None:
    assert checks.sudden_falls(frame(N_a=[100.0] * 15 + [60.0])).empty
    assert len(checks.sudden_falls(frame(N_a=[100.0] * 15 + [40.0]))) == 4


def test_a_feed_that_ends_early_is_named_with_the_fall_it_causes(early_end: pd.DataFrame) -> None:
    found = checks.warnings(early_end, "sales", FACTS)
    assert codes(found)[:2] == ["empty_last_month", "sudden_fall"] and found[0]["severity"] == "high"
    total = early_end.groupby("ds")["y"].sum()
    month, year = (100 * (1 - total.iloc[-1] / total.iloc[i]) for i in (-2, -13))
    names = ", ".join(f"R{i // 4}/C{i:02d}" for i in range(15))
    assert found[0]["text"] == (
        f"15 of 40 series have no sales in 2013-12 (their last sale was in 2013-11): {names}. "
        f"Total sales in December 2013 fell by {month:.1f} % against November 2013 and by {year:.1f} % against "
        "December 2012."
    )


def test_more_than_fifteen_names_are_cut() -> None:
    train = frame(**{f"R_c{i:02d}": [9.0] * 30 + [0.0] for i in range(17)}, R_x=[9.0] * 31)
    text = text_of(checks.warnings(train, "sales", FACTS), "empty_last_month")
    assert text.startswith("17 of 18 series have") and "R/c14 and 2 more. Total" in text and "R/c15" not in text


def test_normal_data_gives_no_warning() -> None:
    assert checks.warnings(frame(N_a=seasonal(), N_b=seasonal(seed=1)), "sales", FACTS) == []


def test_ended_and_intermittent_series_do_not_alarm() -> None:
    train = frame(N_a=seasonal(), N_old=[5.0] * 24 + [0.0] * 12, N_rare=[0.0, 0.0, 5.0] * 11 + [0.0] * 3)
    found = checks.warnings(train, "sales", FACTS)
    assert "empty_last_month" not in codes(found) and {w["severity"] for w in found} <= {"low", "medium"}
    text = "1 of 3 series has had no sales for twelve months or more: N/old. Its forecast is zero."
    assert text_of(found, "ended_series") == text


def test_what_was_left_out_and_narrowed_is_said() -> None:
    left_out = [{"ds": date(2014, 1, 1), "reason": "the facts end on 2014-01-28", "n_facts": 1970, "amount": 45694.72},
                {"ds": "2010-12-01", "reason": "partial", "n_facts": 14, "amount": None}]  # fmt: skip
    facts = FACTS | {"measure": "gross profit", "left_out": left_out, "notes": ["No regions: all is 'All'."]}
    found = checks.warnings(frame(N_a=seasonal()), "profit", facts)
    assert codes(found) == ["narrowed", "left_out"]
    assert found[0]["text"] == "No regions: all is 'All'."
    assert found[1]["text"] == (
        "2 months are left out of profit: 2014-01 (the facts end on 2014-01-28; 1,970 facts, amount 45,694.72); "
        "2010-12 (partial; 14 facts, amount unknown)."
    )
    assert codes(checks.warnings(frame(N_a=seasonal()), "inventory", FACTS | {"measure": "units"})) == ["units_only"]


def test_negative_and_imputed_values_and_short_histories() -> None:
    train = frame(N_a=[5.0, -2.5, 0.0, 0.0, 5.0] * 5, N_b=[5.0] * 25)
    found = checks.warnings(train, "inventory", FACTS)
    assert text_of(found, "negative_stock") == (
        "Stock is negative in 5 months of 1 of 2 series: N/a. The lowest is -2.50 (N/a, 2012-01). "
        "They are kept as they are."
    )
    assert "20.0 % of all months of all series (10 of 50)" in text_of(found, "imputed")
    assert text_of(found, "short_history").startswith("Inventory has 25 closed months (2011-12 to 2013-12); 30 or more")
    assert "negative_sales" in codes(checks.warnings(train, "sales", FACTS))
    assert not {"negative_sales", "negative_stock"} & set(codes(checks.warnings(train, "profit", FACTS)))


def test_stock_that_was_not_counted_is_said() -> None:
    train = frame(N_a=seasonal(), N_b=seasonal())
    train.loc[(train["unique_id"] == "N/b") & (train["ds"] == "2013-12-01"), "is_imputed"] = True
    found = checks.warnings(train, "inventory", FACTS)
    assert found[0] == {
        "severity": "high", "code": "uncounted_last_month",
        "text": "1 of 2 series was not counted in 2013-12; the last count is carried forward: N/b.",
    }  # fmt: skip


values = st.one_of(st.just(0.0), st.floats(-1e9, 1e9, allow_nan=False))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(values, min_size=1, max_size=40), min_size=1, max_size=4),
    st.sampled_from(["sales", "inventory", "profit"]),
)
def test_any_training_set_can_be_checked(series: list[list[float]], domain: str) -> None:
    train = frame(**{f"R{i % 2}_c{i}": y for i, y in enumerate(series)})
    found = checks.warnings(train, domain, {})
    assert [w["severity"] for w in found] == sorted((w["severity"] for w in found), key=["high", "medium", "low"].index)
    assert all(w["text"].endswith(".") and " nan" not in w["text"] for w in found)
    assert len(checks.series_table(train)) == len(series)
    assert (checks.outliers(train)["z"].abs() > 6).all()
    falls = checks.sudden_falls(train)
    assert (falls["y"] < falls["expected"]).all() and not (falls["change_pct"] >= 0).any()
    assert (checks.spikes(train)["y"] != checks.spikes(train)["expected"]).all()


def test_no_data_is_a_warning_and_empty_tables() -> None:
    empty = frame(N_a=[1.0]).iloc[:0]
    assert codes(checks.warnings(empty, "sales", FACTS)) == ["no_data"]
    assert [
        len(table(empty))
        for table in (checks.series_table, checks.gaps, checks.outliers, checks.sudden_falls, checks.spikes)
    ] == [0] * 5


def test_good_data_passes() -> None:
    assert checks.require_forecastable(frame(N_a=[1.0] * 13, N_b=[-1.0] * 3), "sales", FACTS) is None


def spoilt(column: str, value: object) -> pd.DataFrame:
    train = frame(N_a=seasonal(), N_b=seasonal())
    train.loc[40, column] = value
    return train


@pytest.mark.parametrize(("train", "message"), [
    (frame(N_a=[1.0]).iloc[:0], r"^sales has no closed month; at least 13 are needed, 30 or more to compare"),
    (frame(last="2025-06", N_a=[1.0]), r"^sales has 1 closed month \(2025-06\); at least 13 are needed"),
    (frame(N_a=[1.0] * 12), r"^sales has 12 closed months \(2013-01 to 2013-12\)"),
    (frame(N_a=[0.0] * 20, N_b=[0.0] * 14), r"^sales is zero in all 20 months of all 2 series"),
    (spoilt("y", np.nan), r"^sales has 1 values that are not finite numbers: N/b in 2011-05\. Correct"),
    (spoilt("y", -np.inf), r"not finite numbers: N/b in 2011-05"),
    (spoilt("ds", pd.Timestamp("2011-04-01")), r"^sales has more than one row for a series and month: N/b in 2011-04"),
    (frame(N_a=seasonal(), N_b=seasonal()).drop(index=[5, 6, 40]),
     r"^sales: series N/a has no row for 2011-06, 2011-07, though it runs from 2011-01 to 2013-12\. 1 more"),
    (frame(N_a=seasonal(), N_b=seasonal()).drop(index=[71]), r"series N/b has no row for 2013-12"),
])  # fmt: skip
def test_what_cannot_be_forecast_stops(train: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        checks.require_forecastable(train, "sales", FACTS)


def test_the_stop_names_the_months_left_out() -> None:
    facts = FACTS | {
        "left_out": [{"ds": "2025-07-01", "reason": "the facts end on 2025-07-16", "n_facts": 9, "amount": 1.0}]
    }
    with pytest.raises(UserError, match=r"Left out: 2025-07, the facts end on 2025-07-16\."):
        checks.require_forecastable(frame(last="2025-06", N_a=[1.0]), "sales", facts)


def test_many_months_left_out_for_one_reason_are_named_by_the_first_and_the_last() -> None:
    months = [{"ds": f"2024-{number:02}-01", "reason": "the expenses begin on 2024-12-15"} for number in range(1, 12)]
    months.append({"ds": "2025-01-01", "reason": "the facts end on 2025-01-09"})
    words = r"Left out: 2024-01 to 2024-11, the expenses begin on 2024-12-15; 2025-01, the facts end on 2025-01-09\.$"
    with pytest.raises(UserError, match=words):
        checks.require_forecastable(frame(last="2024-12", N_a=[1.0]), "sales", FACTS | {"left_out": months})


ADVENTUREWORKS = Path(__file__).resolve().parents[2] / "shared" / "data" / "company" / "adventureworks_dw"


@pytest.mark.skipif(not ADVENTUREWORKS.is_dir(), reason="../shared/data/company/adventureworks_dw is not here")
def test_adventureworks_names_the_fifteen_series_that_are_empty_in_the_last_month() -> None:
    train = adventureworks_sales()
    assert train["unique_id"].nunique() == 40 and train["ds"].nunique() == 36
    checks.require_forecastable(train, "sales", FACTS)
    found = checks.warnings(train, "sales", FACTS)
    last = train[(train["ds"] == "2013-12-01") & (train["y"] == 0)]
    text = found[0]["text"]
    assert found[0]["severity"] == "high" and text.startswith("15 of 40 series have no sales in 2013-12")
    assert "(their last sale was in 2013-11)" in text and "fell by 63.9 % against November 2013" in text
    assert len(last) == 15 and all(uid in text for uid in last["unique_id"])
    assert "sudden_fall" in codes(found)


def adventureworks_sales() -> pd.DataFrame:
    """Monthly sales per region and category, straight from the Parquet files."""

    def read(name: str, columns: list[str]) -> pd.DataFrame:
        return pd.read_parquet(ADVENTUREWORKS / f"{name}.parquet", columns=columns)

    keys = ["OrderDate", "SalesTerritoryKey", "ProductKey", "SalesAmount"]
    facts = pd.concat([read("FactInternetSales", keys), read("FactResellerSales", keys)])
    facts = facts.merge(read("DimSalesTerritory", ["SalesTerritoryKey", "SalesTerritoryRegion"]))
    facts = facts.merge(read("DimProduct", ["ProductKey", "ProductSubcategoryKey"]))
    facts = facts.merge(read("DimProductSubcategory", ["ProductSubcategoryKey", "ProductCategoryKey"]))
    facts = facts.merge(read("DimProductCategory", ["ProductCategoryKey", "EnglishProductCategoryName"]))
    month = pd.to_datetime(facts["OrderDate"]).dt.to_period("M").dt.to_timestamp()
    uid = facts["SalesTerritoryRegion"] + "_" + facts["EnglishProductCategoryName"]
    wide = facts["SalesAmount"].astype(float).groupby([month, uid]).sum().unstack()["2011-01":"2013-12"]
    return frame(**from_first(wide))
