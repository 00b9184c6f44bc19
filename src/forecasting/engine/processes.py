"""One pool of processes for a whole run, which models use where it is open without being told."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing import active_children, connection, get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

from forecasting.errors import UserError

Result = TypeVar("Result")

# one thread each, so that a number depends neither on how many processes there are nor on the machine's cores
THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
TURNS = 16  # how often a process comes for more: what takes long in the last turn keeps the others waiting


@dataclass(frozen=True)
class Pool:
    """Processes that work side by side."""

    executor: ProcessPoolExecutor
    processes: int


_OPEN: ContextVar[Pool | None] = ContextVar("pool", default=None)  # of this thread: a server's others start no process


@contextmanager
def pool(processes: int) -> Iterator[None]:
    """Have `mapped` work in so many processes; with one, or inside of another pool, nothing changes.

    They begin at the first work that there is, and anew: libraries count their threads when they are imported. They end with this
    block and with this process, however it ends.

    Raises
    ------
    UserError
        If one of them ends before its work is done.
    """
    if processes == 1 or _OPEN.get() is not None:
        yield
        return
    made = new_processes(processes)
    opened = _OPEN.set(Pool(made, processes))
    try:
        yield
    except BaseException as error:
        stop()
        if isinstance(error, BrokenProcessPool):
            raise UserError(
                "A process that worked beside this one ended before its work was done; most often the machine's memory was "
                "full. Close what else is running and start again; the benchmark works in one process with JOBS=1."
            ) from error
        raise
    finally:
        _OPEN.reset(opened)
        made.shutdown(cancel_futures=True)


def new_processes(processes: int) -> ProcessPoolExecutor:
    """Return an executor whose processes begin anew (libraries count their threads when they are imported) and end with this one."""
    os.environ.update(THREADS)
    return ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin)


def stop() -> None:
    """End the processes that this one began: who stops does not wait for the end of what was begun."""
    for process in active_children():
        process.terminate()


def mapped(function: Callable[..., Result], *items: Sequence[Any]) -> Iterator[Result]:
    """Call a function with the items, as `map` does; give what it returned, in the items' order, as soon as it is there.

    In the processes of the pool that is open, else here. For a process, function, items and results are copied: the function is one
    of a module, and what it changes outside of itself is lost.
    """
    opened, n = _OPEN.get(), min(map(len, items))
    if opened is None or n < 2:
        return map(function, *items)
    return opened.executor.map(function, *items, chunksize=max(1, n // (TURNS * opened.processes)))


def _begin() -> None:
    """Have this process end with the one that began it, which also hears Ctrl-C for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(parent_process().sentinel,), daemon=True).start()


def _end_with(parent: int) -> None:
    """Wait until the parent is gone, then end at once: nobody is there any more to take a result."""
    connection.wait([parent])
    os._exit(1)
