"""What was known of a domain at a month's end: its training set of that time.

It is the training set of today up to that month, but for values that were restated since the ledger first noted them. Of a month that
the ledger knew by then, the value known then counts; of one that it came to know later, the value as it was first known.
"""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from forecasting.contracts import TRAIN_COLUMNS
from forecasting.series import with_levels_of

KEY = ["unique_id", "ds"]


def known_then(
    train: pd.DataFrame, ledger: pd.DataFrame, built: dict[pd.Timestamp, pd.DataFrame]
) -> dict[pd.Timestamp, pd.DataFrame]:
    """Return the training set as it was known at each month's end.

    Parameters
    ----------
    train: the training set of today.
    ledger: of `ledger.noted_actuals`: unique_id, region, product_category, ds, y, as_of.
    built: for each month what today's facts up to its end give, which counts where the ledger does not know better.
    """
    restated = ledger.groupby(KEY)["y"].nunique().gt(1).any() or not same(newest(ledger), train)
    return {month: _known_at(own, ledger, month) if restated else own for month, own in built.items()}


def up_to(train: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    """Return the rows up to a month."""
    return train[train["ds"] <= month].reset_index(drop=True)


def newest(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the value that the ledger noted last of each series and month."""
    return ledger.sort_values("as_of", kind="stable").drop_duplicates(KEY, keep="last")


def same(ledger: pd.DataFrame, train: pd.DataFrame) -> bool:
    """Say whether every value of the ledger is that of the training set."""
    both = ledger[[*KEY, "y"]].merge(train[[*KEY, "y"]], on=KEY, how="left", suffixes=("_noted", ""))
    return bool((both["y_noted"] == both["y"]).all())


def _known_at(own: pd.DataFrame, ledger: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    """Return the training set as it was known at a month's end."""
    past = ledger[ledger["ds"] <= month]
    first_noted = past.groupby("ds")["as_of"].transform("min")
    then = past[past["as_of"] <= first_noted.clip(lower=month + pd.offsets.MonthEnd(0))]
    noted = newest(then)
    flags = own[[*KEY, "is_imputed"]]
    known = noted.merge(flags, on=KEY, how="left").assign(
        is_imputed=lambda rows: rows["is_imputed"].eq(True).fillna(False)
    )
    other = own[~own["ds"].isin(past["ds"])]
    found = pd.concat([known[TRAIN_COLUMNS], other[TRAIN_COLUMNS]], ignore_index=True)
    gone = ~found["unique_id"].isin(own["unique_id"]) & found.groupby("unique_id")["y"].transform(
        lambda y: bool((y == 0).all())
    )
    found = found[~gone].sort_values(KEY, ignore_index=True)
    return with_levels_of(found.astype(own[TRAIN_COLUMNS].dtypes.to_dict()), own)


class Group(NamedTuple):
    """Months that share one walk-forward: `train` is what was known at the last of them, `learned` what the models learned from."""

    months: list[pd.Timestamp]
    train: pd.DataFrame
    learned: pd.DataFrame


def groups(
    months: Iterable[pd.Timestamp],
    trained: dict[pd.Timestamp, pd.Timestamp],
    sets: dict[pd.Timestamp, pd.DataFrame],
) -> list[Group]:
    """Put months together whose training sets only continue each other; a month after a restatement begins anew.

    `sets`: the training sets of the months, and of those up to which their models have learned (`trained`).
    """
    found: list[Group] = []
    for month in months:
        train, learned = sets[month], sets[trained[month]]
        is_whole = continues(train, learned)
        last = found[-1] if found else None
        if last and is_whole and last.train is last.learned and continues(train, last.train):
            found[-1] = Group([*last.months, month], train, train)
        else:
            found.append(Group([month], train, train if is_whole else learned))
    return found


def continues(train: pd.DataFrame, earlier: pd.DataFrame) -> bool:
    """Say whether a training set is an earlier one with further months."""
    return up_to(train, earlier["ds"].max()).equals(earlier)
