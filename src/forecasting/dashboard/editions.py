"""The editions of the report, which `make report` keeps beside what it publishes, and their address in the dashboard."""

from pathlib import Path

ADDRESS = "/report"


def kept(data: Path) -> Path:
    """Return the folder of a workspace that holds its editions, each in a folder that bears its date."""
    return data / "editions"


def newest(data: Path) -> str:
    """Return the date of the newest edition, '2025-06-30'; «» where none is kept."""
    return max((page.parent.name for page in kept(data).glob("????-??-??/index.html")), default="")


def address(edition: str) -> str:
    """Return where the first page of an edition is."""
    return f"{ADDRESS}/{edition}/index.html"
