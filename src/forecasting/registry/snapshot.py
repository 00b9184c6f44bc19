"""A copy of MLflow's store as it was at one moment, whoever writes to it meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path

from forecasting.errors import UserError

STORE = "mlflow.db"


def copy_store(tracking_dir: Path, target: Path) -> None:
    """Copy the SQLite file of a store by SQLite's own online backup.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    source = f"file:{(tracking_dir / STORE).resolve().as_posix().replace('?', '%3f').replace('#', '%23')}?mode=ro"
    with closing(sqlite3.connect(source, uri=True, timeout=600)) as store, closing(sqlite3.connect(target)) as copy:
        try:
            store.backup(copy)
            found = copy.execute("pragma quick_check").fetchone()[0]
        except sqlite3.OperationalError:  # the disk is full, say
            raise
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found != "ok":
            raise UserError(f"{tracking_dir / STORE} is damaged ({found}). Take it from an older backup.")
