"""The month's judgement of a domain: every measure, its limit, and the verdict."""

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from forecasting.monitor.verdicts import NOTHING_DUE, OK, Measure, verdict
from forecasting.run import RunFolder


@dataclass(frozen=True)
class Assessment:
    """What the monitor says of a domain: verdict, reasons, the measures and where their limits come from."""

    verdict: str = OK
    reasons: list[dict[str, str]] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """The measures, one row each: code, name, value, watch, limit, verdict, n, first_month, last_month, text."""
        columns = ["code", "name", "value", "watch", "limit", "verdict", "n", "first_month", "last_month", "text"]
        rows = [asdict(measure) | {"verdict": measure.verdict} for measure in self.measures]
        return pd.DataFrame(rows, columns=columns)

    def as_json(self) -> dict[str, Any]:
        """Return what `monitor.json` says."""
        measures = [asdict(measure) | {"verdict": measure.verdict} for measure in self.measures]
        return {"verdict": self.verdict, "reasons": self.reasons, "measures": measures, "limits": self.limits}


def assess(run: RunFolder, false_alarm_months: int = 36) -> Assessment:
    """Judge a domain by what came of the forecasts published for earlier months.

    Parameters
    ----------
    false_alarm_months: in so many quiet months all rules of all domains together ask for new models once without cause, at most.
    """
    before = run.read_json("before")
    if before["run"] is None:
        return Assessment(reasons=[{"code": "nothing_due", "trigger": "", "text": NOTHING_DUE}])
    measures: list[Measure] = []
    found, reasons = verdict(measures)
    return Assessment(found, reasons, measures)
