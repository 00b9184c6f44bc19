"""What a domain's files were looked up for: they are asked for again only where that has changed, because looking takes seconds."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from forecasting.files import write_if_changed
from forecasting.run.workspace import Workspace


@dataclass(frozen=True)
class Memory:
    """The file that says what something was looked up for: a fingerprint of all that the answer follows from."""

    file: Path

    @classmethod
    def of(cls, workspace: Workspace, domain: str, what: str) -> "Memory":
        """Return the memory of what was looked up for a domain."""
        return cls(workspace.runs / "stamps" / f"{domain}-{what}.stamp")

    def holds(self, fingerprint: str, *answers: Path) -> bool:
        """Say whether these files are the answer to this very fingerprint."""
        known = self.file.exists() and self.file.read_text(encoding="utf-8") == fingerprint
        return known and all(answer.exists() for answer in answers)

    def note(self, fingerprint: str) -> None:
        """Note what the answer is for, once it is written."""
        write_if_changed(self.file, fingerprint)

    def forget(self) -> None:
        """Have it looked up again next time."""
        self.file.unlink(missing_ok=True)


def train_digest(workspace: Workspace, domain: str) -> str:
    """Return the SHA-256 of a domain's training set, the file."""
    return hashlib.sha256((workspace.runs / domain / f"train_{domain}.parquet").read_bytes()).hexdigest()
