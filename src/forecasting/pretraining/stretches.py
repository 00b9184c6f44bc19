"""Which months of a series are learned from: the longest stretch without a gap, so that nothing is filled in."""

import pandas as pd

from forecasting.pretraining.overlap import MONTHS
from forecasting.series import month_number


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """Return of each series its longest stretch of months without a gap (the latest of several), in order of unique_id and ds.

    A stretch under 30 months could not be compared with other series, and one that never moves teaches nothing: both are left out.

    Parameters
    ----------
    table: unique_id, ds, y in any order; a month that is not known is missing or NaN.

    Raises
    ------
    ValueError
        If a series has a month twice.
    """
    known = table.dropna(subset="y").sort_values(["unique_id", "ds"], ignore_index=True)
    if twice := list(known.loc[known.duplicated(["unique_id", "ds"]), "unique_id"].unique()[:3]):
        raise ValueError(f"A month stands twice in the series {', '.join(map(str, twice))}.")
    ids = known["unique_id"]
    months = pd.Series(month_number(known["ds"]), index=known.index)
    stretch = (ids.ne(ids.shift()) | months.diff().ne(1)).cumsum()
    length = stretch.groupby(stretch).transform("size")
    is_longest = length.eq(length.groupby(ids).transform("max"))
    is_chosen = stretch.eq(stretch.where(is_longest).groupby(ids).transform("max"))
    moves = known["y"].groupby(stretch).transform("nunique") > 1
    return known.loc[is_chosen & moves & (length >= MONTHS), ["unique_id", "ds", "y"]].reset_index(drop=True)
