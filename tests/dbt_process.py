"""dbt in processes that need not import it first, which takes longer than most of what tests ask of it."""

import multiprocessing
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType
from unittest import mock

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.duckdb"])


def run_dbt(arguments: list[str], cwd: Path, log: Path, **environment: str) -> CompletedProcess:
    """Run dbt to its end in a process of its own; the output, which goes through the file `log`, is stdout and stderr together."""
    process = SERVER.Process(target=_dbt, args=(arguments, cwd, log, environment))
    with mock.patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):  # which the new process would run again
        process.start()
    process.join()
    return CompletedProcess(arguments, process.exitcode, log.read_text(encoding="utf-8"), "")


def _dbt(arguments: list[str], cwd: Path, log: Path, environment: dict[str, str]) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import cli

    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.environ.update(environment)
    os.chdir(cwd)
    try:
        cli(arguments)
    finally:
        DuckDBConnectionManager.close_all_connections()  # a process that was forked ends without it, and leaves a log behind
