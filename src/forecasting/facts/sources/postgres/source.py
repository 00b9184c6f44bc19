"""The source postgres: brings the rows of a company's tables into the workspace, where they are checked and read as Parquet files are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.source import Source
from forecasting.facts.sources.parquet.checks import inspect_tree
from forecasting.facts.sources.parquet.tree import Tree
from forecasting.facts.sources.postgres.extract import Extract, brought, read_list, write_list
from forecasting.facts.sources.postgres.select import select_of
from forecasting.facts.sources.postgres.server import snapshot
from forecasting.facts.sources.postgres.wanted import wanted_tables
from forecasting.facts.tables import FactTable, Reading, grouping_columns
from forecasting.facts.time_zone import require_time_zone


class Postgres(Source):
    """Tables or queries that params/ name, in the server that the environment tells of."""

    name = "postgres"
    needs = ""
    refuses = "its tables are named under postgres: in params/workspaces/<name>.yml"
    keeps = "data"

    def bring(self, place: Path, settings: dict[str, Any], code: str) -> list[str]:
        """Ask the server what has changed, and fetch that: all tables as they are at one moment."""
        wanted = wanted_tables(settings)
        require_time_zone(settings["time_zone"])
        before, now, said = read_list(place), {}, []
        with snapshot() as server:
            for each in wanted:
                select = select_of(server, each, settings["time_zone"], grouping_columns(settings["levels"]))
                now[each.table], sentence = brought(server, place, select, before.get(each.table))
                said += [f"{self.name:<11}{sentence}"] if sentence else []
        write_list(place, now)
        return said

    def files(self, facts: Path) -> dict[str, Path]:
        """Return the files that were fetched, by their path in the workspace's folder of facts."""
        return {part: facts / part for each in extracts_in(facts).values() for part in each.parts}

    def inspect(self, facts: Path, columns: dict[str, Any], reading: Reading) -> dict[str, FactTable]:
        """Check what was fetched, which has the contract's names already; the server's are what a person is told."""
        found = {}
        for table, each in extracts_in(facts).items():
            tree = Tree(each.label, {part: facts / part for part in each.parts}, (), own=False)
            checked = inspect_tree(table, tree, {name: name for name in each.columns}, reading)
            found[table] = replace(checked, columns=each.columns, columns_unused=tuple(each.unused))
        return found


SOURCE = Postgres()


def extracts_in(facts: Path) -> dict[str, Extract]:
    """Return what was fetched, or raise a UserError where nothing was."""
    found = read_list(facts)
    if "sales" not in found:
        raise UserError("Nothing has been fetched from PostgreSQL yet, or a file of it is gone: run make data.")
    return found
