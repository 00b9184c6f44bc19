"""The SELECT that fetches a fact table, each column as a type that loses nothing on the way, and the one that tells rows again by a hash.

DuckDB reads the numeric NaN as 0 and infinite dates as days of year 9999: the server counts the rows with such values in a column that is
used, so that they are refused.
"""

from dataclasses import dataclass
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.sources.postgres.server import Server
from forecasting.facts.sources.postgres.wanted import Wanted
from forecasting.facts.stated import resolve
from forecasting.facts.tables import TABLES, literal, quoted

WHOLE = ("int2", "int4", "int8")
FLOATS = ("float4", "float8")
MOMENTS = ("date", "timestamp", "timestamptz")
TEXTS = ("text", "varchar", "bpchar", "name", "uuid", "bool", "char", "other")
AS_THEY_ARE = (*WHOLE, *FLOATS, *MOMENTS, "bool", "uuid", "text", "varchar", "name")  # of those that nothing uses
LIMIT = "1e14"  # as dbt holds amounts
WIDEST = 38  # digits of a DuckDB decimal


@dataclass(frozen=True)
class Column:
    """A column in the server. type: PostgreSQL's name of it, 'other' for types that came with an extension or a company."""

    name: str
    type: str
    digits: int | None = None  # of a numeric, if they are limited

    @property
    def sql(self) -> str:
        """The column's name as SQL."""
        return quoted(self.name)


@dataclass(frozen=True)
class Relation:
    """What the server has for a fact table, for `resolve`."""

    name: str
    names: list[str]

    @property
    def header(self) -> list[str]:
        """The names, which are unique in the server too."""
        return self.names

    @property
    def header_place(self) -> str:
        """Where the names stand."""
        return self.name

    def explain_missing(self, wanted: Any) -> None:
        """Nothing in the server tells why it lacks a column."""


@dataclass(frozen=True)
class Select:
    """How a fact table is fetched. columns: contract's name → the server's; unused: others.

    outputs: the extract's column → the SQL of its value; bad: the server's column → the SQL that is true where its value cannot be used.
    """

    wanted: Wanted
    columns: dict[str, str]
    unused: tuple[str, ...]
    outputs: dict[str, str]
    bad: dict[str, str]
    modern: bool  # whether the server has a hash of rows, from version 14 on

    @property
    def amount(self) -> str:
        """The contract's column that is added up."""
        return TABLES[self.wanted.table].amount(self.columns)

    def rows(self, last: str | None) -> str:
        """Return the SELECT of the rows above a key; of all where there is none."""
        values = ", ".join(f"{value} as {quoted(name)}" for name, value in self.outputs.items())
        return f"select {values} from {self.wanted.relation} as relation where {self.is_new(last)}"

    @property
    def plain(self) -> dict[str, str] | None:
        """The extract's column → the server's, where each is taken as it is; else None."""
        names = {quoted(name): name for name in (*self.columns.values(), *self.unused)}
        taken = {output: names.get(value) for output, value in self.outputs.items()}
        return taken if all(taken.values()) else None

    def is_new(self, last: str | None) -> str:
        """Return the SQL that is true of rows above a key; one without a key counts as old."""
        return (
            f"{quoted(self.wanted.new_rows)} > {literal(last)}" if self.wanted.new_rows and last is not None else "true"
        )

    def sums(self, last: str | None) -> str:
        """Return the SELECT of a row for the rows up to a key and one for those above it.

        Whether it is of those above; how many rows, the sums of their hashes and amounts, how many cannot be used, the last key.
        """
        row = f"row({', '.join(self.outputs.values())})"
        hashed = f"hash_record_extended({row}, 0)" if self.modern else f"hashtextextended({row}::text, 0)"
        bad = f"({' or '.join(self.bad.values())}) is true"
        key = f"max({quoted(self.wanted.new_rows)}) filter (where not ({bad}))" if self.wanted.new_rows else "null"
        return (
            f"select coalesce({self.is_new(last)}, false), count(*), coalesce(sum({hashed}), 0), "
            f"coalesce(sum({self.outputs[self.amount]}), 0), count(*) filter (where {bad}), {key} "
            f"from {self.wanted.relation} as relation group by 1"
        )


def select_of(server: Server, wanted: Wanted, time_zone: str | None, groups: tuple[str, ...] = ()) -> Select:
    """Return how a fact table is fetched; `groups`: columns that `levels:` groups series by.

    Raises
    ------
    UserError
        If the table, or a column that is stated or required, is missing, or a column's type cannot be what it must be.
    """
    found = {column.name: column for column in described(server, wanted)}
    columns = resolve(wanted.table, Relation(wanted.label, list(found)), wanted.columns, groups)
    roles = {header: role_of(wanted.table, name) for name, header in columns.items()}
    names = {header: name for name, header in columns.items()}
    if wanted.new_rows:
        require_key(wanted, found)
    outputs, bad = {}, {}
    for column in found.values():
        role = roles.get(column.name)
        require_role(wanted, column, role, time_zone)
        if column.type != "bytea":
            outputs[output_name(column.name, names)] = value_of(column, role)
        needed = column.name == wanted.new_rows or names.get(column.name) in TABLES[wanted.table].required
        if condition := bad_value(column, role, needed):
            bad[column.name] = condition
    unused = tuple(name for name in found if name not in names)
    return Select(wanted, columns, unused, outputs, bad, server.version >= 140000)


