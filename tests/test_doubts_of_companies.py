"""Companies as people export them, built whole: their months to the cent, or a refusal, or a warning that says how much is in doubt.

A build is shared by as many variants of a kind as do not disturb each other; the right values are summed up here, from the rows as made.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quick_company import Built, build

BUSINESS_DAYS = pd.bdate_range("2022-01-03", "2023-12-29")
MONTH_ENDS = pd.date_range("2022-12-31", "2023-12-31", freq="ME")


def dated(*days: object) -> str:
    """One sale of 100 on each day; days are dates, or texts for those that pandas cannot hold."""
    return "order_date,net_amount\n" + "".join(
        f"{day if isinstance(day, str) else f'{day:%Y-%m-%d}'},100\n" for day in days
    )


# --- stock counted in turns


def counts_of(variant: str) -> tuple[list[tuple], float]:
    """The counts of a region of twelve products, whose stock is 10, 11, … units, and what it has at a month's end."""
    whole = {f"P{number}": 10.0 + number for number in range(12)}
    right, rows = sum(whole.values()), []
    for end in MONTH_ENDS:
        is_last = end == MONTH_ENDS[-1]

        def counted(day: int, products: range, times: float = 1.0, end: pd.Timestamp = end) -> None:
            rows.extend((end.replace(day=day), variant, f"P{p}", times * whole[f"P{p}"]) for p in products)

        if variant == "in two groups":
            counted(27, range(3)), counted(28, range(3, 12))
        elif variant == "in four weeks":
            [counted(day, range(3 * week, 3 * week + 3)) for week, day in enumerate((7, 14, 21, 28))]
        elif variant == "one a day":
            [counted(10 + p, range(p, p + 1)) for p in range(12)]
        elif variant == "once only, in the last month":
            counted(28, range(3 * is_last, 12)), counted(26, range(3 * is_last))
        elif variant == "all in mid-month, then in two groups":
            counted(15, range(12), 9), counted(27, range(3)), counted(28, range(3, 12))
        elif variant == "all, then one again":
            counted(27, range(12)), counted(28, range(5, 6))
        elif variant == "all, then three wrong ones again":
            counted(25, range(3), 7), counted(25, range(3, 12)), counted(28, range(3))
        elif variant == "every other month the other half":
            counted(28, range(6) if end.month % 2 else range(6, 12)), counted(27, range(1))
        elif variant == "full counts, of which some sell out":
            counted(20, range(12)), counted(28, range(10 if is_last else 12))
            right = sum(10.0 + number for number in range(10))
        elif variant == "all at once":
            counted(28, range(12))
    return rows, right


