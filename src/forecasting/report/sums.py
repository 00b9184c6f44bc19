"""Several months of a domain's total in one number: what the next quarter and the year come to, with an 80 % range.

Of amounts the months are added up; of a stock the month at the end counts, with the range that was published for it. The range of a sum
is not the sum of the months' ranges, which holds too much where errors of single months cancel out. It is taken from what happened: at
each earlier cutoff the same number of months was forecast, and the error of their sum, in typical errors of that time (MASE's scale), is
one of the errors of the past. The range is as wide, in typical errors of today, as the one of rank ⌈0.8 (n + 1)⌉ among them: the split
conformal interval (Vovk, Gammerman and Shafer 2005).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report.periods import is_flow, span, together
from forecasting.series import scale
from forecasting.wording import is_known, month

LEVEL = 0.8
QUARTER = 3  # months
FEWEST = 4  # errors of which one can be the bound of an 80 % range


@dataclass(frozen=True)
class Sum:
    """What several months come to, in the domain's unit.

    Attributes
    ----------
    months: in order; the first `n_known` of them are actuals, the others forecasts (of a stock, whose last counts, none is known)
    value: their sum; of a stock that of the last month's end
    low, high: the ends of the 80 % range, None where too little is known of earlier errors
    before: the same of the year before, None where it is not known in full
    n: how many earlier forecasts the range rests on; 0 for a stock, whose range was published
    """

    months: list[pd.Timestamp]
    n_known: int
    value: float
    low: float | None
    high: float | None
    before: float | None
    n: int


def next_quarter(domain: Domain, paths: pd.DataFrame) -> Sum | None:
    """Return the next three months, None where fewer are forecast; `paths` as of `Published.paths`."""
    coming = points(domain)
    return None if len(coming) < QUARTER else of_months(domain, list(coming.index[:QUARTER]), paths)


def year_end(domain: Domain, paths: pd.DataFrame) -> Sum | None:
    """Return the calendar year of the next month, as far as the forecast reaches; None where not all of its months are known.

    A year that has one month, or that a quarter shows already, is none.
    """
    coming = points(domain)
    if coming.empty:
        return None
    first, last = coming.index[0], coming.index[coming.index.year == coming.index[0].year][-1]
    months = list(pd.date_range(f"{first.year}-01-01", last, freq="MS"))
    if len(months) < 2 or (months == list(coming.index[:QUARTER]) and last.month != 12):
        return None
    return of_months(domain, months, paths)


def name(found: Sum) -> str:
    """Write the year of a `year_end`, «full year 2025», or as far as it is forecast, «January to November 2025»."""
    last = found.months[-1]
    return f"full year {last.year}" if last.month == 12 else span(found.months)


def points(domain: Domain) -> pd.Series:
    """Return the forecast of the total by month; what people changed stands beside it (`changed_to`)."""
    return at(domain.future, "total").sort_values("ds").set_index("ds")["predicted_value"]


def changed_to(domain: Domain, found: Sum) -> float | None:
    """Return what several months come to with what people changed; None where they changed none of them."""
    rows = at(domain.future, "total").set_index("ds").reindex(found.months)
    if "override_value" not in rows or rows["override_value"].isna().all():
        return None
    if not is_flow(domain):
        return float(rows["final_value"].iloc[-1]) if is_known(rows["override_value"].iloc[-1]) else None
    return found.value + float((rows["final_value"] - rows["predicted_value"]).sum())


class OpenMonth(NamedTuple):
    """What is known of sales of the month that is forecast next: amount and number of its facts, the last day, None where not known."""

    ds: pd.Timestamp
    amount: float
    n: int
    until: pd.Timestamp | None


def open_month(domain: Domain) -> OpenMonth | None:
    """Return the open month of sales, None where no facts of it came in, and of other domains.

    A stock counts at the end of its month, and what profit has of costs and expenses comes late in it.
    """
    coming, last = points(domain), domain.calendar.get("last_fact")
    if domain.name != "sales" or coming.empty or domain.left_out.empty:
        return None
    ds = coming.index[0]
    rows = domain.left_out[domain.left_out["ds"] == ds]
    if rows.empty or not is_known(float(rows["amount"].iloc[0])):
        return None
    until = pd.Timestamp(last) if last is not None and pd.notna(last) and pd.Timestamp(last) >= ds else None
    return OpenMonth(ds, float(rows["amount"].iloc[0]), int(rows["n_facts"].iloc[0]), until)


def of_months(domain: Domain, months: list[pd.Timestamp], paths: pd.DataFrame) -> Sum | None:
    """Return what consecutive months come to, the last of which is forecast; None where one of them is not known."""
    actual, coming = at(domain.actuals, "total").set_index("ds")["y"], points(domain)
    known = [ds for ds in months if ds in actual.index]
    ahead = [ds for ds in months if ds in coming.index]
    if [*known, *ahead] != months or not ahead:
        return None
    if not is_flow(domain):
        return at_end(domain, months)
    before = together(domain, (actual.get(ds - pd.DateOffset(years=1), float("nan")) for ds in months))
    value = float(actual[known].sum() + coming[ahead].sum())
    half, n = half_width(domain, paths, len(ahead))
    if half is None:
        return Sum(months, len(known), value, None, None, before, n)
    low = value - half
    if not domain.manifest.params.get("allow_negative", True):
        low = max(low, float(actual[known].sum()))
    return Sum(months, len(known), value, low, value + half, before, n)


def at_end(domain: Domain, months: list[pd.Timestamp]) -> Sum:
    """Return a stock at the end of the last of some months."""
    last = months[-1]
    row = at(domain.future, "total").set_index("ds").loc[last]
    before = at(domain.actuals, "total").set_index("ds")["y"].get(last - pd.DateOffset(years=1))
    range_ = [float(row[bound]) if is_known(row[bound]) else None for bound in ("lo_80", "hi_80")]
    return Sum(months, 0, float(points(domain)[last]), *range_, float(before) if is_known(before) else None, 0)


def half_width(domain: Domain, paths: pd.DataFrame, n_ahead: int) -> tuple[float | None, int]:
    """Return half of the 80 % range of the next `n_ahead` months' sum, None where it cannot be told; and of how many errors."""
    errors = scaled_errors(paths, n_ahead)
    today = scale(at(domain.actuals, "total")[["unique_id", "ds", "y"]]).iloc[0]
    if len(errors) < FEWEST or not is_known(float(today)):
        return None, len(errors)
    rank = int(np.ceil(LEVEL * (len(errors) + 1)))
    return float(np.sort(errors)[rank - 1] * today), len(errors)


def scaled_errors(paths: pd.DataFrame, n_ahead: int) -> np.ndarray:
    """Return the absolute errors of the sums of the first `n_ahead` months at each cutoff of which all are over, in typical errors."""
    rows = paths[paths["horizon"] <= n_ahead]
    sums = rows.groupby("cutoff").agg(
        n=("horizon", "size"), actual=("actual", "sum"), said=("predicted_value", "sum"), scale=("scale", "first")
    )
    sums = sums[(sums["n"] == n_ahead) & (sums["scale"] > 0)]
    return ((sums["actual"] - sums["said"]).abs() / sums["scale"]).to_numpy()


def caption(found: Sum) -> str:
    """Say on what the range of a sum rests, as plain text."""
    if found.low is None:
        return f"no range: only {found.n} earlier forecasts of so many months are over"
    if not found.n:
        return f"the 80 % range published for {month(found.months[-1])}"
    return f"80 % range, from the errors of {found.n} earlier forecasts of as many months"
