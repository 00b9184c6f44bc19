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
    """What came in for a domain; dates in ISO. `left_out` has ds, reason, n_facts and amount of each month that is not used."""

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


@dataclass(frozen=True)
class Incumbent(Record):
    """The champion so far and the run that it comes from (None at a first run); a person's `decision`: name and on (or None)."""

    name: str | None = None
    run_id: str | None = None
    decision: dict[str, str] | None = None


@dataclass(frozen=True)
class Rule(Record):
    """One condition of the gate: what was measured, the limit, and whether it holds."""

    name: str = ""
    measured: float = float("nan")
    limit: float = float("nan")
    passed: bool = False


@dataclass(frozen=True)
class Champion(Record):
    """Which model forecasts a domain, and why.

    Attributes
    ----------
    name: the model that forecasts
    models: all of the run, simplest first
    verdict: kept, promoted, first, vetoed or chosen_by_person
    reason: the same in plain English
    incumbent, challenger: whom the gate compared, by the `rules`; no challenger where there was no other model
    metric, metric_choice: the gate's measure, and its value by candidate on the cutoffs that choose
    gate_choice: the model without a person's decision
    chosen_on: the day of that decision
    next_best: the best of the other models
    veto: the model that the held-out cutoffs speak against, mase_held_out and seasonal_naive_mase_held_out
    mase_choice, mase_held_out, seasonal_naive_mase_held_out: how good it was; None where there is nothing to measure
    beats_seasonal_naive: on the cutoffs held out
    choice_cutoffs, held_out_cutoffs: ISO dates; no choice cutoffs where the history is too short to compare
    """

    name: str = ""
    models: list[str] = field(default_factory=list)
    verdict: str = ""
    reason: str = ""
    incumbent: str | None = None
    challenger: str | None = None
    metric: str = ""
    metric_choice: dict[str, float] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list, metadata={"of": Rule})
    gate_choice: str = ""
    chosen_on: str | None = None
    next_best: str | None = None
    veto: dict[str, Any] | None = None
    mase_choice: float | None = None
    mase_held_out: float | None = None
    seasonal_naive_mase_held_out: float | None = None
    beats_seasonal_naive: bool | None = None
    choice_cutoffs: list[str] | None = None
    held_out_cutoffs: list[str] | None = None

    @classmethod
    def from_json(cls, found: dict[str, Any] | None) -> Self:
        """Return the record of a JSON object; before there was a gate, the champion was its choice."""
        champion = super().from_json(found)
        return champion if champion.gate_choice else replace(champion, gate_choice=champion.name)
