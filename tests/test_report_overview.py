"""The first page and the glossary: what is said is what the database holds, with the right sign, whatever the numbers are."""

import ast
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import AGGREGATIONS, DOMAINS
from forecasting.ledger import Domain, Published, at
from forecasting.report import cover, expectation, files, findings, glossary, kpi, overview, picture, summary
from forecasting.report.bridges import DATA, MODEL, Bridge
from forecasting.run import Champion, Facts, Manifest
from forecasting.wording import comparisons as wording
from forecasting.wording import numbers
from report_fixtures import ACCURACY_COLUMNS, VARIANTS, Company, build, with_manifest
from report_pages import REPORTS, executed

ROOT = REPORTS.parent
MADE: dict[str, Path] = {}
SCALES = {"": 1.0, "k": 1e3, "M": 1e6, "bn": 1e9, "tn": 1e12}
AMOUNT = r"(?:a loss of )?[−+]?[\d,.]+(?: (?:k|M|bn|tn))?(?: EUR)?"


@pytest.fixture(scope="session")
def company(tmp_path_factory):
    """Return the published database of a company, made once."""

    def made(name: str, about: Company | None = None) -> Path:
        if name not in MADE:
            path = tmp_path_factory.mktemp("company") / "published.duckdb"
            MADE[name] = build(path, about or VARIANTS[name])
        return MADE[name]

    return made


def ask(path: Path, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).df()


def plain(markup: str) -> str:
    """The text as a reader sees it, with common blanks."""
    text = unescape(re.sub(r"<[^>]+>", " ", markup)).replace(numbers.SPACE, " ")
    return re.sub(r" +([.,;:])", r"\1", " ".join(text.split()))


def read(text: str) -> float:
    """The number that a reader takes from an amount: «a loss of 113 k EUR» is −113,000."""
    found = re.fullmatch(r"(a loss of )?([−+]?)([\d,.]+)(?: (k|M|bn|tn))?(?: EUR)?", text)
    assert found, text
    loss, sign, digits, scale = found.groups()
    size = float(digits.replace(",", "")) * SCALES[scale or ""]
    assert not (loss and sign)
    return -size if loss or sign == "−" else size


def near(shown: float, value: float) -> bool:
    """Whether a number shown is the number, to the digits that are shown."""
    return shown == pytest.approx(value, rel=0.006, abs=0.51)


money = st.one_of(
    st.just(0.0), st.floats(-2e9, 2e9).map(lambda x: round(x, 2)), st.floats(-200, 200).map(lambda x: round(x, 2))
)
positive = st.floats(0.01, 2e9).map(lambda x: round(x, 2))


# --- comparisons in words


def check_size(text: str, value: float, base: float) -> None:
    """The size in «4.2 % above» or «120 k EUR below» is that of the change, without a sign."""
    size = text.rsplit(" ", 1)[0] if text.endswith(("above", "below")) else text
    assert "−" not in size and "+" not in size and "-" not in size
    if size.endswith(" %"):
        assert base > 0 and value >= 0
        assert float(size[:-2].replace(",", "")) == pytest.approx(100 * abs(value / base - 1), abs=0.0501)
    else:
        assert near(read(size), abs(value - base))


@given(value=money, base=money)
def test_a_comparison_has_the_right_direction_and_never_a_sign(value, base):
    text = wording.compared(value, base, "EUR").replace(numbers.SPACE, " ")
    if text == "the same as":
        assert value == base
    elif text == "about the same as":
        assert value != base and (abs(value - base) < 0.05 or abs(value / base - 1) < 0.0005)
    else:
        assert text.endswith("above" if value > base else "below")
        check_size(text, value, base)


@given(now=positive, change=st.floats(-0.002, 0.002))
def test_what_would_be_shown_as_no_change_is_called_one(now, change):
    text = wording.compared(now * (1 + change), now, "EUR")
    assert not re.match(r"0\.0\D", text) and not text.startswith("0 ")


@given(now=money, then=money)
def test_a_revision_has_the_right_direction(now, then):
    text = wording.revised(now, then, "EUR").replace(numbers.SPACE, " ")
    if "raised" in text or "lowered" in text:
        assert ("raised" in text) is (now > then)
        check_size(text.split(" by ")[1], now, then)
    else:
        assert text == ("is unchanged" if now == then else "is almost unchanged")


