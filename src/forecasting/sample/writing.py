"""The sample company's fact tables: order lines, stock counts and operating expenses as Parquet files.

Six and a half years that end in the middle of a month, about 500,000 order lines, EUR. The same seed gives the same
bytes. The company itself is in `company`, its shelves are in `stock`.
"""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.sample import company as sample_company
from forecasting.sample import stock as sample_stock
from forecasting.sample.company import CATEGORIES, COST_RISE, DAYS, MONTH, N_DAYS, PRICE_RISE, REGIONS, YEAR

CENT = 2  # decimal places of amounts
UNIT_COST_PLACES = 4
REBATES = (0, 0, 0, 0.03, 0.05, 0.08)  # what a customer has negotiated
BOOKS_CLOSED = np.datetime64("2025-06-30")  # expenses are booked up to the last whole month
Columns = dict[str, np.ndarray]


def write_company(folder: Path, seed: int = 7, small: bool = False) -> None:
    """Write sales.parquet, inventory.parquet and expenses.parquet into `folder` (created if missing).

    sales: one row per order line or return; inventory: one row per count, region and product in stock; expenses: one
    row per booking. `small` keeps the span and has about 20,000 lines. Each file appears whole or not at all.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    company = sample_company.build(seed, small)
    costs = unit_costs(company)
    lines = order_lines(company, costs, np.random.default_rng([seed, 1]))
    stock = stock_of(company, lines, np.random.default_rng([seed, 2]))
    _write(_sales(company, lines), folder / "sales.parquet")
    _write(_inventory(company, costs, stock), folder / "inventory.parquet")
    _write(_expenses(lines, np.random.default_rng([seed, 3])), folder / "expenses.parquet")


def order_lines(company: sample_company.Company, costs: np.ndarray, rng: np.random.Generator) -> Columns:
    """Draw the lines and their returns, ordered by day, region and product.

    Arrays of one length: day, region, product (indices), units (negative for a return), net and cost (cents).
    """
    expected = np.moveaxis(company.demand[:, :, :N_DAYS], 2, 0)
    count = rng.poisson(expected)
    day, region, product = (np.repeat(index, count.ravel()) for index in np.indices(count.shape).reshape(3, -1))
    n = len(day)
    lot = rng.gamma(1.5, (company.mean_units[product] - 1) / 1.5)
    units = 1 + rng.poisson(lot)
    category = company.category[product]
    rebate = rng.choice(REBATES, n)
    price = company.list_price * np.cumprod(1 + PRICE_RISE)[:, None]  # [year, product]
    net_price = np.rint(100 * price[YEAR[day], product] * (1 - company.discount[category, day]) * (1 - rebate))
    lines = {"day": day, "region": region, "product": product, "units": units}
    lines |= {"net": units * net_price.astype(np.int64), "cost": _cents(units * costs[MONTH[day], product])}
    returns = _returns(company, lines, rng)
    merged = {name: np.concatenate([lines[name], returns[name]]) for name in lines}
    order = np.lexsort((merged["product"], merged["region"], merged["day"]))
    return {name: column[order] for name, column in merged.items()}


def _returns(company: sample_company.Company, lines: Columns, rng: np.random.Generator) -> Columns:
    """Some lines come back after one to five weeks, whole or in part, at the price paid and at their old cost.

    Large lots are made to order and a closed department takes nothing back.
    """
    n = len(lines["day"])
    rate = np.array([c.returns for c in CATEGORIES])[company.category[lines["product"]]]
    back = lines["day"] + rng.integers(7, 36, n)
    kept = (rng.random(n) < rate) & (back < N_DAYS) & ~company.large_lot[lines["product"]]
    kept &= company.plan[lines["region"], lines["product"], np.minimum(back, N_DAYS - 1)] > 0
    for region, category in (sample_company.LUMPY_SERIES, sample_company.ENDED_SERIES[:2]):
        pair = sample_company.index_of(region, category)
        kept &= (lines["region"] != pair[0]) | (company.category[lines["product"]] != pair[1])
    some = {name: column[kept] for name, column in lines.items()}
    units = -np.ceil(some["units"] * rng.uniform(0.2, 1, kept.sum())).astype(np.int64)
    return some | {
        "day": back[kept],
        "units": units,
        "net": some["net"] // some["units"] * units,
        "cost": np.rint(some["cost"] * (units / some["units"])).astype(np.int64),
    }


def stock_of(company: sample_company.Company, lines: Columns, rng: np.random.Generator) -> sample_stock.Stock:
    """Return the daily balances, series ordered by region and product."""
    n_series = len(REGIONS) * len(company.products)
    series = lines["region"] * len(company.products) + lines["product"]
    sold = np.bincount(lines["day"] * n_series + series, weights=lines["units"], minlength=N_DAYS * n_series)
    planned = (company.plan * company.mean_units[:, None]).reshape(n_series, -1).T
    mondays = sample_company.WEEKDAY[:N_DAYS] == 0
    return sample_stock.simulate(
        sold.reshape(N_DAYS, n_series).astype(np.int64), planned, mondays, _month_ends()[:N_DAYS], rng
    )


def _month_ends() -> np.ndarray:
    """Mark the last day of each month among all days."""
    return (DAYS + 1).astype("datetime64[M]") != DAYS.astype("datetime64[M]")


def unit_costs(company: sample_company.Company) -> np.ndarray:
    """Cost per [month, product] in 1/10000 EUR: a share of the 2019 list price that drifts with inflation."""
    margin = np.array([c.margin for c in CATEGORIES])[company.category]
    months = np.arange(MONTH.max() + 1)
    yearly = np.concatenate([[1.0], np.cumprod(1 + COST_RISE)])
    drift = np.exp(np.interp(months / 12, np.arange(len(yearly)), np.log(yearly)))
    return np.rint(10_000 * drift[:, None] * company.list_price * (1 - margin)).astype(np.int64)


def _cents(ten_thousandths: np.ndarray) -> np.ndarray:
    """Round 1/10000 EUR to cents, halves up."""
    return (ten_thousandths + 50) // 100


def _sales(company: sample_company.Company, lines: Columns) -> pa.Table:
    """Order lines in the columns of the facts contract."""
    return pa.table({
        "order_date": pa.array(DAYS[lines["day"]]),
        "net_amount": _decimal(lines["net"], CENT),
        **_names(company, lines["region"], lines["product"]),
        "quantity": pa.array(lines["units"].astype(np.int32)),
        "cost_amount": _decimal(lines["cost"], CENT),
    })  # fmt: skip


def _inventory(company: sample_company.Company, costs: np.ndarray, stock: sample_stock.Stock) -> pa.Table:
    """Counts of the first day, every Sunday and every month's last day; a product without stock has no row."""
    counted = _month_ends()[:N_DAYS] | (sample_company.WEEKDAY[:N_DAYS] == 6)
    counted[0] = True
    row, series = np.nonzero(stock.balance[counted])
    day = np.flatnonzero(counted)[row]
    region, product = np.divmod(series, len(company.products))
    return pa.table({
        "snapshot_date": pa.array(DAYS[day]),
        **_names(company, region, product),
        "quantity_on_hand": pa.array(stock.balance[day, series].astype(np.int32)),
        "unit_cost": _decimal(costs[MONTH[day], product], UNIT_COST_PLACES),
    })  # fmt: skip


