"""Writes what the forecast published before knew otherwise: looked up here, because notebooks read nothing but their folder."""

import hashlib
import json
from typing import Any

from forecasting.files import write_if_changed
from forecasting.run import Workspace


def write_known_before(workspace: Workspace, domain: str, settings: dict[str, Any]) -> None:
    """Write `known_before.json` into the run folder of a domain; see `ledger.known_before`.

    Nothing is looked up, which takes a second, while the training set is the same.
    """
    target, memory = (
        workspace.runs / name for name in (f"{domain}/known_before.json", f"stamps/{domain}-known_before.stamp")
    )
    train = workspace.runs / domain / f"train_{domain}.parquet"
    looked_up_for = hashlib.sha256(train.read_bytes()).hexdigest()
    if target.exists() and memory.exists() and memory.read_text(encoding="utf-8") == looked_up_for:
        return
    from forecasting.ledger import known_before

    found = known_before(workspace, domain, settings)
    write_if_changed(target, json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    write_if_changed(memory, looked_up_for)
