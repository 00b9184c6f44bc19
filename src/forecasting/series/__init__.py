"""Arrays of months, and what every model knows of them: hierarchy, season, scale and windows.

In: long tables, one row per unique_id and ds. Out: a `Panel`, arrays [series, months] that end at each series' last month, and what
follows from it alone: nothing here knows a model, a file or a setting.
"""

from forecasting.series.alike import alike
from forecasting.series.buckets import BUCKETS, bucket_of
from forecasting.series.hierarchy import (
    NODE,
    Hierarchy,
    aggregate_actuals,
    as_nodes,
    from_nodes,
    in_order,
    with_levels,
    with_levels_of,
)
from forecasting.series.history import DECIMALS, History, histories, seasons_of, within_history
from forecasting.series.intermittency import intermittent, lowest
from forecasting.series.nodes import Nodes, Wide
from forecasting.series.observed import Observed
from forecasting.series.panels import Grid, Panel, by_cutoff, mean, month_number, month_start, panel
from forecasting.series.seasonality import Season
from forecasting.series.typical_error import (
    change,
    described,
    flat,
    panel_scale,
    scale,
    scales,
    seasonal_error,
    still,
    typical_error,
    unrest,
    varying,
)
from forecasting.series.windows.continuations import paths, tendency
from forecasting.series.windows.cutting import cut_windows, last_windows
from forecasting.series.windows.description import character, costs, in_spreads
from forecasting.series.windows.normalization import INPUT_LIMIT, WINDOW, Windows, months_before, normalised

__all__ = [
    "BUCKETS", "DECIMALS", "INPUT_LIMIT", "NODE", "WINDOW", "Grid", "Hierarchy", "History", "Nodes", "Observed", "Panel", "Season", "Wide",
    "Windows",
    "aggregate_actuals", "alike", "as_nodes", "bucket_of", "by_cutoff", "change", "character", "costs", "cut_windows",
    "described", "flat", "from_nodes", "histories", "in_order", "in_spreads", "intermittent", "last_windows", "lowest", "mean",
    "month_number", "month_start", "months_before", "normalised", "panel", "panel_scale", "paths", "scale", "scales",
    "seasonal_error", "seasons_of", "still", "tendency", "typical_error", "unrest", "varying", "with_levels", "with_levels_of",
    "within_history",
]  # fmt: skip