@given(value=money, base=money)
def test_a_change_on_a_card_has_its_sign(value, base):
    text = wording.signed(value, base, "EUR").replace(numbers.SPACE, " ")
    assert "inf" not in text and "nan" not in text
    if re.search("[1-9]", text):
        assert text[0] == ("+" if value > base else "−")


@pytest.mark.parametrize(
    ("value", "base", "expected"),
    [
        (104.2, 100.0, "4.2 % above"),
        (95.0, 100.0, "5.0 % below"),
        (100.0, 100.0, "the same as"),
        (100.01, 100.0, "about the same as"),
        (50.0, 0.0, "50 EUR above"),
        (0.0, 0.0, "the same as"),
        (-50.0, 100.0, "150 EUR below"),
        (-120_000.0, -80_000.0, "40.0 k EUR below"),
        (-80_000.0, -120_000.0, "40.0 k EUR above"),
        (900_000.0, 100_000.0, "800 k EUR above"),
        (0.0, 100.0, "100.0 % below"),
    ],
)
def test_comparisons(value, base, expected):
    assert wording.compared(value, base, "EUR").replace(numbers.SPACE, " ") == expected


# --- sentences from made-up numbers

LAST, NEXT = pd.Timestamp("2023-12-01"), pd.Timestamp("2024-01-01")
TOTAL = {"aggregation": "total", "unique_id": "All/All", "region": "All", "product_category": "All"}


def made_up(
    name: str, now: float, before: float, actual: float, bounds: tuple[float, float], unit: str = "EUR"
) -> Domain:
    """A domain whose total is expected to be `now` after `before` a year ago; `bounds` are of both 80 % ranges."""
    series = [
        {**TOTAL, "aggregation": "series", "unique_id": f"{r}/A", "region": r, "product_category": "A"} for r in "NS"
    ]
    actuals = [{**TOTAL, "ds": NEXT - pd.DateOffset(months=12), "y": before}, {**TOTAL, "ds": LAST, "y": actual}]
    actuals += [
        {**key, "ds": NEXT - pd.DateOffset(months=12), "y": before * part}
        for key, part in zip(series, (0.25, 0.75), strict=True)
    ]
    range_ = {"lo_80": bounds[0], "hi_80": bounds[1], "lo_95": bounds[0], "hi_95": bounds[1]}
    future = [{**TOTAL, "ds": NEXT, "predicted_value": now, **range_}]
    future += [{**key, "ds": NEXT, "predicted_value": now * 0.5, **range_} for key in series]
    past = {**TOTAL, "ds": LAST, "actual": actual, "predicted_value": now, "variance": actual - now, "variance_pct": None,
            "cutoff": LAST, "horizon": 1, "is_published": True, **range_}  # fmt: skip
    measure = {"sales": "net amount", "inventory": "value at cost", "profit": "operating profit"}[name]
    return Domain(name, Manifest(unit=unit, champion=Champion(name="linear")), pd.DataFrame(actuals), pd.DataFrame([past]),
                  pd.DataFrame(future), pd.DataFrame(columns=ACCURACY_COLUMNS), {"measure": measure}, pd.DataFrame())  # fmt: skip


def bridge_to(domain: Domain, then: float, model: float, champion: str = "naive") -> Bridge:
    """A bridge from an edition that expected `then`, of whose change `model` is by the model."""
    now = at(domain.future, "total")["predicted_value"].iloc[0]
    row = {**TOTAL, "ds": NEXT, "before": then, MODEL: model, DATA: now - then - model, "after": now}
    return Bridge(LAST - pd.DateOffset(months=1), champion, False, [NEXT], [MODEL, DATA], pd.DataFrame([row]), None)


ACTUAL = re.compile(
    rf"The actual of December 2023, (?P<y>{AMOUNT}), was (?P<place>(?:just )?(?:inside|above|below)) the 80 % range"
)
THEN = re.compile(rf"from data up to November 2023, was (?P<then>{AMOUNT}): it (?P<what>[^()]+) \((?P<model>{AMOUNT}) by the model, "
                  rf"(?P<data>{AMOUNT}) by new data\)\.")  # fmt: skip


def words(domain: Domain, before: Bridge | None = None) -> str:
    return plain(expectation.words(domain, before))


def no_paths() -> pd.DataFrame:
    return pd.DataFrame(columns=["cutoff", "horizon", "ds", "actual", "predicted_value", "scale", "is_published"])


