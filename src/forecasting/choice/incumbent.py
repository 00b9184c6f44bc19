"""The incumbent of a run: the champion before it, which the gate lets a challenger run against, and what a person has decided.

The incumbent of data and settings that were never published is the gate's choice in the run that is in force. What was published
keeps the incumbent it had then. So the same facts and settings give the same run however often and in whatever order they
come, and a setting that is taken back takes back the champion that it made. A person's decision is kept apart: when it is taken
back, the gate goes on where it was.
"""

import json
from dataclasses import asdict, replace
from typing import Any

from forecasting.files import write_if_changed
from forecasting.run import Incumbent, Manifest, Memory, Workspace, identity, train_digest


def write_incumbent(workspace: Workspace, domain: str, steps: dict[str, str], settings: dict[str, Any]) -> None:
    """Write `incumbent.json` into the run folder of a domain: name and run_id (None at a first run), decision (or None).

    Nothing is looked up, which takes seconds, while nothing that the contest rests on has changed and nobody has decided anything.

    Parameters
    ----------
    steps, settings: the stamps by step and the parameters of the domain.
    """
    target, memory = workspace.runs / domain / "incumbent.json", Memory.of(workspace, domain, "incumbent")
    looked_up_for = identity.contest(train_digest(workspace, domain), steps, settings)
    if memory.holds(looked_up_for, target):
        return
    found = look_up(workspace, domain, steps, settings)
    write_if_changed(target, json.dumps(asdict(found), indent=2, sort_keys=True) + "\n")
    memory.note(looked_up_for)


def forget(workspace: Workspace, domain: str) -> None:
    """Have the next `make data` look the incumbent up again, because a person has decided something."""
    Memory.of(workspace, domain, "incumbent").forget()


def look_up(workspace: Workspace, domain: str, steps: dict[str, str], settings: dict[str, Any]) -> Incumbent:
    """Return the incumbent from the published runs and the registry."""
    from forecasting import registry
    from forecasting.run import RunFolder

    train = RunFolder.open(workspace.runs / domain).training_set()
    contest = identity.contest(identity.train_fingerprint(train), steps, settings)
    standing = registry.decision(workspace.data, domain)
    decision = {"name": standing["model"], "on": standing["on"]} if standing else None
    return replace(of_contest(published_runs(workspace, domain), contest), decision=decision)


def of_contest(runs: list[Manifest], contest: str) -> Incumbent:
    """Return the incumbent of a contest; `runs` is the one in force first.

    Manifests of versions before this one do not name theirs: their code was another, so their contest was too.
    """
    for manifest in runs:
        if manifest.contest == contest:
            return manifest.incumbent
    return Incumbent(runs[0].champion.gate_choice, runs[0].run_id) if runs else Incumbent()


def published_runs(workspace: Workspace, domain: str) -> list[Manifest]:
    """Return the manifests of a domain's publications, the one in force first; none where nothing was published."""
    from forecasting.ledger import Published

    if not workspace.published.exists():
        return []
    return Published(workspace.published).manifests(domain)
