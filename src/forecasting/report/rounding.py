"""Numbers that add up on the page: effects rounded together, and a word where parts that are rounded one by one do not."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecasting.report.html import note
from forecasting.wording import Amounts, compact

CENT = 0.01  # what sums of doubles, of amounts in cents, may differ by


def adding_up(parts: Sequence[float], total: float, decimals: int) -> list[float]:
    """Round parts so that they add up to a rounded total, each to one of its two neighbours where the total allows it.

    The largest-remainder method (Hamilton's, of apportionment): all are rounded down, then those with the largest remainders
    up by one until the sum is reached. `total` is in the parts' unit and rounded to `decimals`
    already: −3 are whole thousands.
    """
    scaled = np.asarray(parts, dtype=float) * 10**decimals
    down = np.floor(np.round(scaled, 6))
    missing = round(total * 10**decimals - down.sum())
    order = np.argsort(down - scaled, kind="stable")
    each, extra = divmod(missing, len(down)) if len(down) else (0, 0)
    down += each
    down[order[:extra]] += 1
    return [float(value) / 10**decimals for value in down]


def sums_note(
    parts: pd.DataFrame, totals: pd.Series, amount: Amounts, shown: tuple[pd.DataFrame, pd.Series] | None = None
) -> str:
    """Say by how much the numbers shown differ from the total shown; nothing where they add up as they stand.

    `parts` has one row per part and one column per number that people can add up, `totals` the total of each column, both as
    they are before rounding; `shown` is the same as it is shown, where that is not each number rounded by itself. A difference
    that rounding does not explain is said to be one.
    """
    known = totals.dropna().index
    parts, totals = parts[known].astype(float).fillna(0.0), totals[known].astype(float)
    if parts.empty or not len(known):
        return ""
    shown_parts, shown_totals = shown or (parts.map(amount.rounded), totals.map(amount.rounded))
    exact = (parts.sum() - totals).abs()
    wrong = exact[exact > np.maximum(CENT, 1e-9 * parts.abs().sum())]
    if len(wrong):
        return note(
            f"These parts do not add up to the total: they differ by up to {compact(wrong.max(), amount.unit)}."
        )
    off = (shown_parts[known].sum() - shown_totals[known]).abs().max()
    if off < 1e-3 * 10**-amount.digits:
        return ""
    return note(f"Parts and total are rounded one by one: as shown they add up to within {amount(off)}.")
