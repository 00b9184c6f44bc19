"""How good a model is: forecasts at past cutoffs, made from what was known then, measured against what came.

In: a model and a training set, or the calibrated rows of many models. Out: walk-forward forecasts (RAW_BACKTEST_COLUMNS), scores,
the leaderboard, and whether a difference is more than luck.
"""

from forecasting.evaluation import metrics
from forecasting.evaluation.backtest import (
    back_test,
    continued,
    empty_backtest,
    forecast_nodes,
    known_at,
    refit_month,
    said,
    walk_forward,
)
from forecasting.evaluation.cutoffs import CHOICE, COMPARED, HELD_OUT_SET, plan_cutoffs
from forecasting.evaluation.evidence import CHOOSING, DEFAULT, evidence, losses, mean_losses, strongest
from forecasting.evaluation.judging import Judged, judge
from forecasting.evaluation.kept_rows import rows_kept
from forecasting.evaluation.learning import COUNTED, Sample, drawn
from forecasting.evaluation.metrics import METRICS, wql
from forecasting.evaluation.ranking import BASELINE, leaderboard, scored_rows
from forecasting.evaluation.restated import as_known_before, restated_forecasts
from forecasting.evaluation.scores import Measured, by_horizon, errors_since, leaderboard_metrics, measure
from forecasting.evaluation.significance import compare_models, pairs_to_compare, scaled_errors
from forecasting.evaluation.value_added import FEW, value_added
from forecasting.evaluation.variants import kept_variant

__all__ = [
    "BASELINE", "CHOICE", "CHOOSING", "COMPARED", "COUNTED", "DEFAULT", "FEW", "HELD_OUT_SET", "METRICS", "Judged", "Measured", "Sample",
    "as_known_before", "back_test", "by_horizon", "compare_models", "continued", "drawn", "empty_backtest", "errors_since", "evidence",
    "forecast_nodes", "judge", "kept_variant", "known_at",
    "leaderboard", "leaderboard_metrics", "losses", "mean_losses", "measure", "metrics", "pairs_to_compare", "plan_cutoffs",
    "refit_month", "restated_forecasts", "rows_kept", "said", "scaled_errors", "scored_rows", "strongest", "value_added", "walk_forward",
    "wql",
]  # fmt: skip
