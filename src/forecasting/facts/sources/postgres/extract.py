"""The rows that were fetched: Parquet files of each fact table and one list of those that count, which is replaced in one step.

So whatever happens meanwhile, the facts are those of one moment in the server: of the last run that fetched all it wanted.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.sources.postgres.select import HASH, Select
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
    text = json.dumps({table: asdict(each) for table, each in extracts.items()}, indent=2, sort_keys=True) + "\n"
    write_if_changed(place / LIST, text)
    kept = {place / part for each in extracts.values() for part in each.parts}
    for path in place.glob("*/*.parquet*"):
        if path not in kept:
            path.unlink()


def brought(server: Server, place: Path, select: Select, before: Extract | None) -> tuple[Extract, str]:
    """Return what is there of a fact table once it is up to date, and what to say of it; only what is needed is fetched."""
    label, definition = select.wanted.label, digest(select.rows, select.key)
    nothing = Extract(label, definition, select.columns, list(select.unused))
    if before is None or before.definition != definition:
        why = "" if before is None else ", as what is asked of it has changed"
        return fetched(server, place, select, nothing, f"all {{n}} rows of {label} fetched{why}")
    n_rows, hash_, total, n_new = what_the_server_has(server, select, before)
    if (n_rows, hash_) != (before.n_rows, before.hash):
        up_to = f" up to {select.wanted.new_rows} {before.last}" if before.last else ""
        moved = f"{n_rows:,} rows instead of {before.n_rows:,}, {select.amount} {total} instead of {before.total}"
        why = f"rows of {label}{up_to} have changed since they were fetched ({moved})"
        return fetched(server, place, select, nothing, f"{why}: all {{n}} fetched again")
    if not n_new:
        return before, ""
    return fetched(server, place, select, before, f"{{n}} new rows of {label} fetched")


def what_the_server_has(server: Server, select: Select, before: Extract) -> tuple[int, int, str, int]:
    """Return the number of the rows that were fetched before, the sum of their hashes and of their amounts, and how many rows are new."""
    old = f"coalesce({quoted(select.key)} <= {literal(before.last)}, true)" if select.key and before.last else "true"
    sql = (
        f'select count(*) filter (where old), coalesce(sum("{HASH}") filter (where old), 0), '
        f"coalesce(sum({quoted(select.amount)}) filter (where old), 0), count(*) filter (where not old) "
        f"from (select *, {old} as old from ({select.rows}) as rows) as rows"
    )
    ((n_rows, hash_, total, n_new),) = server.ask(sql, f"looking for changes in {select.wanted.label}")
    return n_rows, int(hash_), shown(total), n_new


def fetched(server: Server, place: Path, select: Select, before: Extract, say: str) -> tuple[Extract, str]:
    """Fetch the rows above those that are there, all where none are, and return both together."""
    folder, label = place / select.wanted.table, select.wanted.label
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [int(found[1]) for path in folder.iterdir() if (found := re.fullmatch(r"(\d+)\.parquet", path.name))]
    target = folder / f"{max(numbers, default=0) + 1}.parquet"
    new = target.with_name(target.name + ".new")
    above = f"{quoted(select.key)} > {literal(before.last)}" if select.key and before.last else "true"
    server.fetch(select.of(above), new, f"fetching {label}")
    parts = [place / part for part in before.parts]
    with connect() as connection:
        n_new, n_bad = connection.execute(
            f'select count(*), count(*) filter (where "{HASH}" is null) from {relation([new])}'
        ).fetchone()
        if n_bad:
            new.unlink()
            raise bad_values(server, select)
        if len(parts) >= MOST_FILES:
            together = new.with_name(new.name + "er")
            connection.execute(f"copy (from {relation([*parts, new])}) to {literal(str(together))} (format parquet)")
            parts, new = [], together.replace(new)
        new.replace(target)
        parts.append(target)
        last = f"cast(max({quoted(select.key)}) as varchar)" if select.key else "null"
        sums = f'select count(*), sum("{HASH}"), sum({quoted(select.amount)}), {last} from {relation(parts)}'
        n_rows, hash_, total, last_key = connection.execute(sums).fetchone()
    names = [path.relative_to(place).as_posix() for path in parts]
    extract = Extract(
        label,
        before.definition,
        before.columns,
        before.unused,
        names,
        n_rows,
        int(hash_ or 0),
        shown(total or 0),
        last_key,
    )
    return extract, say.replace("{n}", f"{n_new:,}")


def relation(paths: list[Path]) -> str:
    """Return the DuckDB expression that reads files of an extract."""
    return f"read_parquet([{', '.join(map(one_file, paths))}], hive_partitioning = false)"


def shown(total: Any) -> str:
    """Return a sum as people write it."""
    return f"{total:,.2f}"


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
