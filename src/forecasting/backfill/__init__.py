"""What would have been published at past month ends, from what was known then: rows of the ledger with status 'backfill'.

In: a workspace whose last run says which models there are, and a range of months. Out: for each month and domain a run in the ledger
with the champion's forecasts and the seasonal naive's, which `counted_backfills` counts where nothing was published, and never as
published. Where no past value was restated between them, all months share one walk-forward of each model.
"""

from forecasting.backfill.command import backfill, fill_late
from forecasting.backfill.filling import fill

__all__ = ["backfill", "fill", "fill_late"]
