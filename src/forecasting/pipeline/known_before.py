"""Writes what the forecast published before knew otherwise: looked up here, because notebooks read nothing but their folder."""

import json
from typing import Any

from forecasting.files import write_if_changed
from forecasting.run import Memory, Workspace, train_digest


def write_known_before(workspace: Workspace, domain: str, settings: dict[str, Any]) -> None:
    """Write `known_before.json` into the run folder of a domain; see `ledger.known_before`.

    Nothing is looked up, which takes a second, while the training set is the same.
    """
    target, memory = workspace.runs / domain / "known_before.json", Memory.of(workspace, domain, "known_before")
    looked_up_for = train_digest(workspace, domain)
    if memory.holds(looked_up_for, target):
        return
    from forecasting.ledger import known_before

    found = known_before(workspace, domain, settings)
    write_if_changed(target, json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    memory.note(looked_up_for)
