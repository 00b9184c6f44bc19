"""How the newest months differ from the history that models were trained on: growth, empty and imputed months, stand-in forecasts."""

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.monitor.verdicts import WATCH, Measure

QUARTER = 3
LEAST = 24  # quarters of history, below which nobody knows what is usual
MORE_IMPUTED = 0.10  # of the rows, more than in any quarter before


def inputs(train: pd.DataFrame, due: pd.DataFrame) -> list[Measure]:
    """Return the measures of the newest quarter against all quarters before; they call for watching alone.

    A new quarter that is like the others lies outside all n of them in 2 of n + 1 cases (permutation): seldom, not never.
    """
    return [each for each in (growth(train), imputed(train), fallback(due)) if each is not None]


def growth(train: pd.DataFrame) -> Measure | None:
    """Return how the total's growth over a year compares with that of every quarter before (1: outside them all)."""
    total = train.groupby("ds")["y"].sum().sort_index().rolling(QUARTER).sum()
    change = (total / total.shift(SEASON_LENGTH)).where(total.shift(SEASON_LENGTH) > 0).dropna() - 1
    past = change.iloc[:-QUARTER].to_numpy()
    if len(past) < LEAST:
        return None
    now, last = change.iloc[-1], change.index[-1]
    outside = float(now < past.min() or now > past.max())
    text = (
        f"The last three months are {100 * now:+.1f} % against those of the year before, outside the {100 * past.min():+.1f} to "
        f"{100 * past.max():+.1f} % of all {len(past)} quarters before."
    )
    return Measure("growth", outside, None, 0.5, WATCH, text=text, n=QUARTER, last_month=f"{last:%Y-%m}")


def imputed(train: pd.DataFrame) -> Measure | None:
    """Return by how much the share of imputed values in the newest quarter exceeds that of any quarter before."""
    share = train["is_imputed"].astype(float).groupby(train["ds"]).mean().sort_index().rolling(QUARTER).mean().dropna()
    if len(share) <= QUARTER:
        return None
    more = float(np.maximum(share.iloc[-1] - share.iloc[:-QUARTER].max(), 0.0))
    text = f"{100 * share.iloc[-1]:.1f} % of the values of the last three months are imputed, more than ever before."
    return Measure("imputed", more, None, MORE_IMPUTED, WATCH, text=text, n=QUARTER)


def fallback(due: pd.DataFrame) -> Measure | None:
    """Return which share of the series' forecasts for the newest month a simple stand-in made."""
    rows = due[(due["aggregation"] == "series") & (due["status"] == "published")]
    rows = rows[rows["cutoff"] == rows["cutoff"].max()]
    if rows.empty:
        return None
    share = float(rows["is_fallback"].mean())
    return Measure(
        "fallback", share, text=f"{100 * share:.1f} % of the series were forecast by a simple stand-in.", n=1
    )
