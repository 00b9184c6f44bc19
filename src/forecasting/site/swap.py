"""Puts a finished folder in the place of another one, so that readers see the old content or the new, whole."""

import shutil
from pathlib import Path


def swap(new: Path, target: Path) -> None:
    """Put the folder `new` in the place of `target`; if that fails the old one is put back."""
    old = recover(target)
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def recover(target: Path) -> Path:
    """Put the old folder back where the last swap was stopped between its two steps; return where old ones wait."""
    old = target.with_name(target.name + ".old")
    if old.exists() and not target.exists():
        old.rename(target)
    return old
