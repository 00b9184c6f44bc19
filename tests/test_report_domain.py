"""The domain pages: the way from the last forecast to this one, the years side by side, tables that add up and can be sorted."""

import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.ledger.domain import at
from forecasting.report import (
    domain_page,
    html,
    levels,
    next_months,
    order,
    outlook,
    periods,
    rounding,
    variance,
    waterfall,
    year_on_year,
)
from forecasting.report.bridges import BOTH, DATA, MODEL, bridge
from forecasting.wording import numbers
from report_fixtures import VARIANTS, Company, build
from report_pages import REPORTS, executed
from shown import agrees, multiple

LAST, BEFORE = "2023-12-01", "2023-11-01"
PRESENT, EARLIER = "sales-2023-12-0123456789", "sales-2023-11-9876543210"


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """A company with forecasts published at four cutoffs."""
    return build(tmp_path_factory.mktemp("history") / "published.duckdb", Company(history=True))


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """A company with 300 series."""
    company = replace(VARIANTS["many series"], months=20, walk_forward=False)
    return build(tmp_path_factory.mktemp("many") / "published.duckdb", company)


@pytest.fixture
def ledger(history, tmp_path):
    """Return a function that changes a copy of the history by SQL and returns its path."""

    def changed(*statements: str) -> Path:
        path = tmp_path / "published.duckdb"
        shutil.copy(history, path)
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return path

    return changed


def ask(path: Path, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).df()


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace(numbers.SPACE, " ").replace("&nbsp;", " ").split())


