"""Several months in one number: amounts are added up, a stock at the ends of months is averaged."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from forecasting.contracts import FLOWS
from forecasting.ledger import Domain
from forecasting.wording import is_known, month


def is_flow(domain: Domain) -> bool:
    """Return whether the months of a domain can be added up; an inventory is there again at the end of every month."""
    return domain.name in FLOWS


def together(domain: Domain, values: Iterable[float]) -> float | None:
    """Return the sum of several months, of a stock their mean; None without months or where one is not known."""
    known = [float(value) for value in values]
    if not known or not all(map(is_known, known)):
        return None
    return float(np.sum(known) if is_flow(domain) else np.mean(known))


def word(domain: Domain) -> str:
    """Say what `together` makes of several months."""
    return "sum of the months" if is_flow(domain) else "mean of the month-ends"


def span(months: Iterable[pd.Timestamp]) -> str:
    """Write the first and the last month, «July to November 2025»."""
    first, last = min(months := list(months)), max(months)
    if first == last:
        return month(first)
    return f"{first:%B} to {month(last)}" if first.year == last.year else f"{month(first)} to {month(last)}"
