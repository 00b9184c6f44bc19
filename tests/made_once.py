"""What several test files need, made once a run: by the worker that asks first, while the others wait for it."""

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path

PLACE: Path | None = None  # a folder of this run of the tests, the same for all workers; conftest says which


def made_once(key: str, make: Callable[[Path], object]) -> Path:
    """Return what `make` has written to the path it was given; whoever wants to change it takes a copy."""
    PLACE.mkdir(exist_ok=True)
    place = PLACE / hashlib.sha256(key.encode()).hexdigest()[:20]
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            new = place.with_suffix(".new")
            make(new)
            new.replace(place)
    return place
