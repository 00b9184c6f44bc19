"""`make restore`: a workspace out of a backup, whole or not at all, and never over one that is there."""

import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecasting import registry
from forecasting.audit.archive import DATA, SETTINGS, About, checked, unpack
from forecasting.audit.backing_up import facts_outside
from forecasting.audit.leftovers import remove_leftovers, scratch_name
from forecasting.errors import UserError
from forecasting.files import write_if_changed
from forecasting.run import require_name
from forecasting.wording import count, number

SCRATCH = ".restoring-"  # in data/: the folder of a restore that has not ended, .restoring-<process>-<letters>


def restore(root: Path, file: str, name: str = "") -> str:
    """Restore a workspace of the project at `root` and return what was restored, as a text for a person.

    The archive is read to its end, and every file compared with what it must be, before anything is written. Then the workspace is
    built beside the others and put in its place in one step.

    Raises
    ------
    UserError
        If the archive is not what make backup wrote, there is a workspace of that name, or its settings are there and others.
    """
    if not file:
        raise UserError(
            "make restore needs FILE=…, a backup, and may be given NAME=…, the workspace: make restore FILE=acme.tar.gz."
        )
    path = Path(file).expanduser().absolute()
    about = checked(path)
    name = name or about.workspace
    require_name(name)
    target = root / "data" / name
    require_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target.parent, SCRATCH)
    require_room(target.parent, path, about)
    with tempfile.TemporaryDirectory(prefix=scratch_name(SCRATCH), dir=target.parent) as scratch:
        made, settings = Path(scratch) / "workspace", Path(scratch) / "settings"
        made.mkdir()
        unpack(path, about, lambda each: settings / each if each in SETTINGS else made / each.removeprefix(DATA))
        complete(made, about, name, target)
        with one_by_one(target.parent):
            require_free(target)
            given = give_settings(root, settings, name)
            try:
                put_in_place(made, target)
            except BaseException:
                for place in given:
                    place.unlink()
                raise
    return said(root, about, name)


@contextmanager
def one_by_one(folder: Path) -> Iterator[None]:
    """Let restores into a folder end one after the other: one that is refused takes only its own settings back."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def require_free(target: Path) -> None:
    """Raise a UserError if there is a workspace already."""
    if target.is_symlink() or target.exists():
        raise is_there(target)


def is_there(target: Path) -> UserError:
    """Return the refusal to write over a workspace."""
    return UserError(
        f"There is a workspace «{target.name}» (data/{target.name}) already, and a restore never writes over one. Give another NAME, or "
        "move that folder away first."
    )


def require_room(folder: Path, path: Path, about: About) -> None:
    """Raise a UserError if the files of a backup do not fit on the disk."""
    free = shutil.disk_usage(folder).free
    if about.size > free:
        needs, there = number(about.size / 1e6, 0), number(free / 1e6, 0)
        raise UserError(
            f"{path.name} needs {needs} MB in {folder}, where {there} MB are free. Nothing was restored; make room first."
        )


def complete(made: Path, about: About, name: str, target: Path) -> None:
    """Add to the files of a workspace its links, and have what names its place or its name name the new ones."""
    for link, to in about.links.items():
        (made / link).parent.mkdir(parents=True, exist_ok=True)
        (made / link).symlink_to(to)
    before, facts = f"data/{about.workspace}/", about.facts
    if facts is not None and facts.startswith(before):
        memory = {"source": about.source, "facts": f"data/{name}/{facts.removeprefix(before)}"}
        write_if_changed(made / "workspace.json", json.dumps(memory, indent=2, sort_keys=True) + "\n")
    if (made / registry.STORE).exists():
        registry.point_store(made, target)


def put_in_place(made: Path, target: Path) -> None:
    """Give a finished folder the name of the workspace, in one step, unless another command has made a workspace of that name."""
    try:
        made.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise is_there(target) from error


def give_settings(root: Path, settings: Path, name: str) -> list[Path]:
    """Put the workspace's settings where they belong and return those that were not there; what is there must say the same.

    Raises
    ------
    UserError
        If it does not: forecasts would be made with other settings than those that were backed up.
    """
    given: list[Path] = []
    for each in SETTINGS:
        source, place = settings / each, root / SETTINGS[each].format(name)
        if not source.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, place)  # never over one that is there
            given.append(place)
        except FileExistsError:
            if place.read_bytes() != source.read_bytes():
                for other in given:
                    other.unlink()
                shown = place.relative_to(root)
                raise UserError(
                    f"{shown} is there and says something else than the backup's. Move it away, or give another NAME."
                ) from None
    return given


def said(root: Path, about: About, name: str) -> str:
    """Say what was restored and what comes next."""
    size = number(about.size / 1e6, 1)
    lines = [
        f"data/{name}: {count(len(about.files), 'file', 'files')}, {size} MB, as «{about.workspace}» was on {about.made_at}."
    ]
    if facts_outside(about) and not (root / about.facts).exists():
        lines.append(
            f"Its facts are not there, in {about.facts}: change «facts» in data/{name}/workspace.json to where they are."
        )
    lines.append(f"Next: make report NAME={name}, which builds runs/{name} again.")
    return "\n".join(lines)
