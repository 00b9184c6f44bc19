"""Take the README's pictures anew: the report's first page on a screen and on a phone, and the dashboard. Not a test.

python tests/picture.py runs/sample/report data/sample docs

Writes report.png, phone.png and dashboard.png into the folder named last. Report and phone are
equally high, so that they stand side by side.
"""

import sys
import tempfile
from pathlib import Path

from browser import HOW_TO_GET_ONE, chromium, executable
from dashboard_browser import browser, running
from forecasting.errors import UserError

SCREEN, PHONE = 1280, 400  # pixels
HEIGHT = 1230  # of what is seen of a page


def pictures_of_report(report: Path, target: Path) -> None:
    """Write report.png and phone.png.

    Raises
    ------
    UserError
        If there is no report.
    """
    page = report / "index.html"
    if not page.exists():
        raise UserError(f"There is no {page}: `make report` makes it.")
    with chromium() as tab:
        tab.open(page.resolve())
        for name, width in (("report", SCREEN), ("phone", PHONE)):
            tab.look(width)
            tab.page.set_viewport_size({"width": width, "height": HEIGHT})
            tab.settle()
            tab.page.screenshot(path=target / f"{name}.png", animations="disabled")


def picture_of_dashboard(data: Path, target: Path) -> None:
    """Start the dashboard, wait until its first chart is drawn, and write dashboard.png."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        running(data, Path(scratch) / "log") as address,
        browser() as (page, _),
    ):
        page.goto(address)
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        page.locator("[data-test-script-state=notRunning]").wait_for()
        page.screenshot(path=target / "dashboard.png", animations="disabled")


def main(report: Path, data: Path, target: Path) -> None:
    """Take all three."""
    if executable() is None:
        raise UserError(f"This {HOW_TO_GET_ONE}.")
    pictures_of_report(report, target)
    picture_of_dashboard(data, target)
    print(*(target / f"{name}.png" for name in ("report", "phone", "dashboard")), sep="\n")


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:4]))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
