"""What a whole `make report PROFILE=large` costs by the number of series, step by step, and what it forecasts as well. Not a test.

    python tests/measure_scale.py runs/benchmark/scale.csv --series 1000,10000,100000 --beside 5000

For each number of series a made company (`made_company`, 60 months of sales) goes through every notebook, is published and gets its
report, in a copy of the project that nothing else uses: seconds of each step, and the most memory of all processes together (what they
share counted once). Between neighbouring sizes the exponent is printed with which the whole grows. Up to `--beside` series the default
profile forecasts too, and the MASE of both champions on the cutoffs held out, which are the same months, is written. With `--next-month`
each size is forecast once more when a month more is known: the monitor then judges what has come due.
"""

import argparse
import csv
import math
import re
import subprocess
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

import pandas as pd

import made_company
from project_copy import ProjectCopy

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ["series", "profile", "measure", "value"]
STEP = re.compile(r"^(?:\[ *\d+/\d+\] )?(data|sales|publish|report) +(\S.*?) +([\d.]+) s$")
STEP_OF = re.compile(r"forecasting step (\w+ \w+)")  # in a process's words
MONTHS, LAST_DAY = 60, "2024-12-31"  # of facts at first
EVERY = 2.0  # seconds from one look at memory to the next
Rows = list[tuple[int, str, str, float]]


def main(target: Path, sizes: list[int], beside: int, next_month: bool) -> None:
    """Measure each size and write the figures to `target`."""
    rows: Rows = []
    for n in sizes:
        for profile in ("large", *(["default"] if n <= beside else [])):
            with tempfile.TemporaryDirectory() as folder:
                project = ProjectCopy.of(ROOT, Path(folder) / "project")
                made_company.write(project.path / "facts", n, MONTHS + next_month)
                rows += shown(n, profile, run_of(project, n, profile, *([f"AS_OF={LAST_DAY}"] if next_month else [])))
                if next_month:
                    again = run_of(project, n, profile)
                    rows += shown(n, profile, {f"next month: {name}": value for name, value in again.items()})
    whole = {n: value for n, profile, measure, value in rows if (profile, measure) == ("large", "whole run, s")}
    for (few, before), (many, after) in pairwise(whole.items()):
        print(
            f"from {few:,} to {many:,} series the run grows with the power {math.log(after / before) / math.log(many / few):.2f}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def shown(n: int, profile: str, found: dict[str, float]) -> Rows:
    """Print figures and return them as rows."""
    for name, value in found.items():
        print(f"{n:>9,}  {profile:<8}{name:<52}{value:>12,.3f}", flush=True)
    return [(n, profile, name, round(value, 4)) for name, value in found.items()]


def run_of(project: ProjectCopy, n: int, profile: str, *more: str) -> dict[str, float]:
    """Run a company of `n` series through a project and return what that took and how well it forecasts; `more` words go to make."""
    (project.path / "params" / "workspaces" / "made.yml").write_text("domains: [sales]\n", encoding="utf-8")
    words = [
        "report",
        "SOURCE=parquet",
        "FACTS=facts",
        "NAME=made",
        *([] if profile == "default" else [f"PROFILE={profile}"]),
        *more,
    ]
    begun = time.monotonic()
    running = subprocess.Popen(
        project.command(*words),
        cwd=project.path,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    memory = Memory(running.pid)
    memory.start()
    said = running.stdout.read()
    assert running.wait() == 0, said
    seconds = time.monotonic() - begun
    print(f"{n:>9,}  {profile:<8}most memory, GB by process, during {memory.during}", flush=True)
    found = {f"{room} {step}, s": float(took) for room, step, took in filter(None, map(step_of, said.splitlines()))}
    return (
        found
        | {"whole run, s": seconds, "most memory, GB": memory.most}
        | accuracy(project.path / "runs" / "made" / "sales")
    )


def step_of(line: str) -> tuple[str, str, str] | None:
    """Return what a line of the progress says was done, and its seconds."""
    known = STEP.match(line)
    return known.groups() if known else None


def accuracy(run: Path) -> dict[str, float]:
    """Return the champion's errors over all series, and of the sums, on the cutoffs held out."""
    board, champion = (
        pd.read_parquet(run / "leaderboard.parquet"),
        pd.read_json(run / "champion.json", typ="series")["name"],
    )
    rows = board[
        (board["model_name"] == champion) & (board["evaluation_set"] == "held_out") & (board["horizon_group"] == "all")
    ]
    measures = ("mase", "wape", "coverage_80", "coverage_95")
    return {f"{row['aggregation']}, {name}": float(row[name]) for _, row in rows.iterrows() for name in measures}


def words_of(pid: int) -> str:
    """Return the words with which a process was begun; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


class Memory(threading.Thread):
    """Looks every few seconds how much memory a process and all that it began have, in GB, and remembers the most, and when it was.

    during: the steps that ran then, and what the largest processes had.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.during = pid, 0.0, ""

    def run(self) -> None:
        """Look until the process has ended."""
        while Path(f"/proc/{self.pid}/smaps_rollup").exists():
            family = self.family()
            sizes = sorted(map(self.of, family), reverse=True)
            if sum(sizes) > self.most:
                steps = sorted({step for pid in family for step in STEP_OF.findall(words_of(pid))})
                self.most, self.during = (
                    sum(sizes),
                    f"{', '.join(steps)}: {', '.join(f'{size:.1f}' for size in sizes[:6])}",
                )
            time.sleep(EVERY)

    def family(self) -> list[int]:
        """Return the process and those that it, or one of them, began."""
        children: dict[int, list[int]] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(status.read_text().rpartition(")")[2].split()[1])
            except OSError:  # has just ended
                continue
            children.setdefault(parent, []).append(int(status.parent.name))
        found = [self.pid]
        for each in found:
            found += children.get(each, [])
        return found

    @staticmethod
    def of(pid: int) -> float:
        """Return what one process has, its share of what is shared, in GB."""
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            return 0.0
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--series", default="1000,10000,100000")
    parser.add_argument("--beside", type=int, default=5000)
    parser.add_argument("--next-month", action="store_true")
    given = parser.parse_args()
    sizes = [int(n) for n in (given.series or "1000,10000,100000").split(",")]
    main(given.target, sizes, given.beside, given.next_month)
