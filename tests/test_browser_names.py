"""The box that finds one of some dozen series by a part of its name, on pages that hold all of them."""

import pytest

from browser import HOW_TO_GET_ONE, chromium, executable
from forecasting.site import rendering
from report_fixtures import Company, build
from report_pages import execute_pages

REGIONS, CATEGORIES = ("North", "North East", "South", "West", "East", "Centre"), tuple("ABCDEF")


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    """A tab with the sales page of a company of 36 series."""
    if executable() is None:
        pytest.skip(HOW_TO_GET_ONE)
    run = tmp_path_factory.mktemp("run")
    company = Company(domains=("sales",), regions=REGIONS, categories=CATEGORIES)
    published = build(run / "published.duckdb", company)
    pages = execute_pages(published, run / "pages", company.domains)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering.shutil, "which", lambda name: None)
        rendering.render(pages, run / "report", "acme")
    with chromium() as opened:
        opened.open(run / "report" / "sales.html")
        yield opened


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("north", "North"),  # a whole name before names that hold it
        ("north east / c", "North East / C"),
        ("cent d", "Centre / D"),  # parts of names, in any order
        ("f south", "South / F"),
        ("b", "B"),
    ],
)
def test_a_part_of_a_name_finds_it(tab, typed: str, shown: str):
    box = tab.page.locator("#trend-sales-find")
    box.fill(typed)
    box.press("Enter")
    tab.page.wait_for_selector(f"p.showing strong:text-is('{shown}')")
    region, _, category = shown.rpartition(" / ")
    if region:
        assert tab.page.input_value("#trend-sales-region") == region
        assert tab.page.input_value("#trend-sales-category") == category
    assert tab.problems == []


def test_what_is_nowhere_is_said_and_what_was_shown_stays(tab):
    box = tab.page.locator("#trend-sales-find")
    box.fill("west a")
    box.press("Enter")
    tab.page.wait_for_selector("p.showing strong:text-is('West / A')")
    box.fill("nobody")
    tab.page.wait_for_selector(".selectors .found:text-is('No such name')")
    box.press("Enter")
    assert tab.page.locator("p.showing strong").inner_text() == "West / A"
    box.fill("")
    assert tab.page.locator(".selectors .found").first.inner_text() == ""