TURNS = (
    "in two groups", "in four weeks", "one a day", "once only, in the last month", "all in mid-month, then in two groups",
    "all, then one again",
    "all, then three wrong ones again", "every other month the other half", "full counts, of which some sell out", "all at once",
)  # fmt: skip


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A company whose regions count their stock in different ways."""
    rows = [row for variant in TURNS for row in counts_of(variant)[0]]
    stock = pd.DataFrame(rows, columns=["snapshot_date", "region", "product", "quantity_on_hand"])
    stock["region"] = stock["region"].str.replace(",", ";")
    return build(tmp_path_factory.mktemp("turns") / "company", sales=dated(*BUSINESS_DAYS), inventory=stock)


@pytest.mark.parametrize("variant", TURNS)
def test_the_stock_of_a_month_is_each_products_last_count(counted: Built, variant: str) -> None:
    train = counted.train["inventory"]
    own = train[train["region"] == variant.replace(",", ";")].set_index("ds")["y"]
    assert own.iloc[-1] == pytest.approx(counts_of(variant)[1]), own
    assert f"{own.index[-1]:%Y-%m}" == "2023-12"


def test_counts_that_lack_products_are_said_with_how_many_and_how_much(counted: Built) -> None:
    said = counted.codes("inventory")["counted_in_turns"]
    assert "in two groups on 2023-12-28 lacks 3 of 12 products (33 of 186 units)" in said
    assert "some sell out on 2023-12-28 lacks 2 of 12 products (41 of 186 units)" in said and "these count as 0" in said
    assert "all at once" not in said


# --- blocks of rows that stand twice


def order_lines(per_day: int = 8, seed: int = 5) -> pd.DataFrame:
    """Order lines of two years, of two regions and categories."""
    rng, n = np.random.default_rng(seed), per_day * len(BUSINESS_DAYS)
    names = {"region": rng.choice(["N", "S"], n), "product_category": rng.choice(["B", "H"], n)}
    days = np.repeat(BUSINESS_DAYS.strftime("%Y-%m-%d"), per_day)
    return pd.DataFrame({"order_date": days, **names, "net_amount": np.round(rng.lognormal(3, 0.5, n), 2)})


def in_month(rows: pd.DataFrame, month: str) -> pd.DataFrame:
    return rows[rows["order_date"].str.startswith(month)]


def monthly_table() -> pd.DataFrame:
    """A row per month, region and category."""
    rng = np.random.default_rng(2)
    months = pd.date_range("2022-01-01", "2023-12-01", freq="MS").strftime("%Y-%m-%d")
    rows = [
        (month, region, category, round(rng.lognormal(3, 0.5), 2))
        for month in months
        for region in "NSWE"
        for category in "ABCDE"
    ]
    return pd.DataFrame(rows, columns=["order_date", "region", "product_category", "net_amount"])


def with_repeats() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Order lines, and the same with seven repeats of other kinds, in no order, each line with a number of its own."""
    lines = order_lines()
    march, may, july = (in_month(lines, f"2022-{month}") for month in ("03", "05", "07"))
    september, november, busy = (
        in_month(lines, "2022-09"),
        in_month(lines, "2022-11"),
        lines[lines["order_date"] == "2023-01-10"],
    )
    again = [
        march,  # a month
        may[may["region"] == "S"],  # a region's month
        july[july["product_category"] == "B"],  # a category's
        *[september[(september["region"] == "N") & (september["product_category"] == "H")]]
        * 2,  # a series' month, three times in all
        november[november["order_date"] <= "2022-11-03"],  # three days
        busy.head(6),  # a part of a day
        lines.tail(21),  # the end: a part of a day and two days
    ]
    return lines, pd.concat([lines, *again]).sample(frac=1, random_state=1).assign(line=lambda rows: range(len(rows)))


def test_rows_that_stand_twice_are_said_to_the_cent_and_can_be_dropped(tmp_path: Path) -> None:
    lines, written = with_repeats()
    kept = build(tmp_path / "kept", sales=written)
    said = kept.codes()["duplicates"]
    more, surplus = len(written) - len(lines), written["net_amount"].sum() - lines["net_amount"].sum()
    assert f"({more:,} rows more, amount {surplus:,.2f})" in said, said
    assert kept.totals().sum() == pytest.approx(written["net_amount"].sum())
    dropped = build(tmp_path / "dropped", {"duplicates": "drop"}, sales=written).totals()
    assert dropped.to_numpy() == pytest.approx(
        lines.groupby(lines["order_date"].str[:7])["net_amount"].sum().to_numpy()
    )


@pytest.mark.parametrize(
    "kind", ["half of a month", "three months thrice", "a region's months", "everything", "one month of expenses"]
)
def test_months_that_stand_twice_in_a_monthly_table_are_found(tmp_path: Path, kind: str) -> None:
    table = monthly_table()
    again = {
        "half of a month": in_month(table, "2023-05").head(10),
        "three months thrice": pd.concat([table[table["order_date"] >= "2023-10"]] * 2),
        "a region's months": table[(table["order_date"] >= "2023-11") & (table["region"] == "W")],
        "everything": table,
        "one month of expenses": table.head(0),
    }[kind]
    bills = pd.DataFrame({"expense_date": table["order_date"].unique(), "amount": 50 + np.arange(24) * 1.5})
    files = {"expenses": pd.concat([bills, bills.tail(1)])} if "expenses" in kind else {}
    sales = pd.concat([table, again]).assign(cost_amount=1)
    built = build(tmp_path / "company", {"duplicates": "drop"}, sales=sales, **files)
    assert "duplicates" in built.codes("profit" if files else "sales")
    assert built.totals().sum() == pytest.approx(table["net_amount"].sum())
    if files:
        assert built.totals("profit").sum() == pytest.approx(
            table["net_amount"].sum() - len(table) - bills["amount"].sum()
        )


