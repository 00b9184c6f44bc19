"""What a person decides: `make promote` puts a model in force whatever the gate says, `make rollback` takes the last change back.

A decision holds until a person takes it back. It is kept in the registry; the next `make report` forecasts with it.
"""

import datetime as dt

from forecasting import registry
from forecasting.choice import incumbent
from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.run import Manifest, Workspace


def promote(workspace: Workspace, domain: str, model: str = "") -> str:
    """Make a model of the run in force champion of a domain, by default the best of the others; return what happened.

    Raises
    ------
    UserError
        If the domain has not been published, the model is not part of its run, or it was promoted already.
    """
    manifest = in_force(workspace, domain)
    chosen = registry.decision(workspace.data, domain)
    name = model or manifest.champion.next_best
    if name is None:
        raise UserError(
            f"{domain} has no challenger, because its history is too short to compare models. {which(manifest)}"
        )
    check_model(manifest, name)
    if chosen and chosen["model"] == name:
        raise UserError(f"{domain}: {name} was already chosen by a person, on {chosen['on']}. {which(manifest)}")
    decide(workspace, domain, "promote", name)
    moved = move_alias(workspace, manifest, name)
    before = chosen["model"] if chosen else manifest.champion.gate_choice
    instead = f"in place of {before}" if before != name else "whatever the gate finds"
    return f"{domain}: {name} is the champion from now on, {instead}, until `make rollback`. {moved}"


def rollback(workspace: Workspace, domain: str) -> str:
    """Take back the last change of a domain's champion, a person's or else the gate's; return what happened.

    Raises
    ------
    UserError
        If the domain has not been published, or its champion has never changed.
    """
    manifest = in_force(workspace, domain)
    chosen = registry.standing(registry.decisions(workspace.data, domain))
    if chosen:
        decide(workspace, domain, "rollback", None)
        name = chosen[-2]["model"] if len(chosen) > 1 else manifest.champion.gate_choice
        by = f"as a person chose on {chosen[-2]['on']}" if len(chosen) > 1 else "as the gate chose"
        what = f"the choice of {chosen[-1]['model']} is taken back; {name} is the champion again, {by}."
    else:
        name = before_the_gate_changed_it(incumbent.published_runs(workspace, domain))
        check_model(manifest, name)
        decide(workspace, domain, "rollback", name)
        what = f"{name} is the champion again, in place of {manifest.champion.gate_choice}, until the next `make rollback`."
    return f"{domain}: {what} {move_alias(workspace, manifest, name)}"


def in_force(workspace: Workspace, domain: str) -> Manifest:
    """Return the manifest of the run in force of a domain.

    Raises
    ------
    UserError
        If there is no such domain, or nothing of it was published.
    """
    if domain not in DOMAINS:
        raise UserError(f"DOMAIN={domain!r} is no domain: say DOMAIN={', DOMAIN='.join(DOMAINS)}.")
    runs = incumbent.published_runs(workspace, domain)
    if not runs:
        raise UserError(
            f"Nothing of {domain} has been published in the workspace «{workspace.name}»: run `make report` first."
        )
    return runs[0]


def check_model(manifest: Manifest, name: str) -> None:
    """Raise a UserError unless a model is part of a run."""
    if name not in manifest.models:
        raise UserError(f"{manifest.domain}: {name} is no model of the run in force. {which(manifest)}")


def which(manifest: Manifest) -> str:
    """Say which models can be promoted."""
    names = ", ".join(manifest.models)
    return (
        f"Say which with MODEL=…: {names}."
        if names
        else "Run `make report` first: the run in force is from an older version."
    )


def before_the_gate_changed_it(runs: list[Manifest]) -> str:
    """Return the champion before the gate's last change; `runs` is the one in force first.

    Each run knows its incumbent and the run that this came from, so that runs which are no longer in force (a setting that was
    taken back) do not count.

    Raises
    ------
    UserError
        If the gate has never changed it.
    """
    by_id = {manifest.run_id: manifest for manifest in runs}
    manifest, current = runs[0], runs[0].champion.gate_choice
    while manifest is not None:
        before = manifest.incumbent
        if before.name not in (None, current):
            return before.name
        manifest = by_id.get(before.run_id)
    raise UserError(
        f"{runs[0].domain}: there is nothing to roll back: {current} has been the champion from the first run on."
    )


def decide(workspace: Workspace, domain: str, action: str, model: str | None) -> None:
    """Keep a decision in the registry and have the next run ask for it."""
    today = dt.datetime.now().astimezone().date().isoformat()
    registry.add_decision(workspace.data, domain, {"action": action, "model": model, "on": today})
    incumbent.forget(workspace, domain)


def move_alias(workspace: Workspace, manifest: Manifest, model: str) -> str:
    """Move the alias `champion` to a model where the run in force has registered it, and say what is left to do."""
    domain = manifest.domain
    version = registry.version_of(workspace.data, domain, manifest.run_id, model)
    if version is None:
        return "Run `make report` to forecast with it and to register it."
    registry.crown(workspace.data, domain, version)
    return (
        f"Version {version} of {registry.registered_name(domain)} has the alias «{registry.CHAMPION}»; "
        "run `make report` to forecast with it."
    )
