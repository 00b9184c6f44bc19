"""The lock that lets one run into a workspace at a time. It belongs to the whole run, not to the process that began it.

It hangs on an open file that every process of the run inherits: forks anyway, other programs by `pass_fds=held()`. So it is free when
the last of them has ended, however the first one did. The run's private folder is held in the same way: one that nobody holds is
what a killed run left, and the next run removes it.
"""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from forecasting.errors import UserError

FOLDER = "FORECASTING_RUN"  # the environment variable that tells Make's commands the run's private folder
HELD = "FORECASTING_HELD"  # the environment variable that lists the inherited descriptors, «3 4»
PREFIX = "fc-"  # of private folders: fc-<process>-<letters>
PATIENCE = 10.0  # seconds that a run waits for what is left of one that was stopped
LOOK_EVERY = 0.1


def held() -> tuple[int, ...]:
    """Return the descriptors of the run that this process belongs to, for `pass_fds` of every process that it starts."""
    return tuple(number for number in map(int, os.environ.get(HELD, "").split()) if is_open(number))


def is_open(descriptor: int) -> bool:
    """Say whether a descriptor is open in this process: a shell in between may have closed it."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@contextmanager
def only_run(folder: Path) -> Iterator[IO[str]]:
    """Hold a workspace's data folder for one run; where the run has written nothing, the folder is gone again afterwards.

    Raises
    ------
    UserError
        If another run is going on, or processes of one that was stopped do not end.
    """
    with taken(folder) as handle:
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield handle
        finally:
            handle.truncate(0)
            if os.listdir(folder) == [
                ".lock"
            ]:  # removed while it is held: who waits for it looks whether it is still there
                (folder / ".lock").unlink()
                remove_empty(folder)


def taken(folder: Path) -> IO[str]:
    """Return the locked file of a data folder, open."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = (folder / ".lock").open("a+", encoding="utf-8")
        except FileNotFoundError:  # a run that wrote nothing has just removed the folder
            continue
        try:
            take(handle, folder.name)
            if os.fstat(handle.fileno()).st_nlink:
                return handle
        except BaseException:
            handle.close()
            raise
        handle.close()


def take(handle: IO[str], name: str) -> None:
    """Lock the file of the workspace `name`; where only what is left of a stopped run holds it, wait a while for its end."""
    end, told, unknown = time.monotonic() + PATIENCE, False, 0
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            handle.seek(0)
            first, others = handle.read().strip(), holders(handle)
        unknown += not others  # once may mean that it has ended just now
        if first in others or unknown > 1:
            raise UserError(
                f"Another run of the workspace «{name}» is going on (process {first or 'unknown'}). "
                "Wait until it ends, or stop it, and run the same command again."
            )
        left = f"{'process' if len(others) == 1 else 'processes'} {', '.join(others)}"
        if time.monotonic() > end:
            raise UserError(
                f"A run of the workspace «{name}» was stopped, and what it began is still at work ({left}). "
                "Wait until it ends, or end it, and run the same command again."
            )
        if others and not told:
            print(f"Waiting for what is left of a stopped run ({left}) …", file=sys.stderr, flush=True)
            told = True
        time.sleep(LOOK_EVERY)


def holders(handle: IO[str]) -> list[str]:
    """Return the processes that hold the lock of a file, in order; none where the system (or another container) does not tell."""
    own = os.fstat(handle.fileno())
    processes = Path("/proc").iterdir() if sys.platform == "linux" else ()
    return sorted((process.name for process in processes if process.name.isdecimal() and holds(process, own)), key=int)


def holds(process: Path, own: os.stat_result) -> bool:
    """Say whether a process, a folder of /proc, holds the lock of a file."""
    with suppress(OSError):  # it has ended, or is somebody else's
        for number in os.listdir(process / "fd"):
            with suppress(OSError):  # closed meanwhile
                is_it = os.path.samestat(os.stat(process / "fd" / number), own)
                if is_it and "FLOCK" in (process / "fdinfo" / number).read_text():
                    return True
    return False


@contextmanager
def private_folder() -> Iterator[tuple[Path, int]]:
    """Give a folder for what ends with the run, and the descriptor that keeps it; first remove those that killed runs have left."""
    remove_stale()
    folder = Path(
        tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
    )  # short: the path of a socket has about 100 characters
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder, descriptor
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def scratch_folder() -> Iterator[str]:
    """Give a folder for a step of a run, inside the run's private one if there is a run."""
    run = Path(os.environ.get(FOLDER) or "/nowhere")
    if run.is_dir():
        with tempfile.TemporaryDirectory(prefix="k", dir=run, ignore_cleanup_errors=True) as folder:
            yield folder
    else:
        with private_folder() as (folder, _):
            yield str(folder)


def remove_stale() -> None:
    """Remove the private folders whose first process has ended and that no other process holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        first = folder.name.split("-")[1]
        if not first.isdecimal() or is_alive(int(first)):
            continue
        with suppress(OSError):  # held, somebody else's, or gone already
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_uid == os.getuid():
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def is_alive(process: int) -> bool:
    """Say whether a process is running, whoever's it is; one that has ended may wait a while for somebody to ask how."""
    try:
        os.kill(process, 0)
        return sys.platform != "linux" or "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False


def remove_empty(folder: Path) -> None:
    """Remove the empty folders in and below `folder`, and the one that holds it if nothing else is there."""
    for path in [*sorted(folder.rglob("*/"), reverse=True), folder, folder.parent]:
        with suppress(OSError):  # not empty, or not there
            path.rmdir()
