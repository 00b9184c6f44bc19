"""Several months in one number: amounts are added up, a stock at the ends of months is averaged."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from forecasting.contracts import FLOWS
from forecasting.ledger import Domain
from forecasting.wording import is_known, listing, month


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


def named(months: Iterable[pd.Timestamp], year: bool = True) -> str:
    """Name some months in order: three and more that follow one another by the first and the last; without the `year` where asked."""
    months = sorted(months)
    write = month if year else "{:%B}".format
    first, last = months[0], months[-1]
    if len(months) > 2 and len(pd.date_range(first, last, freq="MS")) == len(months):
        return span(months) if year else f"{write(first)} to {write(last)}"
    return listing([write(ds) for ds in months])


def span(months: Iterable[pd.Timestamp]) -> str:
    """Write the first and the last month, «July to November 2025»."""
    first, last = min(months := list(months)), max(months)
    if first == last:
        return month(first)
    return f"{first:%B} to {month(last)}" if first.year == last.year else f"{month(first)} to {month(last)}"
