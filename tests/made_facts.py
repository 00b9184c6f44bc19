"""Made order lines and stock rows of a retailer, any number of them, written by DuckDB as one Parquet file a month: `write`.

Every value of a row follows from its number by a hash, so that the same numbers give the same company on any machine. 50 shops sell 5,000
products of 20 categories: a few shops and products sell most; products have a list price and mostly go in ones, so that lines are alike
now and then as in any till; a line has an id of its own, which nothing uses. Stock is counted at each month's end, product by product.
"""

from pathlib import Path

import duckdb

MONTHS = 60
SHOPS, CATEGORIES, PRODUCTS = 50, 20, 5_000
FIRST = "date '2020-01-01'"

# A month's share of all lines: growth and a season, as whole numbers so that no rounding decides.
WEIGHTS = [100 + month + (40, 0, 10, 15, 20, 15, 5, 0, 20, 30, 60, 120)[month % 12] for month in range(MONTHS)]

NAMES = (
    f"create table shops as select i as shop, format('Shop {{:02d}}', i) as region from range({SHOPS}) as numbers(i)",
    f"""create table products as select
        i as product_number, format('Product {{:04d}}', i) as product, format('Category {{:02d}}', i % {CATEGORIES}) as product_category,
        99 + hash(i + 7) % 20000 as list_price
    from range({PRODUCTS}) as numbers(i)""",
)

SALES = """
with numbers as (
    select i, hash(i) as h, hash(i + 1000000007) as k from range({first}, {last}) as numbers(i)
), drawn as (
    select
        i,
        {day} + cast((i - {first}) * day(last_day({day})) // {n} as integer) as order_date,
        cast(floor({shops} * pow((h % 65536) / 65536.0, 1.6)) as bigint) as shop,
        cast(floor({products} * pow((h // 65536 % 16777216) / 16777216.0, 1.5)) as bigint) as product_number,
        cast(if(k % 5 = 0, 1 + k // 5 % 5, 1) as integer) as quantity,
        if(k // 32 % 8 = 0, 80, 100) as percent
    from numbers
)
select
    i as line_id,
    order_date,
    region,
    product_category,
    product,
    quantity,
    cast(quantity * (list_price * {inflation} // 100) * percent // 100 / 100.0 as decimal(12, 2)) as net_amount,
    cast(quantity * (list_price * {inflation} // 100) * 6 // 10 / 100.0 as decimal(12, 2)) as cost_amount
from drawn
inner join shops using (shop)
inner join products using (product_number)
"""

STOCK = """
select
    last_day({day}) as snapshot_date,
    region,
    product_category,
    product,
    cast(hash(product_number * {shops} + shop + {first}) % 200 as integer) as quantity_on_hand,
    cast(list_price * {inflation} * 6 // 1000 / 100.0 as decimal(12, 2)) as unit_cost
from products
cross join shops
where product_number * {shops} + shop < {n}
"""


def write(folder: Path, n_lines: int, n_stock: int) -> None:
    """Write `sales/` and `inventory/`, a file a month, with `n_lines` order lines and about `n_stock` rows of stock in all."""
    per_month = [n_lines * weight // sum(WEIGHTS) for weight in WEIGHTS]
    per_month[-1] += n_lines - sum(per_month)
    n_counted, first = min(n_stock // MONTHS, SHOPS * PRODUCTS), 0
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        for statement in NAMES:
            connection.execute(statement)
        for month, n in enumerate(per_month):
            fixed = {"day": f"cast({FIRST} + interval {month} month as date)", "inflation": 100 + month // 4,
                     "shops": SHOPS, "products": PRODUCTS}  # fmt: skip
            name = f"{2020 + month // 12}-{month % 12 + 1:02d}.parquet"
            for table, sql in {
                "sales": SALES.format(first=first, last=first + n, n=n, **fixed),
                "inventory": STOCK.format(first=month * 1_000_003, n=n_counted, **fixed),
            }.items():
                (folder / table).mkdir(parents=True, exist_ok=True)
                connection.execute(f"copy ({sql}) to '{folder / table / name}' (format parquet)")
            first += n
