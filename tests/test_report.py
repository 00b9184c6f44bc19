"""The report's pages: their numbers are the database's, and they are right for every kind of company."""

import json
import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from forecasting import models
from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.ledger import Published, at
from forecasting.report import (
    accuracy,
    champion,
    charts,
    check_table,
    domain_page,
    expectation,
    html,
    kpi,
    next_months,
    notices,
    overview,
    provenance,
    quality,
    variance,
)
from forecasting.wording import numbers
from report_fixtures import VARIANTS, Company, build, significance, with_manifest
from report_pages import REPORTS, executed
from shown import agrees, multiple

MADE: dict[str, Path] = {}


@pytest.fixture(scope="session")
def company(tmp_path_factory):
    """Return the published database of a variant, made once."""

    def made(name: str) -> Path:
        if name not in MADE:
            MADE[name] = build(tmp_path_factory.mktemp("company") / "published.duckdb", VARIANTS[name])
        return MADE[name]

    return made


def ask(path: Path, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).df()


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("&nbsp;", " ").split())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 EUR"),
        (-0.0, "0 EUR"),
        (12.5, "12.5 EUR"),
        (9999, "9,999 EUR"),
        (9999.6, "10.0 k EUR"),
        (12_345, "12.3 k EUR"),
        (-905_432, "−905 k EUR"),
        (999_499, "999 k EUR"),
        (999_600, "1.00 M EUR"),
        (1_234_567, "1.23 M EUR"),
        (-99_950_000, "−100 M EUR"),
        (4.5e9, "4.50 bn EUR"),
        (7e15, "7000 tn EUR"),
        (None, "–"),
        (float("nan"), "–"),
        (float("-inf"), "–"),
    ],
)
def test_compact(value, expected):
    assert numbers.compact(value, "EUR").replace(numbers.SPACE, " ") == expected


def test_a_unit_with_a_multiple_is_not_shortened_again():
    assert numbers.compact(512_345.4, "million USD").replace(numbers.SPACE, " ") == "512,345 million USD"
    assert numbers.between(-5.0, 512_345.0, "million USD").replace(numbers.SPACE, " ") == "−5 to 512,345 million USD"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (numbers.number(-1234567.8), "−1,234,568"),
        (numbers.number(-0.4), "0"),
        (numbers.number(0.005, 2, plus=True), "+0.01"),
        (numbers.number(5, plus=True), "+5"),
        (numbers.percent(-12.345, plus=True), "−12.3 %"),
        (numbers.percent(123456.7), "123,457 %"),
        (numbers.percent(float("inf")), "–"),
        (numbers.share(0.805, 0), "80 %"),
        (numbers.share(None), "–"),
        (numbers.month("2013-12-01"), "December 2013"),
        (numbers.month(pd.NaT), "–"),
        (numbers.day("2013-11-29"), "29 November 2013"),
        (numbers.count(1, "month"), "1 month"),
        (numbers.count(1200, "series", "series"), "1,200 series"),
        (numbers.listing(["a", "b", "c"]), "a, b and c"),
        (numbers.listing(["a"]), "a"),
        (numbers.listing([]), ""),
    ],
)
def test_numbers_as_people_read_them(text, expected):
    assert text.replace(numbers.SPACE, " ") == expected


def test_decimals_suit_a_column():
    assert [numbers.decimals_for(pd.Series(v)) for v in ([150.25], [15.25, None], [1.25], [3.0, 7.0], [])] == [
        0,
        1,
        2,
        0,
        0,
    ]


def test_a_table_explains_its_dashes_and_cannot_be_broken_by_names():
    plain = html.table(["A", "B"], [["x", "1"]], "C", missing="not known")
    assert "not known" not in plain
    assert "not known" in html.table(["A", "B"], [["x", numbers.DASH]], "<C>", missing="not known")
    assert html.script_json({"name": "</script>"}) == r'{"name":"\u003c/script\u003e"}'
    assert "&lt;b&gt;" in html.callout("<b>", "high")


