"""Times the main job as a user meets it, environment ready: `make timing` prints the table and keeps it as CSV.

Timing is measured here and asserted nowhere: it says something about a machine as well.
"""

import csv
import os
import sys
import tempfile
import time
from pathlib import Path

from project_copy import ProjectCopy

ROOT = Path(__file__).resolve().parents[1]


def main(target: Path) -> None:
    """Run the main job on the full sample company in a copy of the project and write seconds per case to `target`."""
    with tempfile.TemporaryDirectory() as folder:
        project = ProjectCopy.of(ROOT, Path(folder) / "project")
        rows = [("whole run: sample, three domains, report", 300, seconds(project))]
        rows.append(("again, nothing changed", 5, seconds(project)))
        settings = project.path / "params" / "profit.yml"
        settings.write_text(settings.read_text(encoding="utf-8") + "min_train_months: 30\n", encoding="utf-8")
        rows.append(("one value in params/profit.yml changed", None, seconds(project)))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("case", "at_most_seconds", "seconds"), *rows])
    print(f"{os.cpu_count()} cores")
    for case, bound, measured in rows:
        print(f"{case:<45}{measured:8.1f} s{f'   (at most {bound} s)' if bound else ''}")


def seconds(project: ProjectCopy) -> float:
    """Return how long `make report` takes, in seconds of wall time."""
    started = time.monotonic()
    project.made("report")
    return round(time.monotonic() - started, 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
