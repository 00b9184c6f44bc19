"""The way to the server: from the environment alone, and never in a message, for a connection string holds a password."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import conninfo, errors

from forecasting.errors import UserError

DSN = "FORECASTING_PUBLISH_DSN"
BY_LIBPQ = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE")  # one of them says that libpq's own variables are meant
PATIENCE = 10  # seconds for the server to answer, where the connection string says nothing else
AGAIN = "PostgreSQL holds what it held before, or all of the new; run the same command again."

logging.getLogger("psycopg").addHandler(
    logging.NullHandler()
)  # what it says of a lost connection would be printed, and names the server

# What libpq says of a server that it does not get to. Its own words may hold parts of the connection string, and are not shown.
UNREACHED = {
    r"password authentication failed|no password supplied": "refuses the user or the password",
    r"no pg_hba\.conf entry|Ident authentication|Peer authentication|authentication failed": "does not let this user in from this machine",
    r'database ".*" does not exist': "has no database of that name",
    r'role ".*" does not exist': "knows no user of that name",
    r"not permitted to log in|permission denied for database": "does not let this user in",
    r"timeout expired|timed out": f"did not answer in time ({PATIENCE} seconds, unless connect_timeout says otherwise)",
    r"translate host name|Name or service not known": "cannot be found: no machine has its name",
    r"Connection refused|No such file or directory|No route to host|Network is unreachable": "does not answer: none runs at that address",
    r"too many (clients|connections)|remaining connection slots": "has no connection left for us",
    r"starting up|shutting down|recovery mode": "is starting or stopping; try again in a moment",
    r"SSL|certificate": "and we do not agree on encryption (sslmode, sslrootcert)",
    r"service file|definition of service": "is unknown: there is no such service in the service file (PGSERVICE, PGSERVICEFILE)",
}  # fmt: skip
# What a server refuses in the midst of it, by its SQLSTATE; {said} is the server's own main message, which names objects and roles only.
REFUSED = {
    "42501": "the role that publishes lacks a right: {said}. Have the owner of the database or schema grant it.",
    "57014": "a statement took longer than the server allows (statement_timeout). Give the role more time, as with "
    "`alter role … set statement_timeout = '10min'`.",
    "55P03": "another session keeps a lock on our tables for longer than lock_timeout allows. Run the same command again when it is done.",
    "53100": "its disk is full. Make room there and run the same command again.",
    "25006": "it may only be read: a standby, or default_transaction_read_only. Name the primary server.",
    "22021": "a name among the facts holds a sign that it cannot store ({said}).",
    "22P05": "a name among the facts cannot be written in the database's encoding ({said}). Use a database with the encoding UTF8.",
}


def target() -> str:
    """Return the connection string that the environment gives; «» means libpq's own variables (PGHOST, PGSERVICE …).

    Raises
    ------
    UserError
        If the environment names no server, or the string cannot be read.
    """
    stated = os.environ.get(DSN, "").strip()
    if not stated and not any(os.environ.get(name) for name in BY_LIBPQ):
        raise UserError(
            f"Publishing to PostgreSQL needs to know where: set {DSN} in the environment, as in postgresql://user@host/database "
            "(a password may stand there, in PGPASSWORD or in ~/.pgpass), or libpq's own PGSERVICE or PGHOST and PGDATABASE."
        )
    try:
        conninfo.conninfo_to_dict(stated)
    except psycopg.Error:
        raise UserError(
            f"{DSN} is no connection string of PostgreSQL: expected postgresql://user:password@host/database, in which signs like "
            "@, : and / in a password are written as %40, %3A and %2F, or host=… dbname=… user=…. It is not shown here, for it may "
            "hold a password."
        ) from None
    return stated


@contextmanager
def transaction(schema: str) -> Iterator[psycopg.Cursor]:
    """Connect to the server, and commit when all is done; whatever fails leaves the database as it was.

    Raises
    ------
    UserError
        If the server cannot be reached, refuses something or goes away; names neither it nor any secret.
    """
    connection = _connected()
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    except psycopg.Error as error:
        raise UserError(_explained(error, schema)) from None


def _connected() -> psycopg.Connection:
    stated = target()
    given = conninfo.conninfo_to_dict(stated)
    ours = {
        "application_name": "forecasting publish",
        "connect_timeout": os.environ.get("PGCONNECT_TIMEOUT") or PATIENCE,
    }
    try:
        # UTC: our times come without a zone and are meant so, whatever the server's or the role's setting
        return psycopg.connect(
            stated, **{k: v for k, v in ours.items() if k not in given}, client_encoding="UTF8", prepare_threshold=None
        )
    except (psycopg.Error, UnicodeError) as error:
        why = next(
            (words for pattern, words in UNREACHED.items() if re.search(pattern, str(error))), "cannot be reached"
        )
        where = DSN if os.environ.get(DSN, "").strip() else "the environment (PGSERVICE, PGHOST …)"
        raise UserError(f"The PostgreSQL server that {where} names {why}. Nothing was written there.") from None


def _explained(error: psycopg.Error, schema: str) -> str:
    """Return what an error in the midst of publishing means, as a sentence or two."""
    said = error.diag.message_primary or ""
    head = f"The forecasts could not be published to PostgreSQL, schema «{schema}»: "
    if error.sqlstate in REFUSED:
        return head + REFUSED[error.sqlstate].format(said=said)
    lost = isinstance(error, psycopg.OperationalError) and (
        not error.sqlstate or error.sqlstate.startswith(("08", "57"))
    )
    if lost or isinstance(error, errors.IdleInTransactionSessionTimeout):
        return f"{head}the connection was lost on the way. {AGAIN}"
    return f"{head}{said or 'the data could not be handed over'} ({error.sqlstate or type(error).__name__}). {AGAIN}"