def test_past_takes_published_before_walk_forward_and_the_latest_forecast(company):
    path = company("published history")
    for domain in DOMAINS:
        found = Published(path).domain(domain).past
        rows = ask(path, f"select * from actual_vs_forecast where domain = '{domain}' and actual is not null")
        rows = rows[(rows["status"] == "published") | ((rows["forecast_kind"] == "walk_forward") & rows["is_champion"])]
        expected = {}
        for row in rows.to_dict("records"):
            key, rank = (
                (row["aggregation"], row["unique_id"], row["ds"]),
                (row["forecast_kind"] != "published", row["horizon"]),
            )
            if key not in expected or rank < expected[key][0]:
                expected[key] = (rank, row["predicted_value"])
        got = {(r["aggregation"], r["unique_id"], r["ds"]): r["predicted_value"] for r in found.to_dict("records")}
        assert got == {key: value for key, (_, value) in expected.items()}


@pytest.mark.parametrize("name", VARIANTS)
def test_key_figures_are_the_databases(company, name):
    path = company(name)
    for domain in filter(None, Published(path).domains().values()):
        figures = kpi.key_figures(domain)
        last = ask(path, f"select max(ds) as ds from monthly_actuals where domain = '{domain.name}'").loc[0, "ds"]
        where = f"domain = '{domain.name}' and aggregation = 'total' and ds = '{last:%Y-%m-%d}'"
        assert figures.month == last
        assert figures.actual == ask(path, f"select y from monthly_actuals where {where}").loc[0, "y"]
        made = ask(
            path,
            f"""select * from actual_vs_forecast where {where} and is_champion and actual is not null
                             order by forecast_kind = 'published' desc, horizon limit 1""",
        )
        assert (figures.made or {}).get("predicted_value") == (None if made.empty else made.loc[0, "predicted_value"])
        after = (
            f"domain = '{domain.name}' and aggregation = 'total' and status = 'published' and ds > '{last:%Y-%m-%d}'"
        )
        coming = ask(path, f"select * from forecasts where {after} order by cutoff desc, ds limit 1").iloc[0]
        tiles = text_of(kpi.tiles(domain)).replace(numbers.SPACE, " ")
        assert figures.coming["predicted_value"] == coming["predicted_value"]
        for value in (figures.actual, coming["predicted_value"], coming["lo_80"], coming["hi_80"]):
            assert three_digits(value, domain.unit) in tiles


def three_digits(value: float, unit: str) -> str:
    """The number as a card shows it, without its suffix: another way than `compact` does it."""
    size, sign = abs(round(value, 6)), "−" if value < 0 and round(value, 6) else ""
    if unit.startswith("million") or size < 9999.5:
        return sign + (f"{size:,.0f}" if size >= 100 or size == 0 else f"{size:,.1f}")
    digits = f"{size:.2e}"
    mantissa, power = float(digits[:4]), int(digits[5:]) % 3
    return sign + f"{mantissa * 10**power:.{2 - power}f}"


