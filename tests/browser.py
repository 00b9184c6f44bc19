"""A headless Chromium for tests: it opens the report's pages from disk, without a network, and keeps what goes wrong."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Request, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong

from shown import multiple
from waiting import PATIENCE

HOW_TO_GET_ONE = "needs Chromium: `apt-get install chromium`, or name one in FORECASTING_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox",  # containers run tests as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
LOCAL = ("file:", "data:", "blob:", "about:")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "best-practice"]},
    "resultTypes": ["violations"],
    "preload": False,  # it would ask for the style sheet by script, which files do not allow
}
GRAVE = ("serious", "critical")
LAYOUT = 120_000  # milliseconds after which a page whose charts have not followed its width does not fit

# Every chart has its drawing and listens to its lists, of which its ratio is the sign. Those that are folded away have no size and may be
# drawn later.
DRAWN = """() => [...document.querySelectorAll('.plot')].every(
    p => !p.offsetParent || (p.querySelector('.main-svg') && p.style.getPropertyValue('--ratio')))"""
NOTHING_POINTED_AT = "id => !document.querySelector(`#${id} .hoverlayer .legend`)"
# Every chart that can be seen has taken its place's size: after the window has changed that takes a moment.
SETTLED = """() => [...document.querySelectorAll('.plot')].every(plot => {
    if (!plot.offsetParent) return true;
    const drawn = plot.querySelector('.main-svg').getBoundingClientRect();
    return Math.abs(drawn.width - plot.clientWidth) < 2 && Math.abs(drawn.height - plot.clientHeight) < 2; })"""
WIDTH = "() => document.scrollingElement.scrollWidth"
FITS = "() => document.scrollingElement.scrollWidth <= window.innerWidth"
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
    .map(e => `${e.tagName.toLowerCase()}.${e.className} ends at ${Math.round(e.getBoundingClientRect().right)}`)"""

TRACES = """plot => Object.fromEntries(plot.data.map(trace => [
    `${trace.legendgroup || ''} ${trace.name}`.trim(),
    Object.fromEntries(Array.from(trace.x, (x, i) => [String(x).slice(0, 10), trace.y[i]]))]))"""
PLACE = """(plot, x) => { const box = plot.getBoundingClientRect(), axis = plot._fullLayout.xaxis;
    return {x: box.left + axis._offset + axis.d2p(x), y: box.top + box.height / 2}; }"""
CELLS = """table => [...table.tBodies[0].rows].map(row => [...row.cells].map(
    cell => cell.innerText.split('\\n')[0].replaceAll('\\u00a0', ' ').trim()))"""
TILES = "all => all.map(tile => [...tile.children].map(p => p.textContent.replaceAll('\\u00a0', ' ')))"


def executable() -> str | None:
    """Return the Chromium to use: the one that FORECASTING_CHROMIUM names, else the first on PATH."""
    return os.environ.get("FORECASTING_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One tab; `problems` holds what the open page complained about since it was opened.

    All pages share a tab, because Chromium then reads plotly.js once: a page takes a quarter of a second instead of one.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("console", lambda message: self.note(message.text, message.type == "error"))
        page.on("pageerror", lambda error: self.note(f"uncaught: {error}"))
        page.on("requestfailed", lambda request: self.note(f"failed: {request.url}"))
        page.on("request", self.check)

    def note(self, text: str, grave: bool = True) -> None:
        """Keep a problem."""
        if grave:
            self.problems.append(text)

    def check(self, request: Request) -> None:
        """Keep a request that leaves this machine."""
        self.note(f"outside: {request.url}", not request.url.startswith(LOCAL))

    def open(self, path: Path) -> None:
        """Open a page at 1280 pixels, in light colours, and wait for its charts."""
        self.problems.clear()
        self.page.goto("about:blank")  # whose charts need not follow
        self.look()
        self.page.goto(path.as_uri())
        self.page.wait_for_function(DRAWN)

    def look(self, width: int = 1280, scheme: str = "light", media: str = "screen") -> None:
        """Set how the page is looked at, and let the charts on a screen follow; whether it fits is told by `too_wide`."""
        self.page.emulate_media(media=media, color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 900})
        if media == "screen":
            with suppress(TookTooLong):
                self.page.wait_for_function(FITS, timeout=LAYOUT)

    def settle(self) -> None:
        """Wait until the charts have followed a window that has changed."""
        self.page.wait_for_function(SETTLED)

    def too_wide(self) -> list[str]:
        """Return what makes the page scroll sideways, nothing where it does not."""
        if self.page.evaluate(FITS):
            return []
        return [f"{self.page.evaluate(WIDTH)} px", *self.page.evaluate(TOO_WIDE)[:8]]

    def barriers(self) -> list[str]:
        """Return the serious and critical issues that axe-core finds (WCAG 2 A and AA, best practice).

        Rows of a table beyond the twentieth, which are built like those before, are taken out: hundreds take half a minute.
        """
        self.page.eval_on_selector_all("tbody tr:nth-child(n+21)", "rows => rows.forEach(row => row.remove())")
        found = Axe().run(self.page, options=RULES).response["violations"]
        return [
            f"{issue['id']}: {node['target']} {node['html'][:120]}"
            for issue in found
            for node in issue["nodes"]
            if issue["impact"] in GRAVE
        ]

    def choose(self, chart: str, region: str, category: str) -> None:
        """Choose a region and a category with the lists of a chart, as a person does."""
        self.page.select_option(f"#{chart}-region", region)
        self.page.select_option(f"#{chart}-category", category)

    def traces(self, chart: str) -> dict[str, dict[str, float | None]]:
        """Return what plotly draws: by legend group and name of the trace, the values by month."""
        return self.page.eval_on_selector(f"#{chart}", TRACES)

    def point_at(self, chart: str, x: str) -> str:
        """Move the mouse over a month of a chart and return what appears."""
        plot = self.page.locator(f"#{chart}")
        plot.scroll_into_view_if_needed()
        self.page.mouse.move(0, 0)
        self.page.wait_for_function(NOTHING_POINTED_AT, arg=chart)
        place = plot.evaluate(PLACE, x)
        self.page.mouse.move(place["x"] - 2, place["y"])
        self.page.mouse.move(place["x"], place["y"])
        return self.page.locator(f"#{chart} .hoverlayer .legend").first.text_content()

    def tiles(self, section: str) -> list[list[str]]:
        """Return the key figures of a section: label, value and what is said below."""
        return self.page.eval_on_selector_all(f"{section} .tile", TILES)

    def cells(self, table: str | Locator) -> list[list[str]]:
        """Return the texts of a table's body, of each cell its first line."""
        return self.page.locator(table).evaluate(CELLS) if isinstance(table, str) else table.evaluate(CELLS)

    def multiple(self, table: str) -> float:
        """Return what a table's amounts are in, as its caption says it: 1000 for thousands."""
        return multiple(self.page.locator(f"{table} caption").inner_text())


@contextmanager
def chromium() -> Iterator[Tab]:
    """Start a browser for one test module. Not for longer: its event loop would be in the way of other modules' own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield Tab(browser.new_context(offline=True).new_page())
        browser.close()
