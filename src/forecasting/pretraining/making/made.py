"""What is handed on: series, the months at which they begin, and what they are."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Made:
    """Series side by side: `values` [n, months], NaN where a series is not there yet.

    `first_month` [n] is the month number (since January 1970) of the first column, `kind` [n] the name of the recipe.
    """

    values: np.ndarray
    first_month: np.ndarray
    kind: np.ndarray
