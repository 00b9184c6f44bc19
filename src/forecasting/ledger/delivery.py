"""Publishes elsewhere what has been published: to the targets that `make publish` and `publish_to` in params/ may name."""

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.run import Workspace

TARGETS = ("postgres",)


def publish_to(workspace: Workspace, target: str = "") -> str:
    """Bring a target to the state of the workspace's published file; return what is there now, in a sentence.

    Raises
    ------
    UserError
        If there is no such target, or it cannot be published to.
    """
    if target not in TARGETS:
        found = f"; there is no target {target[:80]!r}" if target else ""
        raise UserError(f"make publish needs TARGET={' or '.join(TARGETS)}{found}.")
    from forecasting.ledger.postgres.publishing import publish  # psycopg takes a while, and most commands need it not

    settings = workspace.settings(DOMAINS[0])
    return publish(workspace, settings["publish_schema"], settings["publish_readers"])
