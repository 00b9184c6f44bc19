"""Months ahead in groups: what is learned of errors is pooled within them."""

import numpy as np

BUCKETS = {"1-3": (1, 3), "4-6": (4, 6), "7-12": (7, 12), "13-18": (13, 18), "19+": (19, 10_000)}


def bucket_of(horizon: np.ndarray) -> np.ndarray:
    """Return the position in BUCKETS of each horizon."""
    return np.searchsorted([last for _, last in BUCKETS.values()], horizon)
