"""Files written in one step and only where their content changes, fingerprints of content."""

import filecmp
import hashlib
import json
from pathlib import Path
from typing import Any


def digest(*parts: Any) -> str:
    """Return the SHA-256 of JSON-able parts, as 64 hex digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write a file only if its content differs, so that its time tells when it last changed; say whether it did."""
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".running")
    scratch.write_bytes(data)
    scratch.replace(path)
    return True


def replace_if_changed(scratch: Path, path: Path) -> bool:
    """Put a file that was written beside another in its place only if its content differs; say whether it did."""
    if path.exists() and filecmp.cmp(scratch, path, shallow=False):
        scratch.unlink()
        return False
    scratch.replace(path)
    return True


def folder_hash(folder: Path, patterns: tuple[str, ...]) -> str:
    """Return one hash over the names and contents of the files below `folder` that match, in order of their names."""
    files = sorted({path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()})
    return digest(
        [(path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
    )