def test_lines_that_are_alike_by_chance_are_no_block(tmp_path: Path) -> None:
    few = order_lines(20).assign(net_amount=lambda rows: np.random.default_rng(1).choice([5.0, 10.0, 20.0], len(rows)))
    lines = order_lines(30).round({"net_amount": 1})
    sale = lines["order_date"] == "2023-11-24"
    lines.loc[sale, "net_amount"] = np.random.default_rng(1).choice([9.9, 19.9], sale.sum())
    nothing = monthly_table().assign(
        net_amount=lambda rows: rows["net_amount"].where(~rows["order_date"].str.startswith("2023-05"), 0)
    )
    for number, sales in enumerate(
        (few, few.assign(order=range(len(few))), lines, pd.concat([nothing, in_month(nothing, "2023-05")]))
    ):
        assert "duplicates" not in build(tmp_path / str(number), sales=sales).codes(), number


# --- which months are whole


def month_dates(kind: str) -> list[pd.Timestamp]:
    """A date or a few in each month of two years."""
    dates = []
    for first in pd.date_range("2022-01-01", "2023-12-01", freq="MS"):
        days = pd.date_range(first, first + pd.offsets.MonthEnd(0))
        dates += {
            "the 15th": days[[14]],
            "the last Friday": days[days.dayofweek == 4][-1:],
            "the second Tuesday": days[days.dayofweek == 1][1:2],
            "the third-last day": days[[-3]],
            "the last business day": days[days.dayofweek < 5][-1:],
            "the first and the 16th": days[[0, 15]],
            "the 5th, or the Monday after": days[4:][days[4:].dayofweek < 5][:1],
        }[kind].to_list()
    return dates


@pytest.mark.parametrize("kind", [
    "the 15th", "the last Friday", "the second Tuesday", "the third-last day", "the last business day", "the first and the 16th",
    "the 5th, or the Monday after",
])  # fmt: skip
def test_the_same_dates_every_month_make_whole_months(tmp_path: Path, kind: str) -> None:
    built = build(tmp_path / "company", sales=dated(*month_dates(kind)))
    assert list(built.totals()) == [200.0 if "and" in kind else 100.0] * 24


@pytest.mark.parametrize("periods", [
    [28, 28, 35], [28, 35, 28], [35, 28, 28], [28], "4-4-5, closed on two days", "4 weeks, closed on three days",
])  # fmt: skip
def test_periods_that_are_no_months_are_refused(tmp_path: Path, periods: list[int] | str) -> None:
    steps = periods if isinstance(periods, list) else [28, 28, 35] if "4-4-5" in periods else [28]
    closing = 2 if "two" in periods else 3 if "three" in periods else 1
    ends = pd.Timestamp("2022-01-01") + pd.to_timedelta(np.cumsum((steps * 26)[:26]), "D")
    built = build(
        tmp_path / "company", sales=dated(*(end + pd.Timedelta(day, "D") for end in ends for day in range(closing)))
    )
    assert "one date a period" in built.refused and "calendar months" in built.refused


OPEN = [day for day in BUSINESS_DAYS if day < pd.Timestamp("2023-11-11")]  # ends on the 10th


@pytest.mark.parametrize("stray", [
    ["2023-11-30"], ["2023-12-01"], ["2031-11-10"], ["9999-12-31"], ["2023-11-29", "2023-11-30"],
    ["2091-01-05", "2091-03-04", "2092-01-01"],
    [f"2024-{month:02}-01" for month in range(1, 13)], [f"2024-{month:02}-{day:02}" for month in range(1, 10) for day in (1, 2)],
])  # fmt: skip
def test_dates_behind_all_others_close_no_month_and_are_named(tmp_path: Path, stray: list[str]) -> None:
    built = build(tmp_path / "company", sales=dated(*OPEN, *stray))
    assert f"{built.totals().index[-1]:%Y-%m}" == "2023-10" and len(built.totals()) == 22
    said = built.codes()["stray_dates"]
    assert stray[0] in said and f"amount {100 * len(stray):,.2f}" in said and "end on 2023-11-10" in said


