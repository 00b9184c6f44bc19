"""What if: an analyst's assumptions about volume, price and a promotion, laid over the published forecast of sales and profit.

Nothing here is learned from the data. Month by month, with all changes as shares (0.05 is 5 %):

* volume, at the prices of the forecast: forecast × (1 + volume) × (1 + price) ** elasticity. The elasticity is the
  textbooks' constant one, volume ∝ price ** elasticity: at −1 sales stay as they were, at 0 (the default) no customer minds.
* a promotion adds uplift × the volume of its month; the share `pull_forward` of that comes out of the next month, so over both months
  it adds uplift × (1 − pull_forward) × the volume. After the last month of the forecast the pull falls outside, and is told apart.
* sales = volume × (1 + price), in the month of the promotion × (1 − discount) too.
* profit changes by the change of sales less the change of volume × (1 − margin): a price goes into profit in full, a volume brings its
  margin, and what is no cost of sales stays.
"""

from dataclasses import dataclass

import pandas as pd

from forecasting.contracts import ALL, EXPENSES, SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.ledger import Domain, Published, one_per_name
from forecasting.wording import month

TOTALS = ["baseline", "scenario", "profit_baseline", "profit_scenario"]


@dataclass(frozen=True)
class Assumptions:
    """What an analyst assumes; shares, so 0.05 is 5 %. `promotion` is its month, '2025-08', or None."""

    volume: float = 0.0
    price: float = 0.0
    elasticity: float = 0.0
    promotion: str | None = None
    uplift: float = 0.0
    discount: float = 0.0
    pull_forward: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be: a price of nothing or less, a volume below nothing, a share beyond the whole."""
        wrong = [
            *([] if self.volume >= -1 else ["the volume cannot fall by more than 100 %"]),
            *([] if self.price > -1 else ["the price cannot fall by 100 % or more"]),
            *([] if self.uplift >= 0 else ["the uplift cannot be negative"]),
            *([] if 0 <= self.discount < 1 else ["the discount is from 0 to below 100 %"]),
            *([] if 0 <= self.pull_forward <= 1 else ["the share pulled forward is from 0 to 100 %"]),
        ]
        if wrong:
            raise UserError(f"These assumptions cannot be: {'; '.join(wrong)}.")


@dataclass(frozen=True)
class Baseline:
    """The published forecast that assumptions are laid over.

    `rows`: one row per month ahead: ds, sales, lo_80, hi_80 (of sales), profit (NaN where none was published for the month).
    `history`: one row per closed month: ds, sales. `margin`: profit before expenses ÷ sales over the months `margin_months` (first
    and last), None where no costs are known. Values in `unit`; `profit_measure` says which profit it is, «» where there is none.
    """

    region: str
    category: str
    unit: str
    model: str
    cutoff: pd.Timestamp
    rows: pd.DataFrame
    history: pd.DataFrame
    margin: float | None
    margin_months: tuple[pd.Timestamp, pd.Timestamp] | None
    profit_measure: str

    @property
    def months(self) -> list[str]:
        """The months ahead, as '2025-08'."""
        return list(self.rows["ds"].dt.strftime("%Y-%m"))

    @property
    def name(self) -> str:
        """What the sales are of."""
        return " · ".join(part for part in (self.region, self.category) if part != ALL) or "the total"


def load_baseline(published: str, region: str = ALL, category: str = ALL) -> Baseline:
    """Return the published forecast of sales of one region and category («All»: their sum), with profit where it was published.

    Raises
    ------
    UserError
        If no sales were published, or not of such a region and category.
    """
    sales = Published(published).domain("sales")
    if sales is None:
        raise UserError("No forecast of sales has been published yet: `make report` does it.")
    return baseline_of(sales, Published(published).domain("profit"), region, category)


def baseline_of(sales: Domain, profit: Domain | None, region: str, category: str) -> Baseline:
    """Return what `load_baseline` does, of domains that were read already; profit's expenses must be among its rows.

    Raises
    ------
    UserError
        If there is no forecast of such a region and category.
    """
    ahead = _named(sales.future, region, category)
    if ahead.empty:
        known = sorted({f"{r}/{c}" for r, c in sales.future[["region", "product_category"]].to_numpy()})
        raise UserError(f"There is no forecast of {region}/{category}; there are {', '.join(known)}.")
    margin, months = (None, None) if profit is None else learned_margin(sales, profit, region, category)
    return Baseline(
        region, category, sales.unit, sales.champion, ahead["cutoff"].iloc[0],
        _with_profit(ahead, profit, region, category), _named(sales.actuals, region, category)[["ds", "y"]].rename(columns={"y": "sales"}),
        margin, months, "" if profit is None else profit.measure,
    )  # fmt: skip


def _named(rows: pd.DataFrame, region: str, category: str) -> pd.DataFrame:
    """Return the rows of one region and category, in order of months."""
    found = rows[(rows["region"] == region) & (rows["product_category"] == category)]
    return one_per_name(found).sort_values("ds", ignore_index=True)


def _with_profit(ahead: pd.DataFrame, profit: Domain | None, region: str, category: str) -> pd.DataFrame:
    """Return the rows of a Baseline."""
    rows = ahead[["ds", "predicted_value", "lo_80", "hi_80"]].rename(columns={"predicted_value": "sales"})
    if profit is None:
        return rows.assign(profit=float("nan"))
    known = _named(profit.future, region, category).set_index("ds")["predicted_value"]
    return rows.assign(profit=rows["ds"].map(known).astype(float))


def learned_margin(
    sales: Domain, profit: Domain, region: str, category: str
) -> tuple[float | None, tuple[pd.Timestamp, pd.Timestamp] | None]:
    """Return profit before expenses ÷ sales over the last twelve months known of both, and the first and last of them.

    None where there are no such months, or no sales in them.
    """
    made = _named(profit.actuals, region, category).set_index("ds")["y"]
    if category == ALL:
        spent = _named(profit.actuals, region, EXPENSES).set_index("ds")["y"]
        made = made.sub(spent, fill_value=0.0) if len(spent) else made
    sold = _named(sales.actuals, region, category).set_index("ds")["y"]
    both = pd.concat([sold.rename("sold"), made.rename("made")], axis=1, join="inner").sort_index().tail(SEASON_LENGTH)
    if both.empty or both["sold"].sum() <= 0:
        return None, None
    return float(both["made"].sum() / both["sold"].sum()), (both.index[0], both.index[-1])


@dataclass(frozen=True)
class Scenario:
    """The outcome: `rows` has one row per month: ds, baseline, volume, scenario, profit_baseline, profit_scenario.

    `baseline` and `scenario` are sales; `volume` is sales at the forecast's prices. `outside`: volume at the forecast's prices that a
    promotion in the last month takes from the month after it, which is not among the rows.
    """

    rows: pd.DataFrame
    outside: float

    @property
    def totals(self) -> pd.Series:
        """The sums over the months: baseline, scenario, profit_baseline, profit_scenario (NaN where a month is not known)."""
        return self.rows[TOTALS].sum(skipna=False)


def what_if(baseline: Baseline, assumed: Assumptions, margin: float | None = None) -> Scenario:
    """Lay assumptions over a baseline; `margin` is the analyst's own, None for the baseline's.

    Raises
    ------
    UserError
        If the promotion is in no month of the forecast, or would take more from the next month than is sold in it.
    """
    rows = baseline.rows
    volume = rows["sales"] * (1 + assumed.volume) * (1 + assumed.price) ** assumed.elasticity
    price = pd.Series(1 + assumed.price, index=rows.index)
    outside = 0.0
    if assumed.promotion is not None:
        place = _place(baseline, assumed.promotion)
        volume, outside = _promoted(baseline, volume, place, assumed)
        price[place] *= 1 - assumed.discount
    scenario = volume * price
    margin = baseline.margin if margin is None else margin
    gain = float("nan") if margin is None else (scenario - rows["sales"]) - (volume - rows["sales"]) * (1 - margin)
    found = pd.DataFrame({"ds": rows["ds"], "baseline": rows["sales"], "volume": volume, "scenario": scenario})
    return Scenario(found.assign(profit_baseline=rows["profit"], profit_scenario=rows["profit"] + gain), outside)


def _place(baseline: Baseline, promotion: str) -> int:
    """Return the row of a promotion's month."""
    if promotion not in baseline.months:
        raise UserError(f"The promotion's month {promotion} is not forecast; there are {', '.join(baseline.months)}.")
    return baseline.months.index(promotion)


def _promoted(baseline: Baseline, volume: pd.Series, place: int, assumed: Assumptions) -> tuple[pd.Series, float]:
    """Return the volume with a promotion in one month, and what it takes from the month after the last one."""
    found, extra = volume.copy(), assumed.uplift * volume[place]
    pulled = assumed.pull_forward * extra
    found[place] += extra
    if extra < 0:
        raise UserError(f"Sales of {month(baseline.rows['ds'][place])} are negative: there is nothing to promote.")
    if place + 1 == len(volume):
        return found, float(pulled)
    if pulled > max(volume[place + 1], 0.0):
        after = month(baseline.rows["ds"][place + 1])
        raise UserError(
            f"The promotion would take more from {after} than is sold in it. Lower the uplift or the share pulled forward."
        )
    found[place + 1] -= pulled
    return found, 0.0
