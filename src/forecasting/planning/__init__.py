"""What people add to a forecast: assumptions laid over what was published, without changing it.

In: the published database and `Assumptions`. Out: a scenario beside the forecast, and the widgets that show it.
"""

from forecasting.planning.scenario import Assumptions, load_baseline, what_if
from forecasting.planning.widgets import WhatIf, picture, source, table

__all__ = ["Assumptions", "WhatIf", "load_baseline", "picture", "source", "table", "what_if"]
