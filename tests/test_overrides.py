"""Overrides: what planners want instead of a forecast, from the file that they hand in to every table and page that shows it."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import BOUNDS
from forecasting.errors import UserError
from forecasting.intervals import PERCENT, VALUE, Change, override
from forecasting.ledger import Published
from forecasting.ledger import publishing as ledger_publishing
from forecasting.ledger.overrides import apply_overrides
from forecasting.planning import listing, take, withdraw
from forecasting.planning.overriding.wishes import Misread, number_of
from forecasting.series import Hierarchy
from forecasting.wording import SPACE
from overridden_company import workspace

DS = pd.Timestamp("2024-01-01")  # the first month that the company of the fixtures forecasts
NODES = Hierarchy.of(
    pd.DataFrame([(f"{r}/{c}", r, c) for r in "AB" for c in "xyz"], columns=["unique_id", "region", "product_category"])
)
amounts = st.one_of(st.just(0.0), st.floats(0.01, 1e6), st.integers(1, 1000).map(float))


def forecast(values: list[float]) -> pd.DataFrame:
    """A coherent forecast of one month with these points of the series."""
    points = NODES.add_up(np.array(values)[:, None])[:, 0]
    spread = 0.1 * NODES.add_up(np.abs(np.array(values))[:, None])[:, 0] + 1
    rows = NODES.nodes.assign(horizon=1, ds=DS, predicted_value=points)
    return rows.assign(**{name: points + sign * spread for name, sign in zip(BOUNDS, (-1, 1, -2, 2), strict=True)})


def final(rows: pd.DataFrame, moved: pd.DataFrame) -> pd.Series:
    """The points with the overrides, by node, in the order of NODES."""
    key = ["aggregation", "unique_id"]
    new = rows.set_index(key)["predicted_value"].copy()
    new.update(moved.set_index(key)["predicted_value"])
    return new


def changes(*wanted: tuple) -> list[Change]:
    return [
        Change(i, level, unique_id, DS, kind, amount) for i, (level, unique_id, kind, amount) in enumerate(wanted, 1)
    ]


nodes = st.sampled_from(list(NODES.nodes[["aggregation", "unique_id"]].itertuples(index=False, name=None)))
wanted = st.tuples(
    nodes, st.one_of(st.tuples(st.just(VALUE), amounts), st.tuples(st.just(PERCENT), st.floats(-100, 300)))
)


@settings(max_examples=150)
@given(
    st.lists(amounts, min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.lists(wanted, max_size=6, unique_by=lambda each: each[0]),
    st.booleans(),
)
def test_any_overrides_give_sums_that_add_up_and_leave_the_rest_alone(values, signs, overrides, cut):
    values = [value if cut or sign else -value for value, sign in zip(values, signs, strict=True)]
    rows = forecast(values)
    made = changes(*((*node, *what) for node, what in overrides))
    found = override(rows, made, cut)
    new, size = final(rows, found.rows), NODES.members @ np.abs(values)
    series = new.to_numpy()[:6]
    tolerance = 1e-8 * np.maximum(size, NODES.members @ np.abs(series)) + 1e-9
    assert (np.abs(NODES.members @ series - new.to_numpy()) <= tolerance).all()
    for change in made:
        if change.override_id not in found.refused:
            base = rows.set_index(["aggregation", "unique_id"])["predicted_value"][change.aggregation, change.unique_id]
            assert new[change.aggregation, change.unique_id] == pytest.approx(change.wanted(base), rel=1e-12, abs=1e-9)
    reached = np.zeros(6, dtype=bool)
    for change in made:
        reached |= NODES.members[NODES.nodes[["aggregation", "unique_id"]].apply(tuple, axis=1) == (
            change.aggregation, change.unique_id)][0]  # fmt: skip
    assert (series[~reached] == np.array(values)[~reached]).all(), (
        "a series of no overridden sum has not moved by a bit"
    )
    if cut:
        assert (series >= 0).all() and (found.rows[list(BOUNDS)] >= 0).all(axis=None)
    ordered = found.rows[["lo_95", "lo_80", "predicted_value", "hi_80", "hi_95"]].to_numpy(float)
    assert (np.diff(ordered, axis=1) >= -1e-6 * (1 + np.abs(ordered[:, 1:]))).all()
    assert len({(c.aggregation, c.unique_id) for c in made}) == len(made)


@given(st.lists(st.floats(0.01, 1e6), min_size=6, max_size=6), st.floats(0, 1e6))
def test_a_sum_is_split_in_proportion(values, amount):
    rows = forecast(values)
    found = final(rows, override(rows, changes(("total", "All/All", VALUE, amount)), cut=True).rows)
    assert found.to_numpy()[:6] == pytest.approx([value * amount / sum(values) for value in values], rel=1e-9, abs=1e-9)


def test_a_series_stands_and_the_rest_of_its_sum_takes_the_difference():
    rows = forecast([10, 20, 30, 40, 50, 60])
    made = changes(("region", "A/All", VALUE, 100), ("series", "A/x", VALUE, 40))
    found = final(rows, override(rows, made, cut=True).rows)
    assert found.to_numpy()[:6] == pytest.approx([40, 24, 36, 40, 50, 60]) and found[
        "total", "All/All"
    ] == pytest.approx(250)
    backwards = made[::-1]
    pd.testing.assert_series_equal(found, final(rows, override(rows, backwards, cut=True).rows))


def test_signs_and_zeros():
    rows = forecast([-10, 30, 0, 0, 0, 0])
    mixed = final(rows, override(rows, changes(("region", "A/All", VALUE, 40)), cut=False).rows)
    assert mixed.to_numpy()[:3] == pytest.approx([-5, 45, 0]), "by the size of the forecast, whatever its sign"
    nothing = final(rows, override(rows, changes(("region", "B/All", VALUE, 30)), cut=True).rows)
    assert nothing.to_numpy()[3:6] == pytest.approx([10, 10, 10]), "where all are 0, alike"
    higher = final(rows, override(rows, changes(("series", "A/x", PERCENT, 10)), cut=False).rows)
    assert higher["series", "A/x"] == pytest.approx(-9), "plus is up, below zero too"


def test_bounds_move_as_far_as_the_point_and_stop_at_zero():
    rows = forecast([100, 200, 300, 1, 2, 3])
    found = override(rows, changes(("series", "A/x", VALUE, 105), ("series", "B/x", VALUE, 0.5)), cut=True).rows
    up, low = (found[found["unique_id"] == name].iloc[0] for name in ("A/x", "B/x"))
    old = rows.set_index("unique_id").loc["A/x"]
    assert [up[name] - old[name] for name in BOUNDS] == pytest.approx([5] * 4)
    assert low["lo_80"] == low["lo_95"] == 0 and low["hi_80"] > 0.5


def test_what_contradicts_is_refused_and_both_are_named():
    rows = forecast([10, 20, 30, 40, 50, 60])
    parts = [("series", f"A/{name}", VALUE, 10) for name in "xyz"]
    found = override(rows, changes(*parts, ("region", "B/All", VALUE, 1), ("region", "A/All", VALUE, 31)), cut=True)
    assert found.refused == {5: {DS: [1, 2, 3]}}
    below = override(rows, changes(("series", "A/x", VALUE, 70), ("region", "A/All", VALUE, 60)), cut=True)
    assert below.refused == {2: {DS: [1]}}, "the rest of A would be below 0"
    assert (
        override(rows, changes(("series", "A/x", VALUE, 70), ("region", "A/All", VALUE, 60)), cut=False).refused == {}
    )
    assert override(rows, changes(("series", "A/x", VALUE, -1)), cut=True).refused == {1: {DS: []}}


# --- from a file into the ledger


@pytest.fixture
def place(tmp_path):
    return workspace(tmp_path)


def csv(place, *rows: str, head: str = "domain,region,product_category,month,value,percent,who,why,until") -> str:
    """Write a file of changes and return its name."""
    file = place.root / "changes.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(file)


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def ask(place, sql: str) -> pd.DataFrame:
    return Published(place.published).ask(sql)


def coming(place, domain: str = "sales") -> pd.DataFrame:
    published = Published(place.published)
    return published.forecasts(published.in_force()[domain]).set_index(["aggregation", "unique_id", "ds"]).sort_index()


def adds_up(rows: pd.DataFrame) -> None:
    """The final values of series make those of regions, categories and the total."""
    rows = rows.reset_index()
    whole = rows[rows["aggregation"] == "total"].set_index("ds")["final_value"]
    for level in ("series", "region", "category"):
        found = rows[rows["aggregation"] == level].groupby("ds")["final_value"].sum()
        assert found.to_numpy() == pytest.approx(whole.to_numpy())


def test_a_value_and_a_percentage_stand_beside_the_forecast(place):
    with duckdb.connect(str(place.warehouse)) as connection:
        before = connection.execute("from forecasts order by all").df()
    old = coming(place)
    told = take(
        place, csv(place, "sales,North,,2024-01,250000,,Ann,a large order,", "sales,,Parts,,,-10,Bob,new rival,2024-03")
    )
    assert "Ann: a large order" in told and "make report" in told
    with duckdb.connect(str(place.warehouse)) as connection:
        pd.testing.assert_frame_equal(before, connection.execute("from forecasts order by all").df())
    new = coming(place)
    pd.testing.assert_series_equal(old["predicted_value"], new["predicted_value"])
    assert new.loc["region", "North/All", DS]["override_value"] == 250000
    parts = new.loc["category", "All/Parts"]
    assert parts["override_value"].iloc[:3].to_numpy() == pytest.approx(
        0.9 * parts["predicted_value"].iloc[:3].to_numpy()
    )
    assert parts["override_value"].iloc[3:].isna().all()
    assert new.loc["series", "North/Bikes", DS]["overridden_by"] == "Ann"
    assert new.loc["series", "North/Parts", DS]["override_reason"] == "a large order; new rival"
    adds_up(new)
    assert coming(place, "profit")["override_value"].isna().all(), "another domain is not touched"
    for months in (1, 3, 6):
        view = ask(place, f"from ml_pred_sales_{months}m").set_index(["region", "product_category", "date"])
        for (region, category, ds), row in view.iterrows():
            one = new.loc["series", f"{region}/{category}", ds]
            assert (row["predicted_value"], row["final_value"]) == (one["predicted_value"], one["final_value"])
            assert row["override_value"] == one["override_value"] or pd.isna(row["override_value"])
    bi = ask(place, 'from "PredSales1m"').set_index("region")
    assert (
        bi.loc["North", "final_values"] == 250000
        and bi.loc["North", "values"] == old.loc["region", "North/All", DS]["predicted_value"]
    )


def test_what_says_the_same_again_is_added_once(place):
    rows = ("sales,North,,2024-01,250000,,Ann,order,", "sales,North,,2024-02,260000,,Ann,order,")
    take(place, csv(place, *rows))
    assert "2 rows say what is in force already" in plain(take(place, csv(place, *rows)))
    assert len(ask(place, "from overrides")) == 2 and len(ask(place, "from override_revisions")) == 1
    take(place, csv(place, "sales,North,,2024-01,1,,Bob,no,"))
    assert "1 row says" in plain(take(place, csv(place, *rows))), (
        "Bob's is later and counts for January; so Ann's is said anew"
    )
    assert coming(place).loc["region", "North/All", DS]["final_value"] == 250000
    assert ask(place, "select distinct revision from counted_overrides")["revision"].tolist() == [3]


def test_one_that_is_taken_back_is_a_new_row_and_the_one_before_counts_again(place):
    old = coming(place)
    for row in ("sales,,,2024-01,900000,,Ann,plan,", "sales,,,2024-01,800000,,Bob,doubt,"):
        take(place, csv(place, row))
    assert coming(place).loc["total", "All/All", DS]["final_value"] == 800000
    assert "of Bob" in withdraw(place, "2", "Cid", "he was wrong")
    assert coming(place).loc["total", "All/All", DS]["final_value"] == 900000
    withdraw(place, "1")
    pd.testing.assert_series_equal(old["final_value"], coming(place)["final_value"])
    said = ask(place, "from overrides order by override_id")
    assert said["kind"].tolist() == ["value", "value", "withdrawal", "withdrawal"] and said[
        "withdraws"
    ].dropna().tolist() == [2, 1]
    assert "Nobody overrides" in listing(place)
    with pytest.raises(UserError, match="No override has the ID '1'"):
        withdraw(place, "1")


def next_run(place, cutoff: str = "2024-01-01") -> None:
    """Publish another run of sales whose forecasts are 10 % higher, a month later; one series is gone."""
    with duckdb.connect(str(place.warehouse)) as connection:
        connection.execute(
            f"""
            create temp table last as from forecasts where run_id = (select run_id from latest_runs where domain = 'sales');
            insert into forecasts select * replace ('next' as run_id, date '{cutoff}' as cutoff, predicted_value * 1.1 as predicted_value,
                cast(date '{cutoff}' + to_months(horizon) as date) as ds) from last where horizon <= 6;
            insert into runs select 'next', domain, date '{cutoff}', champion,
                json_merge_patch(manifest, '{{"cutoff": "{cutoff}", "run_id": "next"}}'), published_at + interval 1 day
            from runs where run_id in (select run_id from latest_runs where domain = 'sales');
            insert into publications select domain, 'next', max(published_at) + interval 1 day from publications
            where domain = 'sales' group by 1
            """
        )
        apply_overrides(connection)
        assert connection.execute("select count(*) from override_revisions where run_id = 'next'").fetchone()[0] <= 1
        apply_overrides(connection)
        assert connection.execute("select count(*) from override_revisions where run_id = 'next'").fetchone()[0] <= 1
        ledger_publishing.publish_copy(connection, place.published)


def test_the_next_run_keeps_what_still_applies(place):
    take(
        place,
        csv(
            place,
            "sales,North,,2024-01,250000,,Ann,order,",
            "sales,,Parts,,,-10,Bob,rival,2024-03",
            "sales,East,,2024-04,1000,,Cid,x,",
        ),
    )
    next_run(place)
    new = coming(place)
    parts = new.loc["category", "All/Parts"]
    assert parts.index.min() == pd.Timestamp("2024-02-01")
    assert parts["override_value"].iloc[:2].to_numpy() == pytest.approx(
        0.9 * parts["predicted_value"].iloc[:2].to_numpy()
    )
    assert parts["override_value"].notna().tolist() == [True, True, True, False, False, False]  # April by East's
    assert new.loc["region", "East/All", "2024-04-01"]["final_value"] == 1000
    assert "over" in listing(place).splitlines()[0]
    adds_up(new)
    next_run_id = Published(place.published).in_force()["sales"]
    assert next_run_id == "next" and set(ask(place, "from counted_overrides")["run_id"]) >= {"next"}


def test_no_series_of_an_override_is_left_it_is_said(place):
    take(place, csv(place, "sales,North,Parts,,,-10,Bob,rival,2024-06"))
    with duckdb.connect(str(place.warehouse)) as connection:
        connection.execute("delete from overridden_forecasts; delete from override_revisions")
        connection.execute("update overrides set unique_id = 'North/Gone'")
        assert apply_overrides(connection) == {1: "North/Gone is no longer forecast"}
        ledger_publishing.publish_copy(connection, place.published)
    assert "not applied: North/Gone is no longer forecast" in listing(place)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("sales,Nort,,2024-01,1,,Ann,x,", "there is no region 'Nort': did you mean 'North'?"),
        ("sales,,Bike,2024-01,1,,Ann,x,", "there is no category 'Bike': did you mean 'Bikes'?"),
        ("sale,,,2024-01,1,,Ann,x,", "there is no domain 'sale': did you mean 'sales'?"),
        (
            "sales,North,,2023-12,1,,Ann,x,",
            "December 2023 is over; the forecast in force reaches from January 2024 to June 2024",
        ),
        ("sales,North,,2024-07,1,,Ann,x,", "July 2024 is not forecast yet"),
        ("sales,North,,13/2024,1,,Ann,x,", "«month» '13/2024' is no month: write it as 2025-07"),
        ("sales,North,,,1,,Ann,x,", "neither «month» nor «until»"),
        ("sales,North,,2024-03,1,,Ann,x,2024-02", "«until» 2024-02 lies before «month» 2024-03"),
        ("sales,North,,2024-01,many,,Ann,x,", "«value» 'many' is not a number"),
        ("sales,North,,2024-01,=A1*2,,Ann,x,", "is not a number (a formula without its result)"),
        ('sales,North,,2024-01,"1,234",,Ann,x,', "'1,234' may be 1234 or 1.234"),
        ("sales,North,,2024-01,,,Ann,x,", "neither a value nor a percentage"),
        ("sales,North,,2024-01,1,2,Ann,x,", "both a value and a percentage"),
        ("sales,North,,2024-01,1,,,x,", "«who» is empty: an override says who changes it"),
        ("sales,North,,2024-01,1,,Ann,,", "«why» is empty"),
        ("sales,North,,2024-01,1e20,,Ann,x,", "no amount that can be forecast"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_nothing_is_changed(place, row, words):
    good = "sales,East,,2024-01,1000,,Ann,fine,"
    with pytest.raises(UserError) as refused:
        take(place, csv(place, good, row))
    assert words in plain(str(refused.value))
    assert "changes.csv, line 3" in str(refused.value) and "Nothing was changed" in str(refused.value)
    assert ask(place, "from overrides").empty


def test_files_that_contradict_themselves_or_what_is_in_force(place):
    twice = ("sales,North,,2024-01,1000,,Ann,x,", "sales,North,,,2000,,Bob,y,2024-02")
    with pytest.raises(UserError, match="line 3: changes.csv, line 2 is about the same"):
        take(place, csv(place, *twice))
    take(place, csv(place, "sales,North,Bikes,2024-01,500,,Ann,x,", "sales,North,Parts,2024-01,500,,Ann,x,"))
    with pytest.raises(
        UserError,
        match="line 2: in Jan.2024 it contradicts that of Ann for North/Bikes .*and that of Ann for North/Parts",
    ):
        take(place, csv(place, "sales,North,,2024-01,5000,,Bob,x,"))
    assert len(ask(place, "from overrides")) == 2 and coming(place).loc["region", "North/All", DS][
        "final_value"
    ] == pytest.approx(1000)


def test_the_sign_policy_holds_for_people_too(place):
    with duckdb.connect(str(place.warehouse)) as connection:
        connection.execute(
            """update runs set manifest = json_merge_patch(manifest, '{"params": {"allow_negative": false}}')"""
        )
        ledger_publishing.publish_copy(connection, place.published)
    with pytest.raises(UserError, match="it is below 0, which the sign policy"):
        take(place, csv(place, "sales,North,,2024-01,-1,,Ann,x,"))
    take(place, csv(place, "sales,North,,2024-01,0,,Ann,x,"))
    gone = coming(place).loc["region", "North/All", DS]
    assert (gone["override_value"], gone["override_lo_95"]) == (0, 0) and gone["override_hi_95"] >= 0


def test_a_column_nobody_knows_is_refused_and_none_is_needed_that_is_not_filled(place):
    with pytest.raises(UserError, match="there is no column 'valu'. Did you mean 'value'?"):
        take(place, csv(place, "sales,2024-01,1,Ann,x", head="domain,month,valu,who,why"))
    take(place, csv(place, "sales;East/Bikes;Jan 2024;1234,5;Ann;x", head="domain;unique_id;month;value;who;why"))
    assert coming(place).loc["series", "East/Bikes", DS]["final_value"] == 1234.5


@pytest.mark.parametrize(
    ("text", "number"),
    [("1234.5", 1234.5), ("1,234,567.8", 1234567.8), ("-12,5", -12.5), ("1 234", 1234), (3, 3), ("−5", -5)],
)
def test_numbers_are_read_as_people_write_them(text, number):
    assert number_of("value", text) == number and number_of("percent", "5 %") == 5
    for odd in ("", "1.2.3", "nan", "inf", True, "12x"):
        with pytest.raises(Misread):
            number_of("value", odd)


def test_a_workspace_without_a_publication_or_of_an_older_version_is_a_sentence(tmp_path):
    place = workspace(tmp_path)
    with duckdb.connect(str(place.warehouse)) as connection:
        connection.execute("drop view counted_overrides cascade")
    with pytest.raises(UserError, match="knew no overrides: run `make report`"):
        take(place, csv(place, "sales,East,,2024-01,1000,,Ann,fine,"))
