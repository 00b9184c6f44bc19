"""The rows that were fetched: Parquet files of each fact table and one list of those that count, which is replaced in one step.

So whatever happens meanwhile, the facts are those of one moment in the server: of the last run that fetched all it wanted.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.sources.postgres.select import Select
from forecasting.facts.sources.postgres.server import Server
from forecasting.facts.tables import connect, literal, one_file, quoted
from forecasting.files import digest, write_if_changed

LIST = "extract.json"
MOST_FILES = 20  # of a table, before they are put together


@dataclass(frozen=True)
class Extract:
    """What was fetched of a fact table. definition: a hash of the SELECT; parts: its files; columns: contract's name → the server's.

    n_rows, hash and total are what the server must still say of these rows; last: the largest key among them.
    """

    label: str
    definition: str
    columns: dict[str, str]
    unused: list[str]
    parts: list[str] = field(default_factory=list)
    n_rows: int = 0
    hash: int = 0
    total: str = "0"
    last: str | None = None


def read_list(place: Path) -> dict[str, Extract]:
    """Return what was fetched, by fact table; nothing where nothing was, or the list or a file of it is damaged or gone."""
    try:
        found = json.loads((place / LIST).read_text(encoding="utf-8"))
        extracts = {table: Extract(**entry) for table, entry in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return {table: each for table, each in extracts.items() if all((place / part).is_file() for part in each.parts)}


def write_list(place: Path, extracts: dict[str, Extract]) -> None:
    """Replace the list, and then remove the files that it no longer names."""
    text = json.dumps({table: asdict(each) for table, each in extracts.items()}, indent=2) + "\n"
    write_if_changed(place / LIST, text)
    kept = {place / part for each in extracts.values() for part in each.parts}
    for path in place.glob("*/*.parquet*"):
        if path not in kept:
            path.unlink()


@dataclass(frozen=True)
class Sums:
    """What the server says of some rows: how many, the sum of their hashes and of their amounts, how many cannot be used, the last key."""

    n_rows: int = 0
    hash: int = 0
    total: Decimal = Decimal(0)
    n_bad: int = 0
    last: str | None = None


def brought(server: Server, place: Path, select: Select, before: Extract | None) -> tuple[Extract, str]:
    """Return what is there of a fact table once it is up to date, and what to say of it; only what is needed is fetched."""
    label, definition = select.wanted.label, digest(select.rows(None), select.wanted.new_rows)
    nothing = Extract(label, definition, select.columns, list(select.unused))
    if before is None or before.definition != definition:
        why = "" if before is None else ", as what is asked of it has changed"
        return fetched(server, place, select, nothing, f"all {{n}} row{{s}} of {label} fetched{why}")
    old, new = sums_of(server, select, before.last)
    if not select.wanted.new_rows:  # nothing tells new rows from old ones
        old, new = new, Sums()
    if (old.n_rows, old.hash) != (before.n_rows, before.hash):
        up_to = f" up to {select.wanted.new_rows} {before.last}" if before.last else ""
        moved = f"{old.n_rows:,} rows instead of {before.n_rows:,}, {select.amount} {shown(old.total)} instead of {before.total}"
        why = f"rows of {label}{up_to} have changed since they were fetched ({moved})"
        return fetched(server, place, select, nothing, f"{why}: all {{n}} fetched again")
    if not new.n_rows:
        return before, ""
    return fetched(server, place, select, before, f"{{n}} new row{{s}} of {label} fetched", new)


def sums_of(server: Server, select: Select, last: str | None) -> tuple[Sums, Sums]:
    """Return what the server says of the rows up to a key and of those above it.

    Raises
    ------
    UserError
        If a row cannot be used.
    """
    said = server.ask(select.sums(last), f"adding up {select.wanted.label}")
    found = {
        is_new: Sums(n, int(hash_), total, n_bad, None if key is None else str(key))
        for is_new, n, hash_, total, n_bad, key in said
    }
    if any(each.n_bad for each in found.values()):
        raise bad_values(server, select)
    return found.get(False, Sums()), found.get(True, Sums())


def fetched(
    server: Server, place: Path, select: Select, before: Extract, say: str, sums: Sums | None = None
) -> tuple[Extract, str]:
    """Fetch the rows above those that are there, all where none are, and return both together.

    `sums`: what the server says of these rows; where that is not known yet, it adds them up meanwhile.
    """
    folder = place / select.wanted.table
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [int(found[1]) for path in folder.iterdir() if (found := re.fullmatch(r"(\d+)\.parquet", path.name))]
    target = folder / f"{max(numbers, default=0) + 1}.parquet"
    new, parts = target.with_name(target.name + ".new"), [place / part for part in before.parts]
    doing, all_of_it = f"fetching {select.wanted.label}", before.last is None and select.plain
    with ThreadPoolExecutor(1) as beside:
        large = server.large_table(select.wanted.relation, doing) if all_of_it else None
        adding = None if sums else beside.submit(sums_of, server, select, before.last)
        try:
            if large:
                server.fetch_large(large, select.plain, new, doing)
            else:
                server.fetch(select.rows(before.last), new, doing)
        except BaseException:
            server.asking.cancel()
            raise
    sums = sums or adding.result()[1]
    with connect() as connection:
        came = f"select count(*), coalesce(sum({quoted(select.amount)}), 0) from {relation([new])}"
        n_new, total = connection.execute(came).fetchone()
        if n_new != sums.n_rows or abs(float(total) - float(sums.total)) > 0.005 + 1e-9 * abs(float(sums.total)):
            raise UserError(
                f"{select.wanted.label}: {n_new:,} rows came with {select.amount} {shown(total)}, the server has {sums.n_rows:,} with "
                f"{shown(sums.total)}. A query must give the same rows twice."
            )
        if len(parts) >= MOST_FILES:
            together = new.with_name(new.name + "er")
            connection.execute(f"copy (from {relation([*parts, new])}) to {literal(str(together))} (format parquet)")
            parts, new = [], together.replace(new)
    parts.append(new.replace(target))
    extract = replace(
        before, parts=[path.relative_to(place).as_posix() for path in parts], n_rows=before.n_rows + n_new, hash=before.hash + sums.hash,
        total=shown(amount_of(before.total) + Decimal(sums.total)), last=sums.last or before.last,
    )  # fmt: skip
    return extract, say.replace("{n}", f"{n_new:,}").replace("{s}", "s" * (n_new != 1))


def relation(paths: list[Path]) -> str:
    """Return the DuckDB expression that reads files of an extract."""
    return f"read_parquet([{', '.join(map(one_file, paths))}], hive_partitioning = false)"


def shown(total: Any) -> str:
    """Return a sum as people write it."""
    return f"{total:,.2f}"


def amount_of(total: str) -> Decimal:
    """Return a sum that `shown` has written."""
    return Decimal(total.replace(",", ""))


def bad_values(server: Server, select: Select) -> UserError:
    """Return the error that names the first column with values that cannot be used."""
    label = select.wanted.label
    for column, condition in select.bad.items():
        sql = f"select count(*), min({quoted(column)}::text) from {select.wanted.relation} as relation where ({condition}) is true"
        ((n, example),) = server.ask(sql, f"looking at {label}")
        if n:
            what = "has no value" if example is None else f"holds {example}"
            rest = f" ({n:,} rows)" if n > 1 else ""
            return UserError(
                f"{label}, column {column}: a row {what}, which cannot be used{rest}. Correct it, or leave it out by a query."
            )
    return UserError(f"{label}: a row cannot be used. Run the same command again.")
