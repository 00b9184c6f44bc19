"""A store of one's own for a run that is made again: it knows all that the workspace's store knows, and what it adds stays in it."""

import shutil
from pathlib import Path

from forecasting.registry.kept import trained_model
from forecasting.registry.snapshot import STORE, copy_store
from forecasting.registry.store import ARTIFACTS, point_store, prepare_store


def scratch_store(tracking_dir: Path, target: Path, models: dict[str, str]) -> None:
    """Make a copy of a store in the folder `target`, with the files of these models alone (the MLflow run by name).

    Raises
    ------
    UserError
        If the store does not hold one of the models any more.
    """
    target.mkdir(parents=True)
    if not (tracking_dir / STORE).exists():
        prepare_store(target)
        return
    copy_store(tracking_dir, target / STORE)
    point_store(target, target)
    for name, mlflow_run in models.items():
        kept = trained_model(tracking_dir, mlflow_run, name)
        for folder in (kept.folder.parents[1], kept.said.parent):
            inside = folder.relative_to(tracking_dir / ARTIFACTS)
            shutil.copytree(folder, target / ARTIFACTS / inside, dirs_exist_ok=True)
