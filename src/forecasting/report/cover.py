"""Stock cover: how many months of the expected cost of sales the stock would last.

Cover = the stock's value at cost at the end of a month ÷ the mean cost of sales of the three months after it. Cost of sales =
net sales − profit before expenses, month by month. It is told only where stock, sales and costs are all known, in one unit.
"""

from dataclasses import dataclass
from html import escape

import pandas as pd

from forecasting.contracts import DOMAINS, EXPENSES
from forecasting.ledger import Domain, at
from forecasting.report.glossary import term
from forecasting.report.html import fold, note, table, tag
from forecasting.report.kpi import tile
from forecasting.report.order import natural_rank
from forecasting.wording import DASH, SPACE, Amounts, amounts_in, compact, listing, month, number

AHEAD = 3  # months of cost
VALUE = "value at cost"


@dataclass(frozen=True)
class Cover:
    """Stock against cost of sales.

    Attributes
    ----------
    ds: the month at whose end the stock is valued: the last one closed in every domain
    months: the months after it whose cost counts; `n_forecast` of them are forecasts
    by_category: one row per product_category: stock, cost (per month), in the unit of sales
    """

    ds: pd.Timestamp
    months: list[pd.Timestamp]
    n_forecast: int
    by_category: pd.DataFrame

    @property
    def stock(self) -> float:
        """The stock's value at cost."""
        return float(self.by_category["stock"].sum())

    @property
    def cost(self) -> float:
        """The mean cost of sales of a month."""
        return float(self.by_category["cost"].sum())

    @property
    def value(self) -> float:
        """Months that the stock would last."""
        return self.stock / self.cost


def obstacle(domains: dict[str, Domain | None]) -> str:
    """Say why the facts permit no stock cover; «» where they do."""
    missing = [name for name in DOMAINS if domains.get(name) is None or domains[name].actuals.empty]
    if missing:
        return f"nothing is known of {listing(missing)}"
    sales, stock, profit = (domains[name] for name in DOMAINS)
    if stock.measure != VALUE:
        return f"the stock is known in {stock.measure}, not in value at cost"
    if len({sales.unit, stock.unit, profit.unit}) > 1:
        units = listing([f"{domain.name} in {domain.unit or 'no unit'}" for domain in (sales, stock, profit)])
        return f"the units differ: {units}"
    if lacks_costs(sales, profit):
        return "the cost of some sales is not known"
    return ""


def lacks_costs(sales: Domain, profit: Domain) -> bool:
    """Return whether profit leaves out sales without a known cost, which would count as if they cost all they brought."""
    noted = any("profit leaves them out" in text for text in sales.manifest.facts.notes)
    counted = [domain.calendar.get("n_facts") or 0 for domain in (sales, profit)]
    return noted or (profit.measure == "gross profit" and counted[1] < counted[0])


def costs(sales: Domain, profit: Domain) -> pd.DataFrame:
    """Return the cost of sales, one row per product_category and month: product_category, ds, is_forecast, cost.

    A month is either closed in both domains or a forecast in both; a month that is closed in one alone is left out.
    """
    key = ["product_category", "ds", "is_forecast"]
    net, gained = (by_category(domain).rename("y") for domain in (sales, profit))
    gained = gained[gained.index.get_level_values("product_category") != EXPENSES]
    both = pd.concat([net.rename("net"), gained.rename("gained")], axis=1)
    known = set(net.droplevel(0).index) & set(gained.droplevel(0).index)
    both = both[both.index.droplevel(0).isin(known)].fillna(0.0)
    return (both["net"] - both["gained"]).rename("cost").rename_axis(key).reset_index()


def by_category(domain: Domain) -> pd.Series:
    """Return actuals and forecasts of every category, indexed by product_category, ds and is_forecast."""
    known = at(domain.actuals, "category").assign(is_forecast=False)
    coming = at(domain.future, "category").assign(is_forecast=True).rename(columns={"predicted_value": "y"})
    columns = ["product_category", "ds", "is_forecast", "y"]
    rows = pd.concat([known[columns], coming[columns]], ignore_index=True)
    return rows.set_index(columns[:3])["y"]


