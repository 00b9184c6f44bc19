"""A warehouse that stands still while its files are copied: readers may go on, whoever wants to write must wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecasting.errors import UserError
from forecasting.ledger.database import connect


@contextmanager
def standing_still(warehouse: Path) -> Iterator[None]:
    """Keep writers out of a warehouse for the length of a `with` block; a missing one is fine.

    Raises
    ------
    UserError
        If another process has it open for writing, or wrote to it in spite of all (the system lets go of a lock when the file that is
        locked is closed after copying).
    """
    if not warehouse.exists():
        yield
        return
    with connect(warehouse):
        before = _state(warehouse)
        yield
    if _state(warehouse) != before:
        raise UserError(
            f"{warehouse} was written to while it was copied. Nothing was copied; run the same command again."
        )


def _state(warehouse: Path) -> list[tuple]:
    """Return what changes when the file, or what belongs to it, is written."""
    files = (warehouse, warehouse.with_name(warehouse.name + ".wal"))
    return [
        (status.st_ino, status.st_mtime_ns, status.st_size)
        for status in (file.stat() for file in files if file.exists())
    ]
