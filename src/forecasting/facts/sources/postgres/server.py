"""The way to the server: connects by what the environment says, and says in a sentence what went wrong, without a secret in it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

from forecasting.errors import UserError
from forecasting.facts.tables import connect as connect_duckdb
from forecasting.facts.tables import literal, quoted

DSN = "FORECASTING_FACTS_DSN"
OF_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGUSER")  # one of them says that a server is meant
PATIENCE = 15  # seconds until a server that does not answer is given up, unless the environment says otherwise
LEAST = 110000  # of server versions: with hashtextextended
MANY_PAGES = 1000  # of 8 kB: from here on several connections are worth while
# schema and name of a table, if it is a plain one that is large, and DuckDB, to which capitals are the same, can take it for no other
LARGE = """select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = to_regclass({table}) and c.relkind = 'r' and not c.relhassubclass and pg_relation_size(c.oid) >= {pages} * 8192
    and (select count(*) from pg_class o where o.relnamespace = n.oid and lower(o.relname) = lower(c.relname)) = 1
    and (select count(*) from pg_namespace o where lower(o.nspname) = lower(n.nspname)) = 1"""
# what a server or libpq says → what to tell; the first that fits. «{0}»: what the pattern's group found
SAID = {
    r"statement timeout": "the server stopped it after its statement_timeout. Raise that for this role, or fetch less: "
    "a narrower query, or new_rows",
    r"lock timeout": "another session holds a lock on it for longer than lock_timeout. Run the same command again later",
    r"permission denied for (?:\w+ )?(\S+)": "the role has no right to read {0}. Grant it: usage on the schema, select on the table",
    r"password authentication failed|no password supplied|password is empty": "the password is wrong or missing. Set it where the "
    "connection is told, or in ~/.pgpass",
    r'role "[^"]*" does not exist|no pg_hba.conf entry|authentication failed': "the server does not let this role in. Check role and host",
    r'database "([^"]*)" does not exist': "there is no database {0}",
    r'definition of service "([^"]*)" not found': "there is no service {0} in the service file. Check PGSERVICE and pg_service.conf",
    r"could not translate host name|Name or service not known": "no host of that name is known",
    r"Connection refused|No such file or directory|No route to host": "no server answers there. Check host and port, and that it runs",
    r"timeout expired|timed out": "the server did not answer in time",
    r"too many (?:clients|connections)|remaining connection slots": "the server has no connection left. Run the same command again later",
    r"the database system is (?:starting up|shutting down|in recovery)": "the server is starting or stopping. Run the same command again",
    r"closed the connection|terminating connection|connection (?:to server )?was lost|connection is closed|SSL SYSCALL|could not receive|"
    r"consuming input failed|no connection to the server|not connected|broken pipe": "the connection was lost. Run the same command "
    "again; nothing that was fetched before is lost",
    r'relation "([^"]*)" does not exist': "there is no table {0}. Check its name and schema",
    r'column "?([^"\s]+)"? does not exist': "there is no column {0}",
    r"(syntax error at .*)": "the query cannot be understood: {0}",
    r"cannot execute (\w+) in a read-only transaction": "it would change something ({0}). Facts are only read",
}


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn what psycopg or DuckDB raise into a UserError that says what was being done and why it failed, and nothing of the connection."""
    import psycopg

    try:
        yield
    except (psycopg.Error, duckdb.Error) as error:
        raise UserError(f"PostgreSQL, {doing}: {reason(str(error))}.") from None


def reason(said: str) -> str:
    """Return a sentence, but for its full stop, for what a server or libpq says."""
    for pattern, sentence in SAID.items():
        if found := re.search(pattern, said, re.IGNORECASE):
            return sentence.format(*found.groups())
    # the server's own words speak of queries and data; those of others may hold the connection
    found = re.search(r"ERROR:\s+(.*)", said)
    return (
        found[1].strip().rstrip(".")
        if found
        else "it failed for a reason that is not told here, as it may name a secret. See the server's log"
    )


