"""How long each page of a report takes to open in a browser that has never seen it, and how large it is. Not a test.

    python tests/measure_report.py runs/sample/report

Prints one line per page: the seconds until every chart is drawn (the median of three fresh browsers) and the kilobytes of
the page and of all that it loads; then the size of the folder.
"""

import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from browser import HOW_TO_GET_ONE, chromium, executable
from forecasting.errors import UserError
from report_pages import Page

TIMES = 3


def seconds(path: Path) -> float:
    """Return how long a page takes to open, charts included, in a browser of its own."""
    with chromium() as tab:
        start = perf_counter()
        tab.open(path)
        return perf_counter() - start


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
    print(f"{'page':<16}{'seconds':>8}{'kB':>9}")
    for path in pages:
        taken = median(seconds(path) for _ in range(TIMES))
        print(f"{path.stem:<16}{taken:>8.2f}{kilobytes(path):>9,.0f}", flush=True)
    size = sum(path.stat().st_size for path in report.rglob("*") if path.is_file())
    print(f"{'folder':<16}{'':>8}{size / 1000:>9,.0f}")


if __name__ == "__main__":
    try:
        if executable() is None:
            raise UserError(f"This {HOW_TO_GET_ONE}.")
        measure(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/sample/report").resolve())
    except UserError as error:
        sys.exit(str(error))