@pytest.mark.parametrize(
    ("unit", "columns", "said", "texts"),
    [
        ("EUR", [[8_120_917.4, 557_201.0]], ", in thousand EUR", ["8,121", "557"]),
        (
            "EUR",
            [[1_105_971.0, 543_824.0], [-4_486.0, -566.0]],
            ", in thousand EUR",
            ["1,106.0", "543.8"],
        ),  # a decimal tells of −4.5
        (
            "EUR",
            [[1_105_971.0, 543_824.0], [-446.0, 66.0]],
            ", in EUR",
            ["1,105,971", "543,824"],
        ),  # in thousands nothing is left
        ("EUR", [[47_300.0, 300.0]], ", in EUR", ["47,300", "300"]),
        ("EUR", [[2_250_000_000.0, 310_000_000.0]], ", in million EUR", ["2,250", "310"]),
        ("", [[1_500_000.0, 0.0, None, float("inf")]], ", in thousands", ["1,500", "0", "–", "–"]),
        (
            "EUR",
            [[8_120_917.4, 557_201.0, 92_000.0, 44_000.0, 312.0, -41.0, 0.001, 0.0]],
            ", in thousand EUR",
            ["8,121", "557", "92", "44", "0.3", "−0.04", "0", "0"],
        ),  # little is not nothing
        ("", [[15.25]], "", ["15.2"]),
        ("million USD", [[512_345.0]], ", in million USD", ["512,345"]),
        ("EUR", [[]], ", in EUR", []),
        ("EUR", [], ", in EUR", []),
    ],
)
def test_a_table_writes_its_amounts_as_short_as_they_tell_the_same(unit, columns, said, texts):
    amount = numbers.amounts_in(unit, *(pd.Series(column, dtype=float) for column in columns))
    assert amount.told(",") == said
    values = columns[0] if columns else []
    assert [amount(value) for value in values] == texts
    for value, text in zip(values, texts, strict=True):
        assert text == numbers.DASH or agrees(text, amount.rounded(value) / amount.divisor)


def test_next_months_table_holds_the_databases_numbers(company):
    path = company("losses")
    domain = domain_page.load(path, "profit")
    where = "domain = 'profit' and aggregation = 'total' and status = 'published'"
    rows = ask(path, f"select * from forecasts where {where} order by ds")
    columns = ["predicted_value", "lo_80", "hi_80", "lo_95", "hi_95"]
    markup = next_months.next_months(domain)
    unit = multiple(markup)
    cells = re.findall(r'<td class="number">(.*?)</td>', markup)
    cells = [cells[i : i + 7] for i in range(0, len(cells), 7)]
    assert len(cells) == len(rows)
    for shown, (_, row) in zip(cells, rows.iterrows(), strict=True):
        assert all(agrees(text, row[column] / unit) for text, column in zip(shown[:5], columns, strict=True))
    assert all(cell.startswith("−") for row in cells for cell in row[:6])
    before = ask(path, "select y from monthly_actuals where domain = 'profit' and aggregation = 'total' order by ds")
    assert all(agrees(row[5], y / unit) for row, y in zip(cells, before["y"].iloc[-12:-6], strict=True))
    assert {row[6] for row in cells} == {numbers.DASH}  # no percentage of a loss


def test_tables_by_part_have_every_series_and_month(company):
    path = company("usual")
    domain = domain_page.load(path, "sales")
    for aggregation, n in (("region", 3), ("category", 3), ("series", 9)):
        markup = domain_page.by_part(domain, aggregation)
        rows = ask(
            path,
            f"""select * from forecasts where domain = 'sales' and aggregation = '{aggregation}'
                             and status = 'published'""",
        )
        assert markup.count("<tr>") == n + 1 and len(rows) == 6 * n
        parts, last = markup.split('<tr class="total">')
        unit = multiple(markup)
        shown = [re.findall(r">([−\d.,]+)<br>", row) for row in parts.split("<tr>")[2:]]
        for texts, (_, part) in zip(shown, rows.groupby(["region", "product_category"]), strict=True):
            assert all(map(agrees, texts, part.sort_values("ds")["predicted_value"] / unit))
        total = ask(
            path,
            """select predicted_value as y from forecasts where domain = 'sales' and aggregation = 'total'
                                and status = 'published' order by ds""",
        )
        texts = re.findall(r">([−\d.,]+)<br>", last)
        assert len(texts) == len(total) and all(map(agrees, texts, total["y"] / unit))
    assert "Clothing &amp; Shoes" in domain_page.by_part(domain, "series")