class Server:
    """A server in one read-only transaction: DuckDB fetches, psycopg asks what DuckDB cannot, and both see the same snapshot."""

    def __init__(self, asking: Any, fetching: duckdb.DuckDBPyConnection) -> None:
        """Take the two connections, whose transactions have begun."""
        self.asking, self.fetching = asking, fetching
        self.version: int = asking.info.server_version

    def ask(self, sql: str, doing: str) -> list[tuple]:
        """Run a query and return its rows."""
        with told(doing):
            return self.asking.execute(sql).fetchall()

    def columns(self, sql: str, doing: str) -> list[Any]:
        """Return what a query's columns are: psycopg's descriptions."""
        with told(doing):
            return self.asking.execute(sql).description

    def fetch(self, sql: str, target: Path, doing: str) -> None:
        """Write the rows of a query to a Parquet file."""
        with told(doing):
            self.fetching.execute(
                f"copy (from postgres_query('server', {literal(sql)})) to {literal(str(target))} (format parquet)"
            )

    def large_table(self, relation: str, doing: str) -> str | None:
        """Return DuckDB's name of a plain table that is large; None of other relations, and where the name might mean another table."""
        names = (
            self.ask(LARGE.format(table=literal(relation), pages=MANY_PAGES), doing) if relation.startswith('"') else []
        )
        return f"server.{quoted(names[0][0])}.{quoted(names[0][1])}" if names else None

    def fetch_large(self, table: str, columns: dict[str, str], target: Path, doing: str) -> None:
        """Write columns, name in the file → in the table, to a Parquet file by several connections at once, which see the same snapshot."""
        taken = ", ".join(f"{quoted(theirs)} as {quoted(ours)}" for ours, theirs in columns.items())
        with told(doing):
            self.fetching.execute(f"copy (select {taken} from {table}) to {literal(str(target))} (format parquet)")


@contextmanager
def snapshot() -> Iterator[Server]:
    """Connect by what the environment says and begin to read.

    Raises
    ------
    UserError
        If the environment does not say where, or the server cannot be reached or is too old.
    """
    import psycopg

    dsn = os.environ.get(DSN, "")
    if not dsn and not any(os.environ.get(name) for name in OF_LIBPQ):
        raise UserError(
            f"SOURCE=postgres: nothing says where the server is. Set {DSN} in the environment (as host=… dbname=… user=…, or a URL), or "
            "libpq's own variables: PGSERVICE, or PGHOST, PGDATABASE, PGUSER."
        )
    place = whereabouts(dsn)
    with told(f"connecting to {place}"):
        waiting = (
            {} if "connect_timeout" in dsn or os.environ.get("PGCONNECT_TIMEOUT") else {"connect_timeout": PATIENCE}
        )
        asking = psycopg.connect(dsn, autocommit=True, application_name="forecasting", **waiting)
    with asking, connect_duckdb() as fetching:
        if asking.info.server_version < LEAST:
            raise UserError(f"PostgreSQL, connecting to {place}: the server is older than version 11, which is needed.")
        try:
            with told(f"connecting to {place}"):
                begin(asking, fetching)
            yield Server(asking, fetching)
        finally:
            with suppress(
                duckdb.Error
            ):  # else closing does it, and where the connection was lost that ends the whole process
                fetching.execute("rollback")


def whereabouts(dsn: str) -> str:
    """Return which database on which host is meant, as messages may say it; neither role nor password.

    Raises
    ------
    UserError
        If the DSN cannot be understood.
    """
    import psycopg

    try:
        stated = psycopg.conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:  # whose text repeats the DSN
        example = "host=db.example.com dbname=shop user=reader"
        raise UserError(
            f"{DSN} is no connection string. Write it as libpq does, for example {example}, or as a URL."
        ) from None
    if service := stated.get("service") or os.environ.get("PGSERVICE"):
        return f"the service {service}"
    host = stated.get("host") or stated.get("hostaddr") or os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR")
    name = stated.get("dbname") or os.environ.get("PGDATABASE")
    return f"{f'the database {name}' if name else 'the database'} on {host or 'this machine'}"


def begin(asking: Any, fetching: duckdb.DuckDBPyConnection) -> None:
    """Begin a transaction on both connections that reads what the other sees."""
    import psycopg

    known = {**asking.info.get_parameters(), "password": asking.info.password}
    fetching.execute(f"load {literal(str(extension()))}")
    fetching.execute(f"attach {literal(psycopg.conninfo.make_conninfo(**known))} as server (type postgres, read_only)")
    fetching.execute("begin")
    ((name,),) = fetching.execute("from postgres_query('server', 'select pg_export_snapshot()')").fetchall()
    asking.execute("begin isolation level repeatable read read only")
    asking.execute(f"set transaction snapshot {literal(name)}")
    asking.execute(
        "set local datestyle = 'ISO'"
    )  # how moments are written; in which order they are read stays the role's own


def extension() -> Path:
    """Return DuckDB's extension for PostgreSQL, which comes as a package of DuckDB's own version: nothing is downloaded."""
    folders = import_module("duckdb_extension_postgres_scanner").__path__
    return next(path for folder in folders for path in Path(folder).rglob("*.duckdb_extension"))
