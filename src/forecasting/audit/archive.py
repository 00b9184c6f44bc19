"""What a backup looks like: a .tar.gz of plain files, and at its end `backup.json`, which says what each of them must be."""

import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from forecasting.errors import UserError

FORMAT = 1
ABOUT = "backup.json"
DATA = "data/"  # in an archive: what lies in data/<name>/
SETTINGS = {"params/workspace.yml": "params/workspaces/{}.yml", "params/import.yml": "params/imports/{}.yml"}
PIECE = 1 << 20
LARGEST_ABOUT = 1 << 26  # bytes
UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError)


@dataclass(frozen=True)
class About:
    """What `backup.json` says: files by their name in the archive with sha256 and size, links of the workspace by their name in it."""

    made_at: str = ""  # UTC, ISO
    workspace: str = ""
    source: str = ""
    facts: str | None = None  # where the company's facts are, as the workspace remembers it
    git_commit: str | None = None  # of the project that made the backup
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def size(self) -> int:
        """How many bytes the files have."""
        return sum(file["size"] for file in self.files.values())


class Writer:
    """Adds files to an archive and notes what they were."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, path: Path, name: str) -> None:
        """Add a file.

        Raises
        ------
        UserError
            If it changes meanwhile.
        """
        with path.open("rb") as file:
            before, counted = _state(path), Counted(file)
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = before[2], before[1] // 10**9, 0o644
            try:
                self.tar.addfile(info, counted)
                same = counted.size == info.size and _state(path) == before
            except OSError as error:
                if "unexpected end of data" not in str(error):
                    raise
                same = False
        if not same:
            raise UserError(
                f"{path} was written to while it was copied. Nothing has been backed up; run the same command again."
            )
        self.files[name] = {"sha256": counted.sha256.hexdigest(), "size": counted.size}

    def close(self, about: About) -> None:
        """Add `backup.json`, the last file."""
        text = json.dumps(asdict(about), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        info = tarfile.TarInfo(ABOUT)
        info.size, info.mode = len(text), 0o644
        self.tar.addfile(info, io.BytesIO(text))


class Counted:
    """A file that is read, with the size and the SHA-256 of what was read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.size, self.sha256 = file, 0, hashlib.sha256()

    def read(self, n: int = -1) -> bytes:
        """Read up to `n` bytes."""
        piece = self.file.read(n)
        self.size += len(piece)
        self.sha256.update(piece)
        return piece


def _state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def checked(path: Path) -> About:
    """Read a whole archive, write nothing, and return what it says of itself once every file in it is what it says.

    Raises
    ------
    UserError
        If there is no such archive, it is damaged, cut off or no backup, or holds what no backup holds.
    """
    found: dict[str, dict[str, Any]] = {}
    about: About | None = None
    with opened(path) as members:
        for info, file in members:
            if about is not None:
                raise no_backup(path, f"{info.name} follows {ABOUT}")
            if info.name == ABOUT:
                about = read_about(path, info, file)
                continue
            if info.name in found:
                raise no_backup(path, f"{info.name} is there twice")
            require_allowed(path, info.name)
            counted = Counted(file)
            while counted.read(PIECE):
                pass
            found[info.name] = {"sha256": counted.sha256.hexdigest(), "size": counted.size}
    if about is None:
        raise UserError(
            f"{path.name} is cut off: {ABOUT}, its end, is missing. Nothing was restored; take another copy of it."
        )
    wrong = sorted(name for name in {*found, *about.files} if found.get(name) != about.files.get(name))
    if wrong:
        raise UserError(
            f"{path.name} is damaged: {wrong[0]}{f' and {len(wrong) - 1} other files' if wrong[1:] else ''} is not what it was when the "
            "backup was made. Nothing was restored; take another copy of it."
        )
    return about


def unpack(path: Path, about: About, place: Callable[[str], Path]) -> None:
    """Write the files of a checked archive to where `place` says, below folders that nobody else knows yet.

    Raises
    ------
    UserError
        If the archive is another than the one that was checked.
    """
    with opened(path) as members:
        for info, file in members:
            if info.name == ABOUT:
                continue
            if info.name not in about.files:
                raise no_backup(path, f"{info.name} was not there a moment ago")
            target, counted = place(info.name), Counted(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as written:
                while piece := counted.read(PIECE):
                    written.write(piece)
            if counted.sha256.hexdigest() != about.files[info.name]["sha256"]:
                raise no_backup(path, f"{info.name} has changed since a moment ago")


@contextmanager
def opened(path: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """Open an archive and give its files one after another; what is no plain file is refused.

    Raises
    ------
    UserError
        If it is not there, or cannot be read.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}: FILE=… must name a backup that make backup has written.")
    yield _members(path)


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    try:
        with tarfile.open(path, "r|gz") as tar:
            for info in tar:
                if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.issparse():
                    raise no_backup(path, f"{info.name[:80]} is no plain file")
                yield info, Unbroken(path, tar.extractfile(info))
    except UNREADABLE as error:
        raise broken(path, error) from error


class Unbroken:
    """A file of an archive; what is wrong with the archive shows as a UserError."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path, self.file = path, file

    def read(self, n: int = -1) -> bytes:
        """Read up to `n` bytes."""
        try:
            return self.file.read(n)
        except UNREADABLE as error:
            raise broken(self.path, error) from error


def broken(path: Path, error: BaseException) -> UserError:
    """Return the refusal of an archive that cannot be read to its end."""
    return UserError(
        f"{path.name} is damaged, cut off or no backup ({str(error)[:200] or type(error).__name__}). Nothing was restored; "
        "take another copy of it."
    )


def no_backup(path: Path, why: str) -> UserError:
    """Return the refusal of an archive that make backup cannot have written."""
    return UserError(f"{path.name} is no backup that make backup wrote: {why}. Nothing was restored.")


def read_about(path: Path, info: tarfile.TarInfo, file: IO[bytes]) -> About:
    """Read `backup.json`."""
    try:
        if info.size > LARGEST_ABOUT:
            raise ValueError(f"{info.size} bytes")
        said = json.loads(file.read())
        known = {key: said[key] for key in About.__dataclass_fields__}
        about = About(**known)
        sizes = [int(each["size"]) for each in about.files.values()]
        if min(sizes, default=0) < 0 or not all(isinstance(each["sha256"], str) for each in about.files.values()):
            raise ValueError("sizes")
        links = all(isinstance(name, str) and isinstance(to, str) for name, to in about.links.items())
        if not links or not isinstance(about.workspace, str) or not isinstance(about.facts, str | None):
            raise ValueError("links")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise no_backup(path, f"{ABOUT} cannot be read ({error})") from error
    if about.format != FORMAT:
        raise UserError(f"{path.name} is of format {about.format}; this version of the project reads format {FORMAT}.")
    for name, to in about.links.items():
        if not is_inside(name) or not is_inside(to):
            raise no_backup(path, f"the link {name[:80]} leads outside")
    return about


def require_allowed(path: Path, name: str) -> None:
    """Raise a UserError unless a name of an archive is one that make backup gives."""
    if name not in SETTINGS and not (name.startswith(DATA) and is_inside(name.removeprefix(DATA))):
        raise no_backup(path, f"{name[:80]!r} is not the name of a file of a workspace")


def is_inside(name: str) -> bool:
    """Say whether a name of a file stays inside the folder that it is meant for, on every system."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") and not re.search(r"[\\:\x00-\x1f]", part) for part in parts)
