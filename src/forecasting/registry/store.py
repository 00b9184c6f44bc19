"""The workspace's MLflow store: made, opened, and pointed to where it lies.

It is a SQLite file beside the warehouse. It is created before steps run side by side, because two processes that create the same store
at once crash in its migrations. MLflow takes seconds to import, so that the functions which need it do.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Before mlflow is imported: nothing leaves this machine, and its progress messages would stand between our lines and, with timings in
# them, in notebooks.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"

# Where MLflow keeps whole paths: column by table
PATHS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
BY_HAND = "by hand"
ARTIFACTS = "mlflow"  # the folder beside the store that holds what is logged
REFUSED = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
)  # what may not be written, and what no journal can be laid beside


def store_uri(tracking_dir: Path) -> str:
    """Return the URI of the SQLite store in a folder; writers wait up to a minute for each other."""
    return f"sqlite:///{tracking_dir.resolve()}/mlflow.db?timeout=600"


def prepare_store(tracking_dir: Path) -> None:
    """Create the store and its experiments, one per domain and one for work by hand, if they are not there."""
    import mlflow

    tracking_dir.mkdir(parents=True, exist_ok=True)
    client = mlflow.MlflowClient(store_uri(tracking_dir), store_uri(tracking_dir))
    for name in [*DOMAINS, *(f"{domain} {BY_HAND}" for domain in DOMAINS)]:
        if client.get_experiment_by_name(name) is None:
            artifacts = (tracking_dir / ARTIFACTS / name.replace(" ", "_")).resolve()
            client.create_experiment(name, artifact_location=artifacts.as_uri())
    follow_move(tracking_dir)


def follow_move(tracking_dir: Path) -> None:
    """Have a store that was copied or moved with its workspace point to what lies beside it now, and say so."""
    if before := point_store(tracking_dir, tracking_dir):
        print(
            f"{'':<11}MLflow's store came from {before}; from now on its paths lead to {tracking_dir.resolve()}.",
            file=sys.stderr,
            flush=True,
        )


def follow_where_written(tracking_dir: Path) -> None:
    """Do what `follow_move` does, for a server that only shows the store: where it may not be written, say so and go on."""
    try:
        follow_move(tracking_dir)
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) not in REFUSED:
            raise
        print(
            f"{'':<11}MLflow's store was made elsewhere and may not be written here: files of its runs are shown only where they were.",
            file=sys.stderr,
            flush=True,
        )


def point_store(tracking_dir: Path, to: Path) -> Path | None:
    """Have the store in a folder point to what lies, or will lie, in the folder `to`; return where it pointed, None if it was there.

    MLflow keeps whole paths: a copy would go on writing into the folder of the company that it was copied from. (It would take relative
    ones for paths below the folder that a process happens to work in.)
    """
    here = (to / ARTIFACTS).resolve()
    with closing(sqlite3.connect(tracking_dir / "mlflow.db", timeout=600)) as store, store:
        made = store.execute("select 1 from sqlite_master where name = 'model_versions'").fetchone()
        query = "select artifact_location from experiments where name = ?"
        found = store.execute(query, [DOMAINS[0]]).fetchone() if made else None
        if found is None:  # a process was killed while it made the store; the next one goes on
            return None
        before = found[0][: found[0].rindex("/")]
        there = Path(unquote(urlsplit(before).path))
        if here == there or (here.exists() and there.exists() and here.samefile(there)):
            return None
        for table, column in PATHS.items():
            change = f"update {table} set {column} = ? || substr({column}, ?) where substr({column}, 1, ?) = ?"
            store.execute(change, [here.as_uri(), len(before) + 1, len(before) + 1, before + "/"])
    return there.parent


def open_store(tracking_dir: str | Path, experiment: str) -> "MlflowClient":
    """Point MLflow at the store in `tracking_dir`, make it if it is not there, and choose the experiment."""
    import mlflow

    folder = Path(tracking_dir)
    if (folder / "mlflow.db").exists():
        follow_move(folder)
    else:
        prepare_store(folder)
    mlflow.set_tracking_uri(store_uri(folder))
    mlflow.set_registry_uri(store_uri(folder))
    mlflow.set_experiment(experiment)
    return mlflow.MlflowClient()


def store_reader(tracking_dir: Path) -> "MlflowClient":
    """Return a client of the store for those who only read it: unlike `open_store`, it changes nothing of MLflow's own state.

    Raises
    ------
    UserError
        If there is no store, which opening one would create.
    """
    import mlflow

    if not (tracking_dir / "mlflow.db").exists():
        raise UserError(f"{tracking_dir / 'mlflow.db'} is not there yet: `make report` builds it.")
    return mlflow.MlflowClient(store_uri(tracking_dir), store_uri(tracking_dir))
