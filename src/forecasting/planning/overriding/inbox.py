"""The inbox of a workspace: where the dashboard leaves what a planner says, until a run of the workspace takes it in.

`data/<name>/overrides/inbox/` holds one JSON file per form; who leaves one needs no lock and opens no database, so nothing is lost while a
run is going on. What was taken in is moved to `taken/`, what does not fit any more to `refused/` with the reason beside it.
"""

import datetime as dt
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from forecasting.errors import UserError
from forecasting.planning.overriding.wishes import Misread, Wish, read_wish

FOLDER = Path("overrides")
INBOX, TAKEN, REFUSED = (FOLDER / name for name in ("inbox", "taken", "refused"))


def leave(data: Path, cells: Mapping[str, object]) -> Path:
    """Leave a row in the inbox of a workspace's folder data/<name>, whole or not at all; return the file.

    Raises
    ------
    UserError
        If the folder cannot be written, as where the dashboard has it for reading alone.
    """
    name = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.json"
    target = data / INBOX / name
    scratch = target.with_suffix(".writing")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8") as file:
            json.dump(dict(cells), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(target)
    except OSError as error:
        raise UserError(
            f"The override could not be left in {target.parent} ({error.strerror}). Give this user the right to write there, or hand it in "
            "as a CSV: `make override FILE=changes.csv`."
        ) from None
    return target


def waiting(data: Path) -> list[Path]:
    """Return what waits in the inbox of a workspace's folder, the oldest first."""
    return sorted((data / INBOX).glob("*.json"))


def read(path: Path) -> Wish:
    """Return what a file of the inbox asks for.

    Raises
    ------
    Misread
        If it is damaged, or cannot be understood.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misread(f"the file is damaged ({error})") from None
    if not isinstance(cells, dict):
        raise Misread("the file holds no row")
    return read_wish(place_of(path), cells)


def place_of(path: Path) -> str:
    """Return what the ledger calls the source of a file of the inbox."""
    return f"dashboard, {path.stem}"


def move(path: Path, folder: Path, why: str = "") -> None:
    """Move a file out of the inbox to a folder beside it, with the reason where there is one."""
    target = path.parents[1] / folder.name / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if why:
        target.with_suffix(".txt").write_text(why + "\n", encoding="utf-8")
    path.replace(target)