def test_variance_is_the_databases_and_the_largest_comes_first(company):
    path = company("usual")
    domain = domain_page.load(path, "sales")
    rows = ask(
        path,
        """select * from actual_vs_forecast where domain = 'sales' and aggregation = 'region' and is_champion
                        and forecast_kind = 'walk_forward' and ds = '2023-12-01' order by abs(variance) desc""",
    )
    markup = variance.variance(domain, "region")
    assert re.findall(r'scope="row">(?:<a [^>]*>)?(\w+)<', markup) == [*rows["region"], "Total"]
    total = kpi.key_figures(domain).made["variance"]
    assert f"{total:+,.0f}".replace("-", "−") in markup.split('class="total"')[1]
    for row in rows.to_dict("records"):
        assert f"{row['variance']:+,.0f}".replace("-", "−") in markup
        assert f"{row['variance_pct']:+.1f}".replace("-", "−") in markup
    assert "6\N{NO-BREAK SPACE}months ahead" in variance.variance_origin(domain)


def test_a_chart_has_every_series_with_the_databases_values(company):
    path = company("published history")
    domain = domain_page.load(path, "profit")
    chart = domain_page.trend_chart(domain)
    names = [trace.name for trace in chart.figure.data]
    where = {name: i for i, name in enumerate(names) if names.count(name) == 1}
    assert len(chart.choices) == 16  # 9 series, 3 regions, 3 categories, the total
    for region, category, values, shown, *_ in chart.choices:
        key = f"domain = 'profit' and region = '{region}' and product_category = '{category}'"
        actual = ask(path, f"select y from monthly_actuals where {key} order by ds")["y"]
        assert values[where["Actual"]] == pytest.approx(actual.to_list(), abs=0.5)
        assert shown[0] <= min(actual) and shown[1] >= max(actual)
        future = ask(
            path,
            f"""select predicted_value as y from forecasts where {key} and status = 'published'
                               and cutoff = '2023-12-01' order by ds""",
        )["y"]
        assert values[where["Published forecast"]][-6:] == pytest.approx(future.to_list(), abs=0.5)
    assert [list(trace.y) for trace in chart.figure.data] == chart.choices[0][2]


def test_one_region_makes_no_series_appear_twice(company):
    domain = domain_page.load(company("one series"), "sales")
    chart = domain_page.trend_chart(domain)
    assert len(chart.choices) == 1 and "<select" not in chart.html()
    total = at(domain.future, "total")["predicted_value"].round().tolist()
    assert list(chart.figure.data[-1].y)[-6:] == total
    assert "one region only" in domain_page.by_part(domain, "region")
    assert variance.variance(domain, "region") == domain_page.small_multiples(domain, "category") == ""


def test_what_was_not_published_is_called_a_back_test(company):
    new, old = (Published(company(name)).domains() for name in ("usual", "published history"))
    assert "walk-forward (back-test), not a published forecast" in kpi.tiles(new["sales"])
    assert "has ended yet" in overview.history_note(new)
    assert overview.history_note(old) == "" and "published, made 1" in kpi.tiles(old["sales"])
    page = domain_page.load(company("usual"), "sales")
    assert "not published" in domain_page.trend_chart(page).html()
    assert "held out" in accuracy.tables(page).lower() and "ublished forecast" not in accuracy.tables(page)
    assert "Back-test for that month" in kpi.tiles(new["sales"])
    assert "Back-test for that month" not in kpi.tiles(old["sales"])


def test_without_a_back_test_the_pages_say_so(company):
    domain = domain_page.load(company("no back-test"), "sales")
    assert "no forecast reaches this month" in kpi.tiles(domain)
    assert "No forecast reaches the last closed month" in variance.variance_origin(domain)
    assert "no back-test" in accuracy.tables(domain)
    assert domain_page.trend_chart(domain).figure.data[-1].y[-1] is not None


def test_a_forecast_of_zero_has_no_percentage(company):
    domain = domain_page.load(company("all zero"), "sales")
    assert "no percentage, because the back-test is 0" in kpi.tiles(domain)
    assert "the forecast is 0" in variance.variance(domain, "region")


def test_a_restated_month_is_named():
    made = {"variance": -5.0, "variance_pct": -5.0, "actual": 95.0, "is_published": True}
    assert "against 95 EUR as first known" in kpi.variance_text(made, 97.0, "EUR").replace(numbers.SPACE, " ")
    assert "first known" not in kpi.variance_text(made, 95.0, "EUR")