@settings(deadline=None, max_examples=60)
@given(name=st.sampled_from(DOMAINS), now=money, before=money, actual=money, a=money, b=money, then=money, model=money)
def test_words_and_figures_state_the_numbers_with_their_direction(name, now, before, actual, a, b, then, model):
    low, high = sorted((a, b))
    domain = made_up(name, now, before, actual, (low, high))
    text = words(domain, bridge_to(domain, then, model))
    outside = "below" if actual < low else "above" if actual > high else ""
    last = ACTUAL.search(plain(summary.last_month(domain, kpi.key_figures(domain))))
    assert near(read(last["y"]), actual)
    assert last["place"].removeprefix("just ") == (outside or "inside")
    assert bool(ACTUAL.search(text)) is not bool(outside)  # what is to be looked at is not said again
    assert len(findings.missed(domain)) == bool(outside)
    since = THEN.search(text)
    assert near(read(since["then"]), then) and since["what"] == wording.revised(now, then, "EUR").replace(
        numbers.SPACE, " "
    )
    assert near(read(since["model"]), model) and near(read(since["data"]), now - then - model)
    assert "The model is now linear; before, it was naive." in text
    figures = plain(expectation.figures(domain, no_paths()))
    assert near(read(re.search(rf"January 2024 ({AMOUNT})", figures)[1]), now)
    change = wording.signed(now, before, "EUR").replace(numbers.SPACE, " ")
    assert ("about as a year before" if wording.is_nothing(change) else f"{change} on Jan 2023") in figures
    shown = re.search(
        rf"80 % range ({AMOUNT}) to ({AMOUNT}); last year ({AMOUNT})",
        unescape(expectation.figures(domain, no_paths())).replace(numbers.SPACE, " "),
    )
    assert all(near(read(found), value) for found, value in zip(shown.groups(), (low, high, before), strict=True))
    assert not re.search(r"by −|loss of −|nan|inf\b|None", text + figures)


@settings(deadline=None, max_examples=60)
@given(now=money, before=money)
def test_the_largest_changes_are_named_with_their_sign_and_add_up(now, before):
    domain = made_up("sales", now, before, 1.0, (0.0, 2.0))
    rows = summary.changes(domain, NEXT)
    assert rows["change"].sum() == pytest.approx(now - before, abs=1e-3)
    assert rows["change"].abs().is_monotonic_decreasing
    text = plain(summary.reasons(domain, kpi.key_figures(domain)))
    expected = {"N/A": 0.5 * now - 0.25 * before, "S/A": 0.5 * now - 0.75 * before}
    named = dict(re.findall(r"([NS]/A) ([+−]?[\d,.]+(?: (?:k|M|bn))? EUR)", text))
    assert all(near(read(shown), expected[name]) for name, shown in named.items())
    if max(map(abs, expected.values())) >= 1:
        assert max(expected, key=lambda name: abs(expected[name])) in named or expected["N/A"] == -expected["S/A"]
        assert ("changes on the year are" in text) is (len(named) > 1)


def test_a_bound_that_looks_the_same_is_passed_only_just():
    domain = made_up("sales", 1e6, 1e6, 1_004_900.0, (900_000.0, 1_001_000.0))
    text = plain(summary.last_month(domain, kpi.key_figures(domain)))
    assert "1.00 M EUR, was just above the 80 % range of the published forecast (900 k to 1.00 M EUR)" in text


def test_a_restated_actual_is_judged_as_it_was_first_known():
    domain = made_up("sales", 100.0, 100.0, 100.0, (90.0, 110.0))
    domain.past["actual"] = 120.0
    text = plain(summary.last_month(domain, kpi.key_figures(domain)))
    assert "The actual of December 2023, 120 EUR as first known (100 EUR now), was above the 80 % range" in text


def test_what_is_not_known_is_said_or_left_out():
    domain = made_up("profit", -5.0, 1.0, 2.0, (0.0, 3.0))
    young = replace(domain, actuals=domain.actuals[domain.actuals["ds"] == LAST], past=domain.past.iloc[:0])
    assert words(young) == "There is no forecast of December 2023 to compare the actual with."
    assert "January 2024 −5 EUR the year before is not known" in plain(expectation.figures(young, no_paths()))
    none = replace(domain, future=domain.future.iloc[:0])
    assert plain(expectation.figures(none, no_paths())) == "No forecast of profit was published."
    assert plain(expectation.heading(none)) == "Operating profit has no published forecast"