def described(server: Server, wanted: Wanted) -> list[Column]:
    """Return the columns of a table or query."""
    import psycopg

    found = server.columns(f"select * from {wanted.relation} as relation limit 0", f"looking at {wanted.label}")
    names = [each.name.lower() for each in found]  # DuckDB takes capitals for the same
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{wanted.label} has two columns '{twice}'. Give one of them another name, or leave it out.")
    types = [psycopg.adapters.types.get(each.type_code) for each in found]
    return [
        Column(each.name, type_.name if type_ and each.type_code == type_.oid else "other", each.precision)
        for each, type_ in zip(found, types, strict=True)
    ]


def role_of(table: str, name: str) -> str:
    """Return what a contract's column holds: date, number or text."""
    spec = TABLES[table]
    return "date" if name == spec.date else "number" if name in spec.numbers else "text"


def output_name(name: str, names: dict[str, str]) -> str:
    """Return what the extract calls a column: as the contract does; one that is not used, and is called like one that is, differently."""
    return names.get(name) or (f"{name} (not used)" if name in names.values() else name)


def require_role(wanted: Wanted, column: Column, role: str | None, time_zone: str | None) -> None:
    """Raise a UserError if a column's type cannot be what the contract needs of it."""
    known = {
        "number": (*WHOLE, *FLOATS, "numeric", "money"),
        "date": MOMENTS,
        "text": (*TEXTS, *WHOLE),
        None: (column.type,),
    }[role]
    place = f"{wanted.label}, column {column.name}"
    if column.type not in known:
        advice = {
            "number": f"{column.name}::numeric",
            "date": f"to_date({column.name}, 'YYYY-MM-DD')",
            "text": f"{column.name}::text",
        }[role]
        raise UserError(
            f"{place}: {column.type} where a {role} belongs. State a query that makes it one, for example with {advice}."
        )
    if role == "date" and column.type == "timestamptz" and not time_zone:
        raise UserError(
            f"{place}: moments, whose day depends on the time zone. Set time_zone in params/, for example Europe/Berlin."
        )


def require_key(wanted: Wanted, found: dict[str, Column]) -> None:
    """Raise a UserError if the column that tells new rows is missing, or has a type without an order that DuckDB shares."""
    column = found.get(wanted.new_rows)
    if column is None:
        raise UserError(
            f"{wanted.label} has no column '{wanted.new_rows}', which params/ states for new_rows. Found: {', '.join(found)}."
        )
    limited = column.type == "numeric" and column.digits and column.digits <= WIDEST
    if column.type not in (*WHOLE, *MOMENTS) and not limited:
        raise UserError(
            f"{wanted.label}, column {column.name}: new_rows must be a whole number, a numeric with a limit of its digits, a date or a "
            f"timestamp, not {column.type}."
        )


def value_of(column: Column, role: str | None) -> str:
    """Return the SQL of a column's value as a type that DuckDB reads without a loss."""
    sql = column.sql
    if (role == "text" and column.type not in ("text", "varchar")) or (
        role is None and column.type not in (*AS_THEY_ARE, "numeric")
    ):
        return f"{sql}::text"
    if column.type == "money":
        return f"{sql}::numeric(38, 4)"
    if column.type == "numeric" and not (column.digits and column.digits <= WIDEST):
        return (
            f"case when {sql} > -{LIMIT} and {sql} < {LIMIT} then {sql}::numeric(38, 18) end"
            if role
            else f"{sql}::text"
        )
    return sql


def bad_value(column: Column, role: str | None, needed: bool) -> str:
    """Return the SQL that is true where a value cannot be used: not finite, too large, before 1900, or null where it is `needed`."""
    sql = column.sql
    conditions = [f"{sql} is null"] if needed else []
    if (role or needed) and column.type in (*FLOATS, "numeric"):
        conditions.append(f"not ({sql} > -{LIMIT} and {sql} < {LIMIT})")  # NaN is above all numbers
    if role == "date":
        conditions.append(f"not ({sql} >= '1900-01-01' and {sql} < 'infinity')")
    elif needed and column.type in MOMENTS:
        conditions.append(f"not ({sql} > '-infinity' and {sql} < 'infinity')")
    return " or ".join(conditions)
