"""What speaks against facts: totals among them, names alike, repeated blocks, stray dates, periods, long gaps.

The tables that dbt finds are made here once more in pandas; what dbt itself makes of a company is in `test_dbt`.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.training_set import doubts

SETTINGS: dict[str, Any] = {
    "rename": {},
    "totals": {},
    "duplicates": "keep",
    "stray_dates": "drop",
    "long_gaps": "stop",
}
RNG = np.random.default_rng(12)


def monthly(names: dict[str, np.ndarray], column: str = "region", first: str = "2022-01-01") -> pd.DataFrame:
    """Sales of names, one row per name and month, as facts: ds, region, product_category, amount."""
    other = "product_category" if column == "region" else "region"
    parts = [
        pd.DataFrame({"ds": pd.date_range(first, periods=len(y), freq="MS"), column: name, other: "One", "amount": y})
        for name, y in names.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna()


def tables(facts: pd.DataFrame, fact_table: str = "sales", grain: str = "daily") -> dict[str, pd.DataFrame]:
    """What dbt would hand over for facts of one table, without stray dates and repeated blocks."""
    months = facts.assign(day=facts["ds"], ds=facts["ds"].dt.to_period("M").dt.to_timestamp(), fact_table=fact_table)
    named = [
        months.groupby(["fact_table", column, "ds"])["amount"].agg(n_facts="size", amount="sum").reset_index()
        .rename(columns={column: "name"}).assign(column_name=column)
        for column in ("region", "product_category")
    ]  # fmt: skip
    dates = months.groupby(["fact_table", "day"])["amount"].agg(n_facts="size", amount="sum").reset_index()
    none = {"stray_dates": ["fact_table", "fact_date", "n_facts", "amount", "reason"],
            "repeated_blocks": ["fact_table", "region", "product_category", "is_part", "times", "first_date", "last_date", "n_surplus",
                                "amount"],
            "repeated_amounts": ["fact_table", "n_surplus", "amount"],
            "product_totals": ["fact_table", "product", "region", "product_category", "n_months", "n_equal"],
            "turns": ["region", "ds", "is_full", "last_day", "n_products", "n_missing", "units", "units_missing"]}  # fmt: skip
    return {
        "fact_dates": dates.rename(columns={"day": "fact_date"}),
        "name_months": pd.concat(named, ignore_index=True),
        "fact_windows": pd.DataFrame({"fact_table": [fact_table], "grain": [grain]}),
        "series": facts[["region", "product_category"]].drop_duplicates().assign(fact_table=fact_table),
        "series_months": months.groupby(["fact_table", "region", "product_category", "ds"], as_index=False)[
            "amount"
        ].sum(),
        **{name: pd.DataFrame(columns=columns) for name, columns in none.items()},
    }


def found(facts: pd.DataFrame, code: str, settings: dict[str, Any] | None = None, **options: Any) -> list[doubts.Doubt]:
    """The doubts of one code."""
    return [each for each in doubts.judge(tables(facts, **options), SETTINGS | (settings or {})) if each.code == code]


def amounts(n: int = 24, level: float = 100.0) -> np.ndarray:
    """Honest amounts: level and noise, in cents."""
    return np.round(level * RNG.lognormal(0, 0.3, n), 2)


def test_what_an_earlier_build_found_is_not_said_of_new_facts(tmp_path: Path) -> None:
    workspace: Any = SimpleNamespace(warehouse=tmp_path / "warehouse.duckdb", source="csv")
    doubts.forget(workspace)
    assert not workspace.warehouse.exists()
    total = tables(monthly({"North": amounts(), "Total": amounts()}))
    with duckdb.connect(str(workspace.warehouse)) as connection:
        for name in (
            "name_months",
            "fact_windows",
            "fact_dates",
            "stray_dates",
            "repeated_blocks",
            "product_totals",
            "repeated_amounts",
        ):
            frame = total[name].astype(object) if total[name].empty else total[name]
            connection.register("frame", frame)
            connection.execute(f"create table {name} as select * from frame")
        connection.execute(
            "create table sales_monthly as select 'North' as region, 'One' as product_category, "
            "date '2024-01-01' as ds, 1 as net_amount, 1 as stock"
        )
        connection.execute("create table profit_monthly as from sales_monthly")
        connection.execute("create table inventory_month_end as from sales_monthly")
        connection.execute(
            "create table inventory_counts (region text, ds date, is_full bool, last_day date, is_on_last_day bool, units int)"
        )
    with pytest.raises(UserError, match="Region 'Total'"):
        doubts.found(workspace, SETTINGS)
    doubts.forget(workspace)
    assert doubts.found(workspace, SETTINGS) == []


# --- totals


@pytest.mark.parametrize("column", ["region", "product_category"])
@pytest.mark.parametrize(
    "name", ["All", "Total", "Grand total", "Gesamt", "GESAMTERGEBNIS", "Total général", "合計", "Everything", "zz"]
)
def test_a_name_that_is_the_sum_of_the_others_is_refused_whatever_it_is_called(column: str, name: str) -> None:
    parts = {"North": amounts(), "South": amounts(), "West": amounts()}
    (doubt,) = found(monthly(parts | {name: sum(parts.values())}, column), "totals")
    assert doubt.severity == "refuse" and f"'{name}'" in doubt.text and "drop" in doubt.text
    assert doubts.refusal([doubt], "sales") == doubts.refusal([doubt], "profit") == doubt.text
    assert doubts.refusal([doubt], "inventory") == ""


def test_a_rounded_total_and_one_that_lacks_months_are_found_too() -> None:
    parts = {"North": amounts(), "South": amounts(), "West": amounts()}
    total = np.round(sum(parts.values()))
    total[::9] = np.nan
    assert found(monthly(parts | {"Company": total}), "totals")


def test_two_rows_of_totals_are_both_found() -> None:
    parts = {"North": amounts(), "South": amounts()}
    both = {"Sum A": sum(parts.values()), "Sum B": sum(parts.values())}
    assert {doubt.text.split("'")[1] for doubt in found(monthly(parts | both), "totals")} == {"Sum A", "Sum B"}


def test_the_total_of_a_single_region_is_told_by_its_name() -> None:
    north = amounts()
    (doubt,) = found(monthly({"North": north, "Total": north}), "totals")
    assert "'Total'" in doubt.text


def test_a_real_region_may_be_called_so_but_not_all() -> None:
    parts = {"North": amounts(), "Total": amounts()}
    assert found(monthly(parts), "totals") and not found(monthly(parts), "totals", {"totals": {"Total": "keep"}})
    assert found(monthly({"North": amounts(), "All": amounts()}), "totals", {"totals": {"All": "keep"}})


@pytest.mark.parametrize("parts", [
    {"North": amounts(), "South": amounts(), "West": amounts(level=200)},
    {"North": amounts(level=200), "South": amounts()},
    {"North": np.full(24, 50.0), "South": np.full(24, 30.0), "West": np.full(24, 20.0)},
    {"North": amounts()},
    {"All": amounts()},
])  # fmt: skip
def test_honest_names_are_no_totals(parts: dict[str, np.ndarray]) -> None:
    assert not found(monthly(parts), "totals")


def test_two_regions_that_are_alike_to_the_cent_are_no_totals_of_each_other() -> None:
    y = amounts()
    assert not found(monthly({"North": y, "South": y}), "totals")


def test_sums_of_some_regions_are_found_by_their_numbers() -> None:
    de, fr, jp, cn, us = (amounts(level=level) for level in (100, 60, 30, 500, 200))
    regions = {"DE": de, "FR": fr, "JP": jp, "CN": cn, "US": us}
    sums = {"EMEA": de + fr, "APAC": jp + cn, "Old World": de + fr + jp + cn}
    late, off = (de + us).copy(), (fr + us).copy()
    late[:9] = np.nan
    off[[3, 17]] += 7
    doubts = found(monthly(regions | sums | {"Late": late, "Nearly": off, "Rounded": np.round(jp + us)}), "totals")
    said = {doubt.text.split("'")[1]: doubt for doubt in doubts}
    assert set(said) == {*sums, "Late", "Nearly", "Rounded"} and all(doubt.severity == "refuse" for doubt in doubts)
    assert "2 others (FR, DE) in 24 of 24 months" in said["EMEA"].text and "in 22 of 24 months" in said["Nearly"].text
    assert "in 15 of 15 months" in said["Late"].text and "4 others" in said["Old World"].text
    assert not found(monthly(regions | {"EMEA": de + fr}), "totals", {"totals": {"EMEA": "keep"}})


def test_a_subtotal_within_one_region_is_found_and_so_is_one_among_many_regions() -> None:
    north, south = (
        monthly({name: amounts() for name in "ABC"}, "product_category"),
        monthly({"A": amounts(), "B": amounts()}, "product_category"),
    )
    own = north.groupby("ds", as_index=False)["amount"].sum().assign(region="One", product_category="Bikes in all")
    (doubt,) = found(pd.concat([north, own, south.assign(region="Two")]), "totals")
    assert "Category 'Bikes in all'" in doubt.text and "in region One, equals the sum of 3 others" in doubt.text
    many = {f"R{number}": amounts(level=10 + number) for number in range(60)}  # more names than months
    (doubt,) = found(monthly(many | {"West": many["R3"] + many["R8"] + many["R40"]}), "totals")
    assert "'West'" in doubt.text


@given(
    st.integers(2, 14),
    st.integers(6, 30),
    st.sampled_from(["cents", "few units", "seldom", "one season", "returns"]),
    st.integers(0, 10**6),
)
@settings(max_examples=20)
def test_honest_companies_have_no_totals(names: int, n: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels, season = rng.lognormal(4, 1, names), 1 + 0.3 * np.sin(np.arange(n)[:, None] / 2)
    made = {
        "cents": lambda: np.round(levels * rng.lognormal(0, 0.2, (n, names)), 2),
        "few units": lambda: rng.poisson(rng.lognormal(1, 1, names), (n, names)).astype(float),
        "seldom": lambda: np.where(rng.random((n, names)) < 0.3, np.round(rng.lognormal(2, 1, (n, names))), np.nan),
        "one season": lambda: np.round(levels * season * rng.lognormal(0, 0.02, (n, names))),
        "returns": lambda: np.round(rng.normal(20, 60, (n, names)), 2),
    }[kind]()
    wide = {f"R{number}": made[:, number] for number in range(names)}
    assert not found(monthly(wide), "totals"), kind


def test_what_never_changes_or_moves_in_step_is_no_total() -> None:
    steps = np.repeat([1.0, 1.1, 1.21, 1.33, 1.46, 1.61, 1.77, 1.95], 3)  # rents, raised by an index
    assert not found(monthly({"A": 500 * steps, "B": 300 * steps, "C": 200 * steps, "D": 7 * amounts()}), "totals")


def test_the_same_amounts_under_two_names_are_said() -> None:
    y = amounts()
    (doubt,) = found(monthly({"DE": y, "Germany": y, "US": amounts()}), "names_equal")
    assert doubt.severity == "high" and "'DE' and 'Germany'" in doubt.text and "24 months" in doubt.text
    assert not found(monthly({"DE": y, "Germany": y}), "names_equal", {"totals": {"Germany": "keep"}})
    assert not found(monthly({"DE": np.full(24, 5.0), "FR": np.full(24, 5.0)}), "names_equal")


# --- names


@pytest.mark.parametrize(
    "other",
    ["north", "NORTH", "North ", "No rth", "Nörth", "Ｎｏｒｔｈ", "North\u00a0", "North\t", "No\u200brth", "Nor-th"],
)
def test_names_that_look_alike_are_said_with_what_to_write(other: str) -> None:
    doubt, *more = found(monthly({"North": amounts(), other: amounts()}), "names_alike")
    assert not more and "spelled in 2 ways" in doubt.text and "rename: {region:" in doubt.text


def test_the_spelling_in_use_is_the_one_to_write_and_it_is_said_once() -> None:
    old, new = np.full(24, np.nan), np.full(24, np.nan)
    old[:14], new[14:] = amounts(14), amounts(10)
    facts = monthly({"south": old, "South": new, "North": amounts()})
    (doubt,) = found(facts, "names_alike")
    assert 'rename: {region: {"south": South}}' in doubt.text and not found(facts, "renamed")


@pytest.mark.parametrize("other", ["Northeast", "N", "North 2", "C#", "Nord"])
def test_other_names_are_not_alike(other: str) -> None:
    assert not found(monthly({"North": amounts(), other: amounts(), "C": amounts()}), "names_alike")


@pytest.mark.parametrize("column", ["region", "product_category"])
def test_a_renamed_category_is_suggested(column: str) -> None:
    old, new, other = np.full(24, np.nan), np.full(24, np.nan), amounts(level=100)
    old[:14], new[14:] = amounts(14), amounts(10, 110.0)
    (doubt,) = found(monthly({"Bikes": old, "Bicycles": new, "Helmets": other}, column), "renamed")
    assert (
        f"rename: {{{column}: {{Bikes: Bicycles}}}}" in doubt.text
        and "2023-02" in doubt.text
        and "2023-03" in doubt.text
    )


@pytest.mark.parametrize("both", [0, 1])
def test_a_rename_within_a_month_is_suggested_and_the_likest_name_of_several(both: int) -> None:
    old, new, also = (np.full(24, np.nan) for _ in range(3))
    old[:14], new[14 - both :], also[14:] = amounts(14), amounts(10 + both, 90.0), amounts(10, 101.0)
    (doubt,) = found(monthly({"No": old, "No 1": new, "Gloves": also, "Helmets": amounts()}), "renamed")
    assert 'rename: {region: {"No": No 1}}' in doubt.text and "begins in 2023-0" in doubt.text


@pytest.mark.parametrize(
    ("one", "other"),
    [("Łódź", "Lodz"), ("Ørsted", "Orsted"), ("Straße", "STRASSE"), ("São Paulo", "Sao  Paulo"), ("ﬁtness", "Fitness")],
)
def test_accents_that_unicode_does_not_take_apart_are_alike_too(one: str, other: str) -> None:
    assert found(monthly({one: amounts(), other: amounts()}), "names_alike")


def test_a_small_new_one_or_one_that_begins_later_replaces_nothing() -> None:
    old, small, late = (np.full(24, np.nan) for _ in range(3))
    old[:14], small[14:], late[16:] = amounts(14), amounts(10, 10.0), amounts(8)
    assert not found(monthly({"Bikes": old, "Bells": small, "Boats": late}), "renamed")


def test_two_series_of_one_id_are_refused_with_both_names() -> None:
    facts = monthly({"A": amounts()}).assign(product_category="B/C")
    other = monthly({"A/B": amounts()}).assign(product_category="C")
    (doubt,) = found(pd.concat([facts, other]), "ids")
    assert (
        doubt.severity == "refuse" and "region 'A/B' with category 'C'" in doubt.text and "category 'B/C'" in doubt.text
    )
    sums = monthly({"A": amounts()}).assign(product_category="B/All")
    assert found(pd.concat([sums, other]), "ids") and not found(facts, "ids")


# --- dates


def dated(days: pd.DatetimeIndex | list[Any]) -> pd.DataFrame:
    """One fact of 100 on each day."""
    return pd.DataFrame({"ds": pd.to_datetime(days), "region": "North", "product_category": "One", "amount": 100.0})


@pytest.mark.parametrize("days", [
    [*pd.bdate_range("1930-01-01", "1931-12-31"), *pd.bdate_range("2018-01-01", "2020-12-31")],
    [pd.Timestamp("1900-01-01"), *pd.bdate_range("2018-01-01", "2020-12-31")],
    [day for day in pd.date_range("2018-01-01", "2020-12-31") if day.month == 1],  # days and months swapped
    pd.date_range("2015-01-31", "2020-12-31", freq="QE"),
    *([pd.Timestamp(day), *pd.bdate_range("2018-01-01", "2020-12-31")] for day in (
        "1970-01-01", "1980-01-01", "2000-01-01", "1918-03-05", "2002-05-01", "2016-05-01",  # no date, a century, digits swapped
    )),
    [*pd.bdate_range("1918-01-01", "1918-06-30"), *pd.bdate_range("2018-07-01", "2020-12-31")],
    [*pd.bdate_range("2018-01-01", "2018-11-30"), *pd.bdate_range("2020-02-01", "2020-12-31")],  # what a migration lost
    [day for day in pd.date_range("2018-01-01", "2020-12-31") if day.month in (1, 6)],
    [pd.Timestamp("2018-01-01") + pd.DateOffset(months=5 * n) for n in range(12)],
    [*pd.bdate_range("2018-01-01", "2019-12-31"), *pd.bdate_range("2030-01-01", "2030-12-31")],
])  # fmt: skip
def test_a_history_with_a_gap_of_years_or_empty_months_is_refused_with_the_counts(days: Any) -> None:
    (doubt,) = found(dated(days), "long_gaps")
    assert doubt.severity == "refuse" and "rows by year" in doubt.text and "2018: " in doubt.text
    (meant,) = found(dated(days), "long_gaps", {"long_gaps": "accept"})
    assert meant.severity == "medium"


def test_a_shop_that_is_closed_in_winter_is_no_gap() -> None:
    days = [day for day in pd.date_range("2018-01-01", "2022-12-31") if 4 <= day.month <= 10]
    assert not found(dated(days), "long_gaps")


def weeks(pattern: list[int], first: str = "2022-01-01", n: int = 40) -> pd.DatetimeIndex:
    """The last days of periods of so many weeks."""
    steps = np.cumsum([7 * pattern[i % len(pattern)] for i in range(n)])
    return pd.DatetimeIndex(pd.Timestamp(first) + pd.to_timedelta(steps, "D"))


@pytest.mark.parametrize("pattern", [[4, 4, 5], [4, 5, 4], [5, 4, 4], [4]])
def test_one_date_a_period_that_is_no_month_is_refused(pattern: list[int]) -> None:
    (doubt,) = found(dated(weeks(pattern)), "periods")
    assert doubt.severity == "refuse" and "calendar months" in doubt.text


def test_weekly_sales_are_said_to_follow_the_number_of_weeks() -> None:
    (doubt,) = found(dated(weeks([1], n=120)), "weekly", grain="weekly")
    assert doubt.severity == "medium" and "a month has 4 or 5" in doubt.text


@pytest.mark.parametrize("days", [
    pd.date_range("2020-01-31", "2022-12-31", freq="ME"),
    pd.date_range("2020-01-15", periods=30, freq="MS") + pd.Timedelta(14, "D"),
    pd.bdate_range("2020-01-01", "2021-12-31"),
])  # fmt: skip
def test_months_and_days_are_no_periods(days: Any) -> None:
    assert not found(dated(days), "periods")


def test_stray_dates_and_blocks_are_named_with_count_and_amount() -> None:
    given = tables(dated(pd.bdate_range("2020-01-01", "2021-11-10")))
    stray = {"fact_table": ["sales"], "fact_date": [pd.Timestamp("2021-11-30")], "n_facts": [1], "amount": [120.0],
             "reason": ["far behind the other dates"]}  # fmt: skip
    block = {"fact_table": ["sales"] * 2, "region": [None, "North"], "times": [2, 3], "amount": [10.0, 5.0], "n_surplus": [4, 2],
             "product_category": None, "is_part": False,
             "first_date": pd.to_datetime(["2020-02-01", "2020-04-01"]),
             "last_date": pd.to_datetime(["2020-02-28", "2020-04-02"])}  # fmt: skip
    surplus = pd.DataFrame({"fact_table": ["sales"], "n_surplus": [6], "amount": [15.0]})
    given |= {"stray_dates": pd.DataFrame(stray), "repeated_blocks": pd.DataFrame(block), "repeated_amounts": surplus}
    texts = {doubt.code: doubt for doubt in doubts.judge(given, SETTINGS)}
    assert (
        "1 of the sales facts is left out: the date 2021-11-30" in texts["stray_dates"].text
        and "120.00" in texts["stray_dates"].text
    )
    said = texts["duplicates"]
    assert said.severity == "high" and "6 rows more, amount 15.00" in said.text and "duplicates: drop" in said.text
    assert "all rows of North from 2020-04-01 to 2020-04-02 stand three times" in said.text
    dropped = {doubt.code: doubt for doubt in doubts.judge(given, SETTINGS | {"duplicates": "drop"})}["duplicates"]
    assert dropped.severity == "medium" and "counted once" in dropped.text
    assert doubts.of_domain([said], "profit") and not doubts.of_domain([said], "inventory")