def test_missing_domains_are_said_and_cannot_be_opened(company):
    domains = Published(company("no profit")).domains()
    markup = overview.exceptions(domains)
    assert "no forecast of profit" in markup and "profit.html" not in overview.header(domains) + markup
    assert "Actuals: sales and inventory up to" in text_of(overview.header(domains))
    assert "No facts came in" in quality.section("profit", None)
    with pytest.raises(UserError, match="no forecasts of profit"):
        domain_page.load(company("no profit"), "profit")


@pytest.mark.parametrize(
    "name",
    [
        "<!-- <script>",
        "</script><script>alert(1)</script>",
        "a & b",
        "]]>",
        "line\u2028separator\u2029",
        "\\u003c",
        "«ü»",
    ],
)
def test_no_name_leaves_the_script_element_it_stands_in(name):
    for text in (html.script_json({name: [name]}), html.script_json(json.dumps({name: [name]}, ensure_ascii=False))):
        assert not set(text) & set("<>&\u2028\u2029") and json.loads(text) == {name: [name]}


def test_warnings_come_most_severe_first(company):
    domains = Published(company("usual")).domains()
    markup = overview.warnings(domains) + overview.exceptions(domains)
    assert markup.index("3 of 9 series") < markup.index("2 months of East/Parts")
    assert "callout high" in markup and "<strong>Sales.</strong> 3 of 9" in markup
    assert "<summary>1\N{NO-BREAK SPACE}note on the data</summary>" in markup
    assert ["see the warning" in expectation.trust(domain) for domain in domains.values()] == [True, False, False]


NAMES = ", ".join(f"All/Part {i}" for i in range(9))


@pytest.mark.parametrize(
    ("text", "expected", "names"),
    [
        ("Stock fell to -62,270.60 in 2013-02.", "Stock fell to −62,270.60 in February 2013.", ""),
        ("It ends on 2014-01-28, 4.0 % early.", "It ends on 28 January 2014, 4.0 % early.", ""),
        ("Run sales-2013-12-01-1cc2 has 2013-1200 rows.", "Run sales-1 December 2013-1cc2 has 2013-1200 rows.", ""),
        ("2 of 9 series are short: All/Bikes, North/All.", "2 of 9 series are short: Bikes, North/All.", ""),
        (
            f"9 series are empty in 2013-12: {NAMES}. Sales fell.",
            "9 series are empty in December 2013. Sales fell.",
            "9",
        ),
        (f"24 series are empty: {NAMES} and 15 more.", "24 series are empty.", "24"),
        ("It fell: A (1.0 %), B (2.0 %), C (1.0 %), D (1.0 %), E (1.0 %), F (1.0 %).", None, ""),
        ("<b>", "&lt;b&gt;", ""),
    ],
)
def test_a_warning_reads_well_and_a_long_list_is_folded(text, expected, names):
    shown, folded = notices.sentence(text)
    assert shown.replace(numbers.SPACE, " ") == (text if expected is None else expected)
    assert (f"<summary>Which {names}</summary>" in folded and "Part 8" in folded) if names else folded == ""


def with_champion(company, **found):
    domain = with_manifest(Published(company("usual")).domain("sales", ("total",)), champion=found)
    return text_of(champion.champion_text(domain)).replace(numbers.SPACE, " ")


def test_the_champion_is_compared_with_the_seasonal_naive_in_words(company):
    mase = {"mase_held_out": 0.75, "seasonal_naive_mase_held_out": 1.0}
    assert "25 % smaller" in with_champion(company, name="linear", **mase)
    worse = with_champion(company, name="linear", mase_held_out=1.2, seasonal_naive_mase_held_out=1.0)
    assert "does not beat the seasonal naive" in worse and "smaller" not in worse
    assert "No model beat the seasonal naive" in with_champion(company, name="seasonal_naive", **mase)
    unknown = with_champion(company, name="linear", mase_held_out=None, beats_seasonal_naive=False)
    assert "does not beat" in unknown and "None" not in unknown


