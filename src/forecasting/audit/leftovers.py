"""What a killed command has left: names of scratch files and folders say which process of which machine made them."""

import os
import shutil
import socket
from pathlib import Path

from forecasting.run import is_alive


def scratch_name(prefix: str) -> str:
    """Return the beginning of a scratch name of this process, such as `.backup-server7-4711-`."""
    return f"{machine(prefix)}{os.getpid()}-"


def machine(prefix: str) -> str:
    """Return the part of a scratch name that says where it was made: a folder may be shared by machines."""
    return f"{prefix}{socket.gethostname().replace('/', '_')}-"


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove the files and folders with this prefix whose process, one of this machine, has ended."""
    for path in folder.iterdir():
        process = path.name.removeprefix(machine(prefix)).split("-")[0]
        if not path.name.startswith(machine(prefix)) or not process.isdecimal() or is_alive(int(process)):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
