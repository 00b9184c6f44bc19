"""Shards in this process, or in processes side by side."""

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from forecasting.engine.processes import new_processes, stop
from forecasting.engine.unit import Work, run_shard


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Here:
    """Does one shard after the other in this process."""

    slots = 1
    pulled_down: tuple[type[Exception], ...] = ()

    def __init__(self, work: Work) -> None:
        self.work = work

    def submit(self, data: bytes) -> Future:
        """Do a shard."""
        done: Future = Future()
        try:
            done.set_result(run_shard(data, self.work))
        except Exception as error:
            done.set_exception(error)
        return done

    def first(self, begun: Sequence[Future]) -> list[Future]:
        """Return those of what was begun that are done, at least one; waits for it."""
        return list(wait(begun, return_when=FIRST_COMPLETED).done)

    def result(self, begun: Future) -> bytes:
        """Return the output of a shard, or raise what its work raised."""
        return begun.result()

    def close(self, at_once: bool) -> None:
        """Nothing to end."""


class Processes(Here):
    """Does shards in so many processes. When one of them dies, all that was begun is lost, and nobody knows by whose fault."""

    pulled_down = (BrokenProcessPool,)

    def __init__(self, work: Work, processes: int) -> None:
        super().__init__(work)
        self.processes = processes
        self.slots = 2 * processes  # one more waits for each, so that none is idle
        self.executor: ProcessPoolExecutor | None = None

    def submit(self, data: bytes) -> Future:
        """Begin a shard; processes start with the first one, and anew after one of them has died."""
        if self.executor is None:
            self.executor = new_processes(self.processes)
        try:
            return self.executor.submit(run_shard, data, self.work)
        except BrokenProcessPool:
            self._give_up()
            return self.submit(data)

    def close(self, at_once: bool) -> None:
        """End the processes; `at_once` also those that are at work."""
        if self.executor is not None and at_once:
            stop()
        self._give_up()

    def _give_up(self) -> None:
        """Let go of the processes there are."""
        if self.executor is not None:
            self.executor.shutdown(cancel_futures=True)
        self.executor = None
