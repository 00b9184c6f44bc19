"""How long each page of a report takes to open in a browser that has never seen it, and how large it is. Not a test.

    python tests/measure_report.py runs/sample/report

Prints one line per page: the seconds until what the window shows is complete and until every chart is drawn (the medians of three
fresh browsers), and the kilobytes of the page and of all that it loads; then the size of the folder.
"""

import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from browser import DRAWN, HOW_TO_GET_ONE, chromium, executable
from forecasting.errors import UserError
from report_pages import Page

TIMES = 3
IN_SIGHT = DRAWN.replace(
    "!p.offsetParent ||", "!p.offsetParent || p.getBoundingClientRect().top >= window.innerHeight ||"
)


def seconds(path: Path) -> tuple[float, float]:
    """Return how long a page takes in a browser of its own until the charts in its window are drawn, and until all are."""
    with chromium() as tab:
        tab.look()
        start = perf_counter()
        tab.page.goto(path.as_uri(), wait_until="commit")
        found = []
        for drawn in (IN_SIGHT, DRAWN):
            tab.page.wait_for_function(f"() => document.readyState === 'complete' && ({drawn})()")
            found.append(perf_counter() - start)
        return found[0], found[1]


def kilobytes(path: Path) -> float:
    """Return the size of a page with the style sheet and the scripts that it loads."""
    page = Page(path)
    loaded = [values["href"] for name, values in page.elements if name == "link" and values.get("rel") == "stylesheet"]
    loaded += page.values("src")
    return sum(file.stat().st_size for file in (path, *(path.parent / name for name in loaded))) / 1000


def measure(report: Path) -> None:
    """Print the measures of a report's folder."""
    pages = sorted(report.glob("*.html"))
    if not pages:
        raise UserError(f"{report} holds no pages: `make report` makes them.")
    print(f"{'page':<16}{'in sight, s':>12}{'all, s':>9}{'kB':>9}")
    for path in pages:
        in_sight, whole = map(median, zip(*(seconds(path) for _ in range(TIMES)), strict=True))
        print(f"{path.stem:<16}{in_sight:>12.2f}{whole:>9.2f}{kilobytes(path):>9,.0f}", flush=True)
    size = sum(path.stat().st_size for path in report.rglob("*") if path.is_file())
    print(f"{'folder':<16}{'':>12}{'':>9}{size / 1000:>9,.0f}")


if __name__ == "__main__":
    try:
        if executable() is None:
            raise UserError(f"This {HOW_TO_GET_ONE}.")
        measure(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/sample/report").resolve())
    except UserError as error:
        sys.exit(str(error))
