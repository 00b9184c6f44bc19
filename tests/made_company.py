"""A made company with as many series as are asked for, to measure what size costs: `write` leaves its facts as Parquet.

Shops sell products: a region is a shop, a category is a product, and each pair of them is a series. A product has a level (lognormal
over products, some hundred to one between large and small), a growth and a season; a shop has a size and a season of its own; what is
left is an autocorrelated disturbance. One series in eight sells now and then (a Poisson number of pieces, often none), one in
twenty-five begins within the last three years, one in fifty has ended, one in twenty moves to another level once, and one month in two
hundred is an outlier. The same seed gives the same company on any machine; a larger company has the series of a smaller one.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST = np.datetime64("2020-01")
PRODUCTS_A_SHOP = 200
BLOCK = 5_000  # series that are made at a time


def write(folder: Path, n_series: int, months: int = 60, seed: int = 1) -> None:
    """Write `sales.parquet` (order_date, region, product_category, net_amount): one row per series and month with sales."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = None
    for first in range(0, n_series, BLOCK):
        table = block(first, min(BLOCK, n_series - first), months, seed)
        writer = writer or pq.ParquetWriter(folder / "sales.parquet", table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def block(first: int, n: int, months: int, seed: int) -> pa.Table:
    """Return the facts of `n` series from number `first` on."""
    number = np.arange(first, first + BLOCK)
    shop, product = number // PRODUCTS_A_SHOP, number % PRODUCTS_A_SHOP
    values = amounts(shop, product, months, np.random.default_rng([seed, first]), seed)[:n]
    row, month = np.nonzero(values)
    dates = (FIRST + month).astype("datetime64[D]") + 14
    names = {
        "region": pa.DictionaryArray.from_arrays(pa.array(shop[row] - shop[0]), [f"Shop {s:04d}" for s in range(shop[0], shop[-1] + 1)]),
        "product_category": pa.DictionaryArray.from_arrays(pa.array(product[row]), [f"Product {p:03d}" for p in range(PRODUCTS_A_SHOP)]),
    }  # fmt: skip
    columns = {name: array.cast(pa.string()) for name, array in names.items()}
    return pa.table({"order_date": pa.array(dates), **columns, "net_amount": values[row, month]})


def amounts(shop: np.ndarray, product: np.ndarray, months: int, rng: np.random.Generator, seed: int) -> np.ndarray:
    """Return the monthly sales [n, months] of products in shops, rounded to cents; 0 where nothing was sold."""
    n, time = len(shop), np.arange(months)
    of_products, of_shops = np.random.default_rng([seed, 1, 0]), np.random.default_rng([seed, 2, shop[0]])
    shop = shop - shop[0]
    level = of_products.lognormal(7.0, 1.2, PRODUCTS_A_SHOP)[product] * of_shops.lognormal(0.0, 0.5, shop[-1] + 1)[shop]
    growth = (of_products.normal(0.003, 0.006, PRODUCTS_A_SHOP)[product])[:, None] * time
    waves = (
        of_products.normal(0.0, 0.18, (PRODUCTS_A_SHOP, 4))[product]
        + of_shops.normal(0.0, 0.06, (shop[-1] + 1, 4))[shop]
    )
    angle = 2 * np.pi * time / 12
    season = waves @ np.stack([np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)])
    noise = rng.normal(0.0, rng.uniform(0.04, 0.25, (n, 1)), (n, months))
    for month in range(1, months):
        noise[:, month] += 0.5 * noise[:, month - 1]
    moved = np.where(rng.random((n, 1)) < 0.05, rng.normal(0.0, 0.4, (n, 1)), 0.0) * (
        time >= rng.integers(12, months, (n, 1))
    )
    odd = np.where(rng.random((n, months)) < 0.005, rng.normal(0.0, 0.7, (n, months)), 0.0)
    expected = level[:, None] * np.exp(growth + season + noise + moved + odd)
    price = np.maximum(level * rng.uniform(0.5, 2.0, n), 1.0)[
        :, None
    ]  # of what sells now and then: about one piece a month
    seldom = rng.random((n, 1)) < 0.125
    values = np.where(seldom, rng.poisson(np.minimum(expected / price, 50.0) * 0.6) * price, expected)
    begins = np.where(rng.random((n, 1)) < 0.04, rng.integers(months - 36, months - 3, (n, 1)), 0)
    ends = np.where(rng.random((n, 1)) < 0.02, rng.integers(24, months - 12, (n, 1)), months)
    return np.where((time >= begins) & (time < ends), values, 0.0).round(2)
