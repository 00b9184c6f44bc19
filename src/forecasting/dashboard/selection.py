"""What is shown of a domain: one region and category, some months; actual beside forecast, and the key figures of it."""

from dataclasses import dataclass

import pandas as pd

from forecasting.contracts import ALL
from forecasting.ledger import RANGE, Domain, one_per_name
from forecasting.report import together
from forecasting.wording import between, compact, count, is_known, month, signed

PUBLISHED, BACK_TEST, COMING = "published", "back-test, not published", "coming"
NAME = ["region", "product_category"]
SELECTION_COLUMNS = [
    "ds", "actual", "first_known", "predicted_value", *RANGE, "variance", "variance_pct", "kind", "cutoff", "horizon",
    "is_fallback", "was_cut", "override_value", "overridden_by", "override_reason",
]  # fmt: skip
RECENT = 36  # months of actuals that are shown at first


@dataclass(frozen=True)
class Selection:
    """One region and category of a domain.

    `rows` has one row per month, in order: ds, actual (as known today), first_known (the actual that the variance was measured
    with), predicted_value, lo_80, hi_80, lo_95, hi_95, variance (actual − forecast), variance_pct, kind (PUBLISHED, BACK_TEST,
    COMING; missing where no forecast reaches the month), cutoff, horizon, is_fallback, was_cut (of COMING;
    missing where not known), override_value, overridden_by and override_reason (of COMING, missing where nobody overrides the forecast);
    values in the domain's unit.
    """

    domain: Domain
    region: str
    category: str
    rows: pd.DataFrame

    @property
    def name(self) -> str:
        """What is shown, in words."""
        parts = [part for part in (self.region, self.category) if part != ALL]
        return " · ".join(parts) or "the total"

    @property
    def past(self) -> pd.DataFrame:
        """The months that are over."""
        return self.rows[self.rows["kind"] != COMING]

    @property
    def coming(self) -> pd.DataFrame:
        """The months to come."""
        return self.rows[self.rows["kind"] == COMING]

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> "Selection":
        """Return the months from `first` to `last`."""
        return Selection(self.domain, self.region, self.category, self.rows[self.rows["ds"].between(first, last)])

    @property
    def restated(self) -> pd.DataFrame:
        """The months whose actual was another one when it was first known, as written with cents."""
        return self.rows[(self.rows["first_known"] - self.rows["actual"]).abs() >= 0.005]


def regions(domain: Domain) -> list[str]:
    """Return the regions of a domain, the sum over them first."""
    return _all_first(domain.actuals["region"])


def categories(domain: Domain, region: str) -> list[str]:
    """Return the categories that are known of a region, the sum over them first."""
    return _all_first(domain.actuals.loc[domain.actuals["region"] == region, "product_category"])


def _all_first(names: pd.Series) -> list[str]:
    """Return names once each, in order, «All» before the rest."""
    return sorted(names.unique(), key=lambda name: (name != ALL, name))


def select(domain: Domain, region: str, category: str) -> Selection:
    """Return every month of one region and category."""
    actuals, past, coming = (_named(rows, region, category) for rows in (domain.actuals, domain.past, domain.future))
    made = past.rename(columns={"actual": "first_known"})
    made = made.assign(kind=made["is_published"].map({True: PUBLISHED, False: BACK_TEST}))
    known = actuals[["ds", "y"]].rename(columns={"y": "actual"}).merge(made, on="ds", how="left")
    rows = [part.dropna(axis=1, how="all") for part in (known, coming.assign(kind=COMING)) if len(part)]
    found = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    found = found.reindex(columns=SELECTION_COLUMNS)
    return Selection(domain, region, category, found.sort_values("ds", ignore_index=True))


def _named(rows: pd.DataFrame, region: str, category: str) -> pd.DataFrame:
    """Return the rows of one region and category, one for each month."""
    return one_per_name(rows[(rows["region"] == region) & (rows["product_category"] == category)])


@dataclass(frozen=True)
class Figure:
    """A key figure: what it is, its value, how it compares, and where it comes from."""

    label: str
    value: str
    change: str = ""
    more: str = ""


def key_figures(chosen: Selection) -> list[Figure]:
    """Return the last actual, the forecast made for it, the next month, and all the months to come."""
    past, coming = chosen.past, chosen.coming
    found = [] if past.empty else [last_actual(chosen), forecast_of_it(chosen, past.iloc[-1])]
    if len(coming):
        found += [next_month(chosen, coming.iloc[0])]
    return found + ([all_coming(chosen)] if len(coming) > 1 else [])


def last_actual(chosen: Selection) -> Figure:
    """Return the last closed month beside the same month of the year before."""
    row, unit = chosen.past.iloc[-1], chosen.domain.unit
    before = year_before(chosen, [row["ds"]])
    change = f"{signed(row['actual'], before, unit)} on the year" if is_known(before) else ""
    return Figure(f"Actual, {month(row['ds'])}", compact(row["actual"], unit), change)


def forecast_of_it(chosen: Selection, row: pd.Series) -> Figure:
    """Return the forecast that was made for the last closed month, and how the actual compares."""
    unit = chosen.domain.unit
    if not is_known(row["predicted_value"]):
        return Figure("Forecast made for it", compact(None), "", "no forecast reaches this month")
    change = f"actual {signed(row['first_known'], row['predicted_value'], unit)}"
    ahead = f"{count(int(row['horizon']), 'month')} ahead, from data up to {month(row['cutoff'], short=True)}"
    return Figure("Forecast made for it", compact(row["predicted_value"], unit), change, f"{row['kind']}; {ahead}")


def next_month(chosen: Selection, row: pd.Series) -> Figure:
    """Return the forecast of the next month with its 80 % interval."""
    unit = chosen.domain.unit
    before = year_before(chosen, [row["ds"]])
    change = f"{signed(row['predicted_value'], before, unit)} on the year" if is_known(before) else ""
    more = f"80 %: {between(row['lo_80'], row['hi_80'], unit)}"
    return Figure(f"Forecast, {month(row['ds'])}", compact(row["predicted_value"], unit), change, more)


def all_coming(chosen: Selection) -> Figure:
    """Return all the months to come in one number, beside the same months of the year before."""
    coming, unit = chosen.coming, chosen.domain.unit
    value, before = together(chosen.domain, coming["predicted_value"]), year_before(chosen, list(coming["ds"]))
    change = f"{signed(value, before, unit)} on the year" if is_known(value) and is_known(before) else ""
    of = "Sum" if chosen.domain.name != "inventory" else "Mean"
    first, last = (month(ds, short=True) for ds in (coming["ds"].iloc[0], coming["ds"].iloc[-1]))
    return Figure(f"{of} of the next {count(len(coming), 'month')}", compact(value, unit), change, f"{first} to {last}")


def year_before(chosen: Selection, months: list[pd.Timestamp]) -> float | None:
    """Return the actuals of the same months of the year before in one number, None where one is not known."""
    known = chosen.past.set_index("ds")["actual"]
    before = [known.get(ds - pd.DateOffset(years=1)) for ds in months]
    return together(chosen.domain, [float("nan") if value is None else value for value in before])


def choice_of_months(chosen: Selection) -> tuple[list[pd.Timestamp], tuple[pd.Timestamp, pd.Timestamp]]:
    """Return the months there are and the first and last of those shown at first."""
    months = list(chosen.rows["ds"])
    first = max(0, len(chosen.past) - RECENT)
    return months, (months[first], months[-1])
