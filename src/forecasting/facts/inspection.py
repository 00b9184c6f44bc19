"""The door for facts: finds the source, checks what a company hands in, and tells when it has changed."""

from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts.cells.numbers import MARKS
from forecasting.facts.fingerprint import fingerprint_of
from forecasting.facts.source import Source
from forecasting.facts.sources import SOURCES
from forecasting.facts.tables import FactsSummary, Memory, Reading, grouping_columns, listed, nearest
from forecasting.facts.time_zone import require_time_zone

KNOWN_SOURCES = tuple(SOURCES)


def source_named(name: str) -> Source:
    """Return the source of a name, or raise a UserError that lists those that there are."""
    if name not in SOURCES:
        known = f"Known: {listed(SOURCES)}.{nearest(name[:80], SOURCES)}"
        raise UserError(f"There is no source '{name[:80]}'. {known}")
    return SOURCES[name]


def inspect(
    source: str,
    facts: Path,
    columns: dict | None = None,
    date_format: str | None = None,
    time_zone: str | None = None,
    decimal_mark: str | None = None,
    currency: str | None = None,
    levels: dict[str, list[str]] | None = None,
    memory: Memory | None = None,
) -> FactsSummary:
    """Check the facts of a source before anything is built from them, and return what came in.

    `columns`: fact table → {contract's name: the file's name}; `date_format` (csv): as strftime writes it; `decimal_mark`
    (csv): '.' or ','. `time_zone`: by whose clock moments with an offset are dated, None: the clock as written. `currency`: what
    the user says that money is counted in. `levels`: sums besides those of regions and categories, and the columns that they group by.
    `memory`: what DuckDB may take meanwhile.

    Raises
    ------
    UserError
        If a file, column or cell cannot be used: names it, its line, and what to do.
    """
    groups = grouping_columns(levels or {})
    facts = Path(facts).resolve()
    reading = Reading(date_format, time_zone, decimal_mark, currency, groups, memory or Memory())
    known = source_named(source)
    known.files(require_there(facts))
    require_time_zone(time_zone)
    if decimal_mark not in (None, *MARKS):
        raise UserError(f"params: decimal_mark must be '.' or ',', found '{decimal_mark}'.")
    tables = known.inspect(facts, columns or {}, reading)
    found = [*tables["sales"].columns.values(), *tables["sales"].columns_unused]
    for name in reading.groups:
        if name not in tables["sales"].columns:
            raise UserError(
                f"params: levels: {tables['sales'].file} has no column {name!r}. Found: {listed(found)}. "
                f"State in params/ what it is called: columns: {{sales: {{{name}: …}}}}."
            )
    return FactsSummary(source, facts, tables, time_zone, reading.groups)


def fingerprint(source: str, facts: Path, cache: Path) -> str:
    """Return a hash of the fact files, names and content; `cache` remembers those of files that have not changed since."""
    return fingerprint_of(source_named(source).files(require_there(Path(facts).resolve())), cache)


def require_there(facts: Path) -> Path:
    """Return the facts' path, or raise a UserError if nothing is there."""
    try:
        there = facts.exists()
    except OSError as error:
        raise UserError(f"{facts} cannot be looked for: {error.strerror}. Set FACTS to a folder or file.") from None
    if not there:
        raise UserError(f"There are no facts: {facts} does not exist. Set FACTS to the folder or file that has them.")
    return facts
