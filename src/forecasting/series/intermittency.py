"""Series that are sold now and then: which they are, and that nothing is below zero where history has been at zero and never below."""

import numpy as np

from forecasting.series.panels import Panel

MEAN_INTERVAL = (
    1.32  # months from one sale to the next, from which demand is intermittent (Syntetos, Boylan and Croston 2005)
)
FEWEST_CHANGES = 0.5  # between zero and not, of those by chance
FEWEST_SALES = 4  # months that were not zero: fewer say nothing of how much is sold at a time


def intermittent(known: Panel) -> np.ndarray:
    """Say which series are zero now and then, MEAN_INTERVAL months or more lying between those that are not [series].

    Where zeros and others follow each other in longer runs than chance would have it (half as many changes between them, as Wald and
    Wolfowitz count them, 1940), they have a cause, a season, a launch, a stock that lasts: other models may know it.
    """
    is_known, is_sold = np.isfinite(known.values), np.isfinite(known.values) & (known.values != 0)
    months, sold = is_known.sum(axis=1), is_sold.sum(axis=1)
    changes = ((is_sold[:, 1:] != is_sold[:, :-1]) & is_known[:, 1:] & is_known[:, :-1]).sum(axis=1)
    by_chance = 2.0 * sold * (months - sold) / months
    return (months >= MEAN_INTERVAL * sold) & (sold >= FEWEST_SALES) & (changes >= FEWEST_CHANGES * by_chance)


def lowest(known: Panel) -> np.ndarray:
    """Return what no bound of a forecast is below [series]: 0 where a history has been at zero and never below, else −∞."""
    least = np.where(np.isfinite(known.values), known.values, np.inf).min(axis=1)
    return np.where(least == 0, 0.0, -np.inf)
