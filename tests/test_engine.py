"""Work side by side: the same results in the same order, one pool a run, and no process that outlives whoever began it."""

import math
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import engine
from forecasting.errors import UserError

WORKS_FOR_EVER = """
import os, signal, sys, time
from forecasting import engine

def begin(folder):
    open(os.path.join(folder, str(os.getpid())), "w").close()
    time.sleep(600)

if __name__ == "__main__":
    try:
        with engine.pool(2):
            list(engine.mapped(begin, [sys.argv[1]] * 2))
    except KeyboardInterrupt:
        sys.exit(130)
"""
STARTS_WITHIN = 60  # seconds, on a machine that is busy


@pytest.fixture(scope="class")
def two() -> Iterator[None]:
    """Two processes, the same for all tests of a class."""
    with pytest.MonkeyPatch.context() as patch, engine.pool(2):
        patch.setitem(sys.modules, "__main__", type(sys)("__main__"))  # see `can_start_processes`
        yield


def own_process(_: int) -> int:
    """Return the process that does this."""
    return os.getpid()


class TestSideBySide:
    @given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(-9, 9)), max_size=80))
    def test_results_are_those_of_a_loop_in_their_order(self, two, pairs):
        first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        assert list(engine.mapped(operator.mul, first, second)) == [one * other for one, other in pairs]

    def test_one_pool_serves_all_that_is_asked_of_it(self, two):
        seen = set()
        for _ in range(3):
            with engine.pool(5):  # whoever opens one inside of another gets the processes that are there
                seen.update(engine.mapped(own_process, range(40)))
        assert len(seen) <= 2 and os.getpid() not in seen

    def test_other_threads_work_by_themselves(self, two):
        found = []
        server = Thread(target=lambda: found.extend(engine.mapped(own_process, range(9))))
        server.start()
        server.join()
        assert set(found) == {os.getpid()}

    def test_what_a_function_raises_comes_through(self, two):
        with pytest.raises(ValueError, match="math domain"):
            list(engine.mapped(math.sqrt, [4.0, -1.0, 9.0]))


def test_nothing_starts_where_nobody_opened_a_pool():
    assert set(engine.mapped(own_process, range(9))) == {os.getpid()}
    with engine.pool(1):
        assert set(engine.mapped(own_process, range(9))) == {os.getpid()}


def test_a_process_that_ends_too_early_is_said(can_start_processes):
    with pytest.raises(UserError, match="ended before its work was done"), engine.pool(2):
        list(engine.mapped(os._exit, [1, 1]))


@pytest.mark.parametrize("end", ["ctrl_c", "killed"])
def test_no_process_outlives_who_began_it(tmp_path, root, end):
    script, begun = tmp_path / "work.py", tmp_path / "begun"
    script.write_text(WORKS_FOR_EVER, encoding="utf-8")
    begun.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    work = subprocess.Popen(
        [sys.executable, script, begun], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        wait_until(lambda: len(list(begun.iterdir())) == 2)
        workers = [int(path.name) for path in begun.iterdir()]
        if end == "ctrl_c":
            os.killpg(work.pid, signal.SIGINT)  # a terminal tells all of them
            assert work.wait(STARTS_WITHIN) == 130
            assert "Traceback" not in work.stderr.read()
        else:
            work.kill()
        wait_until(lambda: not any(Path(f"/proc/{process}").exists() for process in workers))
    finally:
        if work.poll() is None:
            os.killpg(work.pid, signal.SIGKILL)
        work.wait()
        work.stderr.close()


def wait_until(is_so) -> None:
    """Wait until something is so; fail where it takes too long."""
    last = time.monotonic() + STARTS_WITHIN
    while not is_so():
        assert time.monotonic() < last
        time.sleep(0.02)
