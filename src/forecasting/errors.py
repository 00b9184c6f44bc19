"""The one exception that means «the user can mend this»: its text is shown without a traceback."""

import re

# How the operating system, DuckDB and SQLite say that something could not be written
STORAGE = re.compile(
    r"[^\n]*(?:no space left on device|disk quota exceeded|file too large|read-only file system|permission denied|"
    r"database or disk is full|readonly database|unable to open database file)[^\n]*",
    re.IGNORECASE,
)


class UserError(Exception):
    """Something the user can mend. The message names what was expected, what was found, where, and what to do."""


def storage_message(text: str) -> str | None:
    """Return a sentence for an error that means that something could not be written, None where `text` is another error."""
    found = STORAGE.search(text)
    if not found:
        return None
    return (
        f"Something could not be written, or read: {found[0].strip()[:500]}. Make room on the disk, or give this user the right to "
        "write to data/ and runs/, and run the same command again. What was published before is as it was."
    )
