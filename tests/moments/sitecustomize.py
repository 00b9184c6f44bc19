"""Loaded by every Python of a run that tests/endurance.py watches: notes what the run is about to do, and stops at one moment.

A moment is the text of a note: a file that is about to be written or moved, a program that is about to start, a statement that the
database is about to be given, a change of the registry. Whoever reaches the one that is waited for says so with a file and waits
until it is killed or the file is gone. The product knows nothing of this.
"""

import importlib.abc
import importlib.machinery
import os
import re
import sys
import time
from contextlib import contextmanager, suppress
from functools import wraps

ROOT, LOG, AT, REACHED = (os.environ.get(f"ENDURANCE_{name}", "") for name in ("ROOT", "LOG", "AT", "REACHED"))
RANDOM = re.compile(r"\b(m-)?[0-9a-f]{32}\b|\b\d+\b(?=\.json)|tmp\w+|k\w{8}\b")  # names that differ from run to run
STATE = {"busy": False}


def moment(text: str) -> None:
    """Note what comes next; stop there if it is what is waited for."""
    if STATE["busy"]:
        return
    STATE["busy"] = True
    try:
        text = RANDOM.sub("*", text)
        if LOG:
            with open(LOG, "a", encoding="utf-8") as log:
                log.write(text + "\n")
        if text == AT:
            with suppress(FileExistsError), open(REACHED, "x", encoding="utf-8"):
                while os.path.exists(REACHED):
                    time.sleep(0.05)
    finally:
        STATE["busy"] = False


def inside(path: object) -> str:
    """Return a path below data/ or runs/ of the watched project, relative to it; «» for any other."""
    if not isinstance(path, str | bytes | os.PathLike):
        return ""
    found = os.path.relpath(os.path.abspath(os.fsdecode(path)), ROOT)
    return found if found.startswith(("data/", "runs/")) else ""


def watch(event: str, arguments: tuple) -> None:
    """Note what Python itself reports: see its audit events."""
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        if (path := inside(arguments[0])) and not path.endswith(".lock"):
            moment(f"write {path}")
    elif event == "os.rename" and (path := inside(arguments[1])):
        moment(f"move to {path}")
    elif event == "subprocess.Popen":
        moment(f"start {os.path.basename(os.fsdecode(arguments[0]))}")


class Statements:
    """A connection to the database that notes each statement before it is given."""

    def __init__(self, connection):
        self.connection = connection

    def execute(self, sql: str, *arguments):
        moment(f"sql {' '.join(sql.split())[:70]}")
        return self.connection.execute(sql, *arguments)

    def __getattr__(self, name: str):
        return getattr(self.connection, name)


def watch_database(module) -> None:
    """Have whoever writes get a connection that notes its statements."""
    connect = module.connect

    @contextmanager
    def watched(path, read_only=True):
        with connect(path, read_only) as connection:
            yield connection if read_only else Statements(connection)

    module.connect = watched


def watch_registry(module) -> None:
    """Note each change of the registry."""
    for name in ("register", "set_aliases", "write_verdict", "mark_runs"):
        if function := vars(module).get(name):
            setattr(module, name, noted(function))


def noted(function):
    """Return a function that notes its call, with the domain it is for."""

    @wraps(function)
    def call(data, domain, *arguments):
        moment(f"registry {function.__name__} {domain}")
        return function(data, domain, *arguments)

    return call


WATCHED = {"forecasting.ledger.database": watch_database, "forecasting.registry.versions": watch_registry}


class Finder(importlib.abc.MetaPathFinder):
    """Changes modules as soon as they are loaded."""

    def find_spec(self, name, path=None, target=None):
        if name not in WATCHED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            WATCHED[name](module)

        spec.loader.exec_module = exec_module
        return spec


if ROOT:
    sys.meta_path.insert(0, Finder())
    sys.addaudithook(watch)
