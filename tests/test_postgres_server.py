"""The PostgreSQL server that tests use: private, restarted at will, and gone with whoever started it, however that ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from waiting import until


def ask(dsn: str, question: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(question).fetchone()[0]


def do(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


def test_databases_are_empty_and_apart(postgres, postgres_dsn):
    do(postgres_dsn, "create table t as select 1 as a")
    other = postgres.dsn(postgres.new_database())
    assert ask(other, "select count(*) from pg_tables where schemaname = 'public'") == 0
    assert ask(other, "show listen_addresses") == ""


def test_what_was_committed_outlives_a_crash(postgres, postgres_dsn):
    do(postgres_dsn, "create table t as select 42 as a")
    postgres.stop(at_once=True)
    postgres.start()
    assert ask(postgres_dsn, "select a from t") == 42


def test_a_role_may_need_a_password(postgres, postgres_dsn):
    do(postgres_dsn, "create role careful login password 'secret' in role needs_password")
    database = ask(postgres_dsn, "select current_database()")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.dsn(database, "careful", password="wrong"))
    assert ask(postgres.dsn(database, "careful", password="secret"), "select current_user") == "careful"
    do(postgres_dsn, "drop role careful")


def test_it_goes_with_tests_that_were_killed(postgres):
    code = "import time, postgres_server as p; s = p.PostgresServer(p.programs()); print(s.folder, flush=True); time.sleep(600)"
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=here) as tests:
        folder = Path(tests.stdout.readline().strip())
        server = int((folder / "data" / "postmaster.pid").read_text().split("\n")[0])
        tests.send_signal(signal.SIGKILL)
    until(lambda: not folder.exists())
    until(lambda: ended(server))


def ended(pid: int) -> bool:
    """Say whether a process is gone, or a zombie that nobody has asked for."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
