"""Overrides: what planners want instead of a forecast, from the file that they hand in to every table and page that shows it."""

import datetime as dt
import re
import sys
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from forecasting import dashboard
from forecasting.api.schemas import ForecastRow
from forecasting.contracts import BOUNDS
from forecasting.errors import UserError
from forecasting.evaluation import value_added
from forecasting.intervals import PERCENT, VALUE, Change, override
from forecasting.ledger import Published
from forecasting.ledger import publishing as ledger_publishing
from forecasting.ledger.overrides import apply_overrides
from forecasting.planning import SHEET, leave, listing, take, waiting, withdraw
from forecasting.planning.overriding import inbox
from forecasting.planning.overriding.wishes import Misread, number_of
from forecasting.report import domain_page, next_months, waterfall
from forecasting.report import overridden as shown_overrides
from forecasting.report.bridges import PEOPLE
from forecasting.report.bridges import bridge as report_bridge
from forecasting.report.expectation import figures
from forecasting.run import plain_rows
from forecasting.run.lock import only_run
from forecasting.series import Hierarchy
from forecasting.site import workbook
from forecasting.site.editions import Edition
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
        reached |= NODES.members.toarray().astype(bool)[NODES.nodes[["aggregation", "unique_id"]].apply(tuple, axis=1) == (
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
    for row in plain_rows(new.reset_index()):
        assert ForecastRow.model_validate(row).final_value == row["final_value"], "what /api/forecasts answers"
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


# --- the workbook that comes back


def adjusted(place, *cells: tuple[int, str, object], name: str = "forecasts.xlsx") -> str:
    """Write the report's workbook, fill in cells of the sheet «Adjust» (row, heading, value) and return its name."""
    target = place.root / name
    workbook.write(place.published, target, Edition.open(place.published, "acme"))
    book = openpyxl.load_workbook(target)
    sheet = book[SHEET]
    columns = {cell.value: cell.column for cell in sheet[4]}
    for row, heading, value in cells:
        sheet.cell(row, columns[heading], value)
    book.save(target)
    return str(target)


WHO = [(row, heading, text) for row in (5, 12) for heading, text in (("Who", "Ann"), ("Why", "plan"))]


def test_the_workbook_comes_back(place):
    take(
        place,
        adjusted(place, *WHO, (5, "Your value", 777000), (12, "Your %", -50), (12, "Until", dt.datetime(2024, 3, 1))),
    )
    said = ask(place, "from overrides order by override_id")
    sheet = openpyxl.load_workbook(adjusted(place, name="again.xlsx"))[SHEET]
    headings = [cell.value for cell in sheet[4]]
    for row, one in zip((5, 12), said.itertuples(), strict=True):
        cells = dict(zip(headings, (cell.value for cell in sheet[row]), strict=True))
        assert (cells["Level"], cells["Region"], cells["Category"]) == (
            one.aggregation,
            one.region,
            one.product_category,
        )
        assert cells["Month"] == one.first_month and cells["Run"] == one.based_on and cells["In force"] is not None
    assert said["kind"].tolist() == ["value", "percent"] and said["amount"].tolist() == [777000, -50]
    assert said["until"].tolist()[1] == pd.Timestamp("2024-03-01")
    assert "asks for nothing" in take(place, adjusted(place, *WHO, name="names_only.xlsx"))


def test_a_workbook_of_an_earlier_run_is_refused(place):
    file = adjusted(place, *WHO, (5, "Your value", 777000))
    next_run(place)
    with pytest.raises(UserError, match="belongs to an earlier forecast") as refused:
        take(place, file)
    assert "row 5 stand beside" in str(refused.value) and "in force is next" in str(refused.value)
    assert ask(place, "from overrides").empty


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (
            [*WHO, (5, "Your value", "=G5*2")],
            "Adjust row 5: «value» '=G5*2' is not a number (a formula without its result)",
        ),
        ([*WHO, (5, "Your value", "a lot")], "Adjust row 5: «value» 'a lot' is not a number"),
        ([*WHO, (5, "Your value", 1), (5, "Your %", 2)], "both a value and a percentage"),
        ([(5, "Your value", 1), (5, "Why", "x")], "Adjust row 5: «who» is empty"),
        (
            [*WHO, (5, "Your value", 1), (5, "Until", dt.datetime(2023, 3, 1))],
            "«until» 2023-03 lies before «month» 2024-01",
        ),
        ([*WHO, (5, "Your value", 1), (5, "Region", "Estonia")], "there is no region 'Estonia'"),
    ],
)
def test_cells_that_cannot_be_used_are_named(place, cells, words):
    with pytest.raises(UserError) as refused:
        take(place, adjusted(place, *cells))
    assert words in plain(str(refused.value)) and ask(place, "from overrides").empty


# --- the dashboard and its inbox

