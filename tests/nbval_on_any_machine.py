"""nbval on a machine of any speed, `pytest -p nbval_on_any_machine`: kernels with sockets of their own, and patience for what they say."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbval.kernel
import nbval.plugin
import pytest
from jupyter_client.manager import KernelManager

from forecasting.pipeline.kernels import PrivateSockets
from waiting import PATIENCE

HERE = Path(__file__).resolve().parent


class PatientKernel(nbval.kernel.RunningKernel):
    """A kernel whose answers are waited for; nbval gives up after ten seconds."""

    def await_reply(self, msg_id: str, timeout: float | None = None) -> dict:
        """Return the answer to a message."""
        return super().await_reply(msg_id, timeout and max(timeout, PATIENCE))


class SocketKernelManager(PrivateSockets, KernelManager):
    """nbval's kernel manager, without TCP ports that kernels side by side may both pick."""


def pytest_configure() -> None:
    """Put the patient kernel in the place of nbval's."""
    nbval.kernel.KernelManager = SocketKernelManager
    nbval.plugin.RunningKernel = PatientKernel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have each cell's output waited for; nbval gives up after five seconds."""
    for item in items:
        item.output_timeout = PATIENCE


def run_nbval(root: Path, *notebooks: Path, **environment: str) -> subprocess.CompletedProcess:
    """Execute notebooks again and compare what they show; the exit code is pytest's."""
    line = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-p", "nbval_on_any_machine",
            f"--nbval-kernel-startup-timeout={PATIENCE}", f"--nbval-cell-timeout={6 * PATIENCE}",
            "--rootdir", str(root), *map(str, notebooks)]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="fc-") as runtime:  # short: the path of a socket has about 100 characters
        paths = [environment.get("PYTHONPATH") or str(HERE.parent / "src"), str(HERE)]
        env = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(paths), "JUPYTER_RUNTIME_DIR": runtime,
               "JUPYTER_PREFER_ENV_PATH": "1", "MPLBACKEND": "agg"}  # fmt: skip
        return subprocess.run(line, cwd=root, env=env, capture_output=True, text=True)
