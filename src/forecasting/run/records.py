"""What the steps of a run write down for others, as records: `facts.json`, `incumbent.json`, `champion.json`.

Runs are kept for years. What an older one did not write down yet gets its default here and nowhere else; what a newer one adds is
passed over.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self


@dataclass(frozen=True)
class Record:
    """The base of all records. A field is a JSON value, another record, or a list of the records that its metadata name."""

    @classmethod
    def from_json(cls, found: dict[str, Any] | None) -> Self:
        """Return the record of a JSON object; what is missing or null in it gets its default."""
        known = {}
        for each in fields(cls):
            value, kind = (found or {}).get(each.name), each.default_factory
            if isinstance(kind, type) and issubclass(kind, Record):
                value = kind.from_json(value)
            elif "of" in each.metadata:
                value = [each.metadata["of"].from_json(row) for row in value or []]
            if value is not None:
                known[each.name] = value
        return cls(**known)


@dataclass(frozen=True)
class Facts(Record):
    """What came in for a domain; dates in ISO. `left_out` has ds, reason, n_facts and amount of each month that is
    not used, `doubts` the severity, code and text of each."""

    domain: str = ""
    measure: str = ""
    grain: str = ""
    first_fact: str | None = None
    last_fact: str | None = None
    n_facts: int | None = None
    first_month: str | None = None
    last_month: str | None = None
    n_months: int | None = None
    left_out: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[dict[str, str]] = field(default_factory=list)
    missing: dict[str, str] = field(
        default_factory=dict
    )  # the domains that these facts do not let be forecast, and why


@dataclass(frozen=True)
class Incumbent(Record):
    """The champion so far and the run that it comes from (None at a first run); a person's `decision`: name and on (or None)."""

    name: str | None = None
    run_id: str | None = None
    decision: dict[str, str] | None = None


@dataclass(frozen=True)
class Trained(Record):
    """Which run trained the models, and what is needed to keep them."""

    run_id: str = ""
    cutoff: str = ""  # the last month they learned from, ISO date
    steps: dict[str, str] = field(default_factory=dict)  # the stamps of the notebooks that trained them
    families: dict[str, list[str]] = field(default_factory=dict)  # the names of the models by family
    models: dict[str, str] = field(default_factory=dict)  # the MLflow run of each


@dataclass(frozen=True)
class Rule(Record):
    """One condition of the gate: what was measured, the limit, and whether it holds."""

    name: str = ""
    measured: float = float("nan")
    limit: float = float("nan")
    passed: bool = False


@dataclass(frozen=True)
class Champion(Record):
    """Which model forecasts a domain, why, and how good it was; a measure is None where there is nothing to measure."""

    name: str = ""  # the model that forecasts
    models: list[str] = field(default_factory=list)  # all of the run, simplest first
    verdict: str = ""  # kept, promoted, first, vetoed or chosen_by_person
    reason: str = ""  # the same in plain English
    incumbent: str | None = None
    challenger: str | None = None  # None where there was no other model
    metric: str = ""  # the gate's
    metric_choice: dict[str, float] = field(default_factory=dict)  # by candidate, on the cutoffs that choose
    rules: list[Rule] = field(default_factory=list, metadata={"of": Rule})
    gate_choice: str = ""  # the model without a person's decision
    chosen_on: str | None = None  # the day of that decision
    next_best: str | None = None  # the best of the other models
    veto: dict[str, Any] | None = (
        None  # model that the held-out cutoffs speak against, its MASE and the seasonal naive's
    )
    mase_choice: float | None = None
    mase_held_out: float | None = None
    seasonal_naive_mase_held_out: float | None = None
    beats_seasonal_naive: bool | None = None  # on the cutoffs held out
    choice_cutoffs: list[str] | None = None  # ISO dates; none where the history is too short to compare
    held_out_cutoffs: list[str] | None = None

    @classmethod
    def from_json(cls, found: dict[str, Any] | None) -> Self:
        """Return the record of a JSON object; before there was a gate, the champion was its choice."""
        champion = super().from_json(found)
        return champion if champion.gate_choice else replace(champion, gate_choice=champion.name)