FORM = {
    "domain": "sales",
    "region": "North",
    "product_category": "All",
    "month": "2024-01",
    "value": "250000",
    "who": "Ann",
    "why": "order",
}


def test_what_the_dashboard_leaves_is_taken_in_once(place, monkeypatch):
    with only_run(place.data):  # a run is going on: nobody waits, nothing is lost
        leave(place.data, FORM)
        leave(place.data, {**FORM, "region": "Norht"})
    assert len(waiting(place.data)) == 2 and "2 overrides wait" in plain(listing(place))
    with monkeypatch.context() as killed:
        killed.setattr(inbox, "move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            take(place)
    told = take(place)
    assert "there is no region 'Norht': did you mean 'North'?" in told and len(ask(place, "from overrides")) == 1
    assert waiting(place.data) == [] and coming(place).loc["region", "North/All", DS]["final_value"] == 250000
    refused = sorted(path.suffix for path in (place.data / "overrides" / "refused").iterdir())
    assert refused == [".json", ".txt"] and len(list((place.data / "overrides" / "taken").iterdir())) == 1
    assert "Nothing waits" in take(place)


def test_the_form_shows_what_it_does_and_hands_it_in(place, monkeypatch):
    app_file = Path(dashboard.__file__).parent / "app.py"
    monkeypatch.setattr(sys, "argv", [str(app_file), "--data", str(place.data)])
    app = AppTest.from_file(app_file, default_timeout=60).run().switch_page("views/overrides.py").run()
    assert not app.exception and "Nobody overrides a forecast of sales" in "".join(each.value for each in app.caption)
    app.selectbox(key="override region sales").set_value("North").run()
    app.button[1].click().run()
    assert "neither a value nor a percentage" in plain(app.error[0].value) and waiting(place.data) == []
    app.text_input(key="override A value").set_value("250000")
    app.text_input(key="override who").set_value("Ann")
    app.text_input(key="override why").set_value("order")
    app.button[1].click().run()
    assert "Handed in" in app.success[0].value and not app.exception
    shown = app.dataframe[0].value
    assert shown["Region and category"].iloc[0] == "North/All" and shown["With yours"].iloc[0] == 250000
    take(place)
    new = coming(place)
    for row in shown.itertuples():
        is_sum = [part == "All" for part in row[1].split("/")]
        level = {(True, True): "total", (False, True): "region", (True, False): "category"}.get(tuple(is_sum), "series")
        assert new.loc[level, row[1], row.Month]["final_value"] == pytest.approx(row[5])
    app.run()
    assert app.dataframe[0].value["Who"].tolist() == ["Ann"] and not app.exception


def test_a_folder_that_may_not_be_written_is_a_sentence(place):
    (place.data / "overrides").write_text("")
    with pytest.raises(UserError, match="could not be left in"):
        leave(place.data, FORM)


# --- pages, bridge and accuracy


def page(place, name: str = "sales"):
    return Published(place.published).domain(name)


def test_the_bridge_has_a_step_for_people_and_adds_up(place):
    before = report_bridge(str(place.published), page(place))
    take(place, csv(place, "sales,North,,,,10,Ann,promotion,2024-02"))
    found = report_bridge(str(place.published), page(place))
    assert found.steps == [*before.steps, PEOPLE]
    total = found.rows[["before", *found.steps]].sum(axis=1)
    assert total.to_numpy() == pytest.approx(found.rows["after"].to_numpy())
    new = coming(place).reset_index().set_index(["aggregation", "unique_id", "ds"])
    after = found.rows.set_index(["aggregation", "unique_id", "ds"])["after"]
    assert after.to_numpy() == pytest.approx(new.loc[after.index, "final_value"].to_numpy())
    parts = found.rows[found.rows["aggregation"] == "series"].groupby("ds")[PEOPLE].sum()
    assert parts.to_numpy() == pytest.approx(
        found.rows[found.rows["aggregation"] == "total"].sort_values("ds")[PEOPLE].to_numpy()
    )
    shown = waterfall.waterfall(page(place), found) + waterfall.method(page(place), found)
    assert "What people changed" in shown
    next_run(place)
    later = report_bridge(str(place.published), page(place))
    total = later.rows[["before", *later.steps]].sum(axis=1)
    assert PEOPLE in later.steps and total.to_numpy() == pytest.approx(later.rows["after"].to_numpy())


def test_the_page_shows_both(place):
    assert "Nobody has changed the forecast of sales" in shown_overrides.section(str(place.published), page(place))
    take(place, csv(place, "sales,,,2024-01,900000,,Ann <b>,plan & order,"))
    text = shown_overrides.section(str(place.published), page(place)) + next_months.next_months(page(place))
    assert (
        "Ann &lt;b&gt;" in text
        and "plan &amp; order" in text
        and text.count("900,000") == 1  # as it was said; what it makes of the forecast stands among thousands
        and len(re.findall(r">900(?:\.0)?</td>", text)) == 2
        and text.count("in thousand EUR") >= 2
        and "With overrides" in text
    )
    assert "override:" in domain_page.by_part(page(place), "region")
    assert "people changed it to" in figures(page(place), Published(str(place.published)).paths("sales"))


def due(place) -> pd.DataFrame:
    """Override what an earlier run said of months that have come, and return how that came out."""
    with duckdb.connect(str(place.warehouse)) as connection:
        connection.execute(
            "delete from publications where run_id in (select run_id from runs where cutoff = '2023-12-01')"
        )
    with duckdb.connect(str(place.warehouse)) as connection:
        ledger_publishing.publish_copy(connection, place.published)
    rows = [
        "sales,North,,2023-12,,20,Ann,promotion,2024-02",
        "sales,East,Bikes,2023-12,100000,,Bob,rival,",
        "sales,,,2024-01,,5,Bob,plan,",
    ]
    take(place, csv(place, *rows))
    return Published(place.published).came_due("sales")


def test_overrides_that_came_due_are_scored_apart(place):
    published = ask(place, "select * from forecast_accuracy where forecast_kind <> 'override' order by all")
    rows = due(place)
    assert not rows.empty and set(rows["who"]) <= {"Ann", "Bob", "Ann; Bob"}
    own = rows[rows["own_override"].notna()].set_index("unique_id")
    assert own.loc["North/All", "override"] == pytest.approx(1.2 * own.loc["North/All", "forecast"])
    assert own.loc["East/Bikes", "override"] == 100000
    scored = ask(place, "from actual_vs_forecast where forecast_kind = 'override' and actual is not null")
    assert len(scored) == len(rows) and set(scored["status"]) == {"override"}
    accuracy = ask(
        place, "from forecast_accuracy where domain = 'sales' and forecast_kind = 'override' and horizon_group = 'all'"
    )
    for level, part in rows.groupby("aggregation"):
        (mae,) = accuracy.loc[accuracy["aggregation"] == level, "mae"]
        assert mae == pytest.approx((part["override"] - part["actual"]).abs().mean())
    still = ask(place, "select * from forecast_accuracy where forecast_kind <> 'override' order by all")
    assert set(still["forecast_kind"]) == set(published["forecast_kind"])
    text = shown_overrides.helped(str(place.published), page(place))
    assert "Did overrides help?" in text and "Ann" in text and "promotion" in text and "one month tells nothing" in text
    assert shown_overrides.helped(str(place.published), page(place, "profit")) == ""


# --- did they help


def naive_added(rows: list[tuple[str, float, float, float]]) -> tuple[float, float, float]:
    """FVA and its 95 % interval, by loops: month, actual, forecast, override."""
    gains: dict[str, list[float]] = {}
    for ds, actual, forecast_, override_ in rows:
        gains.setdefault(ds, []).append(abs(forecast_ - actual) - abs(override_ - actual))
    n = len(rows)
    fva = sum(sum(part) for part in gains.values()) / n
    if len(gains) < 2:
        return fva, float("nan"), float("nan")
    spread = sum((sum(part) - fva * len(part)) ** 2 for part in gains.values())
    error = (len(gains) / (len(gains) - 1) * spread) ** 0.5 / n
    reach = student(len(gains) - 1) * error
    return fva, fva - reach, fva + reach


def student(df: int) -> float:
    """The 97.5 % quantile of Student's t, from a printed table."""
    return {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}[df]


months = st.sampled_from(["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01"])
tens = st.integers(0, 100).map(float)


@settings(max_examples=60)
@given(st.lists(st.tuples(months, tens, tens, tens), min_size=1, max_size=12))
def test_value_added_is_that_of_a_loop(rows):
    frame = pd.DataFrame(rows, columns=["ds", "actual", "forecast", "override"]).assign(
        who="Ann", ds=lambda d: pd.to_datetime(d["ds"])
    )
    for found in (value_added(frame).iloc[0], value_added(frame, "who").iloc[0]):
        assert found[["fva", "lo", "hi"]].tolist() == pytest.approx(
            list(naive_added(rows)), rel=1e-3, abs=1e-6, nan_ok=True
        )
        assert found["n_months"] == len({row[0] for row in rows}) and found["n"] == len(rows)
        assert found["fva"] == pytest.approx(found["mae_forecast"] - found["mae_override"])


def test_where_each_month_has_one_row_it_is_the_t_interval():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=12, freq="MS"), "actual": 0.0})
    frame = frame.assign(forecast=rng.uniform(0, 2, 12), override=rng.uniform(0, 2, 12))
    gains = frame["forecast"] - frame["override"]
    reach = 2.201 * gains.std(ddof=1) / 12**0.5
    found = value_added(frame).iloc[0]
    assert [found["lo"], found["hi"]] == pytest.approx([gains.mean() - reach, gains.mean() + reach], rel=1e-3)
    assert value_added(frame.head(0)).empty
