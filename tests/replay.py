"""A company replayed month by month: what `make monthly` published at each month's end, undisturbed or killed on the way.

`make benchmark-operation` calls this file: 24 months once without a disturbance and once killed at 20 moments that a seed draws; both
must end with the same tables, every month once. The suite replays fewer (`test_monthly`).
"""

import argparse
import csv
import random
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from endurance import KILLS, Watched, tables

TARGET = "monthly-run"
LAST = pd.Timestamp("2024-12-01")  # of the company's months


class Kill(NamedTuple):
    """Where a month is killed: at a moment (see tests/moments), and how."""

    month: pd.Timestamp
    moment: str
    how: str


def months(n: int) -> list[pd.Timestamp]:
    """Return the last `n` months of the company."""
    return list(pd.date_range(end=LAST, periods=n, freq="MS"))


def at_the_end_of(watched: Watched, month: pd.Timestamp) -> Watched:
    """Return the company as it stood at the end of a month."""
    return replace(watched, settings=(f"AS_OF={month + pd.offsets.MonthEnd():%Y-%m-%d}",))


def replay(
    watched: Watched, chosen: list[pd.Timestamp], kills: list[Kill] = (), log: Path | None = None
) -> list[dict[str, Any]]:
    """Run the cycle at each month's end, killed where that is asked for and then begun again; return a row per month and kill.

    `log`: a folder into which each month's moments are written.
    """
    rows = []
    for month in chosen:
        company = at_the_end_of(watched, month)
        for kill in (kill for kill in kills if kill.month == month):
            came, said = company.kill_at(kill.moment, kill.how, TARGET)
            assert "Traceback" not in said, said
            rows.append(
                {"month": f"{month:%Y-%m}", "moment": kill.moment, "kill": kill.how, "came": came, "seconds": None}
            )
        started = time.monotonic()
        said = company.run(TARGET, log=str(log / f"{month:%Y-%m}.txt") if log else "")
        kept = said.count("models are kept")
        seconds = round(time.monotonic() - started, 1)
        rows.append(
            {"month": f"{month:%Y-%m}", "moment": "", "kill": "", "came": True, "kept": kept, "seconds": seconds}
        )
    return rows


def drawn(log: Path, chosen: list[pd.Timestamp], n: int, seed: int = 1) -> list[Kill]:
    """Draw `n` moments out of those that came in an undisturbed replay, at most one a month where there are months enough."""
    draw = random.Random(seed)
    pool = draw.sample(chosen, len(chosen)) * (1 + n // len(chosen))
    kills = []
    for number, month in enumerate(pool[:n]):
        moments = list(dict.fromkeys((log / f"{month:%Y-%m}.txt").read_text(encoding="utf-8").splitlines()))
        kills.append(Kill(month, draw.choice(moments), KILLS[number % len(KILLS)]))
    return kills


def faults(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return the tables that two replays do not share."""
    return [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)]


def incomplete(data: Path, chosen: list[pd.Timestamp]) -> list[str]:
    """Return the domains and months that were not published exactly once."""
    with duckdb.connect(str(data / "published.duckdb"), read_only=True) as connection:
        counts = connection.execute("select domain, cutoff, count(*) from runs group by all").fetchall()
        domains = {domain for domain, _, _ in counts}
    once = {(domain, pd.Timestamp(cutoff)) for domain, cutoff, n in counts if n == 1}
    return [f"{domain} {month:%Y-%m}" for domain in sorted(domains) for month in chosen if (domain, month) not in once]


def main() -> int:
    """Replay twice, print what came of it and write a row per month and kill to a CSV file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("results", type=Path)
    options.add_argument("--months", type=int, default=24)
    options.add_argument("--kills", type=int, default=20)
    asked = options.parse_args()
    chosen = months(asked.months)
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        quiet, disturbed = (Watched.new(Path(folder) / name, ("naive", "linear")) for name in ("quiet", "disturbed"))
        log = Path(folder) / "moments"
        log.mkdir()
        rows = [{"replay": "quiet"} | row for row in replay(quiet, chosen, log=log)]
        kills = drawn(log, chosen, asked.kills)
        rows += [{"replay": "killed"} | row for row in replay(disturbed, chosen, kills)]
        differ = faults(tables(quiet.folders[0]), tables(disturbed.folders[0]))
        lacking = incomplete(disturbed.folders[0], chosen)
        for watched in (quiet, disturbed):
            shutil.rmtree(watched.temporary)
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(asked.results, index=False, quoting=csv.QUOTE_MINIMAL)
    came = sum(row["came"] for row in rows if row["kill"])
    print(f"{asked.months} months; {came} of {len(kills)} kills came at their moment; tables that differ: {differ or 'none'}; "
          f"months not published exactly once: {lacking or 'none'}. {asked.results} lists them all.")  # fmt: skip
    return int(bool(differ or lacking))


if __name__ == "__main__":
    sys.exit(main())