def test_the_verdict_of_the_gate_is_said_in_words(company):
    mase = {"mase_held_out": 0.75, "seasonal_naive_mase_held_out": 1.0, "challenger": "cnn_lstm"}
    assert "takes the place of naive, the champion before" in with_champion(
        company, name="linear", verdict="promoted", **mase
    )
    kept = with_champion(company, name="linear", verdict="kept", **mase)
    assert "It stays champion: CNN-LSTM, the challenger, did not pass the gate" in kept
    veto = {"model": "linear", "mase_held_out": 1.25, "seasonal_naive_mase_held_out": 1.0}
    vetoed = with_champion(company, name="seasonal_naive", verdict="vetoed", veto=veto, **mase)
    assert "does not beat the seasonal naive" in vetoed and "(MASE 1.25 against 1.00)" in vetoed
    assert "So the seasonal naive makes the forecast" in vetoed


def test_a_persons_choice_is_said_with_what_the_gate_would_have_done(company):
    chosen = {"verdict": "chosen_by_person", "chosen_on": "2026-11-22", "gate_choice": "naive"}
    mase = {"mase_held_out": 1.2, "seasonal_naive_mase_held_out": 1.0}
    text = with_champion(company, name="linear", **chosen, **mase)
    assert "chosen by a person on 22 November 2026 ; the gate would have chosen naive" in text
    assert "The gate would have refused it" in text and "does not beat the seasonal naive" in text
    good = with_champion(company, name="linear", **{**chosen, "gate_choice": "linear"}, mase_held_out=0.5,
                         seasonal_naive_mase_held_out=1.0)  # fmt: skip
    assert "would have chosen it too" in good and "refused" not in good
    short = with_champion(company, name="seasonal_naive", choice_cutoffs=[], **chosen)
    assert "chosen by a person" in short and "back-test" not in short


def test_the_significance_is_said_and_shown(company):
    domain = Published(company("usual")).domain("sales", ("total",))
    text = text_of(champion.evidence(domain)).replace(numbers.SPACE, " ")
    assert (
        "Over 18 cutoffs, it is better than the seasonal naive by more than luck (Diebold–Mariano test, p = 0.012)"
        in text
    )
    assert "linear, the challenger, against naive" in text and "+12.3 at least 1.0 passed" in text
    assert "linear naive 18 −0.500 &lt; 0.001 better" in text
    for verdict, p_value, words in [
        ("worse", 0.0001, "worse than the seasonal naive by more than bad luck (Diebold–Mariano test, p &lt; 0.001)"),
        ("no clear difference", 0.4, "there is no clear difference between it and the seasonal naive"),
        ("too few cutoffs to tell", None, "cannot be told over 18 cutoffs: too few cutoffs to tell"),
    ]:
        tested = with_manifest(domain, significance=[significance("linear", "seasonal_naive", 0.1, p_value, verdict)])
        assert words in text_of(champion.evidence(tested)).replace(numbers.SPACE, " ")
    assert champion.evidence(with_manifest(domain, significance=None, champion={"name": "linear"})) == ""


def test_a_total_that_last_year_forecasts_better_is_said(company):
    domain = Published(company("usual")).domain("sales", ("total",))
    rows = domain.accuracy
    mine = (rows["aggregation"] == "total") & (rows["model_name"] == "linear")
    other = (rows["aggregation"] == "total") & (rows["model_name"] == "seasonal_naive")
    rows.loc[other, "wape"] = 0.10
    for wape, worse in ((0.05, False), (0.20, True)):
        rows.loc[mine, "wape"] = wape
        text = text_of(champion.champion_text(domain)).replace(numbers.SPACE, " ")
        assert f"missed the total by {100 * wape:.1f} % (WAPE), repeating last year by 10.0 %" in text
        assert ("for the total, repeating last year was the better forecast" in text) is worse


