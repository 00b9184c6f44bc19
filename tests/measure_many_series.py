"""What the report, the API and the dashboard cost with very many series: seconds, megabytes and milliseconds. Not a test.

    python tests/measure_many_series.py runs/benchmark/many_series.csv --series 1000,100000

For each number of series the published file of a made company is written (`made_published`; nothing is trained), every page is executed,
rendered and weighed, the files behind the search and the files beside the pages are written, and single series are asked for: of the
service as a program does, and as the dashboard reads them. Each series is asked for once, so that no answer was known before.
"""

import argparse
import csv
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

import made_once
import made_published
from forecasting.api.app import create_app
from forecasting.ledger import Published
from forecasting.run import pages_of
from forecasting.site import rendering
from report_pages import execute_pages

COLUMNS = ["series", "measure", "value"]
ASKED = 200  # single series
SIZES = "1000,100000"
Rows = list[tuple[int, str, float]]


def main(target: Path, sizes: list[int], kept: Path | None) -> None:
    """Measure each size and write the figures to `target`; the published files stay in `kept`, if given, and are used again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    rows: Rows = []
    with tempfile.TemporaryDirectory() as scratch:
        made_once.PLACE = Path(scratch) / "once"
        for n in sizes:
            folder = (kept or Path(scratch)) / f"made_{n}"
            path = folder / "published.duckdb"
            if not path.exists():
                rows += shown(n, timed("made published file", lambda n=n, path=path: made_published.build(path, n)))
            rows += shown(n, [("published file, MB", path.stat().st_size / 1e6)])
            rows += shown(n, of_report(path, Path(scratch) / str(n)))
            rows += shown(n, of_single(path))
            rows += shown(n, [("largest process so far, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)])
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def shown(n: int, found: list[tuple[str, float]]) -> Rows:
    """Print figures and return them as rows."""
    for name, value in found:
        print(f"{n:>9,}  {name:<52}{value:>12,.2f}", flush=True)
    return [(n, name, round(value, 3)) for name, value in found]


def timed(name: str, work: Callable[[], object]) -> list[tuple[str, float]]:
    """Return how many seconds something takes, by the clock and of this process."""
    clock, own = time.perf_counter(), time.process_time()
    work()
    return [(f"{name}, s", time.perf_counter() - clock), (f"{name}, s of a core", time.process_time() - own)]


def of_report(published: Path, folder: Path) -> list[tuple[str, float]]:
    """Execute and render the report; return what it took and how large it is."""
    pages, report = folder / "pages", folder / "report"
    found = timed("pages executed", lambda: execute_pages(published, pages, ("sales",)))
    found += timed("pages rendered, with all files", lambda: rendering.render(pages, report, "Made", published))
    sizes = {
        page.name: (report / f"{page.name}.html").stat().st_size
        for page in pages_of(["sales"], False)
        if (report / f"{page.name}.html").exists()
    }
    found += [(f"page {name}, kB", size / 1000) for name, size in sizes.items()]
    found += [
        (f"{path.name}, MB", path.stat().st_size / 1e6)
        for path in sorted(report.iterdir())
        if path.suffix in {".xlsx", ".csv", ".parquet", ".pdf", ".zip"}
    ]
    behind = [path.stat().st_size for path in (report / "series").glob("*.js")] or [0]
    found += [
        ("files behind the search", len(behind)),
        ("of these the largest, kB", max(behind) / 1000),
        ("all of them, MB", sum(behind) / 1e6),
    ]
    return found


def of_single(published: Path) -> list[tuple[str, float]]:
    """Ask for single series, each once; return the milliseconds that answers take."""
    reader = Published(published)
    names = reader.pairs("sales")
    names = names[(names["region"] != "All") & (names["product_category"] != "All")].sample(ASKED + 1, random_state=1)
    first, *asked = names.itertuples(index=False, name=None)
    domain = reader.domain("sales", whole=False)
    reader.only(domain, *first)
    found = quantiles(
        "dashboard reads a series", [clocked(lambda name=name: reader.only(domain, *name)) for name in asked]
    )
    with service(published) as client:
        ask = "/api/forecasts?domain=sales&region={}&category={}"
        assert client.get(ask.format(*first)).status_code == 200
        found += quantiles(
            "API answers a series",
            [clocked(lambda name=name: client.get(ask.format(*name)).raise_for_status()) for name in asked],
        )
    return found


@contextmanager
def service(published: Path) -> Iterator[TestClient]:
    """Return a client of the service in this process; there is no model, so only what was published is answered."""
    with TestClient(create_app(published.parent)) as client:
        yield client


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds by the clock and of a core."""
    clock, own = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - own)


def quantiles(name: str, taken: list[tuple[float, float]]) -> list[tuple[str, float]]:
    """Return the median and the 95th percentile of times."""
    clock, own = np.array(taken).T
    return [
        (f"{name}, median ms", float(np.median(clock))),
        (f"{name}, 95 of 100 within ms", float(np.quantile(clock, 0.95))),
        (f"{name}, median ms of a core", float(np.median(own))),
    ]


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("target", type=Path)
    given.add_argument("--series", default=SIZES)
    given.add_argument("--kept", type=Path, help="a folder for the published files")
    arguments = given.parse_args()
    main(arguments.target, [int(text) for text in (arguments.series or SIZES).split(",")], arguments.kept)
