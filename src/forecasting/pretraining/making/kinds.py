"""What is made, how much of each, and why: the one table of the generator.

The weights are those of a company's data: mostly plain flows, disturbed ones, and then each thing that a monthly planner meets.
That made series teach a network to forecast real ones was shown by ForecastPFN (Dooley et al. 2023, arXiv 2311.01933) and TempoPFN (2025),
which saw nothing else, and by Chronos (KernelSynth; Ansari et al. 2024, arXiv 2403.07815) and TiRex (Auer et al. 2025, arXiv 2505.23719),
which add them to real ones. None makes what is typical for a company's months: changing seasons, the calendar, lives of products,
stocks, profit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting.pretraining.making.recipes import flows, limits, stocks, sums


@dataclass(frozen=True)
class Kind:
    """A recipe, its share of all made series, whether its values are whole numbers that no scale may touch, and why it is made."""

    share: float
    recipe: Callable[[np.random.Generator, np.ndarray, int], np.ndarray]
    whole: bool
    why: str


KINDS: dict[str, Kind] = {
    "steady": Kind(
        0.26, flows.multiplicative, False, "most sales: the season grows with the level (ForecastPFN's prior)"
    ),
    "additive": Kind(
        0.11,
        flows.additive,
        False,
        "the other classical form; seasons that stay while the level moves, and cut at zero",
    ),
    "disturbed": Kind(
        0.15,
        flows.disturbed,
        False,
        "shifts, also in the last six months, outliers, promotions, standstill: what moves choices",
    ),
    "gaussian": Kind(
        0.13, flows.gaussian, False, "KernelSynth: shapes that nobody thought of (Chronos trains on a tenth of it)"
    ),
    "lived": Kind(0.06, flows.lived, False, "assortments change: starts, ends, pauses, zeros at the start"),
    "seasonal_goods": Kind(0.02, flows.seasonal_goods, False, "zeros that are season, not lack of demand"),
    "intermittent": Kind(
        0.08, limits.sporadic, True, "spare parts and slow movers; two such series can decide a set's error"
    ),
    "counts": Kind(
        0.03, limits.counts, True, "pieces: few values, a variance that follows the mean (TempoPFN's quantisation)"
    ),
    "censored": Kind(0.02, limits.censored, False, "what was sold is not what was wanted (TempoPFN, TiRex)"),
    "profit": Kind(0.05, sums.profits, False, "one of three domains; crosses zero, unlike anything in public sets"),
    "sum": Kind(0.04, sums.aggregates, False, "regions, categories and totals are forecast too, and are calmer"),
    "stock": Kind(
        0.03, stocks.stocks, False, "one of three domains; follows demand late, in lots, with its own cycles"
    ),
    "expense": Kind(0.02, flows.expenses, False, "negative throughout, rises once a year, often exactly flat"),
}