def test_an_edition_before_that_did_not_reach_or_knew_the_same_months_is_named_for_what_it_is():
    domain = made_up("sales", 110.0, 100.0, 100.0, (90.0, 110.0))
    before = bridge_to(domain, 100.0, 0.0, champion="linear")
    figures = kpi.key_figures(domain)
    assert "The model is still linear." in summary.since(domain, figures, before)
    short = replace(before, months=[], rows=before.rows.iloc[:0])
    assert "did not reach January 2024." in plain(summary.since(domain, figures, short))
    again = replace(before, is_same_cutoff=True, steps=[MODEL])
    text = plain(summary.since(domain, figures, again))
    assert "from the same months, was 100 EUR: it was raised by 10.0 %. The model is still linear." in text


def test_an_edition_before_in_another_unit_is_named_and_not_compared():
    domain = made_up("sales", 110.0, 100.0, 100.0, (90.0, 110.0))
    before = replace(
        bridge_to(domain, 100.0, 0.0), months=[], steps=[], rows=at(domain.future, "none"), other_unit="USD"
    )
    text = plain(summary.since(domain, kpi.key_figures(domain), before))
    assert text == (
        "The forecast published before, from data up to November 2023, was in USD, so the two cannot be compared. "
        "The model is now linear; before, it was naive."
    )


def test_each_question_has_an_item_of_its_own():
    domain = made_up("sales", 110.0, 100.0, 100.0, (90.0, 110.0))
    markup = expectation.words(domain, bridge_to(domain, 100.0, 0.0))
    items = [plain(item) for item in re.findall("<li>(.*?)</li>", markup)]
    begins = ("By part: in January 2024 the largest changes", "The actual of December", "The forecast published before")
    assert len(items) == 3 and all(item.startswith(begin) for item, begin in zip(items, begins, strict=True))


@pytest.mark.parametrize(("is_published", "name"), [(True, "forecast"), (False, "back-test")])
@pytest.mark.parametrize(("variance", "side"), [(5.0, "above"), (-5.0, "below"), (0.0, "the same as")])
def test_a_back_test_is_not_called_a_forecast(is_published, name, variance, side):
    made = {"variance": variance, "variance_pct": variance, "actual": 95.0, "is_published": is_published}
    assert kpi.variance_text(made, 95.0, "EUR").endswith(f"{side} the {name}")


# --- the database's numbers


def page_of(path: Path) -> str:
    """What the first page shows of the domains, as HTML."""
    domains = Published(path).domains(AGGREGATIONS)
    return "".join(part.data for part in overview.expected(str(path), domains, overview.paths(str(path), domains)))


@pytest.mark.parametrize("name", ["published history", "losses", "no back-test", "two last months"])
def test_the_figures_are_the_databases_numbers(company, name):
    path, unit = company(name), VARIANTS[name].unit
    page = plain(page_of(path))
    for domain in VARIANTS[name].domains:
        key = f"domain = '{domain}' and aggregation = 'total'"
        run = ask(path, f"select run_id from latest_runs where domain = '{domain}'").iloc[0]
        coming = ask(
            path,
            f"select * from forecasts where {key} and run_id = '{run['run_id']}' and status = 'published' order by ds",
        )
        y = ask(path, f"select ds, y from monthly_actuals where {key}").set_index("ds")["y"]
        first, before = coming.iloc[0], y[coming["ds"].iloc[0] - pd.DateOffset(months=12)]
        shown = f"{first['ds']:%B %Y} {numbers.compact(first['predicted_value'], unit)}"
        assert shown.replace(numbers.SPACE, " ") in page
        change = f"{wording.signed(first['predicted_value'], before, unit)} on {first['ds'] - pd.DateOffset(months=12):%b %Y}"
        ends = numbers.between(first["lo_80"], first["hi_80"])
        assert change.replace(numbers.SPACE, " ") in page and ends.replace(numbers.SPACE, " ") in page
        three = coming["predicted_value"].head(3)
        value = three.iloc[-1] if domain == "inventory" else three.sum()
        assert numbers.compact(value, unit).replace(numbers.SPACE, " ") in page


def test_the_edition_before_is_the_last_published_from_less_data(company):
    path = company("published history")
    text = plain(page_of(path))
    for name in DOMAINS:
        values = ask(
            path,
            f"""select cutoff, predicted_value as y from forecasts where domain = '{name}' and aggregation = 'total'
                and status = 'published' and ds = '2024-01-01' order by cutoff desc limit 2""",
        )["y"]
        said = (
            f"November 2023, was {numbers.compact(values[1], 'EUR')}: it {wording.revised(values[0], values[1], 'EUR')}"
        )
        assert said.replace(numbers.SPACE, " ") in text


