"""Companies of a few lines of CSV, built in a fraction of a second: the door's checks, dbt's own SQL without dbt, what the build says.

dbt's process, MLflow's store and dbt's record of its tests are left out; `test_dbt` and `test_errors` have them. dbt's own queries
of completeness are asked here too.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pandas as pd

from dbt_sql import DBT, environment
from forecasting import registry
from forecasting.errors import UserError
from forecasting.run import Workspace, params
from forecasting.training_set import building, dbt_tests

ROOT = DBT.parent
FOLDERS = ("sources/csv", "days", "staging", "monthly", "doubts", "ml")


@dataclass(frozen=True)
class Built:
    """What became of a company: why it was refused («» where it was not), what is said of it, its training sets by domain."""

    refused: str
    facts: dict[str, dict[str, Any]]
    train: dict[str, pd.DataFrame]
    missing: dict[str, str]

    def codes(self, domain: str = "sales") -> dict[str, str]:
        """The doubts of a domain: code → text; of several texts of a code all, one behind the other."""
        texts: dict[str, str] = {}
        for doubt in self.facts[domain]["doubts"]:
            texts[doubt["code"]] = f"{texts.get(doubt['code'], '')} {doubt['text']}".strip()
        return texts

    def totals(self, domain: str = "sales") -> pd.Series:
        """The domain's months and what they add up to."""
        return self.train[domain].groupby("ds")["y"].sum().round(4)


def build(folder: Path, settings: dict[str, Any] | None = None, **files: str | pd.DataFrame) -> Built:
    """Write <table>.csv for each keyword into a new folder and build what comes of it, with some settings other than the default."""
    facts = folder / "facts"
    facts.mkdir(parents=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else content.to_csv(index=False, date_format="%Y-%m-%d")
        (facts / f"{name}.csv").write_text(text, encoding="utf-8")
    workspace = Workspace(folder, "quick", "csv", "facts")
    chosen = params.resolve(ROOT, "quick", "sales") | (settings or {})
    with (
        mock.patch.object(building, "run_dbt", _without_dbt),
        mock.patch.object(building, "data_stamp", lambda *_: ""),
        mock.patch.object(dbt_tests, "found", lambda _: []),
        mock.patch.object(dbt_tests, "failed", lambda _: {}),
        mock.patch.object(registry, "prepare_store"),
    ):
        try:
            building.build(workspace, chosen)
        except UserError as error:
            return Built(str(error), {}, {}, {})
    domains = workspace.domains()
    notes = {domain: pd.read_json(workspace.runs / domain / "facts.json", typ="series").to_dict() for domain in domains}
    train = {domain: pd.read_parquet(workspace.runs / domain / f"train_{domain}.parquet") for domain in domains}
    return Built("", notes, train, workspace.missing())


def _without_dbt(workspace: Workspace, command: str, variables: dict[str, Any], *options: str) -> None:
    """Make the tables that dbt would make, and ask its queries of completeness."""
    defaults = {"as_of": None, "rename": {}, "totals": {}, "duplicates": "keep", "stray_dates": "drop"}
    known = {**defaults, **variables}
    found = environment()
    found.globals.update(
        var=lambda name, default=None: known.get(name, default),
        config=lambda **_: "",
        source=lambda source, name: known["tables"][name]["location"],
    )
    for path in sorted((DBT / "macros").glob("*.sql")):
        macros = found.from_string(path.read_text(encoding="utf-8")).module
        found.globals.update({name: macro for name, macro in vars(macros).items() if not name.startswith("_")})
    models = {path.stem: path for folder in FOLDERS for path in (DBT / "models" / folder).glob("*.sql")}
    sql = {name: found.from_string(path.read_text(encoding="utf-8")).render() for name, path in models.items()}
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2")
        made: set[str] = set()
        while left := [name for name in sql if name not in made]:
            for name in left:
                if set(re.findall(r"\w+", sql[name])) & set(models) - made - {name}:
                    continue
                kind = "view" if models[name].parent.parent.name == "sources" else "table"
                connection.execute(f"create {kind} {name} as {sql[name]}")
                made.add(name)
        for path in sorted((DBT / "tests").glob("*.sql")):
            odd = connection.execute(found.from_string(path.read_text(encoding="utf-8")).render()).fetchall()
            if odd:
                raise UserError(f"dbt: {path.stem} {odd[:3]}")
