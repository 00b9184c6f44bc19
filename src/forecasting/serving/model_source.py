"""Where a served model comes from: the registry's champion, the champion of a run, or a folder."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from forecasting.errors import UserError
from forecasting.intervals import Calibration
from forecasting.ledger import Published, PublishedRun
from forecasting.models import saved_folders
from forecasting.serving.served_model import UNKNOWN, Origin, ServedModel

if TYPE_CHECKING:  # MLflow takes seconds to import
    from forecasting.registry import Registered


class Found(NamedTuple):
    """What is to be loaded: the arguments of `ServedModel.load`."""

    folder: Path
    domain: str
    calibration: Calibration
    allow_negative: bool
    origin: Origin

    def load(self) -> ServedModel:
        """Load it."""
        return ServedModel.load(*self)


class Source(Protocol):
    """Where a forecaster gets its model from; `data` is the workspace's folder, None where there is none."""

    data: Path | None

    def files(self) -> list[Path]:
        """Return the files whose change may mean another model."""

    def find(self) -> Found:
        """Look up what is to be loaded; a UserError where there is nothing."""


class ChampionSource:
    """The model that has the alias `champion` in the workspace's registry."""

    def __init__(self, data: Path, domain: str) -> None:
        self.data, self.domain = data, domain

    def files(self) -> list[Path]:
        """The published database and the registry."""
        return [self.data / "published.duckdb", self.data / "mlflow.db"]

    def find(self) -> Found:
        """See `Source`."""
        from forecasting import registry

        published = Published(self.data / "published.duckdb")
        published.in_force_of(self.domain)  # says so where nothing was published
        version = registry.champion(self.data, self.domain)
        return in_run(published.run(version.run_id), version)


class RunSource:
    """The champion of a published run."""

    def __init__(self, data: Path, run_id: str) -> None:
        self.data, self.run_id = data, run_id

    def files(self) -> list[Path]:
        """None: a run does not change."""
        return []

    def find(self) -> Found:
        """See `Source`."""
        from forecasting import registry

        run = Published(self.data / "published.duckdb").run(self.run_id)
        name = run.manifest.champion.name
        return in_run(run, registry.registered(self.data, run.domain, self.run_id, name))


class FolderSource:
    """A saved model folder."""

    data = None

    def __init__(self, folder: Path, domain: str, calibration: Calibration, allow_negative: bool) -> None:
        self.found = Found(folder, domain, calibration, allow_negative, UNKNOWN)

    def files(self) -> list[Path]:
        """None beside the folder's own."""
        return []

    def find(self) -> Found:
        """See `Source`."""
        return self.found


def in_run(run: PublishedRun, version: "Registered") -> Found:
    """Return what is to be loaded of a registered version and its published run.

    Raises
    ------
    UserError
        If the run was published without what serving needs.
    """
    manifest, name = run.manifest, version.model_name
    if name not in manifest.calibration:
        raise UserError(
            f"The run {run.run_id} was published without the calibration of {name}: run `make report` once more."
        )
    origin = Origin(run.run_id, version.version, manifest.cutoff, run.published_at, manifest.unit or None)
    calibration = Calibration.from_json(manifest.calibration[name])
    return Found(version.folder, run.domain, calibration, manifest.params["allow_negative"], origin)


def times(paths: Sequence[Path]) -> tuple:
    """Return what changes when one of these files is replaced, written or removed."""
    return tuple((str(path), *_time(path)) for path in paths)


def folder_times(folder: Path | None) -> tuple:
    """Return what changes when a file of a saved model does, members of a combination included."""
    if folder is None:
        return ()
    try:
        folders = saved_folders(folder)
    except Exception:  # a damaged file is damaged in any way, and whoever loads it says so
        folders = [folder]
    return times([path for each in folders for path in (each, *sorted(each.glob("*")))])


def _time(path: Path) -> tuple[int, ...]:
    """Return when a file was last written, its size and its number; nothing where it is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino)
