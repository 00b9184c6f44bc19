"""Sources of Parquet files whose names and columns are known: which they need, and the fact tables in them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from forecasting.errors import UserError
from forecasting.facts.parquet import Columns, check_parquet, column_types, relation_of
from forecasting.facts.rounding import rounding_notes
from forecasting.facts.source import Source, require_file
from forecasting.facts.tables import AMOUNT, TABLES, FactTable, Reading, connect, listed, nearest, quoted
from forecasting.facts.unused import currency_notes


class NamedParquet(Source):
    """A folder with Parquet files whose names and columns are known.

    parquet: file → its columns by kind. tables: fact table → its files, and the contract's name → theirs.
    not_currencies: columns that are called as if they said in what money the amounts are, and do not.
    """

    parquet: ClassVar[dict[str, Columns]]
    tables: ClassVar[dict[str, tuple[tuple[str, ...], dict[str, str]]]]
    not_currencies: ClassVar[tuple[str, ...]] = ()

    def files(self, facts: Path) -> dict[str, Path]:
        """Return the Parquet files by their names."""
        needed = [f"{name}.parquet" for name in self.parquet]
        if not facts.is_dir():
            raise UserError(f"{facts} is a file. The source {self.name} needs a folder with {listed(needed)}.")
        paths = {name: facts / name for name in needed}
        for path in paths.values():
            if path.exists():
                require_file(path)
        found = sorted(path.name for path in facts.iterdir() if path.is_file())
        for name, path in paths.items():
            if not path.is_file():
                raise UserError(f"{name} is missing in {facts}. Found: {listed(found[:20])}.{nearest(name, found)}")
        return paths

    def inspect(self, facts: Path, columns: dict[str, Any], reading: Reading) -> dict[str, FactTable]:
        """Check the Parquet files and return the fact tables in them; their columns are known, so that none need be stated."""
        files = {name.removesuffix(".parquet"): path for name, path in self.files(facts).items()}
        with connect(reading.time_zone, reading.memory) as connection:
            counts = {
                name: check_parquet(connection, path, self.parquet[name], reading.time_zone)
                for name, path in files.items()
            }
            return {
                table: parquet_table(connection, table, [files[name] for name in parts], own, sum(counts[name] for name in parts),
                                     set().union(*(self.parquet[name] for name in parts)), self.not_currencies, reading.currency)
                for table, (parts, own) in self.tables.items()
            }  # fmt: skip


def parquet_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    paths: list[Path],
    columns: dict[str, str],
    n_rows: int,
    used: set[str],
    not_currencies: Iterable[str],
    currency: str | None,
) -> FactTable:
    """Return what the files of a fact table have, which passed the checks."""
    spec, file = TABLES[table], listed(path.name for path in paths)
    date, amount = (quoted(columns[name]) for name in (spec.date, spec.amount(columns)))
    per_file = {path: [name for name in column_types(connection, path) if name not in used] for path in paths}
    unused = list(dict.fromkeys(name for names in per_file.values() for name in names))
    parts = " union all ".join(f"select {date} as d, {amount} as y from {relation_of(path)}" for path in paths)
    ends = f"select cast(min(d) as date), cast(max(d) as date), sum(cast(y as {AMOUNT})) from ({parts})"
    first, last, total = connection.execute(ends).fetchone()
    numbers = {columns[name]: columns[name] for name in spec.numbers if name in columns}

    def run(sql: str) -> list[tuple]:
        return connection.execute(sql).fetchall()

    notes = []
    for path, names in per_file.items():
        notes += rounding_notes(run, relation_of(path), path.name, numbers)
        others = [name for name in names if name not in not_currencies]
        notes += currency_notes(run, relation_of(path), path.name, others, currency)
    return FactTable(
        table, file, columns, n_rows, notes=tuple(notes), columns_unused=tuple(unused),
        first_date=first, last_date=last, total=total, total_of=spec.amount(columns),
    )  # fmt: skip
