"""Is a model that looked better than another really better? Its lead at past origins, less what luck alone would give.

Both models are compared on the same series at the same origins, loss by loss, recent origins counting more. All series share an origin's
surprise, origins less than a horizon apart share months, and what is special about a series stays with it: so the noise of a lead is
clustered by origin and by series (Cameron, Gelbach and Miller 2011), overlapping origins by Bartlett's weights (Driscoll and Kraay 1998).

Of many models that are equally good one always looks best: the winner's curse. The best of m leads by its noise times the expected largest
of m draws (Blom 1958), from Student's t with as many degrees of freedom as there are origins that do not overlap, less one. That is its
`luck`, and only what is left of the lead is evidence. A candidate that was named beforehand has no such luck.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, MAX_HORIZON
from forecasting.evaluation.cutoffs import CALIBRATION, CHOICE
from forecasting.evaluation.metrics import error, quantile_losses
from forecasting.models import LARGEST_ERROR
from forecasting.series import month_number

DEFAULT = "weighted"  # the model that is used where no evidence speaks for another
CHOOSING = (CALIBRATION, CHOICE)  # the cutoffs that choose: every month ahead was observed, and they are not held out
HALF_LIFE = 12.0  # months after which an origin counts half
FEWEST = 0.5  # degrees of freedom at least, so that a lead at a single origin needs a noise of almost nothing
TIE = 1e-9  # % of lead below which two models are as good
ROW = ["unique_id", "origin", "model_name"]
EVIDENCE_COLUMNS = ["loss", "lead_pct", "noise_pct", "luck_pct", "left_pct"]
LOSSES: dict[str, Callable[[pd.DataFrame], pd.Series | np.ndarray]] = {
    "mase": lambda rows: (np.abs(error(rows)) / rows["scale"]).clip(upper=LARGEST_ERROR),
    "rmsse": lambda rows: error(rows) ** 2 / rows["squared_scale"],  # of which the measure is the root
    "wape": lambda rows: np.abs(error(rows)) / rows["y"].abs().mean(),
    "scaled_crps": lambda rows: quantile_losses(rows) / rows["y"].abs().mean(),
}


def losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the losses of the models at the cutoffs that choose, each a mean over the months ahead.

    `rows` are of `ranking.scored_rows`; only single series with a scale count, and a model that lacks rows which others have is left out.

    Returns
    -------
    One row per unique_id, origin (the number of the cutoff's month) and model_name (ROW), with the LOSSES by their measure's name.
    """
    found = choosing(rows)
    count = found.groupby("model_name")["origin"].transform("size")
    return mean_losses(found[count == count.max()])


def choosing(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the scored rows that choose, with the number of the cutoff's month (origin)."""
    chosen = (rows["aggregation"] == AGGREGATIONS[0]) & rows["evaluation_set"].isin(CHOOSING) & (rows["scale"] > 0)
    return rows[chosen].assign(origin=month_number(rows.loc[chosen, "cutoff"]))


def mean_losses(rows: pd.DataFrame, metrics: Iterable[str] = tuple(LOSSES)) -> pd.DataFrame:
    """Return ROW and the losses that are asked for, means over the months ahead, of rows with y, the quantiles, scales and ROW."""
    each = {name: LOSSES[name](rows) for name in metrics}
    return rows[ROW].assign(**each).groupby(ROW, as_index=False).mean()


def evidence(
    losses: pd.DataFrame, metric: str, against: str, horizon: int = MAX_HORIZON, named: Collection[str] = ()
) -> pd.DataFrame:
    """Return what speaks for each model instead of another.

    Parameters
    ----------
    losses: ROW and the metric, one row for each model, series and origin; origins are numbered in months, the later the larger.
    against: the model that stays where nothing speaks for another.
    horizon: months ahead: origins less than that apart overlap.
    named: models that are no best of many, because they were named beforehand.

    Returns
    -------
    EVIDENCE_COLUMNS by model, `against` included: its mean `loss`; in % of that of `against` its lead (above 0: better), the lead's
    standard error, its luck, and what is left of the lead.
    """
    wide = losses.pivot(index=ROW[:2], columns=ROW[2], values=metric).dropna()
    grids = {model: wide[model].unstack(ROW[1]).to_numpy() for model in wide}
    base, origins = grids[against], wide.index.unique(ROW[1]).sort_values().to_numpy(dtype=float)
    weight = np.isfinite(base) * 0.5 ** ((origins.max() - origins) / HALF_LIFE)
    weight = weight / weight.sum()
    overlap = np.clip(1.0 - np.abs(origins[:, None] - origins) / horizon, 0.0, None)
    freedom = max(1.0 / (weight.sum(axis=0) @ overlap @ weight.sum(axis=0)) - 1.0, FEWEST)
    best = expected_best(len(set(grids) - {against, *named}), freedom)
    found = {}
    for model, own in grids.items():
        better = np.nan_to_num(base - own)
        lead = float((weight * better).sum())
        noise = standard_error(weight * (better - lead), overlap, freedom)
        luck = 0.0 if model in (against, *named) else noise * best
        found[model] = float(np.nansum(weight * own)), lead, noise, luck, lead - luck
    table = pd.DataFrame.from_dict(found, orient="index", columns=EVIDENCE_COLUMNS)
    in_percent = table.columns[1:]
    return table.assign(**table[in_percent] * 100.0 / (table.loc[against, "loss"] or 1.0))


def standard_error(residuals: np.ndarray, overlap: np.ndarray, freedom: float) -> float:
    """Return the standard error of a mean whose weighted residuals [series, origins] share surprises within a series and an origin.

    `overlap` [origins, origins] says how much of their months two origins share.
    """
    together = residuals.sum(axis=0)
    by_series = float((residuals.sum(axis=1) ** 2).sum())
    by_origin = float(together @ overlap @ together) * (freedom + 1.0) / freedom
    counted_twice = float(((residuals @ overlap) * residuals).sum())
    return float(np.sqrt(max(by_series + by_origin - counted_twice, by_series, by_origin)))


def expected_best(draws: int, freedom: float) -> float:
    """Return the expected largest of so many draws from Student's t, in standard errors: 0 of one."""
    from scipy import stats  # takes half a second

    return float(stats.t.ppf((draws - 0.375) / (draws + 0.25), freedom)) if draws > 1 else 0.0


def strongest(found: pd.DataFrame, against: str, order: Sequence[str] = ()) -> str | None:
    """Return the model of `evidence` with the most left of its lead, of those as good the simplest; None where there is no other.

    `order`: simplest first; models that are not named come last, by name.
    """
    left = found["left_pct"].drop(against)
    if left.empty:
        return None
    rank = {name: number for number, name in enumerate(order)}
    return min(left.index[left >= left.max() - TIE], key=lambda name: (rank.get(name, len(rank)), name))
