"""The past months at which forecasts are made again, planned once (notebook 10), and what each is for."""

from collections.abc import Iterable

import pandas as pd

from forecasting.contracts import MAX_HORIZON

MIN_TRAIN_MONTHS = 24
HELD_OUT = 2  # the last cutoffs, which choose nothing
CALIBRATION, CHOICE, HELD_OUT_SET, RECENT = "calibration", "choice", "held_out", "recent"
COMPARED = (CHOICE, HELD_OUT_SET)  # the cutoffs at which every horizon is observed: only these are quoted


def cutoffs(
    months: Iterable[pd.Timestamp],
    horizon: int = MAX_HORIZON,
    n_cutoffs: int = 6,
    min_train_months: int = MIN_TRAIN_MONTHS,
    step: int = 1,
) -> list[pd.Timestamp]:
    """Return the last `n_cutoffs` cutoffs, in order of time: fewer, possibly none, where the history is short.

    Parameters
    ----------
    months: the months of the domain, in any order, repeated or not.
    horizon: months that stay observed after the last cutoff.
    min_train_months: months known at the first cutoff, itself included.
    step: months from one cutoff to the next.
    """
    known = sorted(pd.unique(pd.Series(list(months), dtype="datetime64[ns]")))
    last = len(known) - 1 - horizon
    positions = range(last, min_train_months - 2, -step)[:n_cutoffs]
    return [pd.Timestamp(known[position]) for position in reversed(positions)]


def plan_cutoffs(
    months: Iterable[pd.Timestamp],
    horizon: int = MAX_HORIZON,
    n_cutoffs: int = 6,
    n_calibration: int = 12,
    min_train_months: int = MIN_TRAIN_MONTHS,
) -> pd.DataFrame:
    """Return the cutoffs and what each is for, in order of time: cutoff, evaluation_set.

    The last two are 'held_out': they choose nothing and are what the report quotes. Those before them are 'choice'. Up
    to `n_calibration` still earlier ones are 'calibration': they give the intervals of the later ones their residuals, and
    choose too, with less weight the earlier they are, but no measure is quoted of them. With one or two cutoffs all are
    held out, and nothing is chosen.
    """
    found = cutoffs(months, horizon, n_cutoffs + n_calibration, min_train_months)
    sets = [CALIBRATION] * max(len(found) - n_cutoffs, 0)
    sets += [CHOICE] * max(len(found) - len(sets) - HELD_OUT, 0)
    sets += [HELD_OUT_SET] * (len(found) - len(sets))
    recent = cutoffs(months, 1, horizon - 1, min_train_months)
    found, sets = found + recent, sets + [RECENT] * len(recent)
    return pd.DataFrame(
        {"cutoff": pd.Series(found, dtype="datetime64[ns]"), "evaluation_set": pd.Series(sets, dtype=str)}
    )
