"""What a model said, made coherent and given its intervals: at past cutoffs by what was known there, and for the months to come.

The walk-forward's evaluation, the notebook that forecasts and whoever forecasts later (an API) use the same
calculation, so their numbers are the same. What is measured: the raw forecasts of series, regions, categories and the total are
made to agree by the method that did best up to their cutoff, series are cut at zero where the sign policy says so, sums are sums of
what is left, and each gets the interval that was known at its cutoff.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

from forecasting.contracts import (
    BACKTEST_COLUMNS,
    BOUNDS,
    FORECAST_COLUMNS,
    POINT,
    QUANTILE_COLUMNS,
    BackTest,
    aggregations_of,
)
from forecasting.intervals.calibration import Calibration, Past, apply_each
from forecasting.intervals.conformal import naive_errors_at
from forecasting.intervals.reconciliation import reconcile
from forecasting.series import NODE, aggregate_actuals, comparable, scales


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
    actuals, cut = aggregate_actuals(train), not allow_negative
    asked = cutoffs["cutoff"] if wanted is None else cutoffs.loc[cutoffs["cutoff"].isin(wanted), "cutoff"]
    last = actuals["ds"].max()
    naive = naive_errors_at(actuals, [*asked, last])
    observed = pd.concat([said[said["ds"] <= train["ds"].max()].assign(of=name) for name, said in raw.items()])
    everyone = _past(observed.merge(cutoffs[["cutoff"]], on="cutoff"), train, actuals, cut)

    def made(name: str) -> BackTest:
        """Return the back-test of one model."""
        measured = everyone[everyone["of"] == name]
        past = Past.of(measured, cut)
        rows = measured[measured["cutoff"].isin(asked)]
        known = {cutoff: Calibration.fit(past.known_at(cutoff), naive[cutoff]) for cutoff in rows["cutoff"].unique()}
        calibrated = apply_each(known, rows, cut).merge(cutoffs, on="cutoff").assign(domain=domain)
        finished = _finished(calibrated, [*NODE, "cutoff", "horizon"], BACKTEST_COLUMNS, cut)
        return BackTest(raw[name], finished.rows, finished.cut, Calibration.fit(past, naive[last]).to_json())

    return {name: made(name) for name in raw}


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
    named = raw.assign(cutoff=train["ds"].max(), model_name=model_name)
    rows = _scaled(reconcile(named, train, cut, [calibration.reconciliation]), aggregate_actuals(train))
    rows = calibration.apply(rows, cut).assign(domain=domain, status=status)
    return _finished(rows, [*NODE, "horizon"], FORECAST_COLUMNS, cut)


def _past(raw: pd.DataFrame, train: pd.DataFrame, actuals: pd.DataFrame, cut: bool) -> pd.DataFrame:
    """Return past forecasts with the points of each method, scale and y; those that nothing can be compared with are left out."""
    rows = _scaled(reconcile(raw, train, cut), actuals)
    return comparable(rows, train).merge(actuals[[*NODE, "ds", "y"]], on=[*NODE, "ds"])


def _scaled(rows: pd.DataFrame, actuals: pd.DataFrame) -> pd.DataFrame:
    """Add the scale, the typical error and the unrest that each node had at the row's cutoff."""
    return rows.merge(scales(actuals, sorted(rows["cutoff"].unique())), on=[*NODE, "cutoff"], how="left")


def _finished(rows: pd.DataFrame, keys: list[str], columns: list[str], cut: bool) -> Calibrated:
    """Apply the sign policy to bounds and bring rows into the order of `keys` (aggregations from series to total)."""
    negative = int((rows[list(BOUNDS.values())] < 0).any(axis=1).sum()) if cut else 0
    final = rows.assign(**rows[QUANTILE_COLUMNS].clip(lower=0.0)) if cut else rows
    bounds = {bound: final[quantile] for bound, quantile in BOUNDS.items()}
    final = final.assign(predicted_value=final[POINT], **bounds)
    rank = {name: number for number, name in enumerate(aggregations_of(rows["aggregation"].unique()))}
    ordered = final.sort_values(keys, key=lambda c: c.map(rank) if c.name == "aggregation" else c, ignore_index=True)
    below = ordered[ordered["was_negative"].astype(bool)]
    by_series = {str(name): horizons.tolist() for name, horizons in below.groupby("unique_id")["horizon"]}
    return Calibrated(ordered[columns], {"points": len(below), "bounds": negative}, by_series)