def test_a_shop_that_closes_at_christmas_and_one_that_sells_now_and_then_have_no_stray_dates(tmp_path: Path) -> None:
    shut = [
        day
        for day in pd.bdate_range("2021-01-04", "2023-01-04")
        if not (day.month == 12 and day.day > 22) and day.dayofyear > 2
    ]
    rng = np.random.default_rng(4)
    seldom = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.cumsum(rng.exponential(9, 160).round() + 1), "D")
    ahead = pd.bdate_range("2041-01-01", "2042-12-31")  # whatever the machine's clock says
    for number, (days, last) in enumerate(((shut, "2022-12"), (seldom, ""), (ahead, "2042-12"))):
        built = build(tmp_path / str(number), sales=dated(*days))
        assert not built.refused and "stray_dates" not in built.codes(), (number, built)
        assert not last or f"{built.totals().index[-1]:%Y-%m}" == last


@pytest.mark.parametrize("days", [
    [*pd.bdate_range("1930-01-01", "1931-12-31"), *BUSINESS_DAYS],
    ["1900-01-01", *BUSINESS_DAYS],
    ["1970-01-01"] * 40 + [*BUSINESS_DAYS],
    [*pd.bdate_range("2002-01-01", "2002-06-30"), *BUSINESS_DAYS],  # 2020, cut
    [*BUSINESS_DAYS, *pd.bdate_range("2032-01-01", "2032-06-30")],  # 2023, swapped
    [*pd.bdate_range("2020-01-01", "2020-09-10"), *BUSINESS_DAYS],  # more than a year without a sale
    [*(f"{year}-07-01" for year in range(1950, 2022)), *BUSINESS_DAYS],
    pd.date_range("2015-03-31", "2023-12-31", freq="QE").to_list(),
    [day for day in pd.bdate_range("2018-01-01", "2023-12-31") if day.month < 5],
])  # fmt: skip
def test_a_history_with_a_gap_or_mostly_empty_months_is_refused_unless_it_is_meant(tmp_path: Path, days: list) -> None:
    refused = build(tmp_path / "one", sales=dated(*days)).refused
    assert "rows by year" in refused and "long_gaps: accept" in refused and f"{str(days[0])[:4]}: " in refused


# --- totals and names, as the facts have them


def test_totals_of_products_and_of_a_regions_categories_are_refused_and_can_be_dropped(tmp_path: Path) -> None:
    rng, months = np.random.default_rng(6), pd.date_range("2022-01-01", "2023-12-01", freq="MS")
    rows = [
        (month, region, category, f"{category}{number}", round(rng.lognormal(4, 0.4), 2))
        for month in months for region in ("DE", "FR", "US") for category in ("Bikes", "Helmets") for number in range(3)
    ]  # fmt: skip
    facts = pd.DataFrame(rows, columns=["order_date", "region", "product_category", "product", "net_amount"])
    added: list[pd.DataFrame] = []
    for keys, column, name, part in (
        (
            ["order_date", "region", "product_category"],
            "product",
            "Sum of bikes",
            facts[facts["product_category"] == "Bikes"],
        ),
        (["order_date", "region"], "product_category", "DE, all in", facts[facts["region"] == "DE"]),
        (["order_date", "product_category"], "region", "EMEA", facts[facts["region"] != "US"]),
    ):
        added.append(part.groupby(keys, as_index=False)["net_amount"].sum().assign(**{column: name}))
        refused = build(tmp_path / f"{name[:2]}", sales=pd.concat([facts, added[-1]])).refused
        assert f"'{name}'" in refused and "double the company" in refused, refused
    stated = {"totals": {"Sum of bikes": "drop", "DE, all in": "drop", "EMEA": "drop"}}
    built = build(tmp_path / "dropped", stated, sales=pd.concat([facts, *added]))
    assert built.totals().sum() == pytest.approx(facts["net_amount"].sum())
    assert sorted(built.train["sales"]["unique_id"].unique()) == sorted({f"{r}/{c}" for _, r, c, *_ in rows})
