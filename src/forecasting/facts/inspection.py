"""The door for facts: says which sources there are, checks what a company hands in, and tells when it has changed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.csv_facts import inspect_csv
from forecasting.facts.csv_numbers import SHAPES
from forecasting.facts.csv_text import require_file
from forecasting.facts.parquet import PARQUET, inspect_parquet
from forecasting.facts.tables import TABLES, FactsSummary, FactTable, Reading, connect, listed, nearest

__all__ = ["KNOWN_SOURCES", "FactsSummary", "fingerprint", "inspect"]

KNOWN_SOURCES = ("sample", "csv", "adventureworks")


def inspect(
    source: str,
    facts: Path,
    columns: dict | None = None,
    date_format: str | None = None,
    time_zone: str | None = None,
    decimal_mark: str | None = None,
    currency: str | None = None,
) -> FactsSummary:
    """Check the facts of a source before anything is built from them, and return what came in.

    `columns` (csv): fact table → {contract's name: the file's name}; `date_format` (csv): as strftime writes it; `decimal_mark`
    (csv): '.' or ','. `time_zone`: by whose clock moments with an offset are dated, None: the clock as written. `currency`: what
    the user says that money is counted in.

    Raises
    ------
    UserError
        If a file, column or cell cannot be used: names it, its line, and what to do.
    """
    facts, reading = Path(facts).resolve(), Reading(date_format, time_zone, decimal_mark, currency)
    files = fact_files(source, facts)
    require_time_zone(time_zone)
    if decimal_mark not in (None, *SHAPES):
        raise UserError(f"params: decimal_mark must be '.' or ',', found '{decimal_mark}'.")
    if source == "csv":
        tables = inspect_csvs(files, columns or {}, reading, alone=facts.is_file())
    else:
        tables = inspect_parquet(source, files, reading)
    return FactsSummary(source, facts, tables, time_zone)


def require_time_zone(name: str | None) -> None:
    """Raise a UserError if a time zone is not a place of the IANA list, or UTC."""
    if not name:
        return
    with connect() as connection:
        known = [zone for (zone,) in connection.execute("select name from pg_timezone_names()").fetchall()]
    known = [zone for zone in known if "/" in zone or zone == "UTC"]
    if name not in known:
        raise UserError(
            f"params: time_zone '{name}' is not a time zone such as Europe/Berlin or UTC.{nearest(name, known)}"
        )


def inspect_csvs(files: dict[str, Path], columns: dict, reading: Reading, alone: bool) -> dict[str, FactTable]:
    """Check each CSV of a company with the names its user stated for its columns."""
    for name, mapping in columns.items():
        if name not in TABLES:
            known = f"Known: {listed(TABLES)}.{nearest(name, TABLES)}"
            raise UserError(f"columns: '{name}' is not a fact table. {known} Correct params/.")
        if not isinstance(mapping, dict):
            example = f"{{{name}: {{{TABLES[name].date}: Day}}}}"
            raise UserError(f"columns: {name} must name columns, for example {example}. Correct params/.")
    tables = {}
    for name, path in files.items():
        try:
            tables[name] = inspect_csv(name, path, columns.get(name, {}), reading, alone)
        except UserError as error:
            if name == "sales":
                raise
            raise UserError(f"{error} To forecast the rest meanwhile, move {path.name} to another folder.") from None
    return tables


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
    try:
        there = facts.exists()
    except OSError as error:
        raise UserError(f"{facts} cannot be looked for: {error.strerror}. Set FACTS to a folder or file.") from None
    if not there:
        raise UserError(f"There are no facts: {facts} does not exist. Set FACTS to the folder or file that has them.")
    if source == "csv" and not facts.is_dir():
        require_file(facts)
        return {"sales": facts}
    if not facts.is_dir():
        needed = listed(f"{name}.parquet" for name in PARQUET[source])
        raise UserError(f"{facts} is a file. The source {source} needs a folder with {needed}.")
    suffix, needed = (".csv", ["sales"]) if source == "csv" else (".parquet", list(PARQUET[source]))
    found = sorted(path.name for path in facts.iterdir() if path.is_file())
    paths = {name: facts / f"{name}{suffix}" for name in (TABLES if source == "csv" else needed)}
    for path in paths.values():
        if path.exists():
            require_file(path)
    for name in needed:
        if not paths[name].is_file():
            there = f"Found: {listed(found[:20])}.{nearest(f'{name}{suffix}', found)}"
            raise UserError(f"{name}{suffix} is missing in {facts}. {there}")
    return {name: path for name, path in paths.items() if path.is_file()}


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
