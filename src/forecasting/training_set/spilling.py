"""Where DuckDB puts what does not fit into memory while it reads facts."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def spilling(folder: Path) -> Iterator[Path]:
    """Give DuckDB a folder for what does not fit into memory, and remove it afterwards; what a killed run left in it goes first."""
    spill = folder.resolve() / "spill"
    shutil.rmtree(spill, ignore_errors=True)
    try:
        yield spill
    finally:
        shutil.rmtree(spill, ignore_errors=True)