def test_the_largest_changes_are_the_databases(company):
    path = company("many series")
    rows = ask(
        path,
        """select f.region, f.product_category, f.predicted_value - a.y as change from forecasts as f
           inner join monthly_actuals as a on a.aggregation = 'series' and a.unique_id = f.unique_id and a.ds = '2023-01-01'
           where f.aggregation = 'series' and f.status = 'published' and f.ds = '2024-01-01' order by abs(change) desc limit 3""",
    )
    names = [
        f"{r.region}/{r.product_category} {numbers.compact(r.change, 'EUR', plus=True)}" for r in rows.itertuples()
    ]
    total = ask(
        path,
        """select f.predicted_value - a.y as change from forecasts as f
           inner join monthly_actuals as a on a.aggregation = 'total' and a.ds = '2023-01-01'
           where f.aggregation = 'total' and f.status = 'published' and f.ds = '2024-01-01'""",
    )["change"][0]
    rest = numbers.compact(total - rows["change"].sum(), "EUR", plus=True)
    said = f"By part: in January 2024 the largest changes on the year are {numbers.listing(names)}; all others come to {rest} together."
    assert said.replace(numbers.SPACE, " ") in plain(page_of(path))


def test_names_with_signs_of_html_are_written_out(company):
    path = company("two last months")
    markup = page_of(path) + overview.exceptions(Published(path).domains(AGGREGATIONS))
    assert "<b>bold" not in markup.replace("\\u003cb\\u003e", "")
    assert "November 2023" in plain(markup) and "January 2024" in plain(markup)


@pytest.mark.parametrize("name", ["published history", "no back-test", "all zero", "one series"])
def test_a_picture_joins_the_forecast_to_the_last_actual_and_marks_it(company, name):
    path = str(company(name))
    domain = Published(path).domains(AGGREGATIONS)["sales"]
    figure = picture.picture(domain, Published(path).paths("sales")).figure
    lines = {trace.name: trace for trace in figure.data}
    actual, forecast = lines["Actual"], lines["Forecast"]
    assert (forecast.x[0], forecast.y[0]) == (actual.x[-1], actual.y[-1]) and len(forecast.x) == 7
    assert list(forecast.y[1:]) == [round(y) for y in at(domain.future, "total").sort_values("ds")["predicted_value"]]
    texts = [note.text for note in figure.layout.annotations]
    assert texts[0].startswith("Actual, ") and texts[1].startswith("Forecast, ")
    assert numbers.compact(actual.y[-1], "EUR") in texts[0]
    said = lines.get("Forecast a month ahead")
    assert (said is None) is (name == "no back-test")
    assert said is None or said.visible is False


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ([110, 120, 130], [100, 100, 100], "above last year in all 3 months, highest in March"),
        ([90, 80, 100.5], [100, 100, 100], "below last year in 2 of 3 months, highest in March"),
        ([100, 100.4, 99.8], [100, 100, 100], "about as last year, highest in February"),
        ([130, 70, 100], [100, 100, 100], "partly above and partly below last year, highest in January"),
        ([50, 40, -10], [100, 100, 100], "below last year in all 3 months, below zero in March"),
        ([100, 100, 100], [None, 100, 100], "for January to March 2024"),
    ],
)
def test_the_message_of_a_chart_is_what_is_in_it(now, before, said):
    months = pd.date_range(NEXT, periods=3, freq="MS")
    domain = made_up("sales", 1.0, 1.0, 1.0, (0.0, 2.0))
    rows = [{**TOTAL, "ds": ds, "predicted_value": float(y)} for ds, y in zip(months, now, strict=True)]
    known = [
        {**TOTAL, "ds": ds - pd.DateOffset(years=1), "y": y}
        for ds, y in zip(months, before, strict=True)
        if y is not None
    ]
    domain = replace(domain, future=pd.DataFrame(rows), actuals=pd.DataFrame(known))
    assert expectation.message(domain).replace(numbers.SPACE, " ") == f"are expected {said}"


def test_the_headline_says_month_year_and_what_weighs_most(company):
    path = company("losses")
    domains = Published(path).domains(AGGREGATIONS)
    text = plain(overview.headline(domains, overview.paths(str(path), domains)))
    coming = ask(
        path,
        "select sum(predicted_value) as y from forecasts where domain = 'sales' and aggregation = 'total' and status = 'published'",
    )["y"][0]
    assert text.startswith("January sales 1.24 M EUR (−0.1 %), in doubt; January to June 2024 8.25 M EUR")
    assert numbers.compact(coming, "EUR").replace(numbers.SPACE, " ") in text
    assert text.endswith("operating profit below zero in January to June, as a year before.")


