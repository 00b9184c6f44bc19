"""What the tables in PostgreSQL are like: columns and types as they are published, keys and descriptions as dbt has them."""

from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import yaml

from forecasting.errors import UserError
from forecasting.ledger.tables import FOR_BI

# DuckDB's types as PostgreSQL's catalogue writes them. What is a TIMESTAMP with us is a moment in UTC.
TYPES = {
    "VARCHAR": "text", "DOUBLE": "double precision", "INTEGER": "integer", "BIGINT": "bigint", "BOOLEAN": "boolean",
    "DATE": "date", "TIMESTAMP": "timestamp with time zone",
}  # fmt: skip


class Column(NamedTuple):
    """One column; `type` is PostgreSQL's."""

    name: str
    type: str
    description: str


class Table(NamedTuple):
    """One table, with the columns that tell its rows apart."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    description: str


def tables(published: duckdb.DuckDBPyConnection, dbt: Path) -> list[Table]:
    """Return the tables that BI tools are given, as a published file has them; `dbt` is the folder of dbt's project.

    Raises
    ------
    UserError
        If the file lacks one of them, which an older version of the project published.
    """
    found, said = [], descriptions(dbt)
    for name in FOR_BI:
        described = said[name]
        try:
            columns = published.execute(f'select column_name, column_type from (describe "{name}")').fetchall()
        except duckdb.CatalogException:
            raise UserError(
                f"The published file lacks {name}: an older version of the project wrote it. Publish it again with `make report`."
            ) from None
        meant = {column["name"]: one_line(column.get("description", "")) for column in described.get("columns", [])}
        typed = tuple(Column(column, TYPES[kind], meant.get(column, "")) for column, kind in columns)
        found.append(Table(name, typed, key(described), one_line(described["description"])))
    return found


def descriptions(dbt: Path) -> dict[str, dict[str, Any]]:
    """Return what dbt says of each of these tables, by name: the file of its name, or what it says of the ledger."""
    files = {path.stem: path for path in (dbt / "models").rglob("*.yml")}
    wanted = [files[name] for name in FOR_BI if name in files]
    models = [model for path in wanted for model in read(path)["models"]]
    (ledger,) = read(files["ledger_sources"])["sources"]
    return {described["name"]: described for described in [*models, *ledger["tables"]]}


def read(path: Path) -> dict[str, Any]:
    """Return the content of one of dbt's files."""
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def key(described: dict[str, Any]) -> tuple[str, ...]:
    """Return the columns of a table's grain: the first that dbt tests, for a table of the ledger the one it states."""
    tested = [test["grain"]["arguments"]["columns"] for test in described.get("data_tests", []) if "grain" in test]
    return tuple(tested[0] if tested else described["config"]["meta"]["key"])


def one_line(text: str) -> str:
    """Return a text of YAML without its line breaks."""
    return " ".join(text.split())
