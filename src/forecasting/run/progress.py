"""What the terminal says while a run goes on: which of how many steps begins, how long it took before, and what was skipped.

Make decides what has to be done, and says so beforehand, by a dry run whose text lies in the run's private folder (`plan`). Each step
that begins adds a line to a second file there (`begun`), so that steps side by side have numbers of their own.
"""

import fcntl
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from forecasting.run.lock import FOLDER

STEP = re.compile(r"-m forecasting (?:step|page|publish|render)\b")
# What Make says first: how many steps there are, and where the report will be if it is wanted
HEAD = re.compile(r"^: of (\d+) ?(.*)$", re.MULTILINE)
NOTEWORTHY = 20.0  # seconds; what took less the last time is not announced


def timed(part: str, what: str, work: Callable[[], None], executed: Path | None = None) -> None:
    """Do the work of one step, saying before that it begins and after it how long it took.

    `executed` is the notebook that the step executed the last time, if it did; it tells how long that took.
    """
    number, started = next_number(), time.monotonic()
    expected = usual_time(executed) if executed else ""
    show(f"{number}{part:<11}{what:<28}{f'  … {expected}' if expected else '  …'}")
    work()
    show(f"{number}{part:<11}{what:<28}{time.monotonic() - started:6.1f} s")


def next_number() -> str:
    """Return «[ 7/34] » for the step that begins; nothing where Make has not said how many there are."""
    folder = Path(os.environ.get(FOLDER) or "/nowhere")
    n_steps = to_do(folder)
    if not n_steps:
        return ""
    with (folder / "begun").open("a+b") as begun:
        fcntl.flock(begun, fcntl.LOCK_EX)
        begun.write(b".")
        begun.flush()
        number = begun.tell()
    return f"[{number:>{len(str(n_steps))}}/{max(n_steps, number)}] "  # a step may find that more has to be done than Make foresaw


def to_do(folder: Path) -> int:
    """Return how many steps Make found to be done in this run."""
    return len(STEP.findall(planned(folder)))


def planned(folder: Path) -> str:
    """Return what Make wrote beforehand, nothing if it did not."""
    plan = folder / "plan"
    return plan.read_text(encoding="utf-8", errors="replace") if plan.exists() else ""


def usual_time(executed: Path) -> str:
    """Say how long a notebook took the last time, in any domain where it has not run in its own; nothing where that was short."""
    others = sorted(executed.parents[1].glob(f"*/{executed.name}"))
    for path in (executed, *others):
        if path.exists():
            seconds = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("papermill", {}).get("duration") or 0
            return f"took {seconds:.0f} s last time" if seconds >= NOTEWORTHY else ""
    return ""


def show_end(folder: Path) -> None:
    """Say what was done, what was skipped because nothing has changed, and where the report is; nothing where no steps were planned."""
    head = HEAD.search(planned(folder))
    if not head:
        return
    n_steps, report = int(head[1]), head[2]
    n_done = (folder / "begun").stat().st_size if (folder / "begun").exists() else 0
    done = (
        f"{n_done} of {n_steps} steps done, the others are up to date."
        if n_done < n_steps
        else f"All {n_steps} steps done."
    )
    print(
        done if n_done else f"{n_steps} steps are up to date.",
        *([f"The report is {report}"] if report else []),
        flush=True,
    )


def show(text: str) -> None:
    """Print a progress line at once."""
    print(text, file=sys.stderr, flush=True)
