"""A small example to try the form with: the recent months of the largest series that was published."""

from typing import NamedTuple

import pandas as pd

from forecasting.contracts import ALL, SEASON_LENGTH
from forecasting.ledger import Domain

MOST = 4 * SEASON_LENGTH  # months: what most models look at, and few enough to be read in the box


class Example(NamedTuple):
    """A series of the company: what it is called, and its months as somebody would paste them."""

    name: str
    text: str

    @property
    def months(self) -> int:
        """How many months it has."""
        return len(self.text.splitlines())


def example(domain: Domain) -> Example:
    """Return the series of a domain that was the largest over the last twelve months, with its last months."""
    series = domain.actuals[domain.actuals["aggregation"] == "series"]
    year = series[series["ds"] > series["ds"].max() - pd.DateOffset(months=SEASON_LENGTH)]
    largest = year.groupby("unique_id")["y"].sum().abs().idxmax()
    rows = series[series["unique_id"] == largest].sort_values("ds").tail(MOST)
    names = rows[["region", "product_category"]].iloc[-1]
    lines = [f"{ds:%Y-%m}\t{y:.2f}" for ds, y in rows[["ds", "y"]].itertuples(index=False)]
    return Example(" · ".join(name for name in names if name != ALL) or "the total", "\n".join(lines))