def cells_of(markup: str) -> list[list[str]]:
    """The texts of a table's body, row by row."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", markup.split("<tbody>")[1].split("</tbody>")[0], re.S)
    return [[text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows]


def as_number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").replace("+", "").removesuffix("%").strip())


def other_model(run_id: str) -> str:
    """SQL that says that another model with other settings made a run."""
    return f"""update runs set champion = 'naive', manifest = json_merge_patch(manifest,
        '{{"champion": {{"name": "naive"}}, "steps": {{"30_evaluate": "other"}}}}') where run_id = '{run_id}'"""


def other_data(run_id: str) -> str:
    return f"update runs set manifest = json_merge_patch(manifest, '{{\"fingerprint\": \"other\"}}') where run_id = '{run_id}'"


def way(path: Path, name: str = "sales"):
    domain = domain_page.load(path, name)
    return domain, bridge(path, domain)


FORECASTS = """select aggregation, unique_id, sum(predicted_value) as y from forecasts where run_id = '{}'
    and status = 'published' and ds between '2024-01-01' and '2024-05-01' group by all order by all"""


# --- the way from the last forecast to this one -----------------------------------------------------------------------------


def test_the_same_model_leaves_new_data_alone_to_explain_the_change(ledger):
    path = ledger(other_data(EARLIER))
    domain, found = way(path)
    assert (str(found.cutoff.date()), found.steps, found.again) == (BEFORE, [DATA], None)
    assert [f"{ds:%Y-%m}" for ds in found.months] == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
    before, after = (
        ask(path, FORECASTS.format(run)).set_index(["aggregation", "unique_id"])["y"] for run in (EARLIER, PRESENT)
    )
    mine = found.rows.groupby(["aggregation", "unique_id"])[["before", DATA, "after"]].sum()
    assert mine["before"].to_numpy() == pytest.approx(before.to_numpy()) and mine["after"].to_numpy() == pytest.approx(
        after.to_numpy()
    )
    assert mine[DATA].to_numpy() == pytest.approx((after - before).to_numpy(), abs=0.01)
    assert "all of the difference comes from the data" in text_of(waterfall.method(domain, found))
    assert "December 2023 became known" in text_of(waterfall.waterfall(domain, found))


def present_model(shift: float, until: str) -> str:
    """SQL that puts what the present model says at the earlier cutoff into the walk-forward, up to a month."""
    return f"""insert into actual_vs_forecast by name
        select domain, aggregation, unique_id, region, product_category, ds, cutoff, horizon, model_name,
            predicted_value + {shift} * (select count(*) from monthly_actuals as a
                where a.domain = f.domain and a.aggregation = 'series' and a.ds = '{LAST}'
                    and (f.region in ('All', a.region)) and (f.product_category in ('All', a.product_category))) as predicted_value,
            'walk_forward' as forecast_kind, true as is_champion, '{PRESENT}' as run_id
        from forecasts as f where run_id = '{EARLIER}' and status = 'published' and ds <= '{until}'"""


def test_another_model_is_told_apart_by_what_it_says_at_the_earlier_cutoff(ledger):
    path = ledger(other_data(EARLIER), other_model(EARLIER), present_model(100.0, "2024-05-01"))
    domain, found = way(path)
    assert found.steps == [MODEL, DATA]
    total = waterfall.totals(domain, found)
    assert total[MODEL] == pytest.approx(100.0 * 9 * 5)  # nine series, five months
    assert total["before"] + total[MODEL] + total[DATA] == pytest.approx(total["after"])
    assert "its walk-forward forecast" in text_of(waterfall.method(domain, found))
    assert "linear instead of naive" in waterfall.waterfall(domain, found)


def test_a_model_that_was_changed_after_its_forecast_is_told_apart_by_that_forecast(ledger):
    """The old model forecast from the present data as well, and was published: new data first, then the model."""
    again = f"""insert into runs by name select 'sales-again' as run_id, * exclude (run_id, cutoff, manifest, champion),
        cast('{LAST}' as date) as cutoff, 'naive' as champion,
        json_merge_patch(manifest, '{{"champion": {{"name": "naive"}}, "steps": {{"30_evaluate": "other"}}}}') as manifest
        from runs where run_id = '{PRESENT}'"""
    noted = "insert into publications by name select 'sales' as domain, 'sales-again' as run_id, timestamp '2024-01-02' as published_at"
    made = f"""insert into forecasts by name select * replace ('sales-again' as run_id, predicted_value - 7 as predicted_value)
        from forecasts where run_id = '{PRESENT}'"""
    path = ledger(other_data(EARLIER), other_model(EARLIER), again, noted, made)
    domain, found = way(path)
    assert found.steps == [DATA, MODEL] and found.again == "naive"
    assert waterfall.totals(domain, found)[MODEL] == pytest.approx(7 * 5)
    assert "which was published too" in waterfall.method(domain, found)


@pytest.mark.parametrize("until", ["2023-12-01", "2024-04-01"])
def test_what_cannot_be_told_apart_is_one_step(ledger, until):
    """The walk-forward holds none of the months compared, or not all of them."""
    domain, found = way(ledger(other_data(EARLIER), other_model(EARLIER), present_model(100.0, until)))
    assert found.steps == [BOTH]
    assert "cannot be told apart" in waterfall.method(domain, found)
    total = waterfall.totals(domain, found)
    assert total["before"] + total[BOTH] == pytest.approx(total["after"])


def test_a_run_made_again_at_the_same_cutoff_is_no_new_month(ledger):
    again = f"update runs set cutoff = '{LAST}' where run_id = '{EARLIER}'"
    domain, found = way(ledger(again))
    assert str(found.cutoff.date()) == "2023-10-01" and found.again == "linear"
    assert "as no month lies between them, it is left out here" in text_of(waterfall.method(domain, found))
    only = f"delete from runs where domain = 'sales' and run_id not in ('{EARLIER}', '{PRESENT}')"
    domain, found = way(ledger(again, only, other_model(EARLIER)))
    assert found.is_same_cutoff and found.steps == [MODEL]
    assert "No forecast from data up to an earlier month has been published" in waterfall.method(domain, found)
    domain, found = way(ledger(again, only, other_data(EARLIER)))
    assert found.steps == [DATA] and "the same months, corrected" in waterfall.waterfall(domain, found)


def test_of_several_runs_of_the_earlier_month_the_one_published_last_counts(ledger):
    later = f"update publications set published_at = timestamp '2030-01-01' where run_id = '{EARLIER}'"
    shift = f"update runs set cutoff = '{BEFORE}' where domain = 'sales' and cutoff < '{BEFORE}'"
    path = ledger(later, shift)
    domain, found = way(path)
    before = ask(path, FORECASTS.format(EARLIER)).query("aggregation == 'total'")["y"].iloc[0]
    assert waterfall.totals(domain, found)["before"] == pytest.approx(before)
    _, ahead = way(ledger(f"update runs set cutoff = '2024-01-01' where run_id = '{EARLIER}'"))
    assert str(ahead.cutoff.date()) == "2023-10-01"  # a run that reached further was taken back: it is not earlier


def test_without_an_earlier_forecast_a_sentence_says_so(ledger):
    alone = f"delete from runs where domain = 'sales' and run_id <> '{PRESENT}'"
    unit = (
        'update runs set manifest = json_merge_patch(manifest, \'{"unit": "USD"}\') where run_id <> \'' + PRESENT + "'"
    )
    nothing = "No earlier forecast of sales has been published"
    other = "from data up to November 2023. It is in USD, this one in EUR, so the two cannot be compared."
    for statement, said in ((alone, nothing), (unit, other)):
        domain, found = way(ledger(statement))
        assert said in text_of(waterfall.summary(domain, found))
        shown = waterfall.waterfall(domain, found) + waterfall.method(domain, found) + waterfall.details(domain, found)
        assert shown == ""
    far = f"update forecasts set ds = ds - interval 4 year where run_id = '{EARLIER}'"
    domain, found = way(ledger(far))
    assert "reaches no month that this one forecasts" in waterfall.summary(domain, found)
    assert waterfall.waterfall(domain, found) + waterfall.details(domain, found) == ""


def test_a_region_that_only_one_forecast_has_counts_as_zero_in_the_other(ledger):
    gone = f"""delete from forecasts where run_id = '{EARLIER}' and region = 'East'"""
    rest = f"""update forecasts as f set predicted_value = (select sum(predicted_value) from forecasts as s where s.run_id = f.run_id
        and s.status = f.status and s.ds = f.ds and s.aggregation = 'region') where run_id = '{EARLIER}' and aggregation = 'total'"""
    domain, found = way(ledger(gone, rest))
    rows = {
        row[0]: [as_number(cell) for cell in row[1:]] for row in cells_of(waterfall.by_part(domain, found, "region"))
    }
    assert rows["East"][0] == 0 and rows["East"][1] == rows["East"][2] > 0


@pytest.mark.parametrize("name", ["sales", "inventory", "profit"])
def test_the_steps_shown_add_up_by_month_region_and_category(ledger, name):
    """In every row, exactly; down a column within what rounding can do, which a note says."""
    path = ledger(other_data(EARLIER), other_model(EARLIER), present_model(0.37, "2024-05-01"))
    domain, found = way(path, name)
    exact = waterfall.totals(domain, found)
    tables = [waterfall.by_month(domain, found), *(waterfall.by_part(domain, found, a) for a in ("region", "category"))]
    for markup in tables:
        rows = [[as_number(cell) for cell in row[1:]] for row in cells_of(markup)]
        assert all(row[0] + sum(row[1:-1]) == pytest.approx(row[-1], abs=1e-6) for row in rows)
        first, last = (exact[name] / multiple(markup) for name in ("before", "after"))
        assert agrees(cells_of(markup)[-1][1], first) and agrees(cells_of(markup)[-1][-1], last)
    for markup in tables[1:]:
        *parts, total = ([as_number(cell) for cell in row[1:]] for row in cells_of(markup))
        off = max(abs(sum(column) - end) for column, end in zip(zip(*parts, strict=True), total, strict=True))
        said = re.search(r"add up to within ([\d.]*\d)", markup)
        assert off == pytest.approx(float(said[1]) if said else 0, abs=1e-6) and off <= len(parts)
    steps = [as_number(row[1]) for row in cells_of(waterfall.waterfall(domain, found))]
    assert steps[0] + sum(steps[1:-1]) == pytest.approx(steps[-1], abs=1e-6)


def test_a_stock_is_averaged_over_the_months_and_an_amount_added_up(history):
    for name, combine, said in (
        ("sales", np.sum, "sum of the months"),
        ("inventory", np.mean, "mean of the month-ends"),
    ):
        domain, found = way(history, name)
        rows = at(found.rows, "total")
        assert waterfall.totals(domain, found)["after"] == pytest.approx(combine(rows["after"]))
        assert said in waterfall.summary(domain, found)


def test_bars_begin_at_zero_or_say_that_they_do_not():
    assert waterfall.axis([0.0, 50.0, 100.0]) == (0.0, 100.0, False)
    assert waterfall.axis([100.0, 90.0, 95.0]) == (80.0, 100.0, True)
    assert waterfall.axis([-100.0, -90.0]) == (-100.0, -80.0, True)
    assert waterfall.axis([-5.0, 5.0]) == (-5.0, 5.0, False)
    assert waterfall.axis([0.0, 0.0]) == (0.0, 0.0, False)
    assert 'x="50.0"' in waterfall.bar((-5.0, 5.0), (-10.0, 10.0), "above") and 'width="100.0"' in waterfall.bar(
        (-5.0, 5.0), (-10.0, 10.0), "above"
    )
    assert 'width="0.0"' in waterfall.bar((0.0, 0.0), (0.0, 0.0), "level")


def test_no_change_and_a_loss_are_said_in_words(ledger):
    same = f"""update forecasts as f set predicted_value = -10 where run_id in ('{EARLIER}', '{PRESENT}') and status = 'published'"""
    domain, found = way(ledger(same))
    assert "does not change: −50 EUR." in text_of(waterfall.summary(domain, found)).replace(" :", ":")
    better = f"update forecasts set predicted_value = 10 where run_id = '{PRESENT}' and status = 'published'"
    text = text_of(waterfall.summary(*way(ledger(same, better))))
    assert "rises by 100 EUR , from −50 EUR to 50 EUR" in text and "%" not in text
    large = f"update forecasts set predicted_value = 1e6 + (run_id = '{PRESENT}')::int where status = 'published'"
    assert "rises by 5 EUR , hardly a change: 5.00 M EUR" in text_of(waterfall.summary(*way(ledger(large))))


def test_names_stand_in_the_order_in_which_a_click_sorts_them(tmp_path):
    company = Company(
        months=30, walk_forward=False, history=True, domains=("sales",), regions=("R10", "R2", "R1", "r3", "R11")
    )
    path = build(tmp_path / "published.duckdb", company)
    domain, found = way(path)
    expected = ["R1", "R2", "r3", "R10", "R11"]
    assert domain_page.parts(domain, "region") == [f"{name}/All" for name in expected]
    tables = [domain_page.by_part(domain, "region"), waterfall.by_part(domain, found, "region")]
    assert [[row[0] for row in cells_of(markup)][:-1] for markup in tables] == [expected, expected]
    series = [row[0].split()[0] for row in cells_of(domain_page.by_part(domain, "series"))][:-1]
    assert list(dict.fromkeys(series)) == expected
    for chart in (domain_page.trend_chart(domain), year_on_year.year_chart(domain)):
        assert [region for region, category, *_ in chart.choices if category == "All"] == ["All", *expected]


@given(st.lists(st.tuples(st.sampled_from(["Shop ", "shop ", "Élan ", ""]), st.integers(0, 2000))))
def test_numbers_in_names_are_sorted_by_their_size(parts):
    names = [f"{word}{n}" for word, n in parts]
    ordered = order.natural_order(names)
    assert sorted(ordered) == sorted(set(names))
    key = [(re.sub(r"\d", "", name).replace("É", "e").lower(), int(re.search(r"\d+", name)[0])) for name in ordered]
    assert key == sorted(key)


# --- rounding ---------------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e7, 1e7), min_size=1, max_size=12), st.integers(0, 2))
def test_parts_rounded_together_add_up_and_stay_near(parts, decimals):
    total = round(sum(parts), decimals)
    found = rounding.adding_up(parts, total, decimals)
    assert round(sum(found), decimals) == total
    assert all(abs(a - b) <= 1.01 * 10**-decimals for a, b in zip(found, parts, strict=True))


def test_parts_that_add_up_as_they_stand_stay_as_they_are():
    assert rounding.adding_up([3.0, -1.0, 2.5], 4.5, 1) == [3.0, -1.0, 2.5]
    assert rounding.adding_up([1.4, 1.4, 1.4], 4.0, 0) == [2.0, 1.0, 1.0]


def test_a_difference_by_rounding_is_said_and_a_real_one_is_called_one():
    total = pd.Series({"a": 3.0, "b": 10.0})
    whole, tenths = numbers.Amounts("EUR"), numbers.Amounts("EUR", decimals=1)
    assert rounding.sums_note(pd.DataFrame({"a": [1.0, 2.0], "b": [4.0, 6.0]}), total, whole) == ""
    assert "to within 1." in rounding.sums_note(pd.DataFrame({"a": [1.5, 1.5], "b": [4.0, 6.0]}), total, whole)
    assert "do not add up" in rounding.sums_note(pd.DataFrame({"a": [1.0, 2.0], "b": [4.0, 5.0]}), total, whole)
    assert rounding.sums_note(pd.DataFrame({"a": [1.5, 1.5], "b": [4.0, 6.0]}), total, tenths) == ""
    assert rounding.sums_note(pd.DataFrame({"a": [1.0]}), pd.Series({"a": np.nan}), whole) == ""
    thousands = numbers.Amounts("EUR", "thousand", 1000.0)
    parts, sums = pd.DataFrame({"a": [1_500_000.0, 2_500_600.0]}), pd.Series({"a": 4_000_600.0})
    assert rounding.sums_note(parts, sums, thousands) == ""
    parts = pd.DataFrame({"a": [1_500_400.0, 2_500_400.0]})
    assert "to within 1." in rounding.sums_note(parts, parts.sum(), thousands)
    assert "differ by up to 200" in rounding.sums_note(parts, sums, thousands)


@pytest.mark.parametrize("name", ["sales", "inventory", "profit"])
@pytest.mark.parametrize("aggregation", ["region", "category", "series"])
def test_totals_are_the_sums_of_their_parts(history, name, aggregation):
    domain = domain_page.load(history, name)
    for rows in (domain.future, domain.past):
        parts, total = (at(rows, a).groupby("ds")["predicted_value"].sum() for a in (aggregation, "total"))
        assert parts.to_numpy() == pytest.approx(total.to_numpy(), abs=0.01)
    markup = domain_page.by_part(domain, aggregation)
    values = [float(value) for value in re.findall(r'data-value="([^"]+)"', markup)]
    table = np.array(values).reshape(-1, 6)
    assert table[:-1].sum(axis=0) == pytest.approx(table[-1], abs=0.01)
    assert "do not add up" not in markup
    shown = [[as_number(cell.split(" ")[0]) for cell in row[1:]] for row in cells_of(markup)]
    off = np.abs(np.sum(shown[:-1], axis=0) - shown[-1]).max()
    said = re.search(r"add up to within (\d+)", markup)
    assert off == (int(said[1]) if said else 0)


# --- tables -----------------------------------------------------------------------------------------------------------------


def test_a_cell_says_its_value_and_an_unknown_one_none():
    markup = html.table(
        ["A", "B"], [["x", html.Cell("1,234<br>more", 1234.5)], ["y", html.Cell("–", float("nan"))]], "C", sortable=True
    )
    assert (
        '<table class="sortable">' in markup and '<td class="number" data-value="1234.5">1,234<br>more</td>' in markup
    )
    assert 'data-value="">–' in markup
    assert "data-value" not in html.table(["A", "B"], [["x", "1"]], "C") and "sortable" not in html.table(
        ["A"], [["x"]], "C"
    )


def test_tables_are_sorted_by_the_databases_values_and_long_ones_can_be_searched(many):
    domain = domain_page.load(many, "sales")
    markup = domain_page.by_part(domain, "region")
    rows = ask(many, "select predicted_value as y from forecasts where aggregation = 'region' and status = 'published'")
    values = [float(value) for value in re.findall(r'data-value="([^"]+)"', markup)][:-6]
    assert sorted(values) == sorted(rows["y"]) and len(values) == 20 * 6
    assert 'class="sortable" data-find="region"' in markup
    region = domain_page.by_part(domain, "region")
    assert 'data-find="region"' in region and region.count("<tr") == 22
    few = variance.variance(domain, "category")
    assert 'class="sortable"' in few and "data-find" not in few


def test_a_restated_month_is_compared_as_it_was_first_known(ledger):
    path = ledger(
        f"update monthly_actuals set y = y + 1000 where domain = 'sales' and ds = '{LAST}' and aggregation = 'total'"
    )
    domain = domain_page.load(path, "sales")
    markup = variance.variance(domain, "region")
    *parts, total = ([as_number(cell) for cell in row[1:4]] for row in cells_of(markup))
    assert all(abs(actual - made - off) <= 1 for actual, made, off in [*parts, total])
    assert abs(sum(row[0] for row in parts) - total[0]) <= 2
    assert "first known" in markup and numbers.compact(ask(path, f"""select y from monthly_actuals where domain = 'sales'
        and aggregation = 'total' and ds = '{LAST}'""")["y"].iloc[0], "EUR") in markup  # fmt: skip
    assert "first known" not in variance.variance(domain_page.load(path, "profit"), "region")


# --- year on year -----------------------------------------------------------------------------------------------------------


def test_years_are_drawn_from_the_databases_values(history):
    domain = domain_page.load(history, "sales")
    chart = year_on_year.year_chart(domain)
    names = [trace.name for trace in chart.figure.data]
    assert [name for name in names if name.isdigit()] == ["2020", "2021", "2022", "2023"]
    assert names[-3:] == ["2024, 80 % up to", "2024, 80 % from", "2024, forecast"]
    assert {tuple(choice[:2]) for choice in chart.choices} == {
        tuple(c[:2]) for c in domain_page.trend_chart(domain).choices
    }
    key = ["region", "product_category"]
    actuals = ask(
        history, "select *, year(ds) as year from monthly_actuals where domain = 'sales' order by ds"
    ).groupby(key)
    future = ask(
        history, f"select * from forecasts where run_id = '{PRESENT}' and status = 'published' order by ds"
    ).groupby(key)
    for region, category, values, shown, *_ in chart.choices:
        known, coming = (rows.get_group((region, category)) for rows in (actuals, future))
        for year, rows in known.groupby("year"):
            assert values[names.index(str(year))] == pytest.approx(rows["y"].to_list(), abs=0.5)
        for name, column in zip(names[-3:], ("hi_80", "lo_80", "predicted_value"), strict=True):
            assert values[names.index(name)] == [*coming[column].round().to_list(), *[None] * 6]
        assert shown[0] <= 0 and shown[1] >= known["y"].max()


@pytest.fixture(scope="module")
def odd_year(tmp_path_factory) -> Path:
    """A company whose last year has five months, so that forecasts finish the year."""
    return build(tmp_path_factory.mktemp("odd") / "published.duckdb", Company(months=41, loss=True))


@pytest.mark.parametrize("name", ["sales", "inventory", "profit"])
def test_years_are_compared_with_the_same_months_of_the_year_before(odd_year, name):
    """Against a naive loop over the database's months; no percentage of a loss."""
    domain = domain_page.load(odd_year, name)
    chart = year_on_year.year_chart(domain)
    combine = np.mean if name == "inventory" else np.sum
    key = ["region", "product_category"]
    actuals = ask(odd_year, f"select * from monthly_actuals where domain = '{name}'").groupby(key)
    forecasts = ask(odd_year, f"select * from forecasts where domain = '{name}' and status = 'published'").groupby(key)
    for region, category, _, _, rows, title in chart.choices:
        unit = multiple(title)
        known = dict(actuals.get_group((region, category))[["ds", "y"]].itertuples(index=False))
        made = forecasts.get_group((region, category))[["ds", "predicted_value"]]
        both = {**dict(made.itertuples(index=False)), **known}
        assert [row[0] for row in rows] == ["2023 to Nov, with the forecast", "2023 to May", "2022", "2021", "2020"]
        for row, values in zip(rows, [both, known, known, known, known], strict=True):
            year = int(row[0][:4])
            months = [ds for ds in values if ds.year == year]
            now = combine([values[ds] for ds in months])
            earlier = [values.get(ds - pd.DateOffset(years=1)) for ds in months]
            assert as_number(row[1]) == len(months) and agrees(row[2], now / unit)
            if None in earlier:
                assert row[3:] == [numbers.DASH] * 3
                continue
            before = combine(earlier)
            assert agrees(row[3], before / unit)
            assert as_number(row[2]) - as_number(row[3]) == pytest.approx(as_number(row[4]), abs=1e-6)
            has_percentage = before > 0 and now >= 0 and now <= 3 * before
            expected = numbers.percent(100 * (now / before - 1), plus=True) if has_percentage else numbers.DASH
            assert row[5] == expected
    markup = year_on_year.year_table(domain, chart)
    assert [text for row in cells_of(markup) for text in row] == [
        cell.replace(numbers.SPACE, " ") for row in chart.choices[0][4] for cell in row
    ]
    assert f'id="{chart.table}"' in markup and f'data-table="{chart.table}"' in chart.html()
    assert ("averaged" in markup) is (name == "inventory")
    assert f'id="{chart.table}-dash"' in markup  # the first year has none before it
    full = [[*choice[:4], [["2022", *["1"] * 5]], choice[5]] for choice in chart.choices]
    assert "no percentage" not in year_on_year.year_table(domain, replace(chart, choices=full))
    later = year_on_year.year_table(domain, replace(chart, choices=[full[0], *chart.choices[1:]]))
    assert re.search(r'<p class="note"[^>]* hidden=""', later)  # until a series with a dash is chosen


