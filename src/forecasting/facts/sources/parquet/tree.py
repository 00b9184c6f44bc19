"""Finds the Parquet files of one fact table: a file, or a folder with any number of them, partitioned by the names of folders or not."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts.source import require_file
from forecasting.facts.tables import connect, listed, one_file

SUFFIXES = (".parquet", ".parq", ".pq")
LAKES = {"_delta_log": "Delta", ".hoodie": "Hudi"}  # their folders hold files that are no longer valid as well
MARKS = ("_SUCCESS", "_metadata", "_common_metadata")  # what other programs leave in a folder that is one table
LONGEST = 60_000  # signs of a list of files, which dbt is told on a command line


@dataclass(frozen=True)
class Tree:
    """The files of one fact table. files: by their path from FACTS on, in order; keys: what their folders are partitioned by.

    own: they are a user's, who is told files and rows; not those that a source made of something else.
    """

    name: str
    files: dict[str, Path]
    keys: tuple[str, ...]
    root: Path | None = None
    own: bool = True

    def location(self, partitioned: bool) -> str:
        """Return the DuckDB expression that reads all files as one table; `partitioned`: with the folders' keys as columns of text."""
        files = f"[{', '.join(one_file(path) for path in self.files.values())}]"
        if len(files) > LONGEST:
            files = self.pattern()
        keys = "hive_partitioning = true, hive_types_autocast = false" if partitioned else "hive_partitioning = false"
        return f"read_parquet({files}, union_by_name = true, {keys})"

    def pattern(self) -> str:
        """Return the pattern that stands for all files, as a SQL string, where they are too many to be named."""
        pattern = f"{one_file(self.root)[:-1]}/**/*.parquet'"
        with connect() as connection:
            found = {path for (path,) in connection.execute(f"select file from glob({pattern})").fetchall()}
        if found != {str(path) for path in self.files.values()}:
            raise UserError(
                f"{self.name} has {len(self.files):,} files, and hidden ones, links or other endings than .parquet among them. So many "
                "files are read by one pattern of names: move those away."
            )
        return pattern


def is_tree(folder: Path) -> bool:
    """Say whether a folder is one table by itself: another program marked it as one, or partitioned it by the names of folders."""
    inner = [path for path in folder.iterdir() if not path.name.startswith(".")]
    marked = folder.suffix in SUFFIXES or any(path.name in MARKS for path in inner)
    return marked or any(path.is_dir() and "=" in path.name for path in inner)


def tree_of(facts: Path, place: Path) -> Tree:
    """Return the files of the table at a place in (or at) `facts`.

    Raises
    ------
    UserError
        If there are none, or other files among them, or they are partitioned by different keys.
    """
    if place.is_file():
        require_file(place)
        return Tree(place.name, {place.name: place}, ())
    paths, foreign = [], []
    for path in walk(place):
        (paths if path.suffix.lower() in SUFFIXES else foreign).append(path)
    name = place.name
    if foreign:
        more = f" and {len(foreign) - 5:,} more" if foreign[5:] else ""
        shown = listed(str(path.relative_to(facts)) for path in foreign[:5])
        raise UserError(
            f"{name} holds files that are not Parquet: {shown}{more}. Move them away, or hand them in as Parquet."
        )
    if not paths:
        raise UserError(f"{place} has no Parquet files. Put them there, or delete the folder.")
    files = {path.relative_to(facts).as_posix(): path for path in paths}
    keys = {shown: keys_of(path.relative_to(place)) for shown, path in files.items()}
    first = next(iter(keys))
    for shown, own in keys.items():
        if own != keys[first]:
            raise UserError(
                f"{shown} lies in folders of {listed(own)}, {first} in folders of {listed(keys[first])}. "
                "Partition all files of a table by the same keys."
            )
    for path in paths:
        require_file(path)
    return Tree(name, files, keys[first], place)


def keys_of(path: Path) -> tuple[str, ...]:
    """Return the keys in the folders' names of a path, as in year=2024/month=1."""
    return tuple(part.split("=", 1)[0] for part in path.parent.parts if "=" in part)


def walk(root: Path) -> Iterator[Path]:
    """Yield the files below a folder in order of their names, but hidden ones and those that begin with «_», as Spark's _SUCCESS."""
    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True, onerror=cannot_be_read):
        real = os.path.realpath(folder)
        if real in seen:
            raise UserError(f"{folder} leads by a link to a folder that is read already. Remove the link.")
        seen.add(real)
        for name in folders:
            if name in LAKES:
                raise UserError(
                    f"{folder} is a table of {LAKES[name]}, which keeps outdated files beside the valid ones. Export it as plain Parquet."
                )
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (Path(folder, name) for name in sorted(names) if not is_hidden(name))


def is_hidden(name: str) -> bool:
    """Say whether a file or folder is none of the table's: hidden, or one that a program keeps for itself."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def cannot_be_read(error: OSError) -> None:
    """Raise a UserError about a folder that cannot be looked into."""
    raise UserError(f"{error.filename} cannot be read: {error.strerror}. See to its permissions.") from None
