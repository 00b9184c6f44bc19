"""The report in a real browser: every page of every kind of company opens, fits, can be used and shows the database's numbers."""

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from pypdf import PdfReader

from browser import HOW_TO_GET_ONE, Tab, chromium, executable
from forecasting.contracts import DOMAINS
from forecasting.site import rendering as render
from report_fixtures import HARD_NAMES, VARIANTS, Company, build
from report_pages import Page, execute_pages
from shown import DASH, agrees, number

# Each has as few domains as show what it is there for: to make the pages takes longer than to look at them.
COMPANIES = {
    "published history": VARIANTS["published history"],
    "nothing published, losses": Company(domains=("sales", "profit"), loss=True, beats=False),
    "no back-test, no unit": Company(domains=("sales",), walk_forward=False, months=20, unit=""),
    "one series, all zero": Company(domains=("sales",), regions=("All",), categories=("All",), zero=True),
    "two last months": VARIANTS["two last months"],
    "many series": VARIANTS["many series"],
}
READ_CLOSELY = ("published history", "many series")  # by axe-core, which takes half a second a page and more
WITH_FILES = READ_CLOSELY  # the workbook, the PDF and the rest beside the pages take seconds more
PAGES = [
    (company, page)
    for company in COMPANIES
    for page in render.TITLES
    if page != "benchmark" and (page not in DOMAINS or page in COMPANIES[company].domains)
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return the rendered report of a company, beside its published database; made once."""
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            run = tmp_path_factory.mktemp("run")
            published = build(run / "published.duckdb", COMPANIES[name])
            pages = execute_pages(published, run / "pages", COMPANIES[name].domains)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(render.shutil, "which", lambda name: None)  # Quarto takes seconds a page
                render.render(
                    pages, run / "report", "A & B", published if name in WITH_FILES else None, run / "editions"
                )
            made[name] = run / "report"
        return made[name]

    return folder


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """A tab of a browser; where there is none, the tests are skipped."""
    if executable() is None:
        pytest.skip(HOW_TO_GET_ONE)
    with chromium() as opened:
        yield opened


def name_of(case: tuple) -> str:
    """Return how a test of a case is called."""
    return " ".join(str(part) for part in case)


@pytest.fixture(scope="module", params=PAGES, ids=name_of)
def opened(request, report, tab) -> Iterator[tuple[Tab, Path, str]]:
    """Open a page once for several tests; its path and company are told."""
    company, page = request.param
    path = report(company) / f"{page}.html"
    tab.open(path)
    yield tab, path, company
    tab.page.goto("about:blank")  # what the tests did to the page is gone


def test_a_page_opens_without_complaint(opened):
    tab, _, _ = opened
    assert tab.problems == []
    assert tab.page.locator("h1").count() == 1
    assert tab.page.locator("main script:visible").count() == 0


def test_charts_are_drawn_and_have_a_text(opened):
    tab, path, _ = opened
    plots = tab.page.locator(".plot").element_handles()
    assert plots or path.stem not in ("index", *DOMAINS)
    for plot in plots:
        drawn = plot.evaluate(
            "p => p.querySelectorAll('.main-svg .scatterlayer .trace, .main-svg .barlayer .trace').length"
        )
        assert drawn > 0 and plot.get_attribute("role") == "img"
        assert len(plot.get_attribute("aria-label")) > 15


def test_links_lead_somewhere(opened):
    tab, path, _ = opened
    links = set(tab.page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))"))
    assert "index.html" in links
    for link in links:
        name, _, anchor = link.partition("#")
        name = name.partition("?")[0]
        target = path.parent / name if name else path
        assert target.is_file(), link
        assert not anchor or anchor in Page(target).values("id"), link


@pytest.mark.parametrize("width", [1280, 400])
def test_a_page_fits_the_screen(opened, width):
    tab, _, _ = opened
    tab.look(width)
    assert tab.too_wide() == []
    assert tab.problems == []


def test_paper_shows_what_is_folded(opened):
    tab, _, _ = opened
    tab.look(media="print")
    tab.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.page.locator("details:not(.screen):not([open])").count() == 0
    tab.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert tab.page.locator("details[open]").count() == 0


@pytest.mark.parametrize("opened", [case for case in PAGES if case[0] in READ_CLOSELY], ids=name_of, indirect=True)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_a_page_is_for_everybody(opened, width, scheme):
    tab, _, _ = opened
    tab.look(width, scheme)
    assert tab.barriers() == []


BAD = """<!doctype html><html lang="en"><head><title>Bad</title></head><body><main><h1>Bad</h1>
<div style="width: 2000px">wide</div><img src="https://example.org/x.png"><p style="color: #ccc; background: #fff">pale</p>
<script>console.error("said"); missing();</script></main></body></html>"""


def test_a_bad_page_is_found_out(tab, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(BAD, encoding="utf-8")
    tab.open(path)
    for what in (
        "said",
        "uncaught: missing is not defined",
        "outside: https://example.org",
        "failed: https://example.org",
    ):
        assert any(problem.startswith(what) for problem in tab.problems), what
    assert "2008 px" in tab.too_wide()[0] and "div" in tab.too_wide()[1]
    assert {problem.split(":")[0] for problem in tab.barriers()} == {"image-alt", "color-contrast"}


@pytest.mark.parametrize(
    ("text", "values", "right"),
    [
        ("1.23 M EUR", (1_234_999,), True),
        ("1.23 M EUR", (1_235_100,), False),
        ("▼ −6.6 %", (-6.62,), True),
        ("▼ −6.6 %", (6.62,), False),
        ("996 k to 1.53 M EUR", (995_600, 1_531_000), True),
        ("996 k to 1.53 M EUR", (995_400, 1_531_000), False),
        ("–", (None,), True),
        ("0", (None,), False),
    ],
)
def test_numbers_are_compared_to_the_last_digit_shown(text, values, right):
    assert agrees(text, *values) is right


@pytest.mark.parametrize("company", COMPANIES)
def test_the_pages_looked_at_are_all_there_are(report, company):
    assert {path.stem for path in report(company).glob("*.html")} == {page for name, page in PAGES if name == company}


@pytest.mark.parametrize("company", COMPANIES)
def test_a_report_is_small_enough_to_send(report, company):
    assert sum(path.stat().st_size for path in report(company).rglob("*")) < 15_000_000


# --- the numbers are the database's -----------------------------------------------------------------------------------------

TOTAL = ("All", "All")
CHOSEN = [
    ("published history", "sales", [TOTAL, ("North", "All"), ("All", "Clothing & Shoes"), ("South", "Parts")]),
    ("nothing published, losses", "profit", [TOTAL, ("East", "Bikes")]),
    ("two last months", "inventory", [TOTAL, ("North", HARD_NAMES[1]), ("All", HARD_NAMES[2])]),
    ("no back-test, no unit", "sales", [TOTAL, ("North", "Parts")]),
    ("many series", "sales", [("R19", "A"), ("R19", "All")]),
]
CHOICES = [(company, domain, choice) for company, domain, choices in CHOSEN for choice in choices]
COLUMNS = ("predicted_value", "lo_80", "hi_80", "lo_95", "hi_95")
NAMES = {"lo_80": "80 % from", "hi_80": "80 % up to", "lo_95": "95 % from", "hi_95": "95 % up to"}

ACTUAL = "select strftime(ds, '%Y-%m-%d') as ds, y from monthly_actuals where {key} order by ds"
PUBLISHED = """
    select strftime(ds, '%Y-%m-%d') as ds, predicted_value, lo_80, hi_80, lo_95, hi_95 from (
        select * exclude (actual) from actual_vs_forecast
        where {key} and forecast_kind = 'published' and status = 'published' and actual is not null
        qualify row_number() over (partition by ds order by horizon) = 1
    ) union all by name
    select strftime(ds, '%Y-%m-%d') as ds, predicted_value, lo_80, hi_80, lo_95, hi_95 from forecasts
    where {key} and status = 'published' and run_id = (select run_id from latest_runs where domain = '{domain}')
    order by ds
"""

MADE = """
    select predicted_value from actual_vs_forecast
    where {key} and ds = (select max(ds) from monthly_actuals where domain = '{domain}') and is_champion and actual is not null
    order by forecast_kind = 'published' desc, horizon
"""


def asked(report: Path, sql: str, domain: str, choice: tuple[str, str] = TOTAL) -> pd.DataFrame:
    """Ask the published database about one domain, region and category."""
    levels = {(True, True): "total", (False, True): "region", (True, False): "category", (False, False): "series"}
    region, category = (name.replace("'", "''") for name in choice)
    level = levels[choice[0] == "All", choice[1] == "All"]
    key = f"domain = '{domain}' and aggregation = '{level}' and region = '{region}' and product_category = '{category}'"
    with duckdb.connect(str(report.parent / "published.duckdb"), read_only=True) as connection:
        return connection.execute(sql.format(key=key, domain=domain)).df()


def drawn(values: pd.Series) -> dict[str, int]:
    """Return a column by month as the charts draw it: these companies' amounts are shown without decimals."""
    return {ds: round(value) for ds, value in values.items()}


@pytest.fixture
def chosen(request, report, tab):
    """Open a domain's page and choose a region and a category."""
    company, domain, choice = request.param
    path = report(company) / f"{domain}.html"
    if tab.page.url != path.as_uri():
        tab.open(path)
    tab.choose(f"trend-{domain}", *choice)
    yield tab, path.parent, domain, choice
    assert tab.problems == []


@pytest.mark.parametrize("chosen", CHOICES, ids=name_of, indirect=True)
def test_a_chart_draws_what_is_chosen(chosen):
    tab, folder, domain, choice = chosen
    traces = tab.traces(f"trend-{domain}")
    actual = asked(folder, ACTUAL, domain, choice).set_index("ds")["y"]
    assert traces["Actual"] == drawn(actual)
    published = asked(folder, PUBLISHED, domain, choice).set_index("ds")
    for column in COLUMNS:
        assert traces[f"made {NAMES.get(column, 'Published forecast')}"] == drawn(published[column])
    last = published.iloc[-1]
    text = tab.point_at(f"trend-{domain}", last.name)
    assert all(f"{last[column]:,.0f}".replace("-", "−") in text for column in COLUMNS), text


@pytest.mark.parametrize("chosen", CHOICES, ids=name_of, indirect=True)
def test_the_years_are_those_of_what_is_chosen(chosen):
    tab, folder, domain, choice = chosen
    months = pd.date_range("2000-01-01", periods=12, freq="MS").strftime("%b")
    actual = asked(folder, ACTUAL, domain, choice)
    traces = tab.traces(f"years-{domain}")
    for year, rows in actual.groupby(actual["ds"].str[:4]):
        known = {months[int(ds[5:7]) - 1]: round(value) for ds, value in zip(rows["ds"], rows["y"], strict=True)}
        assert {month: y for month, y in traces[year].items() if y is not None} == known
    shown = {row[0]: row[2] for row in tab.cells(f"#year-totals-{domain}")}
    unit = tab.multiple(f"#year-totals-{domain}")
    for year in ("2021", "2022"):  # whole years; a stock is averaged
        rows = actual[actual["ds"].str.startswith(year)]
        if len(rows) == 12:
            assert agrees(shown[year], (rows["y"].mean() if domain == "inventory" else rows["y"].sum()) / unit)


@pytest.mark.parametrize("chosen", CHOICES, ids=name_of, indirect=True)
def test_figures_table_title_and_address_follow_what_is_chosen(chosen):
    tab, folder, domain, choice = chosen
    coming = asked(folder, PUBLISHED, domain, choice).tail(6)
    rows, unit = tab.cells(f"#next-{domain}"), tab.multiple(f"#next-{domain}")
    assert len(rows) == 6
    for shown, (_, row) in zip(rows, coming.iterrows(), strict=True):
        assert shown[0] == f"{pd.Timestamp(row['ds']):%B %Y}"
        assert all(agrees(text, row[column] / unit) for text, column in zip(shown[1:6], COLUMNS, strict=True))
    tiles = dict(zip(("actual", "made", "variance", "next"), tab.tiles(f"#figures-{domain}"), strict=True))
    assert agrees(tiles["actual"][1], asked(folder, ACTUAL, domain, choice)["y"].iloc[-1])
    assert agrees(tiles["next"][1], coming["predicted_value"].iloc[0])
    made = asked(folder, MADE, domain, choice)
    assert made.empty or agrees(tiles["made"][1], made["predicted_value"].iloc[0])
    name = " / ".join(part for part in choice if part != "All")
    assert tab.page.locator("p.showing").is_visible() is (choice != TOTAL)
    assert choice == TOTAL or tab.page.locator("p.showing strong").inner_text() == name
    caption = tab.page.locator(f"#next-{domain} caption").inner_text()
    assert caption.startswith(f"{name or 'Total'}: the next months")


RANGE = ["80 % from", "80 % up to"]
POINTED_AT = [
    ("index", "picture-{}", "2024-02-01", ["Forecast", *RANGE, "A year before"]),
    ("{}", "trend-{}", "2023-12-01", ["Actual", "Published forecast", *RANGE, "95 % from", "95 % up to"]),
    ("{}", "years-{}", "Feb", ["2023", "2024, forecast", "2024, 80 % from", "2024, 80 % up to", "2022", "2021"]),
    ("accuracy", "record-{}", "2023-12-01", ["Actual", "Published 1 month before", *RANGE, "95 % from"]),
]


@pytest.mark.parametrize(("page", "chart", "x", "names"), POINTED_AT)
def test_where_one_points_the_actual_comes_first_then_the_forecast_then_its_range(report, tab, page, chart, x, names):
    tab.open(report("published history") / f"{page.format('sales')}.html")
    text = tab.point_at(chart.format("sales"), x).replace("\N{NO-BREAK SPACE}", " ")
    places = [text.find(f"{name} : ") for name in names]
    assert places == sorted(places) and places[0] >= 0, text


@pytest.mark.parametrize("key", ["mouse", "Enter"])
def test_a_figure_of_the_first_page_leads_to_its_domains_page_with_what_is_chosen(report, tab, key):
    page = report("published history") / "index.html"
    tab.open(page)
    tab.page.goto(f"{page.as_uri()}?region=North", wait_until="networkidle")  # what is still on its way is not cut off
    figure = tab.page.locator("#figures-inventory .tile").first
    if key == "mouse":
        figure.locator(".value").click(force=True)
    else:
        figure.get_by_role("link").press(key)
    tab.page.wait_for_url("**/inventory.html?region=North")
    tab.page.locator("p.showing strong", has_text="North").wait_for()
    tab.page.wait_for_load_state("networkidle")
    tab.page.get_by_role("link", name="Profit", exact=True).first.click()
    tab.page.wait_for_url("**/profit.html?region=North", wait_until="networkidle")
    assert tab.problems == []


def test_an_address_names_what_is_shown_and_a_cross_goes_back(report, tab):
    page = report("published history") / "sales.html"
    tab.open(page)
    tab.page.goto(f"{page.as_uri()}?region=North&category=Parts")
    tab.page.wait_for_selector("p.showing:has-text('North / Parts')")
    assert tab.page.input_value("#trend-sales-region") == "North"
    tab.page.click("p.showing button")
    assert tab.page.url == page.as_uri() and not tab.page.locator("p.showing").is_visible()
    tab.page.locator("table a.choose", has_text="South").first.click()
    assert tab.page.url == f"{page.as_uri()}?region=South"
    assert tab.page.locator("p.showing strong").inner_text() == "South"
    assert tab.problems == []


def test_a_part_of_a_name_is_enough_and_one_that_is_nowhere_is_said(report, tab):
    tab.open(report("many series") / "sales.html")
    box = tab.page.locator("#trend-sales-find, #trend-sales-search").first
    box.fill("r19 b")
    tab.page.wait_for_selector(".names li")
    box.press("Enter")
    tab.page.wait_for_selector("p.showing:has-text('R19 / B')")
    box.fill("nobody of this name")
    tab.page.wait_for_selector(".selectors .found:has-text('No such name'), .finder .found:has-text('No such name')")
    assert tab.problems == []


def test_charts_keep_their_height_when_the_window_changes(report, tab):
    tab.open(report("published history") / "sales.html")
    heights = "all => all.filter(p => p.offsetParent).map(p => p.querySelector('.main-svg').clientHeight)"
    before = tab.page.eval_on_selector_all(".plot", heights)
    for width in (700, 1280):
        tab.look(width)
        tab.settle()
        assert tab.page.eval_on_selector_all(".plot", heights) == before and min(before) > 260
    assert tab.problems == []


def change(value: float, before: float | None) -> float | None:
    """Return a change in %, or as an amount where a percentage says little: from nothing, from or to a loss, beyond 200 %."""
    if before is None:
        return None
    return value - before if before <= 0 or value < 0 or abs(value / before - 1) > 2 else 100 * (value / before - 1)


OVERVIEWS = [(company, domain) for company in COMPANIES for domain in COMPANIES[company].domains]


@pytest.mark.parametrize(("company", "domain"), OVERVIEWS)
def test_key_figures_are_the_databases(report, tab, company, domain):
    path = report(company) / "index.html"
    if tab.page.url != path.as_uri():
        tab.open(path)
    tiles = {tile[0]: tile[1:] for tile in tab.tiles(f"#figures-{domain}")}
    actual = asked(path.parent, ACTUAL, domain).set_index("ds")["y"]
    published = asked(path.parent, PUBLISHED, domain).set_index("ds")
    published = published[published.index > actual.index[-1]]
    coming, ds = published.iloc[0], pd.Timestamp(published.index[0])
    value, more, *_, ends = tiles[f"{ds:%B %Y}"]
    assert agrees(value, coming["predicted_value"])
    assert agrees(ends.removeprefix("80 %: "), coming["lo_80"], coming["hi_80"])
    before = actual.get(str((ds - pd.DateOffset(years=1)).date()))
    if before is None:
        assert more == "the year before is not known"
    elif more == "about as a year before":
        assert abs(change(coming["predicted_value"], before)) < 0.05
    else:
        assert agrees(more.split(" on ")[0], change(coming["predicted_value"], before))
    three = published["predicted_value"].head(3)
    title = next(title for title in tiles if f"{pd.Timestamp(three.index[-1]):%B %Y}" in title)
    assert agrees(tiles[title][0], three.iloc[-1] if domain == "inventory" else three.sum())


def test_what_was_forecast_before_is_drawn_on_request(report, tab):
    tab.open(report("published history") / "index.html")
    before = "#picture-sales .scatterlayer .trace"
    n = tab.page.locator(before).count()
    tab.page.check("#picture-sales-behind")
    assert tab.page.locator(before).count() == n + 1
    tab.page.uncheck("#picture-sales-behind")
    assert tab.page.locator(before).count() == n


def test_stock_cover_is_the_stock_by_the_cost_of_the_next_months(report, tab):
    folder = report("published history")
    tab.open(folder / "index.html")
    stock = asked(folder, ACTUAL, "inventory")["y"].iloc[-1]
    sales, profit = (
        asked(folder, PUBLISHED, domain)["predicted_value"].tail(6).head(3) for domain in ("sales", "profit")
    )
    assert agrees(tab.tiles("#stock-cover")[0][1], stock / (sales.mean() - profit.mean()))


BRIDGE = """
    with run as (
        select run_id from publications inner join runs using (run_id, domain)
        where domain = '{domain}' order by cutoff desc limit 2
    )
    select strftime(ds, '%Y-%m') as ds, first(predicted_value order by cutoff) as before, last(predicted_value order by cutoff) as after
    from forecasts where {key} and status = 'published' and run_id in (from run) group by ds having count(*) = 2 order by ds
"""


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_bridge_leads_from_the_last_forecast_to_this_one(report, tab, domain):
    folder = report("published history")
    tab.open(folder / f"{domain}.html")
    months = asked(folder, BRIDGE, domain)
    both = months[["before", "after"]].mean() if domain == "inventory" else months[["before", "after"]].sum()
    table = "table:has(th:text-is('Step'))"
    steps, unit = [amount for _, amount, _ in tab.cells(table)], tab.multiple(table)
    assert len(months) == 5 and len(steps) > 2
    assert sum(map(number, steps[:-1])) == pytest.approx(number(steps[-1]), abs=1e-6)
    assert agrees(steps[0], both["before"] / unit) and agrees(steps[-1], both["after"] / unit)


@pytest.mark.parametrize(
    ("company", "domain"),
    [("published history", "profit"), ("nothing published, losses", "profit"), ("many series", "sales")],
)
def test_totals_are_the_sums_of_what_is_above_them(report, tab, company, domain):
    tab.open(report(company) / f"{domain}.html")
    compared = 0
    for table in tab.page.locator("table:has(tr.total th:text-matches('^(Total|Sum)$'))").all():
        *rows, total = tab.cells(table)
        # each number is rounded by itself: where it can be seen, a note below says so and by how much
        said = table.locator("xpath=../following-sibling::*[1]").all_inner_texts()
        room = number(said[0].split("to within")[1]) if said and "to within" in said[0] else 0
        for column in range(1, len(total)):
            texts = [row[column] for row in rows]
            if total[column] and "%" not in total[column] + texts[0] and DASH not in (total[column], *texts):
                assert abs(sum(map(number, texts)) - number(total[column])) <= room + 1e-6 <= (len(rows) + 1) / 2 + 1e-6
                compared += 1
    assert compared > 6


@pytest.mark.parametrize("key", ["mouse", "Enter"])
def test_a_heading_sorts_its_table_and_the_total_stays_below(report, tab, key):
    tab.open(report("many series") / "sales.html")
    table = tab.page.locator("table.sortable:has(caption:has-text('by region')):has(tr.total)").first
    before = tab.cells(table)
    for column, order in ((1, "descending"), (1, "ascending"), (0, "ascending"), (0, "descending")):
        head = table.locator("thead th").nth(column)
        head.get_by_role("button").click() if key == "mouse" else head.get_by_role("button").press(key)
        assert head.get_attribute("aria-sort") == order
        kind = number if column else lambda name: int(name.removeprefix("R"))
        expected = sorted(before[:-1], key=lambda row: kind(row[column]), reverse=order == "descending")
        assert [row[column] for row in tab.cells(table)] == [row[column] for row in [*expected, before[-1]]]
    assert sorted(tab.cells(table)) == sorted(before)


def test_a_series_among_hundreds_is_found_by_its_name(report, tab):
    tab.open(report("many series") / "sales.html")
    finder = tab.page.get_by_label("Find any of 300 series")
    finder.fill("r12 k")
    names = tab.page.get_by_role("listbox").get_by_role("option")
    names.first.wait_for()
    assert names.all_inner_texts() == ["R12 / K"]
    finder.press("ArrowDown")
    assert names.first.get_attribute("id") == finder.get_attribute("aria-activedescendant")
    finder.press("Enter")
    found = tab.page.locator(".found-numbers table")
    found.wait_for()
    menus = tab.page.locator("#trend-sales-region, #trend-sales-category")
    assert menus.evaluate_all("all => all.map(menu => menu.value)") == ["R12", "K"]
    actual = asked(report("many series"), ACTUAL, "sales", ("R12", "K")).set_index("ds")["y"]
    assert tab.traces("trend-sales")["Actual"] == drawn(actual)
    made = asked(report("many series"), PUBLISHED, "sales", ("R12", "K")).set_index("ds")
    year_before = [actual[f"{int(ds[:4]) - 1}{ds[4:]}"] for ds in made.index]
    expected = made[[*COLUMNS]].assign(before=year_before).round().to_numpy().tolist()
    assert found.locator("caption").inner_text() == "R12 / K: the next months, in EUR"
    assert [[number(cell) for cell in row[1:7]] for row in tab.cells(found)] == expected
    tab.choose("trend-sales", "All", "All")
    assert found.count() == 0 and tab.problems == []


def test_what_cannot_be_found_is_said(report, tab, tmp_path):
    site = shutil.copytree(report("many series"), tmp_path / "report")
    (site / "series" / "sales-0.js").unlink()
    tab.open(site / "sales.html")
    finder, said = tab.page.get_by_label("Find any of 300 series"), tab.page.locator(".search .found")
    finder.fill("no such shop")
    said.get_by_text("No such name").wait_for()
    finder.fill("R12 / K")
    tab.page.get_by_role("listbox").get_by_role("option").first.click()
    said.get_by_text("series/sales-0.js is missing").wait_for()


def test_a_printed_page_holds_what_is_folded_on_the_screen(report, tab):
    tab.open(report("published history") / "index.html")
    cells = "details:not(.screen) :is(p, td, dd)"
    folded = tab.page.eval_on_selector_all(cells, "all => all.map(cell => cell.textContent)")
    tab.look(media="print")
    printed = PdfReader(BytesIO(tab.page.pdf())).pages
    text = "".join("".join(page.extract_text() for page in printed).split())
    assert folded and [words for words in folded if "".join(words.split()) not in text] == []