def test_accuracy_is_the_databases_with_its_cutoffs(company):
    path = company("usual")
    markup = accuracy.tables(domain_page.load(path, "inventory"))
    rows = ask(
        path,
        """select * from forecast_accuracy where domain = 'inventory' and aggregation = 'series'
                        and evaluation_set = 'held_out' and horizon_group = 'all' order by mase""",
    )
    before, _, first = (part.replace(numbers.SPACE, " ") for part in markup.split("<table>")[:3])
    assert "2 cutoffs, May 2023 to Jun 2023, 1 to 6 months ahead" in before
    found = [text_of(row) for row in first.split("</table>")[0].split("<tr>")[2:]]
    for row, text in zip(rows.to_dict("records"), found, strict=True):
        name = models.model_name(row["model_name"]) + (" (champion)" if row["is_champion"] else "")
        assert text.startswith(f"{name} {100 * row['wape']:.1f} % {row['mase']:.2f} ")
        assert f" {100 * row['coverage_80']:.0f} % " in text
        assert text.endswith(f" {row['n']}")
    assert markup.index("Held out") < markup.index("Used to choose")


def test_fallbacks_and_few_residuals_are_marked(company):
    domain = domain_page.load(company("usual"), "sales")
    domain.future.loc[domain.future["unique_id"] == "East/Parts", "is_fallback"] = True
    domain.future["interval_n"] = 12
    assert "Parts&nbsp;†" in domain_page.by_part(domain, "series")
    assert "† 1\N{NO-BREAK SPACE}row" in domain_page.by_part(domain, "series")
    assert "fewer than the 39" in next_months.next_months(domain)


def test_check_tables_are_shown_with_names_and_dashes():
    rows = [
        {"unique_id": "N/B", "region": "N", "status": "active", "share": 0.25, "ds": "2022-03-01", "y": 1234567.9},
        {"unique_id": "N/C", "region": "N", "status": "ended", "share": None, "ds": None, "y": float("nan")},
    ]
    text = text_of(check_table.check_table("short_series", rows)).replace(numbers.SPACE, " ")
    assert text == (
        "Short series Series Status Month Value Share of the last year N/ C ended – – – N/ B active March 2022 1,234,568 "
        "25.0 % – no value"
    )


def test_every_model_has_a_name_and_is_explained(company):
    """Also those that no fixture has: what a reader of a real report meets."""
    names = [model.name for family in models.families() for model in models.family_models(family)]
    assert all(models.about(name).title and models.about(name).what for name in names)
    text = text_of(accuracy.models_explained(names))
    assert all(models.about(name).what in text.replace("&#x27;", "'") and f" {name}" in text for name in names)
    assert "_" not in "".join(map(models.model_name, names))
    assert (
        models.model_name("my_model") == "my model" and models.about("my_model").what == ""
    )  # one that is no longer there
    assert "my model – my_model" in text_of(accuracy.models_explained(["my_model"]))
    parts = accuracy.backtest_parts(company("usual"), Published(company("usual")).domains())
    page = "".join(part.data for part in parts if not hasattr(part, "figure"))
    assert text_of(page).count("What the models are") == 1


def test_the_reason_of_the_gate_is_written_with_names(company):
    reason = "cnn_lstm takes the place of seasonal_naive: it is 26.5 % better."
    domain = with_manifest(domain_page.load(company("usual"), "sales"), champion={"reason": reason})
    assert "Why this model: CNN-LSTM takes the place of seasonal naive: it is 26.5 % better." in text_of(
        provenance.manifest(domain)
    ).replace(numbers.SPACE, " ")


def test_the_manifest_names_run_data_and_model(company):
    domain = domain_page.load(company("usual"), "sales")
    text = text_of(provenance.manifest(domain))
    for word in ("sales-2023-12-0123456789", "9f2c" * 16, "linear", "abc123", "models.linear.alpha", "pandas"):
        assert word in text
    assert "seconds" not in text and "1.5" not in text  # no timing: the page is the same each time


