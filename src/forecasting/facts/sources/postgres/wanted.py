"""What params/ says of the tables in PostgreSQL: which table or query is which fact table, and how new rows are told from old ones."""

from dataclasses import dataclass
from typing import Any

from forecasting.errors import UserError
from forecasting.facts.stated import require_stated_tables
from forecasting.facts.tables import TABLES, listed, nearest, quoted

KEYS = ("table", "query", "columns", "new_rows")
EXAMPLE = (
    "postgres: {sales: {table: public.orders, columns: {order_date: ordered_on, net_amount: net}, new_rows: order_id}}"
)
SECRETS = ("dsn", "host", "port", "user", "password", "service", "dbname", "database", "url")


@dataclass(frozen=True)
class Wanted:
    """A fact table in the server. label: what messages call it; relation: the SQL after «from»; columns: contract's name → theirs.

    new_rows: the column that only grows, so that rows above the last one are new; None: all rows are fetched where any has changed.
    """

    table: str
    label: str
    relation: str
    columns: dict[str, str]
    new_rows: str | None


def wanted_tables(settings: dict[str, Any]) -> list[Wanted]:
    """Return the fact tables that the settings `postgres` and `columns` name, sales first.

    Raises
    ------
    UserError
        If there are none of sales, or an entry cannot be understood.
    """
    stated, columns = settings["postgres"], settings["columns"]
    require_stated_tables(columns)
    for name, entry in stated.items():
        if name in SECRETS:
            raise UserError(
                f"postgres: '{name}' has no place in params/. Where the server is, and with it any password, is told by the environment: "
                "FORECASTING_FACTS_DSN, or libpq's own PGHOST, PGSERVICE …"
            )
        if name not in TABLES:
            known = f"Known: {listed(TABLES)}.{nearest(str(name), TABLES)}"
            raise UserError(f"postgres: '{name}' is not a fact table. {known} Correct params/.")
        require_entry(name, entry)
    if "sales" not in stated:
        raise UserError(
            f"SOURCE=postgres needs to know its tables. State them in params/workspaces/<name>.yml, for example {EXAMPLE}."
        )
    return [wanted(table, stated[table], columns.get(table, {})) for table in TABLES if table in stated]


def require_entry(name: str, entry: Any) -> None:
    """Raise a UserError if what is said of one fact table is not a table or a query, with names and a column of new rows if any."""
    if not isinstance(entry, dict):
        raise UserError(
            f"postgres: {name} must say which table or query it is, for example {EXAMPLE}. Correct params/."
        )
    for key, value in entry.items():
        if key not in KEYS:
            raise UserError(
                f"postgres: {name} has no setting '{key}'. Known: {listed(KEYS)}.{nearest(str(key), KEYS)} Correct params/."
            )
        kind, words = (dict, "names of columns") if key == "columns" else (str, "text")
        if not isinstance(value, kind) or not value:
            raise UserError(f"postgres: {name}, {key} must be {words}, found {value!r}. Correct params/.")
    if ("table" in entry) == ("query" in entry):
        raise UserError(f"postgres: {name} must have either a table or a query. Correct params/.")


def wanted(table: str, entry: dict[str, Any], columns: dict[str, str]) -> Wanted:
    """Return what is wanted of one fact table."""
    if "table" in entry:
        label, relation = entry["table"], name_in_sql(entry["table"])
    else:
        label, relation = f"the query of {table}", f"({entry['query'].strip().rstrip(';')}\n)"
    return Wanted(table, label, relation, {**columns, **entry.get("columns", {})}, entry.get("new_rows"))


def name_in_sql(name: str) -> str:
    """Return a table's name, with its schema or without, as SQL; a part in quotes is taken as it is, capitals and dots included."""
    parts, rest = [], name.strip()
    while rest:
        if rest.startswith('"'):
            part, _, rest = rest[1:].partition('"')
        else:
            part, dot, rest = rest.partition(".")
            rest = dot + rest
        parts.append(quoted(part))
        rest = rest.removeprefix(".")
    return ".".join(parts)
