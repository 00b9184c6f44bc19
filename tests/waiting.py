"""How tests wait: for what has to happen, never for a time that should do. A busy machine takes minutes for a second's work."""

import random
import socket
import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 600.0  # seconds after which what a test waits for has failed
Found = TypeVar("Found")


def until(
    condition: Callable[[], Found],
    process: subprocess.Popen | None = None,
    every: float = 0.05,
    patience: float = PATIENCE,
) -> Found:
    """Return what the condition gives as soon as that is true; fail where the process that should bring it about has ended."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert process is None or process.poll() is None, f"the process ended with {process.returncode}"
        assert time.monotonic() < end, "waited too long"
        time.sleep(every)
    return found


def free_port() -> int:
    """Return a free port, of those that no system gives to whoever asks for any: it is still free when a server starts."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        if not answers(port):
            return port


def answers(port: int) -> bool:
    """Say whether something on this machine takes connections at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