def _expenses(lines: Columns, rng: np.random.Generator) -> pa.Table:
    """Bookings per region: rent, wages, heating, marketing where promotions start, freight in line with sales."""
    last = int(MONTH[BOOKS_CLOSED == DAYS][0]) + 1
    months = (np.datetime64("2019-01") + np.arange(last)).astype("datetime64[D]")
    n_months = MONTH[-1] + 1
    sold = np.bincount(lines["region"] * n_months + MONTH[lines["day"]], lines["net"], len(REGIONS) * n_months)
    sold = sold.reshape(len(REGIONS), n_months)[:, :last] / 100  # EUR per [region, month]
    month_end = (months.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    year, of_year = np.arange(last) // 12, np.arange(last) % 12
    fixed = sold[:, :12].mean(axis=1, keepdims=True) * np.array([[r.fixed_costs] for r in REGIONS]) * 1.05**year
    starts = np.array([p[0] for p in sample_company.promotions() if p[0] <= BOOKS_CLOSED])
    campaign = np.searchsorted(months, starts, side="right") - 1
    bookings = [
        (months, 0.25 * fixed),
        (months + 14, 0.05 * fixed * (1 + 0.5 * np.cos(of_year * np.pi / 6))),  # heating
        (months + 24, 0.70 * fixed * np.where(of_year == 10, 1.6, 1)),  # a bonus in November
        (starts, 0.10 * fixed[:, campaign]),
        (month_end, 0.07 * sold),
    ]  # fmt: skip
    date = np.concatenate([np.tile(dates, len(REGIONS)) for dates, _ in bookings])
    amount = np.concatenate([values.ravel() for _, values in bookings])
    region = np.concatenate([np.repeat(np.arange(len(REGIONS)), len(dates)) for dates, _ in bookings])
    cents = np.rint(100 * amount * rng.normal(1, 0.02, len(amount))).astype(np.int64)
    order = np.lexsort((region, date))
    names = np.array([r.name for r in REGIONS])
    return pa.table({
        "expense_date": pa.array(date[order]),
        "amount": _decimal(cents[order], CENT),
        "region": pa.array(names[region[order]]),
    })  # fmt: skip


def _names(company: sample_company.Company, region: np.ndarray, product: np.ndarray) -> dict[str, pa.Array]:
    """Turn indices into the three columns of names."""

    def named(index: np.ndarray, names: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(names)).cast(pa.string())

    return {
        "region": named(region, [r.name for r in REGIONS]),
        "product_category": named(company.category[product], [c.name for c in CATEGORIES]),
        "product": named(product, company.products.tolist()),
    }


def _decimal(units: np.ndarray, places: int) -> pa.Array:
    """Make exact decimals (18 digits) of whole cents or smaller units: 64-bit numbers widened to 128 bits."""
    wide = np.stack([units, units >> 63], axis=1).astype(np.int64)
    return pa.Array.from_buffers(pa.decimal128(18, places), len(units), [None, pa.py_buffer(wide.tobytes())])


def _write(table: pa.Table, path: Path) -> None:
    """Write under another name first, so that a reader never meets half a file."""
    running = path.with_suffix(".running")
    pq.write_table(table, running)
    os.replace(running, path)
