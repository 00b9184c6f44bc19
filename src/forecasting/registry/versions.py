"""The registered models `<domain>_monthly` in MLflow: versions with the gate's verdict, aliases, and what people decided.

Decisions are tags of the registered model, `decision.0001` and on. They are only added, so the history stays; one that names a
model holds until a later one, which names none, takes it back.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from forecasting.errors import UserError
from forecasting.registry import words
from forecasting.registry.store import ARTIFACTS, open_store, store_reader
from forecasting.run import Manifest

CHAMPION, CHALLENGER = "champion", "challenger"
DECISION = "decision."
LONGEST_TAG = 5000  # characters
OF_CONTEST = ("incumbent", "challenger", "gate_choice", "next_best", "chosen_on", "metric", "metric_choice", "rules")


def registered_name(domain: str) -> str:
    """Return the name under which a domain's models are registered."""
    return f"{domain}_monthly"


def register(tracking_dir: Path, domain: str, note: dict[str, Any], run_id: str, model: str) -> str:
    """Register a model of one run as a version of `<domain>_monthly` and return the version; once per run and model.

    Raises
    ------
    UserError
        If the model was not logged to MLflow.
    """
    known = version_of(tracking_dir, domain, run_id, model)
    if known:
        return known
    if not note.get("model_uri"):
        raise UserError(f"{domain}: the model {model} was not logged to MLflow; run its 20_train notebook again.")
    client, name = open_store(tracking_dir, domain), registered_name(domain)
    if not client.search_registered_models(f"name = '{name}'"):
        text = f"The models that forecast monthly {domain}; «{CHAMPION}» is in use, «{CHALLENGER}» is the best of the others."
        client.create_registered_model(name, description=text)
    uri, tags = note["model_uri"], {"run_id": run_id, "model_name": model}
    made = client.create_model_version(name, uri, note["mlflow_run_id"], tags, model_id=uri.removeprefix("models:/"))
    return str(made.version)


def version_of(tracking_dir: Path, domain: str, run_id: str, model: str) -> str | None:
    """Return the version under which a model of a run is registered, or None."""
    client = open_store(tracking_dir, domain)
    for version in client.search_model_versions(f"name = '{registered_name(domain)}'"):
        if (version.tags.get("run_id"), version.tags.get("model_name")) == (run_id, model):
            return str(version.version)
    return None


class Registered(NamedTuple):
    """A registered version: of which run and model, and the folder that the model was saved to."""

    version: str
    run_id: str
    model_name: str
    folder: Path


def champion(tracking_dir: Path, domain: str) -> Registered:
    """Return the version with the alias `champion`; nothing is written, so that any number of servers may ask.

    Raises
    ------
    UserError
        If nothing of the domain has been registered.
    """
    for model in _reader(tracking_dir).search_registered_models(f"name = '{registered_name(domain)}'"):
        if CHAMPION in model.aliases:
            return _registered(tracking_dir, domain, str(model.aliases[CHAMPION]))
    raise UserError(f"MLflow knows no champion of {domain}: `make report` registers it.")


def registered(tracking_dir: Path, domain: str, run_id: str, model: str) -> Registered:
    """Return the version under which a model of a run is registered.

    Raises
    ------
    UserError
        If it is not.
    """
    for version in _reader(tracking_dir).search_model_versions(f"name = '{registered_name(domain)}'"):
        if (version.tags.get("run_id"), version.tags.get("model_name")) == (run_id, model):
            return _registered(tracking_dir, domain, str(version.version))
    raise UserError(f"{model} of the run {run_id} is not registered in MLflow.")


def versions_of(tracking_dir: Path, domain: str, run_id: str) -> list[dict[str, Any]]:
    """Return the versions under which models of a run are registered: version, model_name, aliases, mlflow_run_id, folder."""
    client, name = _reader(tracking_dir), registered_name(domain)
    aliases: dict[str, list[str]] = {}
    for model in client.search_registered_models(f"name = '{name}'"):
        for alias, version in model.aliases.items():
            aliases.setdefault(str(version), []).append(alias)
    known = client.search_model_versions(f"name = '{name}'")
    own = sorted((each for each in known if each.tags.get("run_id") == run_id), key=lambda each: int(each.version))
    return [
        {"version": str(each.version), "model_name": each.tags.get("model_name"), "aliases": sorted(aliases.get(str(each.version), [])),
         "mlflow_run_id": each.run_id, "folder": str(_registered(tracking_dir, domain, str(each.version)).folder)}
        for each in own
    ]  # fmt: skip


def missing_runs(tracking_dir: Path, mlflow_runs: Iterable[str]) -> list[str]:
    """Return those of the MLflow runs that the store does not hold any more."""
    from mlflow.exceptions import MlflowException

    client, missing = _reader(tracking_dir), []
    for mlflow_run in mlflow_runs:
        try:
            client.get_run(mlflow_run)
        except MlflowException:
            missing.append(mlflow_run)
    return missing


def _registered(tracking_dir: Path, domain: str, number: str) -> Registered:
    """Look up one version."""
    client = _reader(tracking_dir)
    version = client.get_model_version(registered_name(domain), number)
    name = version.tags["model_name"]
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    return Registered(number, version.tags["run_id"], name, stored(tracking_dir, logged.artifact_location, name))


