"""The source parquet: where the files of each fact table are, and that each table is checked with the names that its user states."""

from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.source import Source, can_be_left_out, require_file
from forecasting.facts.sources.parquet.checks import inspect_tree
from forecasting.facts.sources.parquet.tree import SUFFIXES, Tree, is_tree, tree_of
from forecasting.facts.stated import require_stated_tables
from forecasting.facts.tables import TABLES, FactTable, Reading, listed, nearest


class Parquet(Source):
    """One file of sales of any name; or sales.parquet or the folder sales/, and so for inventory and expenses; or a tree of sales alone."""

    name = "parquet"

    def files(self, facts: Path) -> dict[str, Path]:
        """Return all files, by their path from FACTS on: folder names say something too where a table is partitioned by them."""
        return {name: path for tree in trees_of(facts).values() for name, path in tree.files.items()}

    def inspect(self, facts: Path, columns: dict[str, Any], reading: Reading) -> dict[str, FactTable]:
        """Check each table with the names stated for its columns."""
        require_stated_tables(columns)
        tables = {}
        for table, tree in trees_of(facts).items():
            with can_be_left_out(table, tree.name):
                tables[table] = inspect_tree(table, tree, columns.get(table, {}), reading, alone=facts.is_file())
        return tables


SOURCE = Parquet()


def trees_of(facts: Path) -> dict[str, Tree]:
    """Return the files of each fact table that there is.

    Raises
    ------
    UserError
        If there are no sales, a table is there twice, or something else lies among its files.
    """
    if not facts.is_dir():
        require_file(facts)
        return {"sales": Tree(facts.name, {facts.name: facts}, ())}
    found = {}
    for table in TABLES:
        places = [facts / table, *(facts / f"{table}{suffix}" for suffix in SUFFIXES)]
        places = [place for place in places if place.is_dir() or (place.exists() and place.suffix)]
        if len(places) > 1:
            both = listed(place.name for place in places)
            raise UserError(f"{facts} has {table} twice: {both}. Move one of them away, or all files into one folder.")
        if places:
            found[table] = tree_of(facts, places[0])
    if not found and is_tree(facts):
        return {"sales": tree_of(facts, facts)}
    if "sales" not in found:
        there = sorted(path.name for path in facts.iterdir() if not path.name.startswith("."))
        raise UserError(
            f"{facts} has neither sales.parquet nor a folder sales. Found: {listed(there[:20])}.{nearest('sales.parquet', there)} "
            "Rename it, or put all files of sales into a folder sales."
        )
    return found
