"""The month's judgement of a domain: every measure, its limit, and the verdict."""

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from forecasting.monitor.came_due import Due, came_due
from forecasting.monitor.changes import changes
from forecasting.monitor.inputs import inputs
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
    train, due = run.training_set(), run.read_table("due")
    measures = changes(train, run.read_table("known"), before["run"])
    measures += inputs(train, due)
    limits: dict[str, dict[str, Any]] = {}
    if before["run"]["unit"] == before["run"]["unit_now"]:  # else nothing can be compared
        judged = Due.of(due, run.read_table("quiet"), before["run"]["champion"], before["alarms"])
        came, limits = came_due(judged, false_alarm_months)
        measures = [*came, *measures]
    found, reasons = verdict(measures)
    return Assessment(found, reasons or [_quiet(due, measures)], measures, limits)


def _quiet(due: pd.DataFrame, measures: list[Measure]) -> dict[str, str]:
    """Return the reason of a verdict that needs none: what was looked at."""
    months = due["ds"].nunique()
    judged = sum(measure.limit is not None for measure in measures)
    text = f"{months} {'month' if months == 1 else 'months'} came due, and none of {judged} measures is near its limit."
    return {"code": "quiet", "trigger": "", "text": text}