def stored(tracking_dir: Path, location: str, name: str) -> Path:
    """Return the folder of a saved model from where MLflow noted it, also where `data/` was moved or mounted elsewhere since."""
    inside = location.rpartition(f"/{ARTIFACTS}/")[2]
    return tracking_dir / ARTIFACTS / inside / "artifacts" / name


def _reader(tracking_dir: Path) -> Any:
    """Return a client that only reads; it is kept, because opening a store takes a moment, until another file takes the store's place."""
    store = tracking_dir / "mlflow.db"
    return _opened(tracking_dir, store.stat().st_ino if store.exists() else 0)


@lru_cache(maxsize=8)
def _opened(tracking_dir: Path, number: int) -> Any:
    """Open the store whose file has this number."""
    return store_reader(tracking_dir)


def set_aliases(tracking_dir: Path, domain: str, aliases: dict[str, str | None]) -> None:
    """Give each alias to its version; an alias without one is taken away."""
    client, name = open_store(tracking_dir, domain), registered_name(domain)
    present = client.get_registered_model(name).aliases
    for alias, version in aliases.items():
        if version is not None:
            client.set_registered_model_alias(name, alias, version)
        elif alias in present:
            client.delete_registered_model_alias(name, alias)


def crown(tracking_dir: Path, domain: str, version: str) -> None:
    """Give the alias `champion` to a version; where that was the challenger, the champion before becomes the challenger."""
    present = open_store(tracking_dir, domain).get_registered_model(registered_name(domain)).aliases
    aliases = {CHAMPION: version}
    if str(present.get(CHALLENGER)) == version and CHAMPION in present:
        aliases[CHALLENGER] = str(present[CHAMPION])
    set_aliases(tracking_dir, domain, aliases)


def write_verdict(tracking_dir: Path, domain: str, versions: Mapping[str, str | None], manifest: Manifest) -> None:
    """Note the gate's verdict and numbers on champion and challenger (`versions`, by alias), and describe each version of the run."""
    client, name, champion = open_store(tracking_dir, domain), registered_name(domain), manifest.champion
    shared = {key: value for key, value in asdict(champion).items() if key in OF_CONTEST}
    why_not = words.why_not(champion, champion.next_best or "")
    own = {
        CHAMPION: shared | {"verdict": champion.verdict, "reason": champion.reason},
        CHALLENGER: shared | {"verdict": CHALLENGER, "reason": why_not},
    }
    for alias, version in versions.items():
        if version is None:
            continue
        for key, value in own[alias].items():
            text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
            client.set_model_version_tag(name, version, key, text[:LONGEST_TAG])
    for each in versions_of(tracking_dir, domain, manifest.run_id):
        text = words.version_text(manifest, each["model_name"])
        client.update_model_version(name, each["version"], text[:LONGEST_TAG])


def mark_runs(tracking_dir: Path, domain: str, mlflow_runs: Mapping[str, str], manifest: Manifest) -> None:
    """Write on the MLflow runs that a published run came from (`mlflow_runs`, by what each made) which one it is, how long their step took,
    what the seasonal naive would have missed by, whether the model is used and why."""
    client = open_store(tracking_dir, domain)
    compared = client.get_run(mlflow_runs["evaluation"]).data.metrics if "evaluation" in mlflow_runs else {}
    yardstick = {key: value for key, value in compared.items() if key.endswith(f"_mase_{words.BASELINE}")}
    for made, mlflow_run in mlflow_runs.items():
        run = client.get_run(mlflow_run).data
        client.set_tag(mlflow_run, "run_id", manifest.run_id)
        took = manifest.seconds.get(run.tags.get("step", ""))
        beside = yardstick if "held_out_mase" in run.metrics else {}
        for key, value in (beside | ({} if took is None else {"seconds": took})).items():
            if run.metrics.get(key) != value:
                client.log_metric(mlflow_run, key, value)
        text = words.published_note(run.tags.get(words.NOTE, ""), manifest, made, run.metrics | beside)
        client.set_tag(mlflow_run, words.NOTE, text[:LONGEST_TAG])


def decisions(tracking_dir: Path, domain: str) -> list[dict[str, Any]]:
    """Return what people decided on a domain, in order of time: action (promote, rollback), model (or None), on (ISO date)."""
    if not (tracking_dir / "mlflow.db").exists():
        return []
    client = open_store(tracking_dir, domain)
    for model in client.search_registered_models(f"name = '{registered_name(domain)}'"):
        found = sorted((key, text) for key, text in model.tags.items() if key.startswith(DECISION))
        return [json.loads(text) for _, text in found]
    return []


def add_decision(tracking_dir: Path, domain: str, decision: dict[str, Any]) -> None:
    """Add a decision to the history of a domain that has been published."""
    number = len(decisions(tracking_dir, domain)) + 1
    client = open_store(tracking_dir, domain)
    client.set_registered_model_tag(registered_name(domain), f"{DECISION}{number:04d}", json.dumps(decision))


def standing(history: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the decisions of a history that nobody took back, the one in force last."""
    stack: list[dict[str, Any]] = []
    for decision in history:
        if decision["model"] is not None:
            stack.append(decision)
        elif stack:
            stack.pop()
    return stack


def decision(tracking_dir: Path, domain: str) -> dict[str, Any] | None:
    """Return the decision in force for a domain, or None where the gate decides."""
    found = standing(decisions(tracking_dir, domain))
    return found[-1] if found else None
