"""`make backup`: one file that holds a workspace as it was at one moment, while people read it and MLflow's pages are open."""

import datetime as dt
import hashlib
import os
import re
import tarfile
from pathlib import Path

from forecasting import ledger, registry
from forecasting.audit.archive import DATA, SETTINGS, About, Writer
from forecasting.audit.leftovers import remove_leftovers, scratch_name
from forecasting.errors import UserError
from forecasting.run import Workspace, git_commit, only_run, scratch_folder
from forecasting.wording import count, number

FOLDER = "backups"  # in the project's folder
SCRATCH = ".backup-"
# What a run leaves beside a file while it writes it, and what belongs to no moment. The warehouse's .wal is a part of it.
PASSING = re.compile(
    r"\.lock|\.importing|\.restoring.*|.*\.running(\..*)?|.*\.new|.*\.old|.*\.tmp|mlflow\.db.*|published\.duckdb\.wal"
)


def backup(workspace: Workspace, file: str = "") -> str:
    """Write a backup of a workspace and return what is in it, as a text for a person.

    Nobody runs the workspace meanwhile; who reads what is published, and whoever uses MLflow's store, may go on.

    Raises
    ------
    UserError
        If there is nothing to back up, a run is going on, the file is there already, or a file changes while it is copied.
    """
    if not (workspace.data / "workspace.json").exists():
        raise UserError(
            f"There is nothing to back up in the workspace «{workspace.name}»: data/{workspace.name} is not there yet."
        )
    target = target_of(workspace, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target.parent, SCRATCH)
    scratch = target.with_name(f"{scratch_name(SCRATCH)}{workspace.name}.running")
    with only_run(workspace.data):
        try:
            about = write(workspace, scratch)
            if target.exists():
                raise taken(target)
            os.replace(scratch, target)
        finally:
            scratch.unlink(missing_ok=True)
    return said(workspace, target, about)


def target_of(workspace: Workspace, file: str) -> Path:
    """Return the file that a backup is written to."""
    now = dt.datetime.now(dt.UTC)
    default = workspace.root / FOLDER / f"{workspace.name}-{now:%Y-%m-%dT%H%M%SZ}.tar.gz"
    target = Path(file).expanduser().absolute() if file else default
    if not target.name.endswith((".tar.gz", ".tgz")):
        raise UserError(f"FILE={file!r} must end in .tar.gz, which is what a backup is.")
    if target.exists():
        raise taken(target)
    if target.parent.resolve().is_relative_to(workspace.data.resolve()):
        raise UserError(f"{target} lies in the workspace that it is to hold: give a FILE elsewhere.")
    return target


def taken(target: Path) -> UserError:
    """Return the refusal to write over a file."""
    return UserError(f"{target} is there already, and a backup is never written over: give another FILE.")


def write(workspace: Workspace, scratch: Path) -> About:
    """Write the archive of a workspace that stands still."""
    with scratch.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as tar:
            writer, links = Writer(tar), {}
            with ledger.standing_still(workspace.warehouse), scratch_folder() as folder:
                if (workspace.data / registry.STORE).exists():  # first: what it names has been written
                    registry.copy_store(workspace.data, Path(folder) / registry.STORE)
                    writer.add(Path(folder) / registry.STORE, DATA + registry.STORE)
                for path in contents(workspace.data):
                    name = path.relative_to(workspace.data).as_posix()
                    if path.is_symlink():
                        links[name] = os.readlink(path)
                    else:
                        writer.add(path, DATA + name)
            for name, place in SETTINGS.items():
                if (path := workspace.root / place.format(workspace.name)).exists():
                    writer.add(path, name)
            now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            known = (workspace.name, workspace.source, workspace.facts, git_commit(workspace.root))
            about = About(now, *known, files=writer.files, links=links)
            writer.close(about)
        file.flush()
        os.fsync(file.fileno())
    return about


def contents(folder: Path) -> list[Path]:
    """Return the files and links of a workspace that belong to a backup, in order of their names."""
    found = []
    for path in sorted(folder.iterdir()):
        if PASSING.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            found += contents(path)
        elif path.is_file() or path.is_symlink():
            found.append(path)
    return found


def said(workspace: Workspace, target: Path, about: About) -> str:
    """Say what was backed up and what was not."""
    packed = target.stat().st_size
    with target.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    lines = [
        f"{target}: {count(len(about.files), 'file', 'files')}, {number(about.size / 1e6, 1)} MB, packed {number(packed / 1e6, 1)} MB.",
        f"SHA-256 {sha256}: keep it elsewhere, and nobody can change the backup unseen.",
        f"Not in it: runs/{workspace.name}, which make report builds again"
        + (f", and the facts themselves, in {workspace.facts}." if facts_outside(about) else "."),
        f"Back again, here or in another copy of the project: make restore FILE={target} NAME={workspace.name}",
    ]
    return "\n".join(lines)


def facts_outside(about: About) -> bool:
    """Say whether a workspace's facts are a company's own files outside the workspace, which no backup holds."""
    return about.facts is not None and not about.facts.startswith(f"data/{about.workspace}/")