def test_the_open_month_stands_beside_its_forecast_as_such(company):
    text = plain(page_of(company("usual")))
    assert "January so far 51.2 k EUR 4.1 % of its forecast, not used in it; 812 facts, to 15 January 2024" in text
    assert text.count("so far") == 1  # costs and expenses come late in a month, and a stock counts at its end


# --- stock cover

EXPENSES = "Operating expenses"


def cost_of_sales(path: Path, months: list[str], forecast: bool) -> float:
    """The sum over months of sales less profit before expenses, straight from the tables."""
    listed = ", ".join(f"'{ds}'" for ds in months)
    table, value, extra = (
        ("forecasts", "predicted_value", "and status = 'published' and run_id in (select run_id from latest_runs)")
        if forecast
        else ("monthly_actuals", "y", "")
    )
    sums = ask(
        path,
        f"""select domain, sum({value}) as y from {table} where aggregation = 'series' and ds in ({listed}) {extra}
            and product_category <> '{EXPENSES}' group by domain""",
    ).set_index("domain")["y"]
    return sums["sales"] - sums["profit"]


def stock_at(path: Path, ds: str) -> float:
    return ask(
        path,
        f"select sum(y) as y from monthly_actuals where domain = 'inventory' and aggregation = 'series' and ds = '{ds}'",
    )["y"][0]


def test_stock_cover_is_stock_by_the_mean_cost_of_the_next_three_months(company):
    path = company("published history")
    domains = Published(path).domains(AGGREGATIONS)
    found = cover.cover_at(domains, cover.last_common(domains))
    spent = cost_of_sales(path, ["2024-01-01", "2024-02-01", "2024-03-01"], forecast=True)
    stock = stock_at(path, "2023-12-01")
    assert found.n_forecast == 3 and found.value == pytest.approx(stock / (spent / 3))
    before = stock_at(path, "2022-12-01") / (cost_of_sales(path, ["2023-01-01", "2023-02-01", "2023-03-01"], False) / 3)
    text = plain(cover.row(domains))
    assert f"Cover, end of Dec 2023 {stock / (spent / 3):.1f} months" in text
    assert f"End of Dec 2022 {before:.1f} months" in text
    assert (
        f"Cost of sales a month {numbers.compact(spent / 3, 'EUR')} mean of Jan 2024 to Mar 2024, forecast".replace(
            numbers.SPACE, " "
        )
        in text
    )
    rows = re.findall(r"(Bikes|Clothing & Shoes|Parts|Total) ([\d,]+) ([\d,]+) [\d.]+", text)
    parts = [[float(cell.replace(",", "")) for cell in row[1:]] for row in rows]
    assert len(rows) == 4
    assert all(sum(column[:3]) == pytest.approx(column[3], abs=2) for column in zip(*parts, strict=True))


def with_expenses(path: Path, target: Path) -> Path:
    """A copy in which 50,000 a month are spent: a category of profit and part of its total, actual and forecast."""
    target.write_bytes(path.read_bytes())
    with duckdb.connect(str(target)) as connection:
        for table, value in (("monthly_actuals", "y"), ("forecasts", "predicted_value")):
            where = "domain = 'profit'" + (" and status = 'published'" if table == "forecasts" else "")
            connection.execute(f"update {table} set {value} = {value} - 50000 where {where} and aggregation = 'total'")
            for level, region in (("series", "North"), ("category", "All")):
                connection.execute(
                    f"""insert into {table} select * replace ('{level}' as aggregation, '{region}' as region, '{EXPENSES}' as
                        product_category, '{region}/{EXPENSES}' as unique_id, -50000 as {value}) from {table}
                        where {where} and aggregation = 'total'"""
                )
    return target


def test_operating_expenses_are_no_cost_of_sales(company, tmp_path):
    path = company("published history")
    both = (
        Published(path).domains(AGGREGATIONS),
        Published(with_expenses(path, tmp_path / "published.duckdb")).domains(AGGREGATIONS),
    )
    first, second = (cover.cover_at(domains, pd.Timestamp("2023-12-01")) for domains in both)
    assert first.value == pytest.approx(second.value) and EXPENSES not in set(second.by_category["product_category"])


