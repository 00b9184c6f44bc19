"""Is one model really better than another, or was it luck? The Diebold–Mariano test on walk-forward errors.

Diebold and Mariano (1995), with the small-sample correction of Harvey, Leybourne and Newbold (1997) and Student's t. The loss of
a cutoff is the mean absolute scaled error over all series and horizons; losses of cutoffs less than a horizon apart share
months, so the variance of their mean difference counts autocovariances up to lag h − 1, with Bartlett's weights (Newey and West
1987).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import POINT
from forecasting.evaluation.cutoffs import CALIBRATION, COMPARED
from forecasting.evaluation.ranking import BASELINE

MIN_CUTOFFS = 12  # fewer tell nothing: at 12 the correction halves the statistic of six months ahead
LEVEL = 0.05
TOO_FEW = "too few cutoffs to tell"
COMPARISON_COLUMNS = ["model", "against", "n_cutoffs", "mean_difference", "statistic", "p_value", "verdict"]
ROW = ["unique_id", "cutoff", "horizon"]


def scaled_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the absolute scaled error of every model on the same rows [unique_id × cutoff × horizon, model_name].

    `rows` are of `ranking.scored_rows`. Only single series count, at cutoffs at which every horizon was observed; those that
    teach the intervals are out-of-sample too. Rows without a scale are left out.
    """
    known = rows[
        (rows["aggregation"] == "series") & rows["evaluation_set"].isin([CALIBRATION, *COMPARED]) & (rows["scale"] > 0)
    ]
    known = known.assign(error=(known[POINT] - known["y"]).abs() / known["scale"])
    return known.pivot(index=ROW, columns="model_name", values="error")


def pairs_to_compare(models: Iterable[str], champion: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what to compare: every model with the seasonal naive, and the challenger with the incumbent of `champion.json`."""
    known = list(models)
    found = [(model, BASELINE) for model in known if model != BASELINE]
    found.append((champion["challenger"], champion["incumbent"]))
    return [pair for pair in dict.fromkeys(found) if set(pair) <= set(known)]


def compare_models(errors: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Test each pair (model, against) of columns of `scaled_errors`, on the rows that both have.

    Returns
    -------
    One row per pair (COMPARISON_COLUMNS). `mean_difference` is the mean loss of `model` − that of `against`: below zero, `model` is better.
    `verdict` is «better», «worse», «no clear difference» (p from 0.05) or «too few cutoffs to tell»: statistic and p_value are
    NaN then, as where the difference is the same at every cutoff and no variance can be estimated.
    """
    result = []
    for model, against in pairs:
        both = errors[[model, against]].dropna().reset_index()
        horizon = int(both["horizon"].max()) if len(both) else 1
        difference = (both[model] - both[against]).groupby(both["cutoff"]).mean().sort_index().to_numpy()
        statistic, p_value = diebold_mariano(difference, horizon)
        mean = float(difference.mean()) if len(difference) else float("nan")
        result.append([model, against, len(difference), mean, statistic, p_value, _verdict(statistic, p_value)])
    return pd.DataFrame(result, columns=COMPARISON_COLUMNS)


def diebold_mariano(difference: np.ndarray, horizon: int) -> tuple[float, float]:
    """Return the corrected statistic and its two-sided p-value; NaN twice where there is too little to tell.

    `difference` is the loss of one model − that of another [cutoff], at consecutive cutoffs in order of time.
    """
    from scipy import stats  # takes half a second

    n = len(difference)
    unknown = (float("nan"), float("nan"))
    if n < max(MIN_CUTOFFS, horizon + 1):
        return unknown
    if not difference.any():  # the same forecasts
        return 0.0, 1.0
    centred = difference - difference.mean()
    covariances = [float(centred[lag:] @ centred[: n - lag]) / n for lag in range(horizon)]
    variance = covariances[0] + 2 * sum((1 - lag / horizon) * covariances[lag] for lag in range(1, horizon))
    if not variance > np.finfo(float).eps * float(difference @ difference):  # the same loss at every cutoff
        return unknown
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = float(np.sqrt(correction) * difference.mean() / np.sqrt(variance / n))
    return statistic, float(2 * stats.t.sf(abs(statistic), n - 1))


def _verdict(statistic: float, p_value: float) -> str:
    """Say in plain English what the test says of the first model."""
    if np.isnan(p_value):
        return TOO_FEW
    if p_value >= LEVEL:
        return "no clear difference"
    return "better" if statistic < 0 else "worse"