def test_a_year_that_ends_in_december_and_one_that_is_only_forecast_are_named(history):
    rows = year_on_year.year_chart(domain_page.load(history, "sales")).choices[0][4]
    assert [row[0] for row in rows] == ["2024 to Jun, forecast", "2023", "2022", "2021", "2020"]


def test_the_next_months_have_no_percentage_of_or_for_a_loss_or_beyond_200(ledger):
    """For each month the database's forecast against the same month of last year."""
    values = {
        "2024-01-01": -113_385,
        "2024-02-01": 300,
        "2024-03-01": 301,
        "2024-04-01": 0,
        "2024-05-01": 95.8,
        "2024-06-01": 10,
    }
    made = [
        f"update forecasts set predicted_value = {y} where ds = '{ds}' and aggregation = 'total'"
        for ds, y in values.items()
    ]
    year_ago = (
        "update monthly_actuals set y = if(month(ds) = 6, -5, 100) where aggregation = 'total' and year(ds) = 2023"
    )
    domain = domain_page.load(ledger(*made, year_ago), "profit")
    markup = next_months.next_months(domain)
    assert [row[-1] for row in cells_of(markup)] == ["–", "+200.0 %", "–", "−100.0 %", "−4.2 %", "–"]
    assert "no percentage: of zero, of or for a loss, or of more than 200 %" in text_of(markup)


