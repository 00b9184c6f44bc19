"""A copy of the project in a folder of its own, in which tests run `make` as a user would."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PARTS = ("dbt", "notebooks", "params", "reports", "src", "Makefile", "pyproject.toml", "requirements.lock", "README.md")


@dataclass(frozen=True)
class ProjectCopy:
    """The project at `path`, without .git, data and runs; the environment is the one that runs the tests."""

    path: Path

    @classmethod
    def of(cls, root: Path, path: Path) -> "ProjectCopy":
        """Copy the project at `root` to `path`."""
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "target", "logs", ".ipynb_checkpoints")
        path.mkdir(parents=True)
        for part in PARTS:
            source = root / part
            if source.is_dir():
                shutil.copytree(source, path / part, ignore=ignore)
            else:
                shutil.copy2(source, path / part)
        return cls(path)

    def with_families(self, *names: str) -> "ProjectCopy":
        """Have this copy train these model families only: for tests of what happens around the models."""
        settings = self.path / "params" / "default.yml"
        text, n = re.subn(
            r"(?m)^families: .*$", f"families: [{', '.join(names)}]", settings.read_text(encoding="utf-8")
        )
        assert n == 1
        settings.write_text(text, encoding="utf-8")
        return self

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `make` here."""
        return ["make", *arguments, f"VENV={Path(sys.executable).parents[1]}", "READY="]

    def environment(self) -> dict[str, str]:
        """Return a user's environment: not that of the make which may run the tests, and with a NAME as some systems set it."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "PYTHONPATH"))}
        return {**own, "NAME": "DESKTOP-1"}

    def make(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run `make` and return what it did; output and errors are text."""
        return subprocess.run(
            self.command(*arguments), cwd=self.path, env=self.environment(), capture_output=True, text=True
        )

    def made(self, *arguments: str) -> str:
        """Run `make`, which must succeed, and return what it said on the way."""
        done = self.make(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def checksums(self, *folders: str) -> dict[str, str]:
        """Return the SHA-256 of every file below these folders."""
        files = sorted(path for folder in folders for path in (self.path / folder).rglob("*") if path.is_file())
        return {path.relative_to(self.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def times(self, pattern: str) -> dict[str, int]:
        """Return when each file that matches was last written."""
        return {
            path.relative_to(self.path).as_posix(): path.stat().st_mtime_ns for path in sorted(self.path.glob(pattern))
        }
