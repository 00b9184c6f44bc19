"""The manifest of a run: everything that a published number can be traced back to. The ledger keeps it as JSON, as the run had it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Self

from forecasting.run.records import Champion, Facts, Incumbent, Record, Trained

TRAINS = "20_train_"


def training_stamps(steps: dict[str, str]) -> dict[str, str]:
    """Return the stamps of the steps that train."""
    return {step: stamp for step, stamp in steps.items() if step.startswith(TRAINS)}


@dataclass(frozen=True)
class DataWarning(Record):
    """A sentence of the data check; `severity` is high, medium or low, `code` a name for programs."""

    severity: str = ""
    code: str = ""
    text: str = ""


@dataclass(frozen=True)
class Check(Record):
    """What the data check found: warnings, the rows of its tables by their names, and the size of the training set."""

    warnings: list[DataWarning] = field(default_factory=list, metadata={"of": DataWarning})
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # of long ones the largest rows
    n_rows: dict[str, int] = field(default_factory=dict)  # how many each of them had
    statuses: dict[str, int] = field(
        default_factory=dict
    )  # how many series are ended, silent, short, intermittent, active
    n_series: int | None = None
    n_months: int | None = None
    first_month: str | None = None
    last_month: str | None = None


@dataclass(frozen=True)
class Explanation(Record):
    """How the forecast came about."""

    model: dict[str, Any] = field(default_factory=dict)  # what the model says of itself
    reconciliation: str = ""  # the method of the sums
    mase: dict[str, float | None] = field(default_factory=dict)  # by method of the sums
    cut: dict[str, int] = field(default_factory=dict)  # how many points and bounds the sign policy cut
    cut_series: dict[str, list[int]] = field(default_factory=dict)  # horizons of those points, by series


@dataclass(frozen=True)
class Monitoring(Record):
    """What the monitor said of the forecasts that had come due: `verdict` is ok, watch, recalibrate, retrain or ask a person.

    A reason has code, trigger (accuracy, drift, new_data or «») and text; `measures` is a row each, `limits` is by code.
    """

    verdict: str = "ok"
    reasons: list[dict[str, str]] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest(Record):
    """What a published number can be traced back to."""

    run_id: str = ""
    backfill: bool = False  # filled in later for a past month; nobody saw it then, and it was not published
    contest: str = ""  # what the choice of the champion rests on, all but the incumbent
    incumbent: Incumbent = field(default_factory=Incumbent)
    domain: str = ""
    workspace: str = ""
    source: str = ""
    cutoff: str | None = None  # the last closed month, ISO date
    fingerprint: str = ""  # of the training set
    params: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)  # the stamp of each; seconds and mlflow are by step as well
    trained: Trained = field(
        default_factory=Trained
    )  # the run that trained the models: this one, or one whose models are kept
    lock: str = ""
    git_commit: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    mlflow: dict[str, str] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)  # those that can be promoted
    champion: Champion = field(default_factory=Champion)
    significance: list[dict[str, Any]] = field(default_factory=list)  # a row per Diebold–Mariano test
    check: Check = field(default_factory=Check)
    monitor: Monitoring = field(default_factory=Monitoring)
    facts: Facts = field(default_factory=Facts)
    explanation: Explanation = field(default_factory=Explanation)
    tests: list[dict[str, Any]] = field(default_factory=list)  # a row per kind of the data's own tests
    calibration: dict[str, Any] = field(default_factory=dict)  # by model: what a server needs beside it
    currency: str = ""
    unit: str = ""  # what the values count: the currency, or units

    @property
    def keeps_models(self) -> bool:
        """Whether the models were trained in an earlier run."""
        return self.trained.run_id != self.run_id

    @classmethod
    def from_json(cls, found: dict[str, Any] | None) -> Self:
        """Return the record of a JSON object; where the unit was not noted yet, it is the currency, and before models were kept,
        every run trained its own.
        """
        manifest = super().from_json(found)
        if not manifest.trained.run_id:
            manifest = replace(
                manifest, trained=Trained(manifest.run_id, manifest.cutoff or "", training_stamps(manifest.steps))
            )
        return manifest if manifest.unit else replace(manifest, unit=manifest.currency)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the manifest that the ledger holds as text."""
        return cls.from_json(json.loads(text))