def test_check_tables_name_parts_and_changes():
    row = {"aggregation": "total", "unique_id": "All/All", "ds": "2013-12-01", "y": 5.0, "change_pct": -43.03}
    text = text_of(check_table.check_table("sudden_falls", [row])).replace(numbers.SPACE, " ")
    assert text.startswith(
        "Sudden falls in the last month Level Series Month Value Change total Total December 2013 5 "
    )
    assert "−43.0 %" in text
    assert check_table.value_text("All/Bikes", "unique_id") == "Bikes"


def test_a_back_tests_wide_interval_does_not_flatten_the_chart():
    usual = [[0.0, 10.0]] * 3
    wide = [[300.0, 12.0], [-5.0, 1.0], [11.0, 11.0], [2.0, 2.0]]
    shown, cut = charts.visible_range([*wide, *usual], 2)
    assert cut and shown[1] < 20 and -10 < shown[0] < -5
    shown, cut = charts.visible_range([[12.0], [-2.0], [11.0], [1.0], *usual], 2)
    assert not cut and shown[0] < -2 and shown[1] > 12
    assert charts.visible_range([[], [], [], [], [0.0, None]], 0) == ([-1.0, 1.0], False)


def test_the_year_before_is_a_percentage_only_where_that_says_something(company):
    domain = Published(company("usual")).domain("sales", ("total",))
    last = domain.last_month
    before = at(domain.actuals, "total").set_index("ds")["y"][last - pd.DateOffset(months=12)]
    assert kpi.on_year(domain, last, 1.1 * before).replace(numbers.SPACE, " ") == "; +10.0 % on Dec 2022"
    assert kpi.on_year(domain, last, 9 * before).endswith("in Dec\N{NO-BREAK SPACE}2022")
    assert kpi.on_year(domain, last - pd.DateOffset(months=40), 1.0) == kpi.on_year(domain, None, None) == ""


def test_drawings_stay_inside_and_bars_point_the_right_way():
    actual = pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=30, freq="MS"), "y": range(-10, 20)})
    points = re.findall(
        r"[\d.-]+,[\d.-]+",
        charts.drawing(
            actual, actual.iloc[:0].assign(predicted_value=0.0, lo_80=0.0, hi_80=0.0, lo_95=0.0, hi_95=0.0), "x"
        ),
    )
    pairs = [tuple(map(float, point.split(","))) for point in points]
    assert all(0 <= x <= 220 and 0 <= y <= 56 for x, y in pairs) and len(pairs) == 24 + 2
    assert 'class="below" x="26.0"' in charts.variance_bar(-5.0, 10.0)
    assert 'class="above" x="50.0"' in charts.variance_bar(5.0, 10.0)
    assert 'width="0.0"' in charts.variance_bar(float("nan"), 10.0)


@pytest.mark.parametrize("page", ["index", "domain", "accuracy", "model_card", "data_quality", "glossary"])
def test_pages_are_notebooks_without_logic_or_outputs(page):
    book = json.loads((REPORTS / f"{page}.ipynb").read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    tags = [tag for cell in book["cells"] for tag in cell["metadata"].get("tags", [])]
    assert tags.count("parameters") == 1 and book["metadata"]["kernelspec"]["name"] == "python3"
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in book["cells"] if "outputs" in cell)
    assert all(len(text.splitlines()) < 15 and not re.search(r"^\s*(def|class) ", text, re.M) for text in code)
    assert any(cell["cell_type"] == "markdown" and "".join(cell["source"]).startswith("# ") for cell in book["cells"])


def test_a_page_executed_twice_has_the_same_outputs(company):
    path = str(company("losses"))
    first, second = (executed(REPORTS / "domain.ipynb", published=path, domain="profit") for _ in range(2))
    assert [cell.get("outputs") for cell in first.cells] == [cell.get("outputs") for cell in second.cells]


def test_an_empty_ledger_says_how_to_fill_it(tmp_path):
    path = build(tmp_path / "published.duckdb", Company(domains=("sales",)))
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from runs")
    assert "Nothing has been published yet" in overview.header(Published(path).domains())
