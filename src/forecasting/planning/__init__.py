"""What people add to a forecast: assumptions laid over what was published, without changing it.

In: the published database and `Assumptions`. Out: a scenario beside the forecast, and the widgets that show it.
"""

from forecasting.planning.scenario import Assumptions, load_baseline, what_if
from forecasting.planning.widgets import Panel, picture, source, table

__all__ = ["Assumptions", "Panel", "load_baseline", "picture", "source", "table", "what_if"]
