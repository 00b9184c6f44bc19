"""Which code this is: the commit, where the project is a git checkout."""

import subprocess
from pathlib import Path

CODE = ("src", "notebooks", "params", "pyproject.toml", "requirements.lock")  # what a figure depends on


def git_commit(root: Path) -> str | None:
    """Return the commit the code is at, or None where there is no git."""
    return (_git(root, "rev-parse", "HEAD") or "").strip() or None


def code_state(root: Path) -> str:
    """Return the commit the code is at, with «+changes» where the code differs from it; «unknown» without git."""
    commit = git_commit(root)
    if commit is None:
        return "unknown"
    return commit + ("+changes" if _git(root, "status", "--porcelain", "--", *CODE) else "")


def _git(root: Path, *words: str) -> str | None:
    """Return what git says, None where the project is no checkout or git is not installed."""
    if not (root / ".git").exists():
        return None
    try:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return None
