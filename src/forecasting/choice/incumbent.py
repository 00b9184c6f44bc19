"""The incumbent of a run: the champion before it, which the gate lets a challenger run against, and what a person has decided.

The incumbent of data and settings that were never published is the gate's choice in the run that is in force. What was published
keeps the incumbent it had then. So the same facts and settings give the same run however often and in whatever order they
come, and a setting that is taken back takes back the champion that it made. A person's decision is kept apart: when it is taken
back, the gate goes on where it was.
"""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

from forecasting.files import write_if_changed
from forecasting.run import Incumbent, Manifest, Workspace, identity

PUBLISHED_RUNS = """
    select runs.manifest from publications inner join runs on publications.run_id = runs.run_id
    where publications.domain = $domain order by publications.published_at desc
"""


def write_incumbent(workspace: Workspace, domain: str, steps: dict[str, str], rebuilt: bool) -> None:
    """Write `incumbent.json` into the run folder of a domain: name and run_id (None at a first run), decision (or None).

    Nothing is looked up, which takes seconds, while neither the training set nor a step that counts has changed and nobody has
    decided anything.

    Parameters
    ----------
    steps: the stamps by step.
    rebuilt: whether the warehouse was built anew, perhaps because the workspace was emptied.
    """
    target, memory = workspace.runs / domain / "incumbent.json", memory_file(workspace, domain)
    train = workspace.runs / domain / f"train_{domain}.parquet"
    looked_up_for = identity.choice_identity(hashlib.sha256(train.read_bytes()).hexdigest(), steps)
    known = target.exists() and memory.exists() and memory.read_text(encoding="utf-8") == looked_up_for
    if known and not rebuilt:
        return
    found = look_up(workspace, domain, steps)
    write_if_changed(target, json.dumps(asdict(found), indent=2, sort_keys=True) + "\n")
    write_if_changed(memory, looked_up_for)


def memory_file(workspace: Workspace, domain: str) -> Path:
    """Return the file that says for which training set and steps the incumbent was looked up."""
    return workspace.runs / "stamps" / f"{domain}-incumbent.stamp"


def forget(workspace: Workspace, domain: str) -> None:
    """Have the next `make data` look the incumbent up again, because a person has decided something."""
    memory_file(workspace, domain).unlink(missing_ok=True)


def look_up(workspace: Workspace, domain: str, steps: dict[str, str]) -> Incumbent:
    """Return the incumbent from the published runs and the registry."""
    from forecasting import registry
    from forecasting.run import RunFolder

    train = RunFolder.open(workspace.runs / domain).training_set()
    choice = identity.choice_identity(identity.train_fingerprint(train), steps)
    standing = registry.decision(workspace.data, domain)
    decision = {"name": standing["model"], "on": standing["on"]} if standing else None
    return replace(of_choice(published_runs(workspace, domain), choice), decision=decision)


def of_choice(runs: list[Manifest], choice: str) -> Incumbent:
    """Return the incumbent of a choice; `runs` is the one in force first."""
    for manifest in runs:
        if manifest.choice == choice:
            return manifest.incumbent
    return Incumbent(runs[0].champion.gate_choice, runs[0].run_id) if runs else Incumbent()


def published_runs(workspace: Workspace, domain: str) -> list[Manifest]:
    """Return the manifests of a domain's publications, the one in force first; none where nothing was published."""
    from forecasting.ledger import query

    if not workspace.published.exists():
        return []
    return [Manifest.read(text) for text in query(workspace.published, PUBLISHED_RUNS, {"domain": domain})["manifest"]]
