"""What a model said, made coherent and given its intervals: at past cutoffs by what was known there, and for the months to come.

The walk-forward's evaluation, the notebook that forecasts and whoever forecasts later (an API) use the same
calculation, so their numbers are the same. What is measured: the raw forecasts of series, regions, categories and the total are
made to agree by the method that did best up to their cutoff, series are cut at zero where the sign policy says so, sums are sums of
what is left, and each gets the interval that was known at its cutoff.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.contracts import (
    BACKTEST_COLUMNS,
    BOUNDS,
    FORECAST_COLUMNS,
    POINT,
    QUANTILE_COLUMNS,
    BackTest,
)
from forecasting.intervals.calibration import Calibration, Past
from forecasting.intervals.conformal import naive_errors_at
from forecasting.intervals.reconciliation import reconcile
from forecasting.series import Observed, aggregate_actuals, by_cutoff


class Calibrated(NamedTuple):
    """Rows of every aggregation and how many were cut at zero by the sign policy.

    `cut`: {"points": series rows whose point was negative, "bounds": rows of any aggregation with a negative bound}. `cut_series`: the
    horizons of those points by unique_id, of a forecast from one cutoff.
    """

    rows: pd.DataFrame
    cut: dict[str, int]
    cut_series: dict[str, list[int]]


def calibrate_backtest(
    raw: pd.DataFrame,
    train: pd.DataFrame,
    domain: str,
    cutoffs: pd.DataFrame,
    allow_negative: bool,
    wanted: Collection[pd.Timestamp] | None = None,
) -> BackTest:
    """Do for one model what `calibrate_backtests` does for several."""
    (made,) = calibrate_backtests({"": raw}, train, domain, cutoffs, allow_negative, wanted).values()
    return made


def calibrate_backtests(
    raw: Mapping[str, pd.DataFrame],
    train: pd.DataFrame,
    domain: str,
    cutoffs: pd.DataFrame,
    allow_negative: bool,
    wanted: Collection[pd.Timestamp] | None = None,
) -> dict[str, BackTest]:
    """Make the forecasts of each model at past cutoffs coherent and give them the intervals that were known at each cutoff.

    Every model learns from its own past alone; what follows from the facts is found once for all of them.

    Parameters
    ----------
    raw: for each model RAW_BACKTEST_COLUMNS, of `evaluation.walk_forward`; there may be no rows, and rows of months still to come count
    not yet.
    train: the training set up to its last month.
    cutoffs: cutoff, evaluation_set (of `evaluation.plan_cutoffs`); rows of other cutoffs are left out.
    wanted: the cutoffs whose rows are asked for, None: all; the others teach as ever.

    Returns
    -------
    For each model the back-test, with one row per aggregation, unique_id, cutoff, horizon; and the calibration of the next forecast,
    from all rows.
    """
    cut, asked, last = (
        not allow_negative,
        cutoffs if wanted is None else cutoffs[cutoffs["cutoff"].isin(wanted)],
        train["ds"].max(),
    )
    observed = Observed.of(train)
    naive = naive_errors_at(aggregate_actuals(train))
    sets = asked.set_index("cutoff")["evaluation_set"]

    def made(said: pd.DataFrame) -> BackTest:
        """Return the back-test of one model."""
        measured = _past(said, set(cutoffs["cutoff"]), observed, cut)
        past = Past.of(list(measured.values()), cut)
        calibration = Calibration.fit(past, naive(last))
        wanted_cutoffs = [cutoff for cutoff, rows in measured.items() if cutoff in sets and len(rows)]
        if not wanted_cutoffs:
            measured, wanted_cutoffs = {last: _past_at(last, said.iloc[:0], observed, cut)}, [last]
        finished = []
        for cutoff in wanted_cutoffs:
            known = Calibration.fit(past.known_at(cutoff), naive(cutoff))
            rows = measured.pop(cutoff)  # what is finished takes its place
            calibrated = known.apply(rows, cut).assign(domain=domain, evaluation_set=sets.get(cutoff, ""))
            finished.append(_finished(calibrated, [*BACKTEST_COLUMNS, "node"], cut))
        del measured, past  # before the tables of all cutoffs are put together
        return BackTest(said, *_together(finished), calibration.to_json())

    return {name: made(said) for name, said in raw.items()}


def calibrate_forecasts(
    raw: pd.DataFrame,
    train: pd.DataFrame,
    domain: str,
    model_name: str,
    status: str,
    calibration: Calibration,
    allow_negative: bool,
) -> Calibrated:
    """Make one model's forecasts after the last month of `train` coherent; give them intervals and columns to publish.

    `raw` is what `evaluation.forecast_nodes` returned for `evaluation.known_at(train, last month)`. Returns rows with
    FORECAST_COLUMNS, one per aggregation, unique_id, horizon.
    """
    cut = not allow_negative
    last, observed = train["ds"].max(), Observed.of(train)
    named = raw.assign(cutoff=last, model_name=model_name)
    rows = _scaled(reconcile(named, observed, cut, [calibration.reconciliation]), observed, last)
    rows = calibration.apply(rows, cut).assign(domain=domain, status=status)
    found = _finished(rows, [*FORECAST_COLUMNS, "node"], cut)
    order = np.lexsort([found.rows["horizon"], found.rows["node"]])
    return found._replace(rows=found.rows[FORECAST_COLUMNS].iloc[order].reset_index(drop=True))


def _past(
    said: pd.DataFrame, planned: Collection[pd.Timestamp], observed: Observed, cut: bool
) -> dict[pd.Timestamp, pd.DataFrame]:
    """Return by cutoff past forecasts with the points of each method, scales and y; what nothing can be compared with is left out.

    Cutoff by cutoff, as side by side the tables on the way would take many times the memory.
    """
    parts = {
        cutoff: _past_at(cutoff, rows[rows["ds"] <= observed.last], observed, cut)
        for cutoff, rows in by_cutoff(said)
        if cutoff in planned
    }
    return parts or {observed.last: _past_at(observed.last, said.iloc[:0], observed, cut)}


def _past_at(cutoff: pd.Timestamp, said: pd.DataFrame, observed: Observed, cut: bool) -> pd.DataFrame:
    """Return past forecasts from one cutoff with the points of each method, scales and y."""
    rows = _scaled(reconcile(said, observed, cut), observed, cutoff)
    node = rows["node"].to_numpy()
    rows["y"] = observed.y(node, rows["ds"])
    return rows[observed.is_comparable(node, rows["ds"]) & rows["y"].notna()]


def _scaled(rows: pd.DataFrame, observed: Observed, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Add what is known of each row's node at the cutoff that all rows are of: its scale, typical error, unrest …"""
    node = rows["node"].to_numpy()
    return rows.assign(**{name: of_nodes[node] for name, of_nodes in observed.scales(cutoff).items()})


