"""A later file of the same table: whether it adds to what was imported before or takes its place, and what it changes of the past."""

from dataclasses import dataclass
from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts import one_file
from forecasting.imports.accounts import amount_of
from forecasting.imports.mapping import Mapping
from forecasting.imports.reading import READ, Reader
from forecasting.imports.rules import FATES, LOADED

BEFORE = "imported_before"
SHOWN = 12  # months


@dataclass(frozen=True)
class Change:
    """A month of which the rows before and the rows of the new file differ: their numbers and amounts."""

    month: str
    n_before: int
    before: float
    n_after: int
    after: float

    def __str__(self) -> str:
        return f"{self.month}: {self.n_before:,} rows, {self.before:,.2f} before; {self.n_after:,} rows, {self.after:,.2f} in the new file"


def look_back(reader: Reader, mapping: Mapping, others: list[Path], shown: str) -> tuple[bool, list[str]]:
    """Say whether a new file takes the place of the others of its table, and in sentences what that changes.

    Where it adds, rows of days that were imported before, with the same content, get the fate 'imported': they are there already.

    Raises
    ------
    UserError
        If it holds other rows of days that were imported, and the mapping does not say that it takes their place.
    """
    if not others:
        return False, []
    day, fetch = reader.spec.date, reader.staged.fetch
    files = ", ".join(one_file(path) for path in others)
    reader.staged.connection.execute(
        f"create or replace temp table {BEFORE} as select * from read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
    )
    key = both_columns(reader, [day, "region"])
    mine = f"(select {READ}.* from {READ} join {FATES} using (n) where fate = '{LOADED}')"
    ((n_shared,),) = fetch(
        f"select count(*) from (select distinct {key} from {mine} intersect select distinct {key} from {BEFORE})"
    )
    if mapping.new_files == "add" or (mapping.new_files == "by dates" and not n_shared):
        return False, add(reader, mine, key, shown) if n_shared else []
    changes = changes_of(reader, mine, f"select distinct date_trunc('month', {day}) from {BEFORE}")
    if mapping.new_files == "by dates":
        require_covers(reader, mine, changes, shown)
    listed = (
        [f"{len(changes):,} months of the past differ from what was imported before: it takes their place."]
        if changes
        else []
    )
    return True, [
        f"The file takes the place of {', '.join(path.stem for path in others)}.",
        *listed,
        *map(str, changes[:SHOWN]),
    ]


def both_columns(reader: Reader, wanted: list[str]) -> str:
    """Return those of the columns that the new file and the ones before have, as SQL lists them."""
    there = {row[0] for row in reader.staged.fetch(f"describe {BEFORE}")}
    return ", ".join(column for column in wanted if column in there and column in reader.known_columns())


def add(reader: Reader, mine: str, key: str, shown: str) -> list[str]:
    """Mark the rows that are there already, of days and regions that were imported before; refuse where they differ."""
    run, fetch = reader.staged.connection.execute, reader.staged.fetch
    columns = both_columns(reader, reader.known_columns())
    shared = f"select distinct {key} from {mine} intersect select distinct {key} from {BEFORE}"
    same = " and ".join(f"a.{column} is not distinct from b.{column}" for column in key.split(", "))

    def rows_of(relation: str) -> str:
        return f"select {columns}, count(*) as copies from {relation} a semi join ({shared}) b on {same} group by all"

    differing = (
        f"((({rows_of(mine)}) except ({rows_of(BEFORE)})) union all (({rows_of(BEFORE)}) except ({rows_of(mine)})))"
    )
    ((n,),) = fetch(f"select count(*) from {differing}")
    if n:
        changes = changes_of(reader, mine, f"select distinct date_trunc('month', {reader.spec.date}) from {differing}")
        listed = "\n".join(f"* {change}" for change in changes[:SHOWN])
        raise UserError(
            f"The file has other rows of days that were imported before; added, they would count twice. Write new_files: replace into "
            f"{shown} if it takes the place of what was imported, or leave these days out of it.\n{listed}"
        )
    run(f"update {FATES} set fate = 'imported' where n in (select a.n from {mine} a semi join ({shared}) b on {same})")
    return ["Rows of days that were imported before, with the same content, are left out: they are there already."]


def changes_of(reader: Reader, mine: str, months: str) -> list[Change]:
    """Return the months, of some, whose number of rows or amount differs between the new file and what was imported before."""
    day, amount = reader.spec.date, amount_of(reader)

    def by_month(relation: str) -> str:
        return f"select date_trunc('month', {day}) as m, count(*) as n, sum({amount}) as y from {relation} group by 1"

    found = reader.staged.fetch(
        f"select strftime(m, '%Y-%m'), coalesce(b.n, 0), coalesce(b.y, 0), coalesce(a.n, 0), coalesce(a.y, 0) "
        f"from ({by_month(BEFORE)}) b full join ({by_month(mine)}) a using (m) "
        f"where m in ({months}) and (a.n is distinct from b.n or a.y is distinct from b.y) order by 1"
    )
    return [Change(*row) for row in found]


def require_covers(reader: Reader, mine: str, changes: list[Change], shown: str) -> None:
    """Raise a UserError unless a new file reaches as far as all that was imported before, and agrees with most of its months."""
    day = reader.spec.date
    ((first, last, n_months),) = reader.staged.fetch(
        f"select min({day}), max({day}), count(distinct date_trunc('month', {day})) from {BEFORE}"
    )
    ((own_first, own_last),) = reader.staged.fetch(f"select min({day}), max({day}) from {mine}")
    if own_first <= first and own_last >= last and 2 * len(changes) <= n_months:
        return
    listed = "\n".join(f"* {change}" for change in changes[:SHOWN])
    raise UserError(
        f"The file ({own_first} to {own_last}) has days that were imported before ({first} to {last}), and cannot be told to hold all of "
        f"them anew. Write into {shown}, below {reader.mapping.table}:, new_files: replace if it takes the place of what was imported, or "
        f"new_files: add if it adds to it.\n{listed}"
    )
