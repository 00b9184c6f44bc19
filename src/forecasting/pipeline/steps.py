"""Which notebooks a domain goes through, in order, and where the notebook of a step or a page is."""

from pathlib import Path
from typing import Any

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.run import PAGES, Workspace

WATCHING = ("10_check_data", "50_monitor")  # what is done before it is decided whether models learn anew
KEEPS = "20_keep_models"


def families(settings: dict[str, Any]) -> list[str]:
    """Return the model families of a run, in the order of `params/`."""
    return list(settings["families"])


def steps(settings: dict[str, Any], kept: bool = False) -> list[str]:
    """Return the names of a domain's notebooks, in order; `kept`: its models go on as they are."""
    train = [KEEPS] if kept else [f"20_train_{family}" for family in families(settings)]
    return [*WATCHING, *train, "25_combine", "30_evaluate", "40_forecast"]


def notebook(workspace: Workspace, step: str) -> Path:
    """Return the notebook of a step.

    Raises
    ------
    UserError
        If there is none, which is how a misspelt model family shows.
    """
    folder = workspace.root / "notebooks"
    known = sorted(found.stem for found in folder.glob("*.ipynb"))
    if step not in known:
        raise UserError(
            f"There is no notebook {step[:80]}.ipynb. Notebooks: {', '.join(known)}. See «families» in params/default.yml."
        )
    return folder / f"{step}.ipynb"


def notebooks_of(workspace: Workspace) -> list[Path]:
    """Return the notebooks of a domain's steps, in order; none where the settings are at fault, which the first command will say."""
    try:
        settings = workspace.settings(DOMAINS[0])
        return [notebook(workspace, step) for step in steps(settings)]
    except UserError:
        return []


def page_source(root: Path, name: str) -> Path:
    """Return the notebook of a report page."""
    (source,) = (page.source for page in PAGES if page.name == name)
    return root / "reports" / source
