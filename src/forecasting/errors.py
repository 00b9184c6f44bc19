"""The one exception that means «the user can mend this»: its text is shown without a traceback."""

import re

# How the operating system, DuckDB and SQLite say that something could not be written
STORAGE = re.compile(
    r"[^\n]*(?:no space left on device|disk quota exceeded|file too large|read-only file system|permission denied|"
    r"database or disk is full|readonly database|unable to open database file)[^\n]*",
    re.IGNORECASE,
)

# How DuckDB says that neither memory nor, where it spilled, the disk sufficed
MEMORY = re.compile(r"Out of Memory Error: ([^\n]*)")


class UserError(Exception):
    """Something the user can mend. The message names what was expected, what was found, where, and what to do."""


def storage_message(text: str) -> str | None:
    """Return a sentence for an error that means that disk or memory did not suffice, None where `text` is another error."""
    if full := MEMORY.search(text):
        return memory_message(full[1].strip())
    found = STORAGE.search(text)
    if not found:
        return None
    return (
        f"Something could not be written, or read: {found[0].strip()[:500]}. Make room on the disk, or give this user the right to "
        "write to data/ and runs/, and run the same command again. What was published before is as it was."
    )


def memory_message(said: str) -> str:
    """Return a sentence for what DuckDB says of memory that did not suffice, or of the disk that it spilled to."""
    if "offload" in said:
        remedy = (
            "What does not fit into memory goes to data/<name>/spill, and there is no more room on that disk: make some"
        )
    else:
        remedy = "Set memory_limit in params/ higher, or leave it empty for 80 % of the machine's memory, or close other programs"
    return (
        f"There is not enough memory for these facts: {said[:300].rstrip('.')}. {remedy}, and run the same command again. What was "
        "published before is as it was."
    )
