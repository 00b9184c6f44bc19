"""How long `make backfill` takes beside the months themselves, and whether it says what they would have said. `make backfill-speed`.

A small company is replayed month by month, `make monthly-run AS_OF=…` at each month's end, as if it had been there then: the slow way.
A second copy of it has run once, with all facts, and fills the same months in. The forecasts of every month, domain, series and sum must be
the same bits; the seconds and the processors' seconds (of all processes, on a busy machine the steadier measure) stand side by side.
"""

import argparse
import csv
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd

from endurance import Watched
from replay import TARGET, at_the_end_of, months

FAMILIES = ("naive", "linear")
SAID = """
    select domain, aggregation, unique_id, cutoff, horizon, model_name, predicted_value, lo_80, hi_80, lo_95, hi_95, scale
    from forecasts where status = any($status) and cutoff = any($months)
    qualify row_number() over (partition by domain, aggregation, unique_id, cutoff, horizon, model_name) = 1 order by all
"""


def company(folder: Path) -> Watched:
    """Return a company whose models learn anew by the schedule alone: no alarm is filled in."""
    watched = Watched.new(folder, FAMILIES)
    settings = watched.copy.path / "params" / "smoke.yml"
    settings.write_text(settings.read_text(encoding="utf-8") + "retrain_on: [schedule]\n", encoding="utf-8")
    return watched


@contextmanager
def taking(rows: list[dict], way: str, n: int) -> Iterator[None]:
    """Note how long something takes."""
    started, before = time.monotonic(), processors()
    yield
    rows.append({"way": way, "months": n, "seconds": round(time.monotonic() - started, 1),
                 "processor_seconds": round(processors() - before, 1)})  # fmt: skip


def processors() -> float:
    """Return the processors' seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def said(watched: Watched, chosen: list[pd.Timestamp], *status: str) -> pd.DataFrame:
    """Return what was forecast at the ends of some months, in order."""
    with duckdb.connect(str(watched.folders[0] / "published.duckdb"), read_only=True) as connection:
        return connection.execute(SAID, {"status": list(status), "months": [month.date() for month in chosen]}).df()


def measured(folder: Path, chosen: list[pd.Timestamp], say: Callable[[str], None]) -> tuple[list[dict], int, int]:
    """Take both ways; return how long each took, how many forecasts there are, and how many of them differ."""
    rows: list[dict] = []
    then, now = company(folder / "then"), company(folder / "now")
    try:
        with taking(rows, "make monthly-run, month by month", len(chosen)):
            for month in chosen:
                at_the_end_of(then, month).run(TARGET)
                say(f"{month:%Y-%m} replayed")
        now.run("run")
        with taking(rows, "make backfill", len(chosen)):
            replace(now, settings=(f"FROM={chosen[0]:%Y-%m}", f"TO={chosen[-1]:%Y-%m}")).run("backfill")
    finally:
        for watched in (then, now):
            shutil.rmtree(watched.temporary)
    slow, fast = said(then, chosen, "published", "baseline"), said(now, chosen, "backfill")
    both = slow.merge(fast, how="outer", indicator=True)
    return rows, len(slow), int((both["_merge"] != "both").sum())


def main() -> int:
    """Measure, print what was found and write a row for each way."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("results", type=Path)
    options.add_argument("--months", type=int, default=12)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="backfill-") as folder:
        rows, n, differ = measured(
            Path(folder), months(asked.months + 1)[:-1], lambda text: print(text, file=sys.stderr, flush=True)
        )
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    with asked.results.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(
            f"{row['way']:<34}{row['months']:>3} months {row['seconds']:>8.1f} s {row['processor_seconds']:>8.1f} s of the processors"
        )
    share = rows[1]["processor_seconds"] / rows[0]["processor_seconds"]
    print(
        f"The backfill takes {100 * share:.0f} % of the processors' seconds. {differ or 'None'} of {n} forecasts differ."
    )
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
