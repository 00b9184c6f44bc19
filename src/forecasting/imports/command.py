"""`make import`: reads a file by the workspace's mapping, completes that where it is open, and leaves facts or says what is wrong."""

import datetime as dt
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts import TABLES, connect, literal, nearest
from forecasting.files import digest
from forecasting.imports import accounts as accounting
from forecasting.imports import history, shown
from forecasting.imports.accounts import Accounts
from forecasting.imports.flow import Read, complete
from forecasting.imports.mapping import Mapping, safe_name
from forecasting.imports.mapping_file import block_of, mapping_path, read_mapping, write_mapping
from forecasting.imports.questions import Ask, ask_at_terminal
from forecasting.imports.reading import READ
from forecasting.imports.rules import FATES, LOADED, rows_of_rules
from forecasting.imports.store import Store
from forecasting.run import Workspace, only_run

SOURCE = "parquet"


def import_file(root: Path, name: str, file: str, table: str = "", yes: bool = False, ask: Ask | None = None) -> None:
    """Import a file into the workspace `name` of the project at `root`.

    table: where nothing is said sales, unless the names of the columns speak against it. yes: go on without being asked, where
    nothing is undecided. ask: who answers questions, by default the person at the terminal, if there is one.

    Raises
    ------
    UserError
        If the file cannot be read, too many of its rows cannot, it does not fit the mapping, or something is open and nobody can be asked.
    """
    path, is_told, table = Path(file).expanduser(), bool(table), table or "sales"
    require_usable(root, name, file, path, table)
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    ask = ask or (ask_at_terminal if at_terminal else None)
    with only_run(root / "data" / name), connect() as connection:
        workspace = own_workspace(root, name)
        store = Store(workspace.data)
        stated, where = mapping_path(root, name), f"params/imports/{name}.yml"
        mapping = read_mapping(stated, table)
        seen = seen_before(store, table, path, mapping)
        if seen:
            print(f"{path.name} was imported before, by the same mapping: nothing changes.")
            workspace.remember()
            return
        before = block_of(mapping)
        read = complete(
            connection,
            path,
            mapping,
            ask,
            lambda open_ones: write_mapping(stated, mapping, open_ones),
            where,
            is_told or bool(mapping.columns),
        )
        took_place, said = history.look_back(read.reader, mapping, others(store, table, path), where)
        accounts = accounting.count(read.reader)
        print("\n".join(report(read, mapping, accounts, said)))
        require_importable(workspace, read, mapping, accounts, path)
        if block_of(mapping) != before:
            write_mapping(stated, mapping)
            print(f"\nThe mapping is in {where}: change there what is wrong.")
            require_consent(yes, ask is not None and at_terminal, where)
        keep(store, read, mapping, accounts, path, took_place)
        workspace.remember()
        print(f"\nImported into data/{name}/facts/{table}. Go on with: make report NAME={name}")


