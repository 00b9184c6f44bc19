"""Saved models on disk. A combination's folder refers to those of its members, which are saved before it, instead of copying them.

`model.json` holds name, family, settings and state; a combination's state lists where its members are, relative to its own folder:
«../auto_ets» beside it, «members/auto_ets» inside. A name alone, as versions before wrote it, is a member inside; a setting that
they wrote and that changed no number (`jobs`, processes side by side, which `engine` knows today) is passed over.
"""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from forecasting.errors import UserError

MODEL_FILE = "model.json"
MEMBERS = "members"
BYGONE = "jobs"


class SavedMember(NamedTuple):
    """A saved model as a combination needs it while only back-tests are combined: named, not loaded."""

    name: str
    family: str
    folder: Path


def saved_member(directory: Path) -> SavedMember:
    """Return a saved model by what it wrote of itself, without the libraries that loading it takes."""
    content = read(directory)
    return SavedMember(content["name"], content["family"], directory)


def saved_settings(directory: Path) -> dict[str, Any]:
    """Return the settings that a saved model was made with."""
    return read(directory)["settings"]


def read(directory: Path) -> dict[str, Any]:
    """Return what `model.json` says.

    Raises
    ------
    UserError
        If the folder holds no saved model.
    """
    path = Path(directory) / MODEL_FILE
    if not path.exists():
        raise UserError(f"{path} is missing: {directory} holds no saved model. Run the training notebook first.")
    content = json.loads(path.read_text(encoding="utf-8"))
    content["settings"].pop(BYGONE, None)
    return content


def write(directory: Path, content: dict[str, Any]) -> None:
    """Write `model.json`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def member_folders(directory: Path) -> dict[str, Path]:
    """Return the folder of each member of a saved combination by its name, in their order; none of another model."""
    places = read(directory)["state"].get(MEMBERS, [])
    return {Path(place).name: directory / (place if "/" in place else f"{MEMBERS}/{place}") for place in places}


def saved_folders(directory: Path) -> list[Path]:
    """Return the folders that a saved model needs: its own and its members'."""
    return [directory, *member_folders(directory).values()]


def gathered(directory: Path, target: Path, places: dict[str, str]) -> None:
    """Copy a saved combination to `target`: it refers to the members of which `places` says where they are; the others are copied in."""
    members = member_folders(directory)
    for name in members.keys() - places.keys():
        shutil.copytree(members[name], target / MEMBERS / name)
    content = read(directory)
    content["state"][MEMBERS] = [places.get(name, f"{MEMBERS}/{name}") for name in members]
    write(target, content)
