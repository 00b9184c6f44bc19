"""What people add to a forecast: assumptions laid over what was published, and overrides that stand beside it.

In: the published database, `Assumptions`, and what planners hand in. Out: a scenario beside the forecast and the widgets that show it;
rows of the ledger's overrides, and what they do.
"""

from forecasting.planning.overriding.commands import listing, take, take_inbox, withdraw
from forecasting.planning.overriding.inbox import leave, waiting
from forecasting.planning.overriding.preview import tried
from forecasting.planning.overriding.tables import SHEET
from forecasting.planning.scenario import Assumptions, Baseline, Scenario, baseline_of, load_baseline, what_if
from forecasting.planning.widgets import HONEST, WhatIf, compared, outcome, picture, source, table, written

__all__ = [
    "HONEST", "SHEET", "Assumptions", "Baseline", "Scenario", "WhatIf", "baseline_of", "compared", "leave", "listing", "load_baseline",
    "outcome", "picture", "source", "table", "take", "take_inbox", "tried", "waiting", "what_if", "withdraw", "written",
]  # fmt: skip
