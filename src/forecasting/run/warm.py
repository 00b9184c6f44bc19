"""Steps that start warm: what they import is imported once, by one process, and each step is a fork of it.

Libraries take seconds to import (MLflow, pandas, papermill), and a run starts about sixty processes. The process that holds the
workspace waits for Make anyway: so the commands that Make calls send it their arguments, over a socket in a private folder, and
wait for the exit code. Elsewhere than on Linux, where a fork cannot be relied on, each command does its own work.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from forecasting.run.lock import FOLDER

SOCKET = "steps"
LOOK_EVERY = 0.05  # seconds between two looks at whether the command has ended
EXPECTED = "expected"  # the file there that says that steps will follow
GRACE = 30.0  # seconds that a fork has to end after it was told to
PARENT_DEATH = 1  # PR_SET_PDEATHSIG of Linux's prctl
STATE = {"is_fork": False}


class Steps(NamedTuple):
    """What can be asked for: `work` does what a command's arguments say and returns an exit code; `prepare` imports what it needs.

    With no arguments `prepare` imports what most steps need.
    """

    work: Callable[[list[str]], int]
    prepare: Callable[[list[str]], None]


def is_fork() -> bool:
    """Say whether this process is a fork of the one that has everything imported."""
    return STATE["is_fork"]


def ask(arguments: list[str]) -> int | None:
    """Have a command's work done by the process that is warm and return its exit code; None where there is none to ask."""
    address = Path(os.environ.get(FOLDER) or "/nowhere") / SOCKET
    if not address.exists():
        return None
    stopped = False
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(address))
        except ConnectionRefusedError:
            print("The run that this step belongs to was killed. Run the same command again to go on.", file=sys.stderr)
            return 130
        socket.send_fds(connection, [json.dumps(arguments).encode()], [1, 2])
        while True:
            try:
                answer = connection.recv(1)
                return answer[0] if answer else 130 if stopped else 1
            except ConnectionError:  # it was killed
                return 1
            except KeyboardInterrupt:  # whoever does the work got the same signal, and puts things in order
                stopped = True


def expect_steps() -> None:
    """Tell the process that is warm, if there is one, that steps will follow: while this one is busy it imports what they need."""
    if FOLDER in os.environ:
        (Path(os.environ[FOLDER]) / EXPECTED).touch()


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Have this process, a fork, get a signal when `parent` ends, however it does; only Linux can."""
    ctypes.CDLL(None).prctl(PARENT_DEATH, number)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), number)


def has_ended(process: int) -> bool:
    """Say whether a fork has ended; one that was waited for already has."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


class Server:
    """Answers `ask` while `turn` is called, and keeps an eye on the forks that work.

    Each fork holds the run's locks until it ends, is told in its environment what is `known` of the run, and ends with this process.
    """

    def __init__(self, folder: Path, steps: Steps, known: dict[str, str]):
        self.folder, self.steps, self.known = folder, steps, known
        self.running: dict[int, socket.socket] = {}  # the connection to who asked, by the process that works for them
        self.told: dict[int, float] = {}  # when a process was told to end
        self.has_looked_ahead = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / SOCKET))
        self.listener.listen(64)
        self.listener.settimeout(LOOK_EVERY)

    def turn(self) -> None:
        """Wait a moment for somebody to ask; then see who has finished."""
        try:
            connection, _ = self.listener.accept()
        except TimeoutError:
            if not self.has_looked_ahead and (self.folder / EXPECTED).exists():
                self.has_looked_ahead = True
                self.steps.prepare([])
        else:
            self.answer(connection)
        self.look_after()

    def answer(self, connection: socket.socket) -> None:
        """Fork a process that does what is asked."""
        text, streams, _, _ = socket.recv_fds(connection, 1 << 16, 2)
        arguments = json.loads(text)
        self.steps.prepare(arguments)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # until the fork knows what to do then
        parent, process = os.getpid(), os.fork()
        if process == 0:
            self.become(arguments, streams, connection, parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        self.running[process] = connection
        for stream in streams:
            os.close(stream)

    def become(self, arguments: list[str], streams: list[int], connection: socket.socket, parent: int) -> None:
        """Do the work in this fork, on the streams of who asked for it, tell them the exit code, and end."""
        code = 1
        try:
            try:
                signal.signal(
                    signal.SIGTERM, signal.default_int_handler
                )  # to be stopped is to be stopped, as by Ctrl-C
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
                end_with_parent(parent, signal.SIGTERM)
                STATE["is_fork"] = True
                os.environ.update(self.known)
                self.listener.close()
                for target, stream in enumerate(streams, start=1):
                    os.dup2(stream, target)
                code = self.steps.work(arguments)
            except KeyboardInterrupt:
                code = 130
            except BaseException:
                traceback.print_exc()
            finally:
                with contextlib.suppress(OSError):  # who asked may have ended
                    sys.stdout.flush()
                    sys.stderr.flush()
                    connection.sendall(bytes([code]))
        finally:
            os._exit(code)  # whatever happened: this fork must not go on as what it was forked from

    def look_after(self) -> None:
        """Let go of forks that have ended; stop those whose command was killed."""
        for process, connection in list(self.running.items()):
            if has_ended(process):
                connection.close()
                del self.running[process]
            elif select.select([connection], [], [], 0)[0]:  # after its request nobody sends more: this is its end
                self.stop(process)

    def stop(self, process: int) -> None:
        """Tell a fork once to end, and make it end where it does not."""
        if process not in self.told:
            self.told[process] = time.monotonic()
            os.kill(process, signal.SIGTERM)
        elif time.monotonic() > self.told[process] + GRACE:
            os.kill(process, signal.SIGKILL)

    def stop_all(self) -> None:
        """Tell every fork to end."""
        for process in self.running:
            self.stop(process)

    def close(self) -> None:
        """Wait until the last fork has ended. The command has: a fork that still works works for nobody."""
        self.listener.close()
        while self.running:
            self.look_after()
            time.sleep(LOOK_EVERY)
            self.stop_all()
