"""How notebooks get their kernels: over sockets in a private folder instead of TCP ports that side-by-side runs may both pick."""

import uuid
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir


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
