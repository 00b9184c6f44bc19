"""Opens the warehouse: the only module that does, as the only one that opens what is published is `private_copy`.

dbt and `publish` write `warehouse.duckdb`, and the training sets are exported from it; everybody else reads `published.duckdb`, of which
each process opens a copy of its own (`private_copy`).
Connections are short: a process that has a DuckDB file open for writing keeps every other one out, and a reader keeps the writer out.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from forecasting.errors import UserError

MEMORY = (
    "4GB"  # that DuckDB takes at most; what does not fit, as of the marts of 100,000 series, is spilled beside the file
)
GLOBS = re.compile(r"([*?\[])")
HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


def quoted(path: Path | str) -> str:
    """Return a path as a string of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def parquet(path: Path) -> str:
    """Return the SQL that reads this one Parquet file, whatever is in its name."""
    this_one = GLOBS.sub(r"[\1]", str(path))
    return f"read_parquet({quoted(this_one)})"


def locked_message(path: Path, text: str) -> str | None:
    """Return a sentence that says which process holds the database, or None where `text` is another error."""
    if "lock on file" not in text:
        return None
    found = HOLDER.search(text)
    holder = f"process {found['pid']} ({Path(found['program']).name})" if found else "another process"
    return (
        f"{path.name} is open in {holder}, so nothing can be written. Close that program (or end the process) and "
        f"run the same command again; to look at the data use {path.with_name('published.duckdb').name}, which "
        "never stops a run."
    )


@contextmanager
def connect(path: Path, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file for the length of a `with` block.

    Raises
    ------
    UserError
        If the file is missing, is not a database, or another process holds it.
    """
    if read_only and not path.exists():
        raise UserError(f"{path} is not there yet: `make report` builds it.")
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        message = locked_message(path, str(error))
        raise UserError(message or f"{path} cannot be opened as a DuckDB database: {error}") from error
    try:
        connection.execute(f"set memory_limit = '{MEMORY}'")
        yield connection
    finally:
        connection.close()


def require_writable(path: Path) -> None:
    """Raise a UserError that names the process if another one holds `path`; a missing file is fine."""
    if path.exists():
        with connect(path, read_only=False):
            pass
