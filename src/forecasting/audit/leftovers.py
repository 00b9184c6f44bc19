"""What a killed command has left: names of scratch files and folders say which process made them."""

import os
import shutil
from pathlib import Path

from forecasting.run import is_alive


def scratch_name(prefix: str) -> str:
    """Return the beginning of a scratch name of this process, such as `.backup-4711-`."""
    return f"{prefix}{os.getpid()}-"


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove the files and folders with this prefix whose process has ended."""
    for path in folder.glob(f"{prefix}*-*"):
        process = path.name.removeprefix(prefix).split("-")[0]
        if not process.isdecimal() or is_alive(int(process)):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
