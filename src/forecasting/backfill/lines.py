"""Processes that work side by side, one thread each, so that a number depends neither on how many there are nor on the machine's cores."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from signal import SIGTERM

from forecasting.pipeline import THREADS
from forecasting.run import end_with_parent, progress

PROCESSES = 2
WORTH_A_LINE = 0.5  # seconds


@contextmanager
def pool(processes: int = PROCESSES) -> Iterator[Executor]:
    """Give processes that begin anew: libraries count their threads when they are imported. They end with this one."""
    os.environ.update(THREADS)
    made = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))
    try:
        yield made
    except BaseException:
        for process in active_children():  # who stops does not wait for the end of what was begun
            process.terminate()
        raise
    finally:
        made.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    """Have this process end with the one that started it, where the system can."""
    if sys.platform == "linux":
        end_with_parent(parent, SIGTERM)


def say(domain: str, what: str, seconds: float | None = None) -> None:
    """Print a line of progress; a step that was done before, which takes no time, is not worth one."""
    if seconds is None or seconds >= WORTH_A_LINE:
        progress.show(f"{domain:<11}{what:<28}" + (f"{seconds:6.1f} s" if seconds is not None else "  written"))
