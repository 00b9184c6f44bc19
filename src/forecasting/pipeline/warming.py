"""Kernels that start warm: a fork of a process that has imported what the notebook needs, in place of a new Python.

A kernel is forked before papermill begins, while its process is still quiet (one thread, no event loop), and waits to be told its
connection file. One notebook still has one kernel, with its own folder, variables and end.
"""

import ast
import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from forecasting.engine import THREADS
from forecasting.run import end_with_parent, stamps

# One thread per kernel too: domains side by side do not fight for cores
SETTINGS = {**THREADS, "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
# What libraries import only when they are first used
HIDDEN = {
    "matplotlib": ("matplotlib.backends.backend_agg", "PIL.PngImagePlugin"),
    "mlflow": ("mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_workspace_store", "mlflow.store.model_registry.sqlalchemy_store",
               "mlflow.tracing.processor.otel", "sqlalchemy.dialects.sqlite", "alembic.command", "git"),
    "pandas": ("pyarrow.parquet", "pyarrow.dataset"),
    "torch": ("torch._dynamo",),
}  # fmt: skip

TABLE_COLUMNS = 20  # that pandas shows at most in a notebook

ROOT = Path(__file__).resolve().parents[3]
AHEAD: list["WaitingKernel"] = []  # the kernel that was forked for the notebook which this process executes


def warm_up(notebooks: Iterable[Path]) -> None:
    """Import what papermill and these notebooks need. What cannot be imported fails again in the step, where it is reported."""
    os.environ.update(SETTINGS)
    without_unused_grammar()
    modules = [name for notebook in notebooks for name in needed(notebook)]
    libraries = {name.split(".")[0] for name in modules}
    hidden = [name for library in HIDDEN if library in libraries for name in HIDDEN[library]]
    for name in dict.fromkeys(("papermill", "ipykernel.kernelapp", *modules, *hidden)):
        with contextlib.suppress(Exception):
            importlib.import_module(name)


@cache
def needed(notebook: Path) -> tuple[str, ...]:
    """Return the modules that a notebook's code and ours behind it import anywhere, also inside functions."""
    package = ROOT / "src" / "forecasting"
    ours = stamps.closure(frozenset(stamps.notebook_modules(notebook, package)), package)
    files = [stamps.module_file(name, package) for name in ours]
    trees = [
        ast.parse(text) for text in (stamps.code_cells(notebook), *(file.read_text(encoding="utf-8") for file in files))
    ]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return (*ours, *sorted({name for name in modules if name.split(".")[0] != "forecasting"}))


def without_unused_grammar() -> None:
    """Keep jsonschema from building a grammar of web addresses, a second of each start, for formats that no notebook has."""
    sys.modules.setdefault("rfc3987_syntax", None)


def fork_ahead() -> None:
    """Fork the kernel of the notebook that is executed next."""
    AHEAD.append(WaitingKernel())


class WaitingKernel:
    """A forked kernel, with the part of `subprocess.Popen` that Jupyter asks for."""

    stdin = stdout = stderr = None

    def __init__(self):
        told, self.tell = os.pipe()
        self.returncode: int | None = None
        parent, self.pid = os.getpid(), os.fork()
        if self.pid == 0:
            try:
                os.close(self.tell)
                end_with_parent(parent, signal.SIGKILL)
                become_kernel(told)
            finally:
                os._exit(1)
        os.close(told)

    def start(self, connection_file: str, cwd: str, env: dict[str, str]) -> None:
        """Tell the fork to become the kernel with this connection file, in this folder and environment."""
        message = {"file": connection_file, "cwd": str(cwd), "env": env, "parent": os.getpid()}
        with os.fdopen(self.tell, "w", encoding="utf-8") as pipe:
            json.dump(message, pipe)

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self.ended(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return self.ended(0)

    def ended(self, options: int) -> int | None:
        """Ask the operating system once for the exit code."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def become_kernel(told: int) -> None:
    """Wait for the message of `WaitingKernel.start`, then be the kernel until its end; end at once if there is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that executes the notebook
    with os.fdopen(told, encoding="utf-8") as pipe:
        text = pipe.read()
    if not text:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    message: dict[str, Any] = json.loads(text)
    os.setsid()
    os.chdir(message["cwd"])
    os.environ.clear()
    os.environ.update(message["env"])
    sys.path[:] = [
        path for path in sys.path if path and Path(path) != ROOT
    ]  # `python -m` adds the folder that it was called in
    if (
        "pandas" in sys.modules
    ):  # it asked while it was imported whether it shows tables in a terminal, and there was no kernel yet
        sys.modules["pandas"].set_option("display.max_columns", TABLE_COLUMNS)
    from ipykernel import kernelapp

    sys.argv = ["ipykernel_launcher", "-f", message["file"]]
    kernelapp.launch_new_instance([*sys.argv[1:], f"--IPKernelApp.parent_handle={message['parent']}"])
