"""A workspace is locked by a whole run: however its first process ends, the next run begins when the last process of it is gone."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import write_notebook
from forecasting.errors import UserError
from forecasting.run import lock
from test_warm import ASK, HOLD, children
from waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell who holds a lock")

NAP = "import sys, time\nprint('napping', flush=True)\ntime.sleep(600)"
STUBBORN = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{NAP}"


@pytest.fixture
def begin(tmp_path):
    """Begin runs of the workspace at `tmp_path`, each leading a process group of its own; they are ended afterwards."""
    begun = []
    (tmp_path / "data" / "sample").mkdir(parents=True)
    (tmp_path / "data" / "sample" / "kept").touch()  # else the folder goes with the run

    def run(*command: str) -> subprocess.Popen:
        line = [sys.executable, "-c", HOLD, str(tmp_path), *command]
        begun.append(subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                      env={**os.environ, "TMPDIR": str(temporary(tmp_path))}))  # fmt: skip
        begun[-1].stdout.readline()
        return begun[-1]

    yield run
    for process in begun:
        for pid in [process.pid, *left_of(tmp_path)]:
            kill(int(pid))
        process.communicate()
    shutil.rmtree(temporary(tmp_path))


def temporary(folder: Path) -> Path:
    """A folder for private folders; short, as sockets want it."""
    place = Path(tempfile.gettempdir()) / f"t{folder.parent.name[-3:]}{folder.name[-6:]}"
    place.mkdir(exist_ok=True)
    return place


def kill(process: int) -> None:
    if os.path.exists(f"/proc/{process}"):
        os.kill(process, signal.SIGKILL)


def is_running(process: int) -> bool:
    """Say whether a process runs; one that ended may wait for init to look at it."""
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def left_of(folder: Path) -> list[str]:
    """The processes that hold the workspace."""
    with (folder / "data" / "sample" / ".lock").open() as handle:
        return lock.holders(handle)


def is_free(folder: Path) -> bool:
    with (folder / "data" / "sample" / ".lock").open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def napping_kernel(tmp_path, begin):
    """A run in the middle of a notebook: itself, its fork and the fork's kernel."""
    return nap_in_kernel(tmp_path, begin)


def nap_in_kernel(tmp_path: Path, begin, *before: str) -> tuple[subprocess.Popen, int, int]:
    """Begin a run whose notebook sleeps; `before` is what stands before the command that asks for it."""
    ready = tmp_path / "ready"
    code = f"import pathlib, time\npathlib.Path({str(ready)!r}).touch()\ntime.sleep(600)"
    source = write_notebook(tmp_path / "n.ipynb", "a = 1", code)
    first = begin(*before, sys.executable, "-c", ASK, "execute", str(source), str(tmp_path / "run" / "n.ipynb"))
    until(ready.exists, first)
    fork = int(first.stdout.readline().split()[0])
    (kernel,) = children(fork)
    assert {str(first.pid), str(fork), kernel} <= set(left_of(tmp_path))
    return first, fork, int(kernel)


@pytest.mark.parametrize("how", ["kill -9 of the first process", "kill -9 of the group", "kill -9 of the fork"])
def test_after_a_kill_nothing_goes_on_and_the_next_run_takes_over(tmp_path, begin, napping_kernel, how):
    first, fork, kernel = napping_kernel
    {"kill -9 of the first process": lambda: os.kill(first.pid, signal.SIGKILL),
     "kill -9 of the group": lambda: os.killpg(first.pid, signal.SIGKILL),
     "kill -9 of the fork": lambda: os.kill(fork, signal.SIGKILL)}[how]()  # fmt: skip
    first.communicate(timeout=60)
    second = begin(sys.executable, "-c", "print('second', flush=True)")  # begins although some may take a moment to end
    said, errors = second.communicate(timeout=60)
    assert (second.returncode, said) == (0, "second\n"), errors
    assert not is_running(kernel) and not is_running(fork)
    assert list(temporary(tmp_path).iterdir()) == []


@pytest.mark.parametrize("before", [(), ("sh", "-c", '"$@"; exit $?', "sh")], ids=["its own command", "behind a shell"])
def test_sigterm_reaches_all_and_is_no_bug(tmp_path, begin, before):
    first, fork, kernel = nap_in_kernel(tmp_path, begin, *before)
    os.kill(first.pid, signal.SIGTERM)
    _, errors = first.communicate(timeout=60)
    assert first.returncode == 130 and "Traceback" not in errors and "Stopping" in errors, errors
    assert is_free(tmp_path) and not is_running(fork) and not is_running(kernel)
    assert list(temporary(tmp_path).iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["n.failed.ipynb"]


def test_what_was_begun_without_a_fork_keeps_the_workspace_until_it_ends(tmp_path, begin, monkeypatch):
    """Programs below Make, as dbt is one; here one that also ignores SIGTERM."""
    (tmp_path / "nap.py").write_text(STUBBORN)
    (tmp_path / "makefile").write_text(f"all:\n\t@{sys.executable} {tmp_path}/nap.py\n")
    first = begin("make", f"--file={tmp_path}/makefile")
    assert first.stdout.readline() == "napping\n"
    left = sorted(set(left_of(tmp_path)) - {str(first.pid)}, key=int)
    assert len(left) >= 2
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    monkeypatch.setattr(lock, "PATIENCE", 0.3)
    place = tmp_path / "data" / "sample"
    words = rf"«sample» was stopped, .* still at work \(processes {', '.join(left)}\)"
    with pytest.raises(UserError, match=words), lock.only_run(place):
        pass
    for pid in left:
        kill(int(pid))
    monkeypatch.setattr(lock, "PATIENCE", 60)
    with lock.only_run(place):
        assert left_of(tmp_path) == [str(os.getpid())]


def test_a_live_runs_private_folder_is_left_alone_and_so_is_everything_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "fc-1-live").mkdir()  # of a process that is alive
    (tmp_path / "fc-notes-mine").mkdir()
    (tmp_path / "fc-999999999-file").touch()
    (tmp_path / "fc-999999999-link").symlink_to(tmp_path / "fc-1-live")
    (tmp_path / "fc-999999999-dead").mkdir()
    (tmp_path / "fc-999999999-dead" / "steps").touch()
    (tmp_path / "fc-999999998-held").mkdir()
    descriptor = os.open(tmp_path / "fc-999999998-held", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # by a child of a process that has ended
    with lock.private_folder() as (folder, _):
        assert folder.parent == tmp_path and folder.is_dir()
        names = {path.name for path in tmp_path.iterdir()} - {folder.name}
    os.close(descriptor)
    assert names == {"fc-1-live", "fc-notes-mine", "fc-999999999-file", "fc-999999999-link", "fc-999999998-held"}
    assert not folder.exists()


def test_a_process_that_ended_and_was_not_asked_how_keeps_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    until(lambda: not is_running(ended.pid))  # nobody has waited for it yet
    left = tmp_path / f"fc-{ended.pid}-left"
    left.mkdir()
    with lock.private_folder():
        assert not left.exists()
    ended.wait()


def test_a_run_that_wrote_nothing_gives_way_to_one_that_waits(tmp_path):
    """Whoever opened the lock of a folder that is then removed locks the new one."""
    place = tmp_path / "data" / "acme"
    with lock.only_run(place):
        waiting = (place / ".lock").open("a+")
    assert not place.exists()
    lock.take(waiting, "acme")  # the old file, which nobody finds any more
    with lock.only_run(place):
        assert (place / ".lock").read_text() == str(os.getpid())
    waiting.close()