def require_usable(root: Path, name: str, file: str, path: Path, table: str) -> None:
    """Raise a UserError unless file, name and table can be meant."""
    if not file:
        raise UserError(
            "make import needs FILE=…, the file to import, and NAME=…, the workspace: make import FILE=sales.csv NAME=acme."
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name) or name == "sample":
        raise UserError(
            f"NAME={name!r} cannot be the workspace of a company: use letters, digits, «-» and «_», and not «sample»."
        )
    if table not in TABLES:
        raise UserError(f"TABLE={table} is not a fact table. Known: {', '.join(TABLES)}.{nearest(table, TABLES)}")
    if not path.is_file():
        alike = nearest(path.name, [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else [])
        raise UserError(
            f"FILE={file} is {'a folder: import its files one by one' if path.is_dir() else f'not there.{alike}'}"
        )


def own_workspace(root: Path, name: str) -> Workspace:
    """Return the workspace of imported facts, or raise a UserError if the name belongs to facts from elsewhere."""
    workspace = Workspace(root, name, SOURCE, f"data/{name}/facts")
    memory = workspace.data / "workspace.json"
    if memory.exists():
        known = json.loads(memory.read_text(encoding="utf-8"))
        if (known.get("source"), known.get("facts")) != (workspace.source, workspace.facts):
            raise UserError(
                f"The workspace «{name}» belongs to SOURCE={known.get('source')} FACTS={known.get('facts')}: imported facts need a "
                "workspace of their own. Give another NAME."
            )
    return workspace


def report(read: Read, mapping: Mapping, accounts: Accounts, said: list[str]) -> list[str]:
    """Return all that is shown before anything is written."""
    faults = accounting.faults(read.reader)
    parts = [
        shown.proposal(mapping, read.draft, read.parts), shown.first_rows(read.reader), shown.months(read.reader),
        shown.currencies(mapping, read.reader.staged), shown.rounding(read.reader), shown.left_out(read.parts, read.reader.staged),
        shown.rules_met(read.reader, mapping, rows_of_rules(read.reader)),
        ["Not readable, so in quarantine:", *(f"  {line}" for line in accounting.listed_faults(faults))] if faults else [],
        said, shown.accounted(accounts),
    ]  # fmt: skip
    return [line for part in parts if part for line in [*part, ""]]


def require_importable(workspace: Workspace, read: Read, mapping: Mapping, accounts: Accounts, path: Path) -> None:
    """Raise a UserError with all faults if too many rows cannot be read; they are written to a file of their own."""
    refused = workspace.data / f"refused-{mapping.table}-{safe_name(path.stem)}.csv"
    refused.unlink(missing_ok=True)
    found = accounting.faults(read.reader)
    if accounts.quarantined_pct > mapping.most_quarantined_pct or not accounts.rows.get(LOADED):
        write_quarantine(read, refused)
    accounting.require_few_faults(mapping, accounts, found, path.name, str(refused.relative_to(workspace.root)))


def require_consent(yes: bool, at_terminal: bool, where: str) -> None:
    """Ask whether to go on; without a terminal, and without YES=1, stop: somebody should look first."""
    if yes:
        return
    if not at_terminal:
        raise UserError(
            f"Nothing was imported yet: look at the above and at {where}, then run the same command again, with YES=1 or without."
        )
    if input("Import it like this? [y/N] ").strip().lower() not in ("y", "yes"):
        raise UserError(f"Nothing was imported. Change {where} and run the same command again.")


def keep(store: Store, read: Read, mapping: Mapping, accounts: Accounts, path: Path, took_place: bool) -> None:
    """Write facts, quarantine and record, and make them count in one step."""
    table, stem = mapping.table, safe_name(path.stem)
    with store.next() as folder:
        facts, quarantine = folder / "facts" / table, folder / "quarantine"
        record = store.record()
        if took_place:
            shutil.rmtree(facts, ignore_errors=True)
            for old in record.pop(table, {}):
                (quarantine / f"{table}-{old}.csv").unlink(missing_ok=True)
        facts.mkdir(parents=True, exist_ok=True)
        written, bad = facts / f"{stem}.parquet", quarantine / f"{table}-{stem}.csv"
        written.unlink(missing_ok=True)
        bad.unlink(missing_ok=True)
        write_facts(read, written)
        n_bad = write_quarantine(read, bad) if accounts.rows.get("quarantined") else 0
        accounting.require_written(read.reader, accounts, written, n_bad)
        record.setdefault(table, {})[stem] = entry(read, mapping, accounts, path)
        (folder / "imports.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_facts(read: Read, path: Path) -> None:
    """Write the loaded rows as Parquet, in the contract's names and types and the file's order."""
    columns = ", ".join(read.reader.known_columns())
    rows = f"select {columns} from {READ} join {FATES} using (n) where fate = '{LOADED}' order by n"
    read.reader.staged.connection.execute(f"copy ({rows}) to {literal(str(path))} (format parquet)")


def write_quarantine(read: Read, path: Path) -> int:
    """Write the rows that could not be read as a CSV, with line, reason and the row as it stood; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = accounting.quarantine_sql(read.reader)
    ((n,),) = read.reader.staged.fetch(f"select count(*) from ({rows})")
    read.reader.staged.connection.execute(f"copy ({rows}) to {literal(str(path))} (header, delimiter ',')")
    return n


def entry(read: Read, mapping: Mapping, accounts: Accounts, path: Path) -> dict[str, Any]:
    """Return what is remembered of an imported file."""
    day = read.reader.spec.date
    ((first, last),) = read.reader.staged.fetch(
        f"select min({day}), max({day}) from {READ} join {FATES} using (n) where fate = '{LOADED}'"
    )
    return {
        "file": path.name, "sha256": hash_of(path), "mapping": digest(block_of(mapping)), "imported": dt.date.today().isoformat(),
        "first_date": str(first), "last_date": str(last), "rows_in": accounts.rows_in, "total_in": str(accounts.total_in),
        "total_of": accounting.amount_of(read.reader), "rows": accounts.rows,
        "totals": {fate: str(total) for fate, total in accounts.totals.items()},
    }  # fmt: skip


def seen_before(store: Store, table: str, path: Path, mapping: Mapping) -> bool:
    """Say whether this very file was imported by this very mapping, and what it left is there."""
    known = store.record().get(table, {}).get(safe_name(path.stem))
    there = store.facts_file(table, safe_name(path.stem)).exists()
    return bool(known and there and known["mapping"] == digest(block_of(mapping)) and known["sha256"] == hash_of(path))


def others(store: Store, table: str, path: Path) -> list[Path]:
    """Return the imported facts of a table's other files."""
    folder = store.current / "facts" / table
    return (
        sorted(each for each in folder.glob("*.parquet") if each.stem != safe_name(path.stem))
        if folder.is_dir()
        else []
    )


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
