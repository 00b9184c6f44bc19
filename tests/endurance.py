"""`make report` killed at moments spread over all that it does: after one more run the tables must be those of an undisturbed run.

A small company, a copy of the project, one undisturbed run that notes every moment (tests/moments), and then a chain: the run is killed
at a moment; what it left is set aside; one more run must end with the same tables; what was set aside comes back, and the run goes on
from there to the next moment. So later moments are met with the traces of earlier kills. `make endurance` calls this file.
"""

import argparse
import csv
import fcntl
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from project_copy import ProjectCopy
from waiting import until

ROOT = Path(__file__).resolve().parents[1]
HOOK = ROOT / "tests" / "moments"
NAME = "acme"
# How many moments of which kind; the first pattern that matches says what a moment belongs to
PARTS = {
    "publish": (r"^sql |^registry |published\.|workspace\.json", 18),
    "render": (rf"runs/{NAME}/report|data/{NAME}/editions", 7),
    "pages": (rf"runs/{NAME}/pages/", 7),
    "steps": (rf"runs/{NAME}/(sales|profit)/(?!train_|facts|tests|run\.json|incumbent)|data/{NAME}/mlflow", 16),
    "data": (r"", 12),
}
KILLS = ("kill -9 of the group", "SIGTERM of the parent", "kill -9 of the parent")
UNEQUAL = ["published_at", "prediction_time", "judged_at"]  # when it was is another time each time
UNEQUAL_IN_MANIFEST = ("seconds", "mlflow", "git_commit", "trained")


