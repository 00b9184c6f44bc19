"""Which months are filled, and up to which month the models of each had learned."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence

import pandas as pd

from forecasting.errors import UserError
from forecasting.series import month_number

MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)


def month_range(first: str, last: str) -> list[pd.Timestamp]:
    """Return the months from FROM to TO, both included.

    Raises
    ------
    UserError
        If one is no month, or FROM is after TO.
    """
    start, end = month_of("FROM", first), month_of("TO", last)
    if start > end:
        raise UserError(f"FROM={first} is after TO={last}: give the first month of the range, then the last.")
    return list(pd.date_range(start, end, freq="MS"))


def month_of(setting: str, text: str) -> pd.Timestamp:
    """Return a month that was typed as 2023-01."""
    try:
        if not MONTH.fullmatch(text):
            raise ValueError
        return pd.Timestamp(dt.date.fromisoformat(f"{text}-01"))
    except ValueError:
        raise UserError(
            f"{setting} must be a month like 2023-01, found {text[:80]!r}: make backfill FROM=2023-01 TO=2023-12."
        ) from None


def before(month: pd.Timestamp) -> pd.Timestamp:
    """Return the month before."""
    return month - pd.DateOffset(months=1)


def months_apart(earlier: pd.Timestamp, later: pd.Timestamp) -> int:
    """Return how many months lie between two."""
    first, last = month_number(pd.DatetimeIndex([earlier, later]))
    return int(last - first)


def trained_months(
    months: Sequence[pd.Timestamp], retrain_every: float, known: Mapping[pd.Timestamp, pd.Timestamp]
) -> dict[pd.Timestamp, pd.Timestamp]:
    """Return for each month the last one up to which its models have learned, by the schedule of `make monthly`.

    Models learn anew once so many months have passed since they did, and in the first month where nothing earlier is known.

    Parameters
    ----------
    months: one after another, in order.
    known: of months that were published or filled before, up to where their models had learned.
    """
    found: dict[pd.Timestamp, pd.Timestamp] = {}
    last = known.get(before(months[0]))
    for month in months:
        is_due = last is None or months_apart(last, month) >= retrain_every
        last = known.get(month) or (month if is_due else last)
        found[month] = last
    return found
