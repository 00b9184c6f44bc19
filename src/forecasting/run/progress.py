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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from forecasting.run.lock import FOLDER, is_open

STEP = re.compile(r"-m forecasting (?:step|page|publish|render)\b")
# What Make says first: how many steps there are, and where the report will be if it is wanted
HEAD = re.compile(r"^: of (\d+) ?(.*)$", re.MULTILINE)
TERMINAL = (
    "FORECASTING_TERMINAL"  # the environment variable that tells a notebook's kernel where the step itself writes
)
EVERY = 10.0  # seconds between two lines on how far a long piece of work is
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


@contextmanager
def terminal() -> Iterator[int]:
    """Tell the notebooks that this process executes where they may say how far they are: beside what they print, which is kept."""
    stream = os.dup(2)
    os.environ[TERMINAL] = str(stream)
    try:
        yield stream
    finally:
        del os.environ[TERMINAL]
        os.close(stream)


def inherited() -> tuple[int, ...]:
    """Return the descriptor of `terminal` for `pass_fds`, where there is one."""
    return tuple(number for number in map(int, os.environ.get(TERMINAL, "").split()) if is_open(number))


class Bar:
    """Says every few seconds how much of long work on many series is done, how fast, and how long the rest will take.

    `total` of the series, of which `to_do` were not done before. Into the terminal of the run, never into a notebook's outputs; where
    somebody runs the notebook by hand (`shows`) and elsewhere, where this process writes.
    """

    def __init__(self, what: str, total: int, to_do: int, shows: bool) -> None:
        self.what, self.total, self.to_do, self.done = what, total, to_do, 0
        self.shows, self.begun = shows, time.monotonic()
        self.last = self.begun

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self.last > self.begun:
            self.say()

    def add(self, n_series: int) -> None:
        """Note that so many more are done."""
        self.done += n_series
        if time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            self.say()

    def say(self) -> None:
        """Write one line."""
        seconds = max(time.monotonic() - self.begun, 1e-9)
        left = seconds / max(self.done, 1) * (self.to_do - self.done)
        done = self.total - self.to_do + self.done
        rest = f", {written(left)} left" if done < self.total else ""
        self.write(f"{done:,} of {self.total:,} series, {self.done / seconds:,.0f} series/s{rest}")

    def write(self, text: str) -> None:
        """Write a line where progress is shown, if anywhere."""
        line = f"           {self.what:<28}{text}\n"
        if streams := inherited():
            os.write(streams[0], line.encode())
        elif self.shows:
            sys.stderr.write(line)


def written(seconds: float) -> str:
    """Write a time that something takes."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