def test_stock_that_ends_before_sales_is_compared_with_what_was_really_spent(company):
    path = company("behind", Company(behind=2))
    domains = Published(path).domains(AGGREGATIONS)
    found = cover.cover_at(domains, cover.last_common(domains))
    spent = cost_of_sales(path, ["2023-11-01", "2023-12-01"], False) + cost_of_sales(path, ["2024-01-01"], True)
    assert found.ds == pd.Timestamp("2023-10-01") and found.n_forecast == 1
    assert found.value == pytest.approx(stock_at(path, "2023-10-01") / (spent / 3))
    text = plain(cover.row(domains))
    assert "October 2023 is the last month that is closed in all domains" in text and "1 of 3 months forecast" in text


def earlier(domain: Domain, months: int) -> Domain:
    """The same domain, all of it a few months earlier."""
    moved = {
        name: getattr(domain, name).assign(ds=lambda d: d["ds"] - pd.DateOffset(months=months))
        for name in ("actuals", "past", "future")
    }
    return replace(domain, **moved)


def test_stock_that_ends_after_sales_is_taken_at_the_last_month_that_all_know(company):
    domains = Published(company("published history")).domains(AGGREGATIONS)
    ahead = {**domains, "sales": earlier(domains["sales"], 2), "profit": earlier(domains["profit"], 2)}
    found = cover.cover_at(ahead, cover.last_common(ahead))
    assert found.ds == pd.Timestamp("2023-10-01") and found.n_forecast == 3
    assert found.stock == pytest.approx(stock_at(company("published history"), "2023-10-01"))
    apart = {
        **domains,
        "profit": earlier(domains["profit"], 1),
    }  # December is closed for sales and a forecast for profit
    assert cover.cover_at(apart, cover.last_common(apart)) is None
    assert "is not shown: it takes the stock of November 2023" in plain(cover.row(apart))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: {**d, "profit": None}, "nothing is known of profit"),
        (lambda d: {**d, "inventory": replace(d["inventory"], calendar={"measure": "units"})}, "the stock is known in units"),
        (
            lambda d: {**d, "sales": replace(d["sales"], manifest=Manifest(unit="thousand EUR"))},
            "the units differ: sales in thousand EUR, inventory in EUR and profit in EUR",
        ),
        (
            lambda d: {**d, "sales": replace(d["sales"], manifest=Manifest(unit="EUR", facts=Facts(notes=[
                "5 of 9 sales in sales.csv have no cost: profit leaves them out, and with them a net amount of 1.00."])))},
            "the cost of some sales is not known",
        ),
        (
            lambda d: {**d, "profit": replace(d["profit"], calendar={"measure": "gross profit", "n_facts": 9})},
            "the cost of some sales is not known",
        ),
    ],
)  # fmt: skip
def test_where_stock_and_cost_cannot_be_compared_the_page_says_why(company, change, said):
    text = plain(cover.row(change(Published(company("published history")).domains(AGGREGATIONS))))
    assert text.startswith(f"Stock cover is not shown: {said}") and "months of cover" not in text.lower()


def test_without_a_cost_or_with_a_negative_stock_there_is_no_cover(company):
    domains = Published(company("published history")).domains(AGGREGATIONS)
    profit, stock = domains["profit"], domains["inventory"]
    nothing_costs = {**domains, "profit": replace(domains["sales"], name="profit", calendar=profit.calendar)}
    negative = {**domains, "inventory": replace(stock, actuals=stock.actuals.assign(y=lambda d: -d["y"]))}
    for changed in (nothing_costs, negative):
        assert "Stock cover is not shown: it takes the stock of December 2023, not negative" in plain(
            cover.row(changed)
        )


# --- the page


def test_with_nothing_published_the_parts_are_empty():
    nothing = dict.fromkeys(DOMAINS)
    for part in (overview.warnings, overview.exceptions, overview.stock_cover):
        assert part(nothing) == ""
    assert overview.headline(nothing, {}) == ""


