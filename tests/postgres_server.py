"""A real PostgreSQL server for tests: a private folder, a socket in it, no port; it ends with the tests, however these end.

PostgreSQL refuses to run as root: there it runs as the user `postgres`, or `nobody`.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from waiting import until

HOW_TO_GET_ONE = "needs a PostgreSQL server's programs: `apt-get install postgresql`"
OWNER = "owner"  # the superuser of the server
INITDB = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={OWNER}")
ROOM = 4 << 30  # bytes
# A crash of a process loses nothing without fsync, only one of the machine does: the server may be killed, and is quick.
SETTINGS = {
    "listen_addresses": "", "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "shared_buffers": "16MB",
    "wal_level": "minimal", "max_wal_senders": "0", "timezone": "Asia/Kolkata", "datestyle": "SQL, DMY",
    "dynamic_shared_memory_type": "mmap",
}  # fmt: skip
# Roles that belong to `needs_password` must give one, the others are believed.
DOORS = "local all +needs_password scram-sha-256\nlocal all all trust\n"
# Reads nothing until whoever holds the other end is gone, tests that were killed included; then the server and its folder go.
WATCH = 'read -r _; { kill -QUIT $(head -n 1 "$1/data/postmaster.pid") && sleep 1; } 2>/dev/null; rm -rf "$1"'


def programs() -> Path | None:
    """Return the folder with `initdb` and `postgres`: on PATH, else the newest where Debian puts them; None where there is none."""
    found = shutil.which("initdb")
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    newest = sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    folders = [*([Path(found).resolve().parent] if found else []), *newest]
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def unprivileged() -> str | None:
    """Return the user to run the server as where that cannot be the present one, else None."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def place() -> str:
    """Return where clusters are made: in memory where there is plenty, and where a socket's path, of 107 signs at most, is short."""
    memory = "/dev/shm"
    return memory if os.path.isdir(memory) and shutil.disk_usage(memory).free > ROOM else "/tmp"


class PostgresServer:
    """A running server; `close` ends it and removes all that it had."""

    def __init__(self, programs: Path) -> None:
        """Make a cluster and start it; `programs` is the folder of the server's programs."""
        self.programs, self._names = programs, itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=place()))
        user = unprivileged()
        self._as = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        if user:
            shutil.chown(self.folder, user)
        watch = ["sh", "-c", WATCH, "watch", str(self.folder)]
        self._watch = subprocess.Popen(watch, stdin=subprocess.PIPE, cwd="/", start_new_session=True, **self._as)
        make = [programs / "initdb", *INITDB, "-D", self.folder / "data"]
        done = subprocess.run(make, capture_output=True, text=True, cwd="/", check=False, **self._as)
        assert done.returncode == 0, done.stderr
        (self.folder / "data" / "pg_hba.conf").write_text(DOORS)
        self.start()
        with self.connect() as connection:
            connection.execute("create role needs_password")

    def start(self) -> None:
        """Start the server, again after `stop`, and wait until it answers."""
        settings = {**SETTINGS, "unix_socket_directories": str(self.folder)}
        command = [self.programs / "postgres", "-D", self.folder / "data"]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, **self._as
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the server answers."""
        until(self._answers, self._process)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, at_once: bool = False) -> None:
        """Stop the server in good order, or `at_once`, as a crash does (`pg_ctl stop -m immediate`)."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        self._process.wait()

    def kill_process(self, pid: int) -> None:
        """Kill one of its processes, and wait until it has ended all others, as it then does, and answers again."""
        witness = self.connect()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not self._alive(witness), self._process)
        self.wait_until_ready()

    def _alive(self, connection: psycopg.Connection) -> bool:
        try:
            connection.execute("select 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """End the server and remove its folder."""
        self.stop(at_once=True)
        self._watch.stdin.close()
        self._watch.wait()

    def dsn(self, database: str = "postgres", user: str = OWNER, **more: str) -> str:
        """Return the libpq connection string of a database."""
        return psycopg.conninfo.make_conninfo(
            host=str(self.folder), port=5432, dbname=database, user=user, sslmode="disable", **more
        )

    def connect(self, database: str = "postgres", user: str = OWNER) -> psycopg.Connection:
        """Connect to a database; every statement commits by itself."""
        return psycopg.connect(self.dsn(database, user), autocommit=True)

    def new_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{next(self._names)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return name
