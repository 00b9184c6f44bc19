"""Sums over series, bottom-up: each region, each category and the total, for actuals and forecasts alike.

A sum of actuals contains whatever series there are in that month. A sum of forecasts contains the series known at its
cutoff: one that begins later is in the actual and not in the forecast, which is part of the error of the sum, as it
would have been.
"""

from collections.abc import Sequence

import pandas as pd

from forecasting.contracts import AGGREGATIONS, ALL, SERIES_KEY


def with_keys(frame: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Add region and product_category to rows that have a unique_id only."""
    return frame.merge(train[SERIES_KEY].drop_duplicates(), on="unique_id", how="left", validate="many_to_one")


def aggregate(
    frame: pd.DataFrame, values: Sequence[str], by: Sequence[str], whole: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the rows of `frame` and their sums per region, category and in total.

    Parameters
    ----------
    frame: one row per series and `by`, with unique_id, region, product_category.
    values: columns to add up; a boolean column is true in a sum where it is true of every series in it.
    by: the columns that make a row within a series, as ds, or cutoff, horizon, ds, model_name.
    whole: columns of `by` that make one forecast, as cutoff, model_name. A sum is left out where a series that belongs
    to
        the forecast has no row; None: every sum is kept.

    Returns
    -------
    One row per aggregation, unique_id and `by`, in that order: aggregation, unique_id, region, product_category, *by,
    *values. The free key is 'All'.
    """
    flags = [name for name in values if frame[name].dtype == bool]
    parts = [_sums(frame, level, values, flags, by, whole) for level in AGGREGATIONS]
    return pd.concat(parts, ignore_index=True)


def _sums(
    frame: pd.DataFrame,
    level: str,
    values: Sequence[str],
    flags: list[str],
    by: Sequence[str],
    whole: Sequence[str] | None,
) -> pd.DataFrame:
    """Return the rows of one aggregation."""
    keyed = _key(frame, level).assign(aggregation=level)
    keys = ["aggregation", *SERIES_KEY]
    columns = [*keys, *by, *values]
    if level == AGGREGATIONS[0]:
        return keyed[columns].sort_values([*keys, *by], ignore_index=True)
    how = dict.fromkeys(values, "sum") | dict.fromkeys(flags, "min")
    groups = keyed.sort_values(["series", *by]).groupby([*keys, *by], sort=True)
    result = groups.agg(how).reset_index()
    if whole is None:
        return result[columns]
    members = keyed.groupby([*keys, *whole])["series"].nunique().rename("n_series").reset_index()
    present = groups.size().to_numpy()
    expected = result.merge(members, on=[*keys, *whole], how="left")["n_series"].to_numpy()
    return result.loc[present == expected, columns].reset_index(drop=True)


def _key(frame: pd.DataFrame, level: str) -> pd.DataFrame:
    """Replace the key of each series by the key of the sum it belongs to; the series' own stays as `series`."""
    keyed = frame.assign(series=frame["unique_id"])
    if level in ("category", "total"):
        keyed["region"] = ALL
    if level in ("region", "total"):
        keyed["product_category"] = ALL
    if level != AGGREGATIONS[0]:
        keyed["unique_id"] = keyed["region"] + "/" + keyed["product_category"]
    return keyed


def aggregate_actuals(train: pd.DataFrame) -> pd.DataFrame:
    """Return the actuals of every aggregation: aggregation, unique_id, region, product_category, ds, y."""
    return aggregate(train, ["y"], ["ds"])