def test_warnings_come_first_and_only_the_severe_ones_take_room(company):
    domains = Published(company("published history")).domains(AGGREGATIONS)
    texts = [{"severity": "medium", "text": f"Look at {i}."} for i in range(5)]
    domains["profit"] = with_manifest(domains["profit"], check={"warnings": texts})
    assert "3 of 9 series have no sales" in plain(overview.warnings(domains))
    markup = overview.exceptions(domains)
    seen, folded = plain(re.sub(r"<details.*?</details>", "", markup)), plain(markup)
    assert "Look at 1" not in seen
    assert "5 more points to look at" in folded and all(text["text"] in folded for text in texts)
    book = json.loads((REPORTS / "index.ipynb").read_text(encoding="utf-8"))
    code = "".join("".join(cell["source"]) for cell in book["cells"])
    places = [
        code.index(f"overview.{name}(")
        for name in ("header", "headline", "warnings", "exceptions", "expected", "files_section", "editions_place")
    ]
    assert places == sorted(places)


def test_the_company_is_called_as_it_wants_to_be_and_else_as_its_workspace(company):
    domains = Published(company("published history")).domains(AGGREGATIONS)
    assert "Monthly forecast: acme" in overview.header(domains)
    assert "Monthly forecast: Acme &amp; Sons" in overview.header(domains, "Acme & Sons")


def test_every_file_is_linked_and_described():
    markup = overview.files_section({})
    assert re.findall(r'href="([^"]+)"', markup) == list(files.FILES)
    assert set(files.FILES) == {
        "forecasts.xlsx",
        "forecasts.csv",
        "forecasts.parquet",
        "brief.pdf",
        "report.pdf",
        "report.zip",
    }
    assert all(what in unescape(markup) and what.endswith(".") for what in files.FILES.values())
    assert overview.editions_place() == '<section id="editions"></section>'


def test_the_first_page_executed_twice_has_the_same_outputs(company):
    path = str(company("losses"))
    first, second = (executed(REPORTS / "index.ipynb", published=path) for _ in range(2))
    assert [cell.get("outputs") for cell in first.cells] == [cell.get("outputs") for cell in second.cells]


# --- the glossary


def anchors() -> list[str]:
    return re.findall(r'<dt id="([^"]+)"', glossary.page())


def test_the_glossary_is_in_order_and_has_what_the_report_speaks_of():
    names = [entry.name for entry in glossary.TERMS]
    assert names == sorted(names, key=str.lower)
    assert len(set(anchors())) == len(names) and all(re.fullmatch(r"[a-z0-9-]+", anchor) for anchor in anchors())
    words = [word.lower() for entry in glossary.TERMS for word in (entry.name, *entry.also, *entry.spelled)]
    assert len(words) == len(set(words))
    for word in (
        "MASE", "WAPE", "sMAPE", "coverage", "FVA", "bias", "tracking signal", "cutoff", "horizon", "lag", "walk-forward",
        "back-test", "held out", "seasonal naive", "champion", "challenger", "80 % interval", "95 % interval", "median forecast",
        "reconciliation", "imputed", "fallback", "closed month", "stock cover", "edition",
    ):  # fmt: skip
        assert re.search(r"#([^\"]+)\"", glossary.term(word))[1] in anchors()
    assert all(entry.meaning and not entry.meaning.endswith(".") for entry in glossary.TERMS)


def test_a_term_is_a_link_and_an_unknown_one_an_error():
    assert glossary.term("MASE") == '<a class="term" href="glossary.html#mase">MASE</a>'
    assert (
        glossary.term("walk-forward", "the <test>")
        == '<a class="term" href="glossary.html#back-test">the &lt;test&gt;</a>'
    )
    with pytest.raises(KeyError, match="knows no «mase2»"):
        glossary.term("mase2")


def test_every_term_that_a_page_asks_for_is_known():
    """Also where a page shows the link only in some companies' reports."""
    asked = []
    for path in (ROOT / "src" / "forecasting" / "report").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", ""))
            if name == "term" and node.args and isinstance(node.args[0], ast.Constant):
                asked.append(node.args[0].value)
    assert len(asked) > 5
    assert all(word.lower() in glossary.KNOWN for word in asked), asked


def test_the_first_page_links_only_to_entries_of_the_glossary(company):
    page = executed(REPORTS / "index.ipynb", published=str(company("published history")))
    markup = "".join(output["data"].get("text/html", "") for cell in page.cells for output in cell.get("outputs", []))
    linked = re.findall(r'href="glossary\.html#([^"]+)"', markup)
    assert len(linked) >= 3 and set(linked) <= set(anchors())
    shown = executed(REPORTS / "glossary.ipynb")
    assert shown.cells[-1].outputs[0]["data"]["text/html"] == glossary.page()


def test_the_glossary_of_the_repository_is_the_reports():
    """After a change of TERMS: python -m forecasting.report.glossary > docs/glossary.md"""
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == glossary.markdown()
