"""A copy of a published file that this process alone has open: whoever opens the file itself, in whatever way, keeps no reader out.

DuckDB locks the file that it opens, and Python's `duckdb.connect(path)` opens for writing: a person who does that would stop pages, API
and dashboard. A copy is another file. It is made once for each publication and unlinked as soon as it is open, so that nothing is left
behind however the process ends. What somebody wrote into the published file without a checkpoint (its .wal) is none of it.
"""

import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import duckdb

from forecasting.errors import UserError

TRIES = 5  # to copy a file that is being written meanwhile
KEPT = 2  # copies: a process seldom reads more than one file


class Copy(NamedTuple):
    """An open copy, the names of what is in it, and the state of the file that it was made of."""

    state: tuple
    connection: duckdb.DuckDBPyConnection
    tables: frozenset[str]


LOCK = threading.Lock()
COPIES: dict[Path, Copy] = {}


def state_of(path: Path) -> tuple:
    """Return what changes when a file is replaced or written; a FileNotFoundError where there is none."""
    return _state(os.stat(path))


def cursor(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection of its own to the copy of what a file holds now; see `opened`."""
    return opened(path).connection.cursor()


def opened(path: Path) -> Copy:
    """Return the copy of what a file holds now; any number of threads may ask for it, each takes a cursor of its connection.

    Raises
    ------
    UserError
        If the file is no database, or there is no room for a copy.
    """
    with LOCK:
        known = COPIES.get(path)
        if known is None or known.state != state_of(path):
            COPIES.pop(path, None)
            for other in list(COPIES)[: max(0, len(COPIES) - KEPT + 1)]:
                del COPIES[other]
            known = COPIES[path] = _opened(path)
        return known


def forget(path: Path) -> None:
    """Let go of the copy of a file, so that the next who asks gets a new one.

    It closes with the last connection to it: `close` would cut off those who are asking it.
    """
    with LOCK:
        COPIES.pop(path, None)


def _opened(path: Path) -> Copy:
    """Copy a file to a private folder, open the copy and unlink it."""
    try:
        with tempfile.TemporaryDirectory(prefix="fc-published-") as folder:
            copy = Path(folder) / path.name
            state = _copied(path, copy)
            connection = duckdb.connect(str(copy), read_only=True)
            tables = connection.execute("select table_name from information_schema.tables").fetchall()
            return Copy(state, connection, frozenset(name for (name,) in tables))
    except OSError as error:
        if not path.exists():
            raise
        raise UserError(
            f"{path} is read from a copy, which cannot be made ({error}). Make room in the folder of temporary files, or name another one "
            "in the environment variable TMPDIR."
        ) from error
    except duckdb.Error as error:
        text = str(error).replace(str(copy), str(path))
        raise UserError(f"{path} cannot be opened as a DuckDB database: {text}") from error


def _copied(path: Path, copy: Path) -> tuple:
    """Copy a file as it was at one moment, and return its state then."""
    for _ in range(TRIES):
        with path.open("rb") as source, copy.open("wb") as target:
            before = _state(os.fstat(source.fileno()))
            shutil.copyfileobj(source, target, 1 << 20)
            if _state(os.fstat(source.fileno())) == before:
                break
    return before


def _state(status: os.stat_result) -> tuple:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _before_fork() -> None:
    """Close everything: DuckDB's threads would not be there in the child."""
    LOCK.acquire()
    COPIES.clear()


os.register_at_fork(before=_before_fork, after_in_parent=LOCK.release, after_in_child=LOCK.release)
