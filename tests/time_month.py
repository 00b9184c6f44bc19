"""What a month costs in which the models are kept, beside the same month with models that learn anew: `make benchmark-month`.

The sample company with every model, in a copy of the project: it trains at the end of one month, keeps its models at the next, and then
learns anew there. Timing is measured here and asserted nowhere: it says something about a machine as well.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from project_copy import ProjectCopy
from time_main_job import processor_seconds

ROOT = Path(__file__).resolve().parents[1]
BEFORE, MONTH = "AS_OF=2025-05-31", "AS_OF=2025-06-30"
CASES = {
    "kept: up to the published forecasts": ("monthly-run", MONTH),
    "kept: the report": ("monthly", MONTH),
    "learnt anew: up to the published forecasts": ("monthly-run", MONTH, "RETRAIN=1"),
    "learnt anew: the report": ("monthly", MONTH),
}


def main(target: Path) -> None:
    """Time the cases, print them and write a row each: case, wall and processor seconds."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        project = ProjectCopy.of(ROOT, Path(folder) / "project")
        project.made("monthly-run", BEFORE)
        for case, words in CASES.items():
            started, used = time.monotonic(), processor_seconds()
            project.made(*words)
            rows.append((case, round(time.monotonic() - started, 1), round(processor_seconds() - used, 1)))
            print(f"{case:<45}{rows[-1][1]:8.1f} s{rows[-1][2]:8.1f} s of processor time", flush=True)
    found = pd.DataFrame(rows, columns=["case", "seconds", "processor_seconds"])
    target.parent.mkdir(parents=True, exist_ok=True)
    found.to_csv(target, index=False)
    seconds = found[["seconds", "processor_seconds"]].to_numpy()
    print(f"{os.cpu_count()} cores. A month that keeps its models costs, of one that learns anew:")
    for name, kept, anew in (
        ("up to the published forecasts", seconds[0], seconds[2]),
        ("with the report", *seconds.reshape(2, 2, 2).sum(axis=1)),
    ):
        print(f"{name:<45}{kept[0] / anew[0]:8.0%} of its wall time{kept[1] / anew[1]:8.0%} of its processor time")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
