"""Times the main job as a user meets it, environment ready: `make timing` prints the table and keeps it as CSV.

Timing is measured here and asserted nowhere: it says something about a machine as well.
"""

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from forecasting.pipeline.warming import SETTINGS
from project_copy import ProjectCopy

ROOT = Path(__file__).resolve().parents[1]


def main(target: Path) -> None:
    """Run the main job on the full sample company in a copy of the project and write seconds per case to `target`."""
    with tempfile.TemporaryDirectory() as folder:
        project = ProjectCopy.of(ROOT, Path(folder) / "project")
        whole, used = seconds(project), processor_seconds()
        rows = [("whole run: sample, three domains, report", 300, whole)]
        bare, bare_used = bare_computation(project)
        rows.append(("its computation alone, in one process", None, bare))
        rows.append(("again, nothing changed", 2, seconds(project)))
        settings = project.path / "params" / "profit.yml"
        settings.write_text(settings.read_text(encoding="utf-8") + "min_train_months: 30\n", encoding="utf-8")
        rows.append(("one value in params/profit.yml changed", None, seconds(project)))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("case", "at_most_seconds", "seconds"), *rows])
    print(f"{os.cpu_count()} cores")
    for case, bound, measured in rows:
        print(f"{case:<45}{measured:8.1f} s{f'   (at most {bound} s)' if bound else ''}")
    print(f"the whole run is {whole / bare:.2f} times its computation alone (at most 1.5)")
    print(f"in processor time {used:.0f} s to {bare_used:.0f} s, {used / bare_used:.2f} times")


def seconds(project: ProjectCopy) -> float:
    """Return how long `make report` takes, in seconds of wall time."""
    started = time.monotonic()
    project.made("report")
    return round(time.monotonic() - started, 2)


def processor_seconds() -> float:
    """Return the processor time that this process's children have used so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare_computation(project: ProjectCopy) -> tuple[float, float]:
    """Return the wall and processor seconds of what the last run computed, done again in one process with as many threads."""
    line = [sys.executable, str(Path(__file__).with_name("bare_computation.py")), str(project.path), "sample"]
    env = {**project.environment(), **SETTINGS, "PYTHONPATH": str(project.path / "src"), "MPLBACKEND": "agg"}
    done = subprocess.run(line, cwd=project.path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wall, used = done.stdout.split()
    return float(wall), float(used)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