def cover_at(domains: dict[str, Domain | None], ds: pd.Timestamp) -> Cover | None:
    """Return the cover at the end of a month, None where stock or costs are not known for it or there is nothing to sell."""
    sales, stock, profit = (domains[name] for name in DOMAINS)
    held = at(stock.actuals, "category")
    held = held[held["ds"] == ds].set_index("product_category")["y"].rename("stock")
    months = [ds + pd.DateOffset(months=n) for n in range(1, AHEAD + 1)]
    spent = costs(sales, profit)
    spent = spent[spent["ds"].isin(months)]
    if held.empty or spent["ds"].nunique() < AHEAD:
        return None
    mean = spent.groupby("product_category")["cost"].sum().div(AHEAD).rename("cost")
    table_ = (
        pd.concat([held, mean], axis=1)
        .fillna(0.0)
        .sort_index(key=natural_rank)
        .rename_axis("product_category")
        .reset_index()
    )
    found = Cover(ds, months, int(spent.loc[spent["is_forecast"], "ds"].nunique()), table_)
    return found if found.cost > 0 and found.stock >= 0 else None


def last_common(domains: dict[str, Domain | None]) -> pd.Timestamp:
    """Return the last month that is closed in every domain."""
    return min(domains[name].last_month for name in DOMAINS)


def row(domains: dict[str, Domain | None]) -> str:
    """Return stock cover as a row of key figures, or a note that says why it cannot be told; nothing without a domain."""
    if not any(domains.values()):
        return ""
    reason = obstacle(domains)
    found = None if reason else cover_at(domains, last_common(domains))
    if found is None:
        reason = reason or unknown(last_common(domains))
        return note(f"{term('stock cover', 'Stock cover')} is not shown: {escape(reason)}.")
    return tag("section", head(domains, found) + tiles(domains, found), "kpi cover", id="stock-cover") + details(
        domains, found
    )


def unknown(ds: pd.Timestamp) -> str:
    """Say that the numbers themselves permit no cover."""
    return (
        f"it takes the stock of {month(ds)}, not negative, and a cost of sales above zero, known or forecast, "
        f"for the {AHEAD} months after it"
    )


def head(domains: dict[str, Domain | None], found: Cover) -> str:
    """Return the heading of the row, and which month it is of where one domain knows more."""
    text = f"months that the stock lasts at the expected {term('cost of sales')}"
    if any(domains[name].last_month != found.ds for name in DOMAINS):
        text += f"; {month(found.ds)} is the last month that is closed in all domains"
    return tag("div", tag("h3", term("stock cover", "Stock cover")) + tag("p", text, "more"), "kpi-name wide")


def tiles(domains: dict[str, Domain | None], found: Cover) -> str:
    """Return the cover, last year's, the stock and the cost it is made of."""
    unit, earlier = domains["sales"].unit, found.ds - pd.DateOffset(months=12)
    before = cover_at(domains, earlier)
    first, last = (month(ds, short=True) for ds in (found.months[0], found.months[-1]))
    kind = "forecast" if found.n_forecast == AHEAD else f"{found.n_forecast} of {AHEAD} months forecast"
    a_year_ago = (months_text(before.value), "at what sales then cost") if before else (DASH, "not known")
    parts = [
        tile(f"Cover, end of {month(found.ds, short=True)}", months_text(found.value), "stock ÷ cost of sales", "next"),
        tile(f"End of {month(earlier, short=True)}", *a_year_ago),
        tile(f"Stock, end of {month(found.ds, short=True)}", compact(found.stock, unit), VALUE),
        tile("Cost of sales a month", compact(found.cost, unit), f"mean of {first} to {last}, {kind}"),
    ]
    return "".join(parts)


def months_text(value: float) -> str:
    """Write a cover, «2.3 months»."""
    shown = number(value, 1)
    return f"{shown}{SPACE}{'month' if shown == '1.0' else 'months'}"


def details(domains: dict[str, Domain | None], found: Cover) -> str:
    """Return the cover of each category, folded; nothing where there is one only."""
    rows = found.by_category
    if len(rows) < 2:
        return ""
    amount = amounts_in(domains["sales"].unit, rows["stock"], rows["cost"], pd.Series([found.stock, found.cost]))
    cells = [cells_of(r["product_category"], r["stock"], r["cost"], amount) for r in rows.to_dict("records")]
    cells.append(cells_of("Total", found.stock, found.cost, amount))
    caption = f"Stock cover by category, end of {month(found.ds)}{amount.told(',')}"
    heads = ["Category", "Stock at cost", "Cost of sales a month", "Months of cover"]
    missing = "no cost of sales is expected for it, or its stock is negative"
    return fold("Stock cover by category", table(heads, cells, caption, missing=missing, total=True), "cover-parts")


def cells_of(name: str, stock: float, cost: float, amount: Amounts) -> list[str]:
    """Return one row of the table by category."""
    months = stock / cost if cost > 0 and stock >= 0 else None
    return [escape(name), amount(stock), amount(cost), number(months, 1)]