@dataclass(frozen=True)
class Watched:
    """A copy of the project with a small company, each of whose runs is watched; `temporary` is where its temporary folders go."""

    copy: ProjectCopy
    temporary: Path
    settings: tuple[str, ...] = ()  # of make, besides

    @classmethod
    def new(cls, folder: Path, families: tuple[str, ...] = ("naive",)) -> "Watched":
        """Make the copy, with few models, and the company's facts: two regions, 40 months, with costs."""
        copy = ProjectCopy.of(ROOT, folder / "project").with_families(*families)
        write_company(copy.path / "sales.csv")
        temporary = Path(tempfile.mkdtemp(prefix="e"))  # short: sockets lie there
        return cls(copy, temporary)

    @property
    def folders(self) -> list[Path]:
        """What a run writes."""
        return [self.copy.path / kind / NAME for kind in ("data", "runs")]

    @property
    def lock(self) -> Path:
        """The file that names a run's first process."""
        return self.folders[0] / ".lock"

    def begin(self, target: str = "report", log: str = "", at: str = "", reached: str = "") -> subprocess.Popen:
        """Begin a run in a process group of its own."""
        command = self.copy.command(target, "SOURCE=csv", "FACTS=sales.csv", f"NAME={NAME}", "PROFILE=smoke", "JOBS=1", *self.settings,
                                    f"PYTHONPATH={HOOK}:{self.copy.path / 'src'}")  # fmt: skip
        watched = {"ROOT": str(self.copy.path), "LOG": log, "AT": at, "REACHED": reached}
        env = {
            **self.copy.environment(),
            "TMPDIR": str(self.temporary),
            **{f"ENDURANCE_{key}": value for key, value in watched.items()},
        }
        return subprocess.Popen(command, cwd=self.copy.path, env=env, start_new_session=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)  # fmt: skip

    def run(self, target: str = "report", log: str = "") -> str:
        """Run to the end, which must be a good one, and return what was said."""
        process = self.begin(target, log)
        said = process.communicate()[0]
        assert process.returncode == 0, said
        return said

    def kill_at(self, moment: str, how: str, target: str = "report") -> tuple[bool, str]:
        """Run until a moment and kill the run; return whether the moment came, and what was said. All of the run has ended by then."""
        reached = self.temporary.with_suffix(".reached")
        reached.unlink(missing_ok=True)
        process = self.begin(target, at=moment, reached=str(reached))
        until(lambda: reached.exists() or process.poll() is not None)
        came = reached.exists()
        if came:
            parent = int(self.lock.read_text())
            if how == KILLS[0]:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                os.kill(parent, signal.SIGTERM if how == KILLS[1] else signal.SIGKILL)
            if how == KILLS[2]:
                reached.unlink()  # nobody stops what the parent has started: it goes on
        said = process.communicate()[0]
        until(self.is_free)
        reached.unlink(missing_ok=True)
        return came, said

    def is_free(self) -> bool:
        """Say whether no process of a run is left."""
        if not self.lock.exists():
            return True
        with self.lock.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def set_aside(self) -> None:
        """Keep a copy of what a run has left."""
        for folder in self.folders:
            shutil.rmtree(aside(folder), ignore_errors=True)
            if folder.exists():
                shutil.copytree(folder, aside(folder), symlinks=True)

    def bring_back(self) -> None:
        """Put that copy in the place of what is there."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
            if aside(folder).exists():
                aside(folder).rename(folder)

    def leftovers(self) -> list[str]:
        """Return what a finished run must not leave."""
        found = [
            path
            for folder in self.folders
            for path in folder.rglob("*")
            if re.search(r"\.(running|new|failed)\b", path.name)
        ]
        return [str(path) for path in [*found, *self.temporary.glob("fc-*")]]


def write_company(path: Path) -> None:
    """Write the facts of a small company, a CSV: two regions, 40 months, with costs."""
    months = pd.date_range(end="2024-12-01", periods=40, freq="MS")
    rng = np.random.default_rng(3)
    lines = ["order_date,net_amount,region,product_category,cost_amount"]
    for day in pd.date_range(months[0], "2024-12-31", freq="3D").append(pd.DatetimeIndex(["2024-12-31"])):
        for region in ("North", "South"):
            amount = 100 + 20 * np.sin(day.month / 2) + rng.normal(0, 5)
            lines.append(f"{day:%Y-%m-%d},{amount:.2f},{region},Bikes,{0.6 * amount:.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def aside(folder: Path) -> Path:
    """Return where a folder is kept meanwhile."""
    return folder.with_name(f"{folder.name}.aside")


def tables(data: Path) -> dict[str, list[tuple]]:
    """Return all that a company has published, table by table, without times, and which version of which model is in force."""
    found = {}
    with duckdb.connect(str(data / "published.duckdb"), read_only=True) as connection:
        for (name,) in connection.execute("select table_name from information_schema.tables order by 1").fetchall():
            frame = connection.execute(f"select * from {name}").df().drop(columns=UNEQUAL, errors="ignore")
            if "manifest" in frame:
                frame["manifest"] = [plain_manifest(text) for text in frame["manifest"]]
            found[name] = sorted(map(tuple, frame.astype(str).to_numpy().tolist()))
    with sqlite3.connect(f"file:{data / 'mlflow.db'}?mode=ro", uri=True) as connection:
        found["aliases"] = sorted(
            connection.execute("select name, alias, version from registered_model_aliases").fetchall()
        )
    return found


def plain_manifest(text: str) -> str:
    """Return a manifest without what differs from run to run."""
    content = json.loads(text)
    return json.dumps({key: value for key, value in content.items() if key not in UNEQUAL_IN_MANIFEST}, sort_keys=True)


def part_of(moment: str) -> str:
    """Return which part of a run a moment belongs to."""
    return next(part for part, (pattern, _) in PARTS.items() if re.search(pattern, moment))


def chosen(log: list[str], n: int) -> list[str]:
    """Return about `n` moments of a run, in the order in which they come: of each part its share, evenly spread over it."""
    unique = list(dict.fromkeys(log))
    total = sum(share for _, share in PARTS.values())
    picked: set[str] = set()
    for part, (_, share) in PARTS.items():
        own = [moment for moment in unique if part_of(moment) == part]
        wanted = min(len(own), max(1, round(n * share / total)))
        picked |= {own[int(place)] for place in np.linspace(0, len(own) - 1, wanted)}
    return [moment for moment in unique if moment in picked]


def endured(
    watched: Watched, moments: list[str], expected: dict[str, Any], target: str = "report"
) -> Iterator[dict[str, Any]]:
    """Kill a run at each moment in turn and yield what came of it, one row each; `fault` is empty where all is as it should be."""
    for moment, how in zip(moments, itertools.cycle(KILLS), strict=False):
        started = time.monotonic()
        watched.set_aside()
        came, said = watched.kill_at(moment, how, target)
        if (
            came and how != KILLS[2]
        ):  # what a killed parent has started goes on to the end: later moments would not come
            watched.set_aside()
        if came:
            watched.run(target)
        faults = [] if came else ["the moment did not come"]
        faults += ["a traceback was shown"] if "Traceback" in said else []
        found = tables(watched.folders[0])
        faults += [f"{name} differs" for name in expected if found.get(name) != expected[name]]
        faults += [f"{path} is left" for path in watched.leftovers()]
        watched.bring_back()
        yield {"part": part_of(moment), "moment": moment, "kill": how, "fault": "; ".join(faults), "said": said if faults else "",
               "seconds": round(time.monotonic() - started, 1)}  # fmt: skip


def main() -> int:
    """Do it, print a line for each moment, and write all of them to a CSV file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("results", type=Path)
    options.add_argument("--moments", type=int, default=60)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
        watched = Watched.new(Path(folder))
        log = Path(folder) / "moments.txt"
        watched.run(log=str(log))
        expected = tables(watched.folders[0])
        moments = chosen(log.read_text(encoding="utf-8").splitlines(), asked.moments)
        for place in watched.folders:
            shutil.rmtree(place)
        rows = []
        for row in endured(watched, moments, expected):
            rows.append(row)
            print(
                f"{len(rows):>3}/{len(moments)} {row['part']:<8}{row['kill']:<23}{row['moment']}  {row['fault'] or 'endured'}",
                flush=True,
            )
        shutil.rmtree(watched.temporary)
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    with asked.results.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    n_bad = sum(bool(row["fault"]) for row in rows)
    print(f"{len(rows) - n_bad} of {len(rows)} kills were endured; {asked.results} lists them all.")
    return int(n_bad > 0)


if __name__ == "__main__":
    sys.exit(main())
