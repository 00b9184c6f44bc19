"""Models of an earlier run, taken out of the store again to forecast from a newer history, with what they said at past cutoffs."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from forecasting.errors import UserError
from forecasting.registry.store import ARTIFACTS, store_reader
from forecasting.registry.tracking import SAID
from forecasting.registry.versions import stored


class TrainedModel(NamedTuple):
    """A logged model: its folder, the table of its walk-forward (RAW_BACKTEST_COLUMNS), and how it is noted in a run folder."""

    folder: Path
    said: Path
    note: dict[str, str]

    def copy_to(self, target: Path) -> None:
        """Copy the model's folder; what was there before gives way."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder, target)


def can_be_kept(tracking_dir: Path, models: Mapping[str, str]) -> bool:
    """Say whether the store holds all that is needed of these models (the MLflow run by name); never where there are none."""
    try:
        return bool(models) and all(trained_model(tracking_dir, run, name) for name, run in models.items())
    except UserError:
        return False


def trained_model(tracking_dir: str | Path, mlflow_run: str, name: str) -> TrainedModel:
    """Return a model by the MLflow run that logged it.

    Raises
    ------
    UserError
        If the store does not hold the model, or not what it said at past cutoffs.
    """
    from mlflow.exceptions import MlflowException

    folder = Path(tracking_dir)
    client = store_reader(folder)
    try:
        run = client.get_run(mlflow_run)
        uri = run.data.tags["model_uri"]
        model = stored(folder, client.get_logged_model(uri.removeprefix("models:/")).artifact_location, name)
    except (MlflowException, KeyError):
        raise UserError(missing(mlflow_run, name)) from None
    said = beside_the_store(folder, run) / SAID.format(name)
    if not (model.exists() and said.exists()):
        raise UserError(missing(mlflow_run, name))
    return TrainedModel(model, said, {"mlflow_run_id": mlflow_run, "model_uri": uri})


def beside_the_store(folder: Path, run: Any) -> Path:
    """Return where the artifacts of an MLflow run are, also where the store was moved since."""
    return folder / ARTIFACTS / run.info.artifact_uri.rpartition(f"/{ARTIFACTS}/")[2]


def missing(mlflow_run: str, name: str) -> str:
    """Say that a model cannot be taken out of the store."""
    return f"MLflow does not hold {name} of its run {mlflow_run} any more: have the models learn anew, with RETRAIN=1."