# --- the answer in a sentence -------------------------------------------------------------------------------------------------


def test_the_coming_months_in_a_sentence(odd_year, tmp_path):
    text = text_of(outlook.in_short(domain_page.load(odd_year, "sales")))
    where = "domain = '{}' and aggregation = 'total'"
    made = ask(
        odd_year,
        f"select ds, predicted_value as y from forecasts where {where.format('sales')} and status = 'published' order by ds",
    )
    before = ask(
        odd_year,
        f"select y from monthly_actuals where {where.format('sales')} and ds between '2022-06-01' and '2022-11-01'",
    )
    change = numbers.percent(100 * (made["y"].sum() / before["y"].sum() - 1), plus=True).replace(numbers.SPACE, " ")
    assert "Expected for June to November 2023:" in text and f"{change} on the same months of last year" in text
    assert numbers.compact(made["y"].sum(), "EUR").replace(numbers.SPACE, " ") in text
    assert f"Highest in {made.loc[made['y'].idxmax(), 'ds']:%B %Y}" in text
    loss = text_of(outlook.in_short(domain_page.load(odd_year, "profit")))
    assert "%" not in loss and "in the same months of last year" in loss and "−" in loss
    stock = text_of(outlook.in_short(domain_page.load(odd_year, "inventory")))
    assert "at the end of November 2023 , after" in stock.replace("2023,", "2023 ,") and "together" not in stock
    zero = build(tmp_path / "zero.duckdb", Company(zero=True, domains=("sales",), regions=("North",), history=True))
    domain = domain_page.load(zero, "sales")
    assert "0 EUR together; 0 EUR in the same months of last year" in text_of(outlook.in_short(domain)).replace(
        " ;", ";"
    )
    assert {row[5] for row in year_on_year.year_chart(domain).choices[0][4]} == {numbers.DASH}


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (["2025-07-01"], "July 2025"),
        (["2025-11-01", "2025-07-01"], "July to November 2025"),
        (["2025-11-01", "2026-02-01"], "November 2025 to February 2026"),
    ],
)
def test_a_span_of_months_in_words(months, expected):
    assert periods.span(map(pd.Timestamp, months)).replace(numbers.SPACE, " ") == expected


