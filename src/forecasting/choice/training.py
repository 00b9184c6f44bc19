"""Whether a domain's models learn anew from the newest facts, or are kept: then they forecast from the newer history as they are.

`make report` has them learn whenever the facts are new; `make monthly` only when that is due. What was decided for the facts, the code
and the settings of a month stays, so that running twice changes nothing.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forecasting.choice.incumbent import published_runs
from forecasting.files import digest, write_if_changed
from forecasting.run import Manifest, Trained, Workspace, identity, read_parquet, training_stamps

REPORT, MONTHLY, PERSON = "report", "monthly", "person"  # who decides: a newer one may decide again what `report` did
SCHEDULE, ACCURACY, DRIFT, NEW_DATA = "schedule", "accuracy", "drift", "new_data"
TRIGGERS = (SCHEDULE, ACCURACY, DRIFT, NEW_DATA)  # what may bring about a retrain, as `retrain_on` in params/ names it


@dataclass(frozen=True)
class Training:
    """What was decided: the models of which run are kept (None: all learn anew), why, and who decided."""

    kept: Trained | None
    why: str
    by: str


@dataclass(frozen=True)
class Month:
    """What a decision rests on: the domain's settings, the stamps of the notebooks that train, and who asks."""

    workspace: Workspace
    domain: str
    settings: dict[str, Any]
    stamps: dict[str, str]
    by: str = REPORT

    @property
    def folder(self) -> Path:
        """The domain's run folder."""
        return self.workspace.runs / self.domain

    @property
    def key(self) -> str:
        """A fingerprint of the facts, the code and the settings that the decision is for."""
        train = (self.folder / f"train_{self.domain}.parquet").read_bytes()
        return digest(hashlib.sha256(train).hexdigest(), self.training_stamps, self.cutoff_settings(self.settings))

    @property
    def training_stamps(self) -> dict[str, str]:
        """The stamps of the notebooks that train."""
        return training_stamps(self.stamps)

    @staticmethod
    def cutoff_settings(settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings that the cutoffs are planned by."""
        return {name: settings.get(name) for name in identity.CUTOFFS}


def decide_training(month: Month) -> Training:
    """Return what is decided for a month, and note it: in `training.json` for the terminal, in `trained.json` for the notebook."""
    memory = month.workspace.runs / "stamps" / f"{month.domain}-training.json"
    known = remembered(memory, month.key)
    if known is None or (month.by == MONTHLY and known.by == REPORT) or month.by == PERSON:
        known = decision(month)
        write_if_changed(memory, json.dumps({"for": month.key, **asdict(known)}, indent=2, sort_keys=True) + "\n")
    if known.kept:
        write_if_changed(month.folder / "trained.json", json.dumps(asdict(known.kept), indent=2, sort_keys=True) + "\n")
    return known


def remembered(memory: Path, key: str) -> Training | None:
    """Return what was decided for the same facts, code and settings."""
    if not memory.exists():
        return None
    found = json.loads(memory.read_text(encoding="utf-8"))
    if found["for"] != key:
        return None
    return Training(Trained.from_json(found["kept"]) if found["kept"] else None, found["why"], found["by"])


def decision(month: Month) -> Training:
    """Decide, from what was published and what the monitor found."""
    if month.by == PERSON:
        return Training(None, "asked for with RETRAIN=1", PERSON)
    runs = published_runs(month.workspace, month.domain)
    if not runs:
        return Training(None, "nothing was published before", month.by)
    train = training_set(month)
    if same := published_for(runs, identity.train_fingerprint(train), month):
        return same
    if month.by == REPORT:
        return Training(None, "the facts are new", REPORT)
    before = runs[0]
    reason = why_anew(month, train, before) or why_due(month, train, before.trained)
    return Training(None, reason, MONTHLY) if reason else Training(before.trained, age(before.trained, train), MONTHLY)


def published_for(runs: list[Manifest], fingerprint: str, month: Month) -> Training | None:
    """Return what was decided in the newest publication of the same training set, code and settings."""
    for run in runs:
        if run.fingerprint == fingerprint and not changes(run, month):
            kept = run.trained if run.keeps_models else None
            return Training(kept, f"as published ({run.run_id})", MONTHLY)
    return None


def why_anew(month: Month, train: Any, before: Manifest) -> str:
    """Say why the models of the run before cannot go on with these facts; nothing where they can."""
    from forecasting import registry

    if reason := changes(before, month):
        return reason
    if before.trained.cutoff > f"{train['ds'].max():%Y-%m-%d}":
        return f"the models have seen months up to {before.trained.cutoff[:7]}"
    measure = json.loads((month.folder / "facts.json").read_text(encoding="utf-8"))["measure"]
    if measure != before.facts.measure:
        return f"what is measured changed from {before.facts.measure} to {measure}"
    if lost := lost_series(month, train, before):
        return f"{len(lost)} series that were forecast before are not in the facts any more ({', '.join(lost[:3])})"
    if not registry.can_be_kept(month.workspace.data, before.trained.models):
        return "MLflow does not hold the models with what they said at past cutoffs"
    return ""


def changes(before: Manifest, month: Month) -> str:
    """Say how code or settings differ from those that the models of a run were trained with; nothing where they do not."""
    then, now = before.trained.steps, month.training_stamps
    if other := sorted(step for step in then.keys() | now.keys() if then.get(step) != now.get(step)):
        return f"the code or the settings of {', '.join(other)} changed"
    if month.cutoff_settings(before.params) != month.cutoff_settings(month.settings):
        return "the settings of the walk-forward changed"
    return ""


def lost_series(month: Month, train: Any, before: Manifest) -> list[str]:
    """Return the series that the run before forecast and that have no value in its last month now."""
    from forecasting.ledger import Published

    forecasts = Published(month.workspace.published).forecasts(before.run_id, 1, aggregations=("series",))
    there = train.loc[train["ds"] == before.cutoff, "unique_id"]
    return sorted({*forecasts["unique_id"]} - {*there})


def why_due(month: Month, train: Any, trained: Trained) -> str:
    """Say why a retrain is due, by what `params/` let bring one about; nothing where none is."""
    on, every = month.settings["retrain_on"], month.settings["retrain_every"]
    passed = months_between(trained.cutoff, train["ds"].max())
    if SCHEDULE in on and passed >= every:
        return f"{passed} months have passed since {trained.cutoff[:7]}, and every {every} the models learn anew"
    found = month.folder / "monitor.json"
    verdict = json.loads(found.read_text(encoding="utf-8")) if found.exists() else {}
    if verdict.get("verdict") == "retrain":
        return " ".join(reason["text"] for reason in verdict["reasons"] if reason["trigger"] in on)
    return ""


def months_between(cutoff: str, last: Any) -> int:
    """Return how many months lie between a cutoff (ISO date) and a month."""
    return (last.year - int(cutoff[:4])) * 12 + last.month - int(cutoff[5:7])


def age(trained: Trained, train: Any) -> str:
    """Say how old the models are."""
    passed = months_between(trained.cutoff, train["ds"].max())
    return f"the models have learned from the months up to {trained.cutoff[:7]}, {passed} month{'s' if passed != 1 else ''} ago"


def training_set(month: Month) -> Any:
    """Return the domain's training set, which is there before the run is: after `make clean`, and in a restored workspace."""
    return read_parquet(month.folder / f"train_{month.domain}.parquet")
