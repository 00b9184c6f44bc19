"""Facts as dbt reads them once they passed the checks, for tests that want the numbers and not a whole build."""

from decimal import Decimal
from pathlib import Path

import duckdb

from forecasting.facts.tables import AMOUNT, TABLES, FactTable


def company(folder: Path, **files: str | bytes) -> Path:
    """Write <table>.csv for each keyword and return the folder."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def by_month(table: FactTable, *keys: str) -> dict[tuple[str, ...] | str, Decimal]:
    """Return the amounts of a CSV by month, and by columns of the contract, as models/sources/csv read them."""
    amount = f"sum(cast({table.cells[table.total_of]} as {AMOUNT}))"
    groups = ", ".join(
        [f"strftime({table.cells[TABLES[table.name].date]}, '%Y-%m')", *(table.cells[key] for key in keys)]
    )
    with duckdb.connect() as connection:
        rows = connection.execute(f"select {groups}, {amount} from {table.location} group by all").fetchall()
    return {key if key[1:] else key[0]: amount for *key, amount in ((*row,) for row in rows) for key in [tuple(key)]}