def test_the_page_reads_from_the_answer_to_the_evidence(history):
    """Its order, and where to read on; long accuracy tables and the manifest have pages of their own."""
    page = executed(REPORTS / "domain.ipynb", published=str(history), domain="sales")
    text = " ".join(
        cell.source
        if cell.cell_type == "markdown"
        else " ".join(o.get("data", {}).get("text/html", "") for o in cell.get("outputs", []))
        for cell in page.cells[2:]
    )
    marks = ["<h1>", "Expected for", "## Trend", 'id="trend-sales"', "### The next months", "## What changed since",
             "## Where it comes from", "### By series", "## Year on year", 'id="years-sales"', "## Last month",
             "## How far to trust it", "model_card.html#sales"]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert 'href="accuracy.html"' in text and "MASE, months" not in text and PRESENT in text
    book = json.loads((REPORTS / "domain.ipynb").read_text(encoding="utf-8"))
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])


def test_each_level_that_a_company_names_has_a_table_of_its_sums(ledger, history):
    assert levels.sections(str(history), domain_page.load(str(history), "sales")) == ""
    path = ledger(
        "insert into forecasts select * replace ('land' as aggregation) from forecasts where aggregation = 'region'",
        "insert into forecasts select * replace ('line' as aggregation) from forecasts where aggregation = 'category'",
        """update runs set manifest = json_merge_patch(manifest, '{"params": {"levels": {"line": ["line"], "land": ["land"]}}}')""",
    )
    page = domain_page.load(str(path), "sales")
    found = levels.sections(str(path), page)
    assert re.findall(r"<h3>(.*?)</h3>", found) == ["By line", "By land"]
    for part, key, name in zip(
        found.split("<h3>")[1:], ("product_category", "region"), ("category", "region"), strict=True
    ):
        rows, expected = cells_of(part), at(page.future, name)
        sums = expected.groupby(key)["predicted_value"].sum().sort_values(ascending=False)
        assert [unescape(row[0]) for row in rows] == [*sums.index, "Total"]
        first = expected[expected["ds"] == expected["ds"].min()].set_index(key)["predicted_value"]
        for row in rows[:-1]:
            assert agrees(row[1].split()[0], first[unescape(row[0])] / multiple(part))


def test_a_years_change_is_that_between_the_numbers_shown_also_of_a_little():
    sums = [(12, 8.1e6, 9e6), (12, 5e5, 4e5), (12, 4e5, 5e5), (12, 6e5, 5e5), (1, 312.0, 109.0)]
    rows, title = year_on_year.year_rows(SimpleNamespace(unit="EUR", name="sales"), list("abcde"), sums)
    assert title == "sales by year, in thousand EUR"
    assert [row[2:5] for row in (rows[0], rows[4])] == [["8,100", "9,000", "−900"], ["0.3", "0.1", "+0.2"]]
