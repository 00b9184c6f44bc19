"""Every series and sum of a domain as arrays: for the report's search, which draws any of them without a table of all."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecasting.ledger.comparisons import PAST_OF

if TYPE_CHECKING:
    from forecasting.ledger.published import Published

RANGE = ["lo_80", "hi_80", "lo_95", "hi_95"]
# Each name once, in order; where there is one region or category only, its sums bear the names of series, or of the total.
NODES = """
    nodes as (
        select aggregation, unique_id, region, product_category, row_number() over (order by region, product_category) - 1 as place
        from (select distinct aggregation, unique_id, region, product_category from monthly_actuals where domain = $domain)
        where not (region = 'All' and product_category = 'All')
        qualify row_number() over (
            partition by region, product_category order by list_position(['region', 'category', 'series'], aggregation)
        ) = 1
    )
"""
NAMES = f"with {NODES} select region, product_category from nodes order by place"
ACTUAL = f"with {NODES} select place, ds, y from monthly_actuals inner join nodes using (aggregation, unique_id) where domain = $domain"
POINTS = f"predicted_value, {', '.join(RANGE)}"
PAST = f"with {NODES}, {PAST_OF} select place, ds, {POINTS}, is_published from past inner join nodes using (aggregation, unique_id)"
COMING = f"""
    with {NODES}
    select place, ds, {POINTS}, is_fallback from forecasts inner join nodes using (aggregation, unique_id)
    where run_id = $run_id and status = 'published'
"""


@dataclass(frozen=True)
class Values:
    """Values of all nodes: [n, months] in the domain's unit, NaN where there is none."""

    months: pd.DatetimeIndex
    values: np.ndarray


@dataclass(frozen=True)
class EverySeries:
    """All nodes but the total, in the order of their names.

    `names` has region and product_category. `walk` (back-test) and `made` (published forecasts, of months that are over and to come) hold
    predicted_value and the bounds by name. `is_fallback` [n] says whose forecast no model made.
    """

    names: pd.DataFrame
    actual: Values
    walk: dict[str, Values]
    made: dict[str, Values]
    is_fallback: np.ndarray

    @classmethod
    def read(cls, published: "Published", domain: str, run_id: str) -> "EverySeries":
        """Read the nodes of a run in force."""
        names = published.ask(NAMES, domain=domain)
        actual = published.ask(ACTUAL, domain=domain)
        past = published.ask(PAST, domain=domain)
        coming = published.ask(COMING, domain=domain, run_id=run_id)
        is_published = past.pop("is_published").to_numpy(dtype=bool)
        made = pd.concat([past[is_published], coming.drop(columns="is_fallback")], ignore_index=True)
        fallback = np.zeros(len(names), dtype=bool)
        fallback[coming.loc[coming["is_fallback"].astype(bool), "place"]] = True
        n, walk = len(names), past[~is_published]
        columns = ["predicted_value", *RANGE]
        return cls(
            names,
            placed(actual, "y", n),
            {column: placed(walk, column, n) for column in columns},
            {column: placed(made, column, n) for column in columns},
            fallback,
        )


def placed(rows: pd.DataFrame, column: str, n: int) -> Values:
    """Return one column of rows (place, ds) as an array of `n` nodes by the months that there are."""
    month = rows["ds"].to_numpy().astype("datetime64[M]").astype(int)
    months = np.unique(month)
    found = np.full((n, len(months)), np.nan)
    found[rows["place"].to_numpy(), np.searchsorted(months, month)] = rows[column].to_numpy(dtype=float)
    return Values(pd.DatetimeIndex(months.astype("datetime64[M]").astype("datetime64[ns]")), found)