def _finished(rows: pd.DataFrame, columns: list[str], cut: bool) -> Calibrated:
    """Apply the sign policy to bounds and keep these columns."""
    negative, final = 0, rows
    if cut:
        said, outer = rows[QUANTILE_COLUMNS].to_numpy(), [QUANTILE_COLUMNS.index(name) for name in BOUNDS.values()]
        negative = int((said[:, outer] < 0).any(axis=1).sum())
        final = rows.assign(**dict(zip(QUANTILE_COLUMNS, np.where(said < 0, 0.0, said).T, strict=True)))
    bounds = {bound: final[quantile] for bound, quantile in BOUNDS.items()}
    final = final.assign(predicted_value=final[POINT], **bounds)
    below = final.loc[final["was_negative"].astype(bool)].sort_values(["unique_id", "horizon"])
    by_series = {str(name): horizons.tolist() for name, horizons in below.groupby("unique_id")["horizon"]}
    return Calibrated(final[columns], {"points": len(below), "bounds": negative}, by_series)


def _together(parts: list[Calibrated]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return what was said at several cutoffs as one table in order of node, cutoff and months ahead, and how much of it was cut."""
    keys = ("horizon", "cutoff", "node")
    order = np.lexsort([np.concatenate([part.rows[name].to_numpy() for part in parts]) for name in keys])
    columns = {  # one by one: a second copy of the whole would take gigabytes where series are many
        name: np.concatenate([part.rows[name].to_numpy() for part in parts])[order] for name in BACKTEST_COLUMNS
    }
    cut = {what: sum(part.cut[what] for part in parts) for what in ("points", "bounds")}
    return pd.DataFrame(columns), cut
