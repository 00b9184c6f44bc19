"""What became of a file's rows and of their amounts: everything that came in is loaded, quarantined or left out by a rule."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts import literal, one_file
from forecasting.imports.mapping import Mapping
from forecasting.imports.reading import READ, Reader
from forecasting.imports.rules import FATES, LOADED, QUARANTINED
from forecasting.imports.staging import BAD, STAGED

FIRST_LINES = 5
ORDER = (
    LOADED,
    QUARANTINED,
    "only",
    "leave_out",
    "totals",
    "duplicates",
    "cancellations",
    "returns",
    "prices",
    "imported",
)


@dataclass(frozen=True)
class Accounts:
    """Rows and the sums of their readable amounts by what became of them; `rows_in` and `total_in` were counted apart from it."""

    rows_in: int
    total_in: Decimal
    rows: dict[str, int]
    totals: dict[str, Decimal]

    @property
    def quarantined_pct(self) -> float:
        """The share of the rows that count which could not be read, in per cent."""
        counted = self.rows_in - sum(self.rows.get(fate, 0) for fate in ("only", "leave_out", "totals"))
        return 100 * self.rows.get(QUARANTINED, 0) / counted if counted else 0.0


@dataclass(frozen=True)
class Fault:
    """Rows that cannot be read for one reason: how many, where the first are, and what stands in the first."""

    reason: str
    n: int
    places: tuple[str, ...]
    n_places: int
    example: str

    def __str__(self) -> str:
        lines = f"line{'s' * (self.n_places > 1)} {', '.join(self.places)}{', …' if self.n_places > len(self.places) else ''}"
        return f"{self.n:,} × {self.reason}{f': «{self.example}»' if self.example else ''} ({lines})"


def amount_of(reader: Reader) -> str:
    """Return the column of the contract that is added up."""
    return reader.spec.amount(reader.known_columns())


def count(reader: Reader) -> Accounts:
    """Return the accounts of a file whose rows have their fates.

    Raises
    ------
    AssertionError
        If rows or amounts do not add up: a bug, and nothing may be written.
    """
    amount, fetch = amount_of(reader), reader.staged.fetch
    ((n_staged,),) = fetch(f"select count(*) from {STAGED}")
    ((n_bad,),) = fetch(f"select count(*) from {BAD}")
    ((total_in,),) = fetch(f"select coalesce(sum({amount}), 0) from {READ}")
    found = fetch(
        f"select fate, count(*), coalesce(sum({amount}), 0) from {FATES} left join {READ} using (n) group by fate"
    )
    rows, totals = {fate: n for fate, n, _ in found}, {fate: total for fate, _, total in found}
    if n_bad:
        rows[QUARANTINED], totals[QUARANTINED] = rows.get(QUARANTINED, 0) + n_bad, totals.get(QUARANTINED, Decimal(0))
    accounts = Accounts(
        n_staged + n_bad,
        total_in,
        {f: rows[f] for f in ORDER if f in rows},
        {f: totals[f] for f in ORDER if f in totals},
    )
    require_sum(accounts)
    return accounts


def require_sum(accounts: Accounts) -> None:
    """Raise an AssertionError unless rows and totals in are those that are accounted for."""
    rows, total = sum(accounts.rows.values()), sum(accounts.totals.values(), Decimal(0))
    if rows != accounts.rows_in or total != accounts.total_in:
        raise AssertionError(
            f"{accounts.rows_in} rows with {accounts.total_in} came in, {rows} with {total} are accounted for"
        )


def require_written(reader: Reader, accounts: Accounts, facts: Path, n_quarantined: int) -> None:
    """Raise an AssertionError unless the files that were written hold what the accounts say."""
    amount = amount_of(reader)
    ((n, total),) = reader.staged.fetch(
        f"select count(*), coalesce(sum({amount}), 0) from read_parquet({one_file(facts)}, hive_partitioning = false)"
    )
    said = (accounts.rows.get(LOADED, 0), accounts.totals.get(LOADED, Decimal(0)), accounts.rows.get(QUARANTINED, 0))
    if (n, total, n_quarantined) != said:
        raise AssertionError(
            f"{n} rows with {total} and {n_quarantined} in quarantine were written, it should be {said}"
        )


def faults(reader: Reader) -> list[Fault]:
    """Return why rows are quarantined, by kind, the most frequent first."""
    bad = f"from {READ} join {FATES} using (n) where fate = '{QUARANTINED}'"
    kinds = [f"select why_{c} as said, sheet, line, n {bad} and why_{c} is not null" for c in reader.known_columns()]
    kinds.append(f"select reason || ' («' || left(text, 60) || '»)', sheet, line, 0 from {BAD}")
    reason = "regexp_replace(said, ' \\(«.*»\\)$', '', 's')"
    place = "case when sheet = '' then '' else sheet || ' ' end || line"
    by_place = (
        f"select {reason} as reason, {place} as place, count(*) as n, min(n) as first, min_by(said, n) as said "
        f"from ({' union all '.join(kinds)}) group by all"
    )
    found = reader.staged.fetch(
        f"select reason, sum(n), list(place order by first)[:{FIRST_LINES}], count(*), min_by(said, first) from ({by_place}) "
        "group by reason order by 2 desc, 1"
    )
    return [Fault(why, int(n), tuple(places), n_places, quoted_cell(said)) for why, n, places, n_places, said in found]


def quoted_cell(said: str) -> str:
    """Return the cell that a reason quotes at its end."""
    return said[said.rindex("(«") + 2 : -2] if said.endswith("»)") and "(«" in said else ""


def listed_faults(found: list[Fault]) -> list[str]:
    """Return a line for each kind of fault, with counts and first lines."""
    return [str(each) for each in found]


def require_few_faults(mapping: Mapping, accounts: Accounts, found: list[Fault], name: str, kept: str) -> None:
    """Raise a UserError with all faults if more rows than the mapping allows cannot be read, or all of them."""
    most = mapping.most_quarantined_pct
    n, loaded = accounts.rows.get(QUARANTINED, 0), accounts.rows.get(LOADED, 0)
    if loaded and accounts.quarantined_pct <= most:
        return
    if not n:
        raise UserError(
            f"{name}: of {accounts.rows_in:,} rows none is left to load. See {mapping.table}: only, leave_out and rules in the mapping."
        )
    listed = "\n".join(f"* {line}" for line in listed_faults(found))
    raise UserError(
        f"{name}: {n:,} of {accounts.rows_in:,} rows ({accounts.quarantined_pct:.1f} %) cannot be read, more than the {most:g} % that "
        f"{mapping.table}: most_quarantined_pct allows. Nothing was imported. They are, with their lines and reasons, in {kept}.\n{listed}"
    )


def quarantine_sql(reader: Reader) -> str:
    """Return the SELECT of the rows that could not be read: sheet, line, reason, and the row as it stood."""
    whys = ", ".join(f"why_{column}" for column in reader.known_columns())
    cells = ", ".join(f"{column} as {quoted_name(name)}" for name, column in reader.staged.columns.items())
    bad = f"from {READ} join {FATES} using (n) where fate = {literal(QUARANTINED)}"
    return (
        f"select * exclude (n) from (select n, sheet, line, concat_ws('; ', {whys}) as reason, {cells} {bad} union all by name "
        f"select 0 as n, sheet, line, reason, text as {quoted_name('the row as it stood')} from {BAD}) order by sheet, line, n"
    )


def quoted_name(name: str) -> str:
    """Return a column's name for the quarantine file: its own three come first."""
    own = f"{name} (column)" if name.lower() in ("n", "sheet", "line", "reason") else name
    return '"' + own.replace('"', '""') + '"'
