"""The manifest of a run: everything that a published number can be traced back to. The ledger keeps it as JSON, as the run had it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Self

from forecasting.run.records import Champion, Facts, Incumbent, Record


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
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    n_series: int | None = None
    n_months: int | None = None
    first_month: str | None = None
    last_month: str | None = None


@dataclass(frozen=True)
class Explanation(Record):
    """How the forecast came about.

    `model` is what the model says of itself, `reconciliation` the method of the sums, `mase` that of each method, `cut` how many
    points and bounds the sign policy cut.
    """

    model: dict[str, Any] = field(default_factory=dict)
    reconciliation: str = ""
    mase: dict[str, float | None] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest(Record):
    """What a published number can be traced back to.

    Attributes
    ----------
    contest: what the choice of the champion rests on, all but the incumbent
    cutoff: the last closed month, ISO date
    fingerprint, lock, git_commit: of the training set, the packages and the code
    steps, seconds, mlflow: the stamp, the duration and the MLflow run of each step
    models: those that can be promoted; calibration has what a server needs of each
    significance, tests: the rows of the Diebold–Mariano tests and of the data's own tests
    unit: what the values count: the currency, or units
    """

    run_id: str = ""
    contest: str = ""
    incumbent: Incumbent = field(default_factory=Incumbent)
    domain: str = ""
    workspace: str = ""
    source: str = ""
    cutoff: str | None = None
    fingerprint: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    lock: str = ""
    git_commit: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    mlflow: dict[str, str] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    champion: Champion = field(default_factory=Champion)
    significance: list[dict[str, Any]] = field(default_factory=list)
    check: Check = field(default_factory=Check)
    facts: Facts = field(default_factory=Facts)
    explanation: Explanation = field(default_factory=Explanation)
    tests: list[dict[str, Any]] = field(default_factory=list)
    calibration: dict[str, Any] = field(default_factory=dict)
    currency: str = ""
    unit: str = ""

    @classmethod
    def from_json(cls, found: dict[str, Any] | None) -> Self:
        """Return the record of a JSON object; where the unit was not noted yet, it is the currency."""
        manifest = super().from_json(found)
        return manifest if manifest.unit else replace(manifest, unit=manifest.currency)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the manifest that the ledger holds as text."""
        return cls.from_json(json.loads(text))
