"""The source csv: which files it has, and that each is checked with the names that its user states."""

from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.source import Source, can_be_left_out, require_file
from forecasting.facts.sources.csv.checks import inspect_csv
from forecasting.facts.stated import require_stated_tables
from forecasting.facts.tables import TABLES, FactTable, Reading, listed, nearest


class Csv(Source):
    """A folder with sales.csv, and inventory.csv and expenses.csv if there are any, or one file of sales of any name."""

    name = "csv"

    def files(self, facts: Path) -> dict[str, Path]:
        """Return the CSV files by their names."""
        return {path.name: path for path in tables_of(facts).values()}

    def inspect(self, facts: Path, columns: dict[str, Any], reading: Reading) -> dict[str, FactTable]:
        """Check each CSV with the names stated for its columns."""
        require_stated_tables(columns)
        tables = {}
        for name, path in tables_of(facts).items():
            with can_be_left_out(name, path.name):
                tables[name] = inspect_csv(name, path, columns.get(name, {}), reading, alone=facts.is_file())
        return tables


SOURCE = Csv()


def tables_of(facts: Path) -> dict[str, Path]:
    """Return the file of each fact table that there is.

    Raises
    ------
    UserError
        If there are no sales, or a file is none.
    """
    if not facts.is_dir():
        require_file(facts)
        return {"sales": facts}
    paths = {name: facts / f"{name}.csv" for name in TABLES}
    for path in paths.values():
        if path.exists():
            require_file(path)
    if not paths["sales"].is_file():
        found = sorted(path.name for path in facts.iterdir() if path.is_file())
        there = f"Found: {listed(found[:20])}.{nearest('sales.csv', found)}"
        raise UserError(f"sales.csv is missing in {facts}. {there}")
    return {name: path for name, path in paths.items() if path.is_file()}
