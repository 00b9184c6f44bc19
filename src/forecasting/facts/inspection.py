"""The door for facts: says which sources there are, checks what a company hands in, and tells when it has changed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb

from forecasting.errors import UserError
from forecasting.facts.csv_facts import inspect_csv
from forecasting.facts.tables import (
    EARLIEST,
    TABLES,
    FactsSummary,
    FactTable,
    first_line,
    listed,
    literal,
    nearest,
    quoted,
)

__all__ = ["KNOWN_SOURCES", "FactsSummary", "fingerprint", "inspect"]

KNOWN_SOURCES = ("sample", "csv", "adventureworks")

# Parquet sources: the files a source needs and their columns by kind; those that may hold nulls have a question mark
PARQUET: dict[str, dict[str, dict[str, str]]] = {
    "sample": {
        "sales": {"order_date": "date", "net_amount": "number", "cost_amount": "number", "quantity": "number",
                  "region": "text", "product_category": "text", "product": "text"},
        "inventory": {"snapshot_date": "date", "quantity_on_hand": "number", "unit_cost": "number",
                      "region": "text", "product_category": "text", "product": "text"},
        "expenses": {"expense_date": "date", "amount": "number", "region": "text?"},
    },
    "adventureworks": {
        "FactInternetSales": {"OrderDate": "date", "SalesAmount": "number", "TotalProductCost": "number?",
                              "OrderQuantity": "number", "ProductKey": "number", "SalesTerritoryKey": "number"},
        "FactResellerSales": {"OrderDate": "date", "SalesAmount": "number", "TotalProductCost": "number?",
                              "OrderQuantity": "number", "ProductKey": "number", "SalesTerritoryKey": "number"},
        "FactProductInventory": {"MovementDate": "date", "UnitsBalance": "number", "UnitCost": "number?",
                                 "ProductKey": "number"},
        "DimProduct": {"ProductKey": "number", "EnglishProductName": "text", "ProductSubcategoryKey": "number?"},
        "DimProductSubcategory": {"ProductSubcategoryKey": "number", "ProductCategoryKey": "number"},
        "DimProductCategory": {"ProductCategoryKey": "number", "EnglishProductCategoryName": "text"},
        "DimSalesTerritory": {"SalesTerritoryKey": "number", "SalesTerritoryRegion": "text"},
    },
}  # fmt: skip
# which of those files hold a fact table, and the contract's name → theirs
PARQUET_TABLES = {
    "sample": {name: ((name,), {column: column for column in columns}) for name, columns in PARQUET["sample"].items()},
    "adventureworks": {
        "sales": (
            ("FactInternetSales", "FactResellerSales"),
            {"order_date": "OrderDate", "net_amount": "SalesAmount", "cost_amount": "TotalProductCost",
             "quantity": "OrderQuantity"},
        ),
        "inventory": (
            ("FactProductInventory",),
            {"snapshot_date": "MovementDate", "quantity_on_hand": "UnitsBalance", "unit_cost": "UnitCost"},
        ),
    },
}  # fmt: skip
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
KINDS = {
    "date": ("DATE", "TIMESTAMP"),
    "number": ("DECIMAL", "DOUBLE", "FLOAT", *(sign + size for sign in ("", "U") for size in INTEGERS)),
    "text": ("VARCHAR",),
}


def inspect(source: str, facts: Path, columns: dict | None = None, date_format: str | None = None) -> FactsSummary:
    """Check the facts of a source before anything is built from them, and return what came in.

    `columns` (csv): fact table → {contract's name: the file's name}; `date_format` (csv): as strftime writes it.

    Raises
    ------
    UserError
        If a file, column or cell cannot be used: names it, its line, and what to do.
    """
    facts = Path(facts).resolve()
    files = fact_files(source, facts)
    if source == "csv":
        return FactsSummary(source, facts, inspect_csvs(files, columns or {}, date_format, alone=facts.is_file()))
    counts = {name: check_parquet(path, PARQUET[source][name]) for name, path in files.items()}
    tables = {
        table: FactTable(table, listed(files[name].name for name in parts), names, sum(counts[name] for name in parts))
        for table, (parts, names) in PARQUET_TABLES[source].items()
    }
    return FactsSummary(source, facts, tables)


def inspect_csvs(files: dict[str, Path], columns: dict, date_format: str | None, alone: bool) -> dict[str, FactTable]:
    """Check each CSV of a company with the names its user stated for its columns."""
    for name, mapping in columns.items():
        if name not in TABLES:
            known = f"Known: {listed(TABLES)}.{nearest(name, TABLES)}"
            raise UserError(f"columns: '{name}' is not a fact table. {known} Correct params/.")
        if not isinstance(mapping, dict):
            example = f"{{{name}: {{{TABLES[name].date}: Day}}}}"
            raise UserError(f"columns: {name} must name columns, for example {example}. Correct params/.")
    return {name: inspect_csv(name, path, columns.get(name, {}), date_format, alone) for name, path in files.items()}


def fact_files(source: str, facts: Path) -> dict[str, Path]:
    """Return the files of a source by the name of their table.

    Raises
    ------
    UserError
        If the source is unknown, or its folder or a file that it needs is missing.
    """
    if source not in KNOWN_SOURCES:
        known = f"Known: {listed(KNOWN_SOURCES)}.{nearest(source, KNOWN_SOURCES)}"
        raise UserError(f"There is no source '{source}'. {known}")
    if not facts.exists():
        raise UserError(f"There are no facts: {facts} does not exist. Set FACTS to the folder or file that has them.")
    if source == "csv" and facts.is_file():
        return {"sales": facts}
    if not facts.is_dir():
        needed = listed(f"{name}.parquet" for name in PARQUET[source])
        raise UserError(f"{facts} is a file. The source {source} needs a folder with {needed}.")
    suffix, needed = (".csv", ["sales"]) if source == "csv" else (".parquet", list(PARQUET[source]))
    found = sorted(path.name for path in facts.iterdir() if path.is_file())
    for name in needed:
        if not (facts / f"{name}{suffix}").is_file():
            there = f"Found: {listed(found[:20])}.{nearest(f'{name}{suffix}', found)}"
            raise UserError(f"{name}{suffix} is missing in {facts}. {there}")
    paths = {name: facts / f"{name}{suffix}" for name in (TABLES if source == "csv" else needed)}
    return {name: path for name, path in paths.items() if path.is_file()}


def check_parquet(path: Path, columns: dict[str, str]) -> int:
    """Check that a Parquet file has the columns, of the right kind and filled in; return its number of rows."""
    with duckdb.connect() as connection:
        relation = f"read_parquet({literal(str(path))})"
        try:
            described = f"select column_name, column_type from (describe select * from {relation})"
            found = dict(connection.execute(described).fetchall())
        except duckdb.Error as error:
            raise UserError(f"{path.name} cannot be read as Parquet: {first_line(error)}. Export it again.") from None
        n_rows = connection.execute(f"select count(*) from {relation}").fetchone()[0]
        if not n_rows:
            raise UserError(f"{path.name} is an empty table: it has columns but no rows. Export it again.")
        for column, kind in columns.items():
            require_kind(path, found, column, kind.rstrip("?"))
        for column, kind in columns.items():
            require_values(connection, path, relation, column, kind)
    return n_rows


def require_kind(path: Path, found: dict[str, str], column: str, kind: str) -> None:
    """Raise a UserError if a column is missing or holds something else than dates, numbers or text."""
    if column not in found:
        raise UserError(f"{path.name} has no column {column}. Found: {listed(found)}.{nearest(column, found)}")
    if found[column].split("(")[0].split(" ")[0] not in KINDS[kind]:
        raise UserError(f"{path.name}, column {column}: {found[column]} where a {kind} belongs. Export it as such.")


def require_values(connection: duckdb.DuckDBPyConnection, path: Path, relation: str, column: str, kind: str) -> None:
    """Raise a UserError at the first null of a column that needs a value, NaN, infinity or implausible date."""
    name = quoted(column)
    wrong = [] if kind.endswith("?") else [f"{name} is null"]
    if kind.startswith("number"):
        wrong.append(f"not isfinite(cast({name} as double))")
    if kind.startswith("date"):
        wrong.append(f"cast({name} as date) < {EARLIEST}")
    if not wrong:
        return
    numbered = f"select row_number() over () as n, {name} as value from {relation}"
    bad = f"select n, value from ({numbered}) where {' or '.join(wrong).replace(name, 'value')} order by n limit 1"
    found = connection.execute(bad).fetchone()
    if found:
        row, value = found
        said = "the value is missing" if value is None else f"{value} is not a usable {kind.rstrip('?')}"
        raise UserError(f"{path.name}, row {row}, column {column}: {said}. Correct the export.")


def fingerprint(source: str, facts: Path, cache: Path) -> str:
    """Return a hash of the fact files: their names and content.

    `cache` is a JSON file that remembers each file's hash with its size and time, so that only changed files are read.
    """
    facts = Path(facts).resolve()
    known = json.loads(cache.read_text(encoding="utf-8")) if cache.exists() else {}
    hashes = {path.name: remembered_hash(path, known) for path in fact_files(source, facts).values()}
    text = json.dumps(hashes, indent=2, sort_keys=True) + "\n"
    if not cache.exists() or cache.read_text(encoding="utf-8") != text:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(text, encoding="utf-8")
    content = {name: entry["sha256"] for name, entry in hashes.items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def remembered_hash(path: Path, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a file's size, time and SHA-256; it is read only if it is not as remembered."""
    stat = path.stat()
    seen = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    before = known.get(path.name, {})
    if all(before.get(key) == value for key, value in seen.items()):
        return before
    with path.open("rb") as file:
        return {**seen, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
