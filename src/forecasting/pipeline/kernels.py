"""How notebooks get their kernels: over sockets in a private folder instead of TCP ports that side-by-side runs may both pick."""

import os
import uuid
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from jupyter_core.paths import jupyter_runtime_dir

from forecasting.pipeline import warming
from forecasting.run import held, progress


class WarmProvisioner(LocalProvisioner):
    """Hands out the kernel that was forked ahead."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Have the waiting kernel begin, in place of a new process; it leads a process group of its own."""
        self.process = warming.AHEAD.pop()
        self.process.start(cmd[cmd.index("-f") + 1], kwargs.get("cwd") or os.getcwd(), kwargs["env"])
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs.get("cwd")
        return self.connection_info


class PrivateSockets:
    """What makes a kernel manager talk over IPC; ports chosen at random sometimes collide («Address already in use»).

    The sockets get their names from the connection file. Without one they would be «kernel-ipc-1» … in the working directory, and two
    notebooks that run there side by side would share them.
    """

    def __init__(self, **kwargs):
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(transport="ipc", connection_file=str(folder / f"{uuid.uuid4().hex[:8]}.json"), **kwargs)


class PrivateKernelManager(PrivateSockets, AsyncKernelManager):
    """The kernel manager of papermill's kernels."""

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        """Choose who starts the kernel: a fork that waits, if there is one, else a new process, which holds the run's locks too."""
        if warming.AHEAD and self.provisioner is None:
            self.kernel_id = self.kernel_id or str(uuid.uuid4())
            self.provisioner = WarmProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        command, rest = await super()._async_pre_start_kernel(**kwargs)
        return command, {**rest, "pass_fds": (*held(), *progress.inherited())}
