"""What came of the forecasts that were published, whether that is still as it was in quiet months, and what to do about it.

In: what was published for earlier months (`write_before`), the training set and what the data check found. Out: measures, the limits
beyond which they are no chance, and a verdict with its reasons (`assess`); `alerts.json` and the command that is handed it (`alert`).
"""

from forecasting.monitor.alerts import alert, in_words, needs_action, standing
from forecasting.monitor.assessing import Assessment, assess
from forecasting.monitor.before import note_published, write_before
from forecasting.monitor.verdicts import Measure, verdict

__all__ = [
    "Assessment",
    "Measure",
    "alert",
    "assess",
    "in_words",
    "needs_action",
    "note_published",
    "standing",
    "verdict",
    "write_before",
]  # fmt: skip
