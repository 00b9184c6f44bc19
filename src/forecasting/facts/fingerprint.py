"""Tells when facts have changed: a hash of their files' content, of which only files that look changed are read again."""

import hashlib
import json
from pathlib import Path
from typing import Any


def fingerprint_of(files: dict[str, Path], cache: Path) -> str:
    """Return a hash of files: their names and content.

    `cache` is a JSON file that remembers each file's hash with its size and time, so that only changed files are read.
    """
    known = json.loads(cache.read_text(encoding="utf-8")) if cache.exists() else {}
    hashes = {name: remembered_hash(path, known.get(name, {})) for name, path in files.items()}
    text = json.dumps(hashes, indent=2, sort_keys=True) + "\n"
    if not cache.exists() or cache.read_text(encoding="utf-8") != text:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(text, encoding="utf-8")
    content = {name: entry["sha256"] for name, entry in hashes.items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def remembered_hash(path: Path, before: dict[str, Any]) -> dict[str, Any]:
    """Return a file's size, time and SHA-256; it is read only if it is not as remembered."""
    stat = path.stat()
    seen = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    if all(before.get(key) == value for key, value in seen.items()):
        return before
    with path.open("rb") as file:
        return {**seen, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
