"""What is published, in PostgreSQL: a real server holds exactly the published file, whoever publishes and whenever it is killed."""

import datetime as dt
import itertools
import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import published_rows
from forecasting import __main__ as command
from forecasting.errors import UserError
from forecasting.ledger import delivery
from forecasting.ledger.postgres import shape
from forecasting.ledger.postgres.connection import DSN
from forecasting.ledger.postgres.publishing import publish
from forecasting.ledger.tables import FOR_BI
from forecasting.run.workspace import Workspace
from published_rows import any_rows, by_key, later, shapes, write
from waiting import until

FIRST, SECOND = dt.datetime(2024, 1, 10, 12), dt.datetime(2024, 2, 9, 23, 30, 0, 123456)
SCHEMA = "forecasting"
SECRET = "s3cret/@:word"
Content = dict[str, list[str]]


@pytest.fixture
def place(root, tmp_path) -> Workspace:
    """A workspace in which nothing has been published."""
    for name in ("dbt", "params", "notebooks", "reports"):
        (tmp_path / name).symlink_to(root / name)
    return Workspace(tmp_path, "acme", "sample", None)


@pytest.fixture
def dsn(postgres_dsn, monkeypatch) -> str:
    """A new database, to which this process publishes."""
    monkeypatch.setenv(DSN, postgres_dsn)
    return postgres_dsn


def in_postgres(dsn: str, schema: str = SCHEMA) -> Content:
    """Return every row of our tables as text, of floats every bit; nothing where there is no schema."""
    with psycopg.connect(dsn, options="-c timezone=UTC -c datestyle=ISO") as connection:
        if connection.execute("select to_regnamespace(%s)", [f'"{schema}"']).fetchone() == (None,):
            return {}
        return {name: as_texts(connection.execute(f'select * from "{schema}"."{name}"').fetchall()) for name in FOR_BI}


def in_file(path: Path) -> Content:
    """Return the same of a published file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: as_texts(connection.execute(f'select * from "{name}"').fetchall()) for name in FOR_BI}


def as_texts(rows: list[tuple]) -> list[str]:
    naive = [
        tuple(cell.replace(tzinfo=None) if isinstance(cell, dt.datetime) else cell for cell in row) for row in rows
    ]
    return sorted(map(repr, naive))


def published(place: Workspace, seed: int = 1) -> tuple[published_rows.Rows, published_rows.Rows]:
    """Write the first of two publications, and return the rows of both."""
    first = any_rows(random.Random(seed), 6)
    write(place.published, first, FIRST)
    return first, later(first, random.Random(seed + 1))


def statement(dsn: str, text: str, *values: object) -> list[tuple]:
    with psycopg.connect(dsn, autocommit=True, options="-c datestyle=ISO") as connection:
        done = connection.execute(text, values or None)
        return done.fetchall() if done.description else []


# --- the content

SCHEMAS = (f"schema {number}" for number in itertools.count())


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_postgres_holds_exactly_what_was_published_last(seed, dsn, place):
    """Of the ledger also what an earlier publication held: it is only added to."""
    rng = random.Random(seed)
    schema, first = next(SCHEMAS), any_rows(rng)
    ledger = {}
    for rows, at in ((first, FIRST), (later(first, rng), SECOND)):
        write(place.published, rows, at)
        publish(place, schema, [])
        ledger |= by_key("forecasts", rows["forecasts"])
        assert in_postgres(dsn, schema) == {**in_file(place.published), "forecasts": as_texts(list(ledger.values()))}


def test_published_twice_is_published_once(dsn, place):
    published(place)
    publish(place, SCHEMA, [])
    tables = [*FOR_BI, "forecasting_schema", "forecasting_publication"]
    written = [as_texts(statement(dsn, f'select xmin::text, * from {SCHEMA}."{name}"')) for name in tables]
    publish(place, SCHEMA, [])
    assert [as_texts(statement(dsn, f'select xmin::text, * from {SCHEMA}."{name}"')) for name in tables] == written


def test_a_plain_client_reads_it_with_keys_and_descriptions(dsn, place, postgres):
    published(place, seed=6)  # rows in "PredSales1m"
    publish(place, SCHEMA, [])
    ask = 'select date, region, country, "values", model_name, run_id, prediction_time, final_values from forecasting."PredSales1m"'
    done = subprocess.run([postgres.programs / "psql", dsn, "-AtXc", ask], capture_output=True, text=True, check=True)
    assert done.stdout and not done.stderr
    keys = statement(
        dsn, "select relname, array_agg(attname::text) from pg_index i join pg_class c on c.oid = indrelid join pg_attribute a on "
        "a.attrelid = indrelid and attnum = any(indkey) where indisprimary group by relname"
    )  # fmt: skip
    assert {name: set(key) for name, key in keys if name in FOR_BI} == {
        name: set(key) for name, (_, key) in shapes().items()
    }
    undescribed = statement(
        dsn, "select relname, attname from pg_class c join pg_attribute a on attrelid = c.oid where relname = any(%s) and relkind = 'r' "
        "and attnum > 0 and (col_description(c.oid, attnum) is null or obj_description(c.oid) is null)", list(FOR_BI)
    )  # fmt: skip
    assert undescribed == []
    types = dict(
        statement(dsn, "select column_name, data_type from information_schema.columns where table_name = 'PredSales1m'")
    )
    assert types["date"] == "date" and types["values"] == "double precision"
    assert types["prediction_time"] == "timestamp with time zone"


def test_what_dbt_says_of_the_ledger_is_what_the_ledger_is(root):
    assert shape.key(shape.descriptions(root / "dbt")["forecasts"]) == shapes()["forecasts"][1]
    described = shape.descriptions(root / "dbt")["forecasts"]["columns"]
    assert [column["name"] for column in described] == list(shapes()["forecasts"][0])


# --- killed, and two at once


class At:
    """Does something right before the n-th thing that this process asks of the server, or only counts them."""

    def __init__(
        self, monkeypatch, n: int | None = None, act: Callable[[psycopg.Connection], None] = lambda connection: None
    ) -> None:
        self.count, self.n, self.act = 0, n, act
        for owner, name in (
            (psycopg.Cursor, "execute"),
            (psycopg.Copy, "write"),
            (psycopg.Connection, "commit"),
            (psycopg.Connection, "close"),
        ):
            monkeypatch.setattr(owner, name, self._watched(getattr(owner, name)))

    def _watched(self, call: Callable) -> Callable:
        def watched(thing, *arguments, **named):
            self.count += 1
            if self.count == self.n:
                self.act(getattr(thing, "connection", thing))
            return call(thing, *arguments, **named)

        return watched


@pytest.fixture
def old_and_new(postgres, place, monkeypatch) -> tuple[str, Content, Content]:
    """A database that holds a first publication, to be copied; what it holds, and what the second, that lies ready, will make of it."""
    name = postgres.new_database()
    monkeypatch.setenv(DSN, postgres.dsn(name))
    _, second = published(place)
    publish(place, SCHEMA, [])
    old = in_postgres(postgres.dsn(name))
    write(place.published, second, SECOND)
    dsn = copied(postgres, name, monkeypatch)
    publish(place, SCHEMA, [])
    new = in_postgres(dsn)
    assert old != new and new == {**in_file(place.published), "forecasts": new["forecasts"]}
    return name, old, new


def copied(postgres, template: str, monkeypatch) -> str:
    """Return the connection string of a copy of a database, to which is published from now on."""
    copy = f"{template}_{next(COPIES)}"
    statement(postgres.dsn(), f"create database {copy} template {template}")
    monkeypatch.setenv(DSN, postgres.dsn(copy))
    return postgres.dsn(copy)


COPIES = itertools.count()


def moments(place: Workspace, postgres, template: str, monkeypatch, n: int) -> list[int]:
    """Return moments spread over all that a publication asks of the server, the last three among them: statement, commit, close."""
    copied(postgres, template, monkeypatch)
    with pytest.MonkeyPatch.context() as patch:
        seen = At(patch)
        publish(place, SCHEMA, [])
    assert seen.count > 60
    return sorted({round(1 + (seen.count - 4) * i / (n - 4)) for i in range(n - 3)}) + [
        seen.count - back for back in (2, 1, 0)
    ]


def test_a_publisher_killed_at_any_moment_leaves_the_old_state_or_the_new(old_and_new, postgres, place, monkeypatch):
    template, old, new = old_and_new
    chosen = moments(place, postgres, template, monkeypatch, 25)
    dsn = copied(postgres, template, monkeypatch)
    for moment in chosen:
        child = os.fork()
        if child == 0:
            At(pytest.MonkeyPatch(), moment, lambda connection: os.kill(os.getpid(), signal.SIGKILL))
            try:
                publish(place, SCHEMA, [])
            finally:
                os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        until(
            lambda: statement(dsn, "select count(*) from pg_stat_activity where datname = current_database()") == [(1,)]
        )
        assert in_postgres(dsn) == (old if moment < chosen[-1] else new), moment
    assert len(chosen) >= 20
    publish(place, SCHEMA, [])
    assert in_postgres(dsn) == new


@pytest.mark.parametrize("whole", [True, False], ids=["the server", "one of its processes"])
def test_a_server_killed_at_any_moment_holds_the_old_state_or_the_new(whole, old_and_new, postgres, place, monkeypatch):
    template, old, new = old_and_new

    def kill(connection: psycopg.Connection) -> None:
        if whole:
            postgres.stop(at_once=True)
            postgres.start()
        else:
            postgres.kill_process(connection.info.backend_pid)

    chosen = moments(place, postgres, template, monkeypatch, 7)
    dsn = copied(postgres, template, monkeypatch)
    for moment in chosen[:-1]:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(UserError, match="the connection was lost"):
            At(patch, moment, kill)
            publish(place, SCHEMA, [])
        assert in_postgres(dsn) == old
    publish(place, SCHEMA, [])
    assert in_postgres(dsn) == new


def test_two_publishers_at_once_end_in_the_newer_state(old_and_new, postgres, place, root, tmp_path, monkeypatch):
    """What is in the ledger of the older one alone stays or not, as it came first or was refused; all else is the newer one's."""
    template, _, new = old_and_new
    behind = Workspace(tmp_path / "other", "acme", "sample", None)
    behind.root.mkdir()
    (behind.root / "dbt").symlink_to(root / "dbt")
    write(behind.published, any_rows(random.Random(9)), FIRST + dt.timedelta(days=1))
    for both in ((place, behind), (behind, place, behind)):
        dsn = copied(postgres, template, monkeypatch)
        children = [fork(one) for one in both]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert set(codes) <= {0, 2} and codes[both.index(place)] == 0
        found = in_postgres(dsn)
        assert set(found.pop("forecasts")) >= set(in_file(place.published)["forecasts"])
        assert found == {name: rows for name, rows in new.items() if name != "forecasts"}


def fork(place: Workspace) -> int:
    """Publish in a process of its own, which ends with 0, or 2 where it was refused."""
    child = os.fork()
    if child == 0:
        try:
            publish(place, SCHEMA, [])
            os._exit(0)
        except UserError:
            os._exit(2)
        finally:
            os._exit(1)
    return child


# --- what is not ours, and versions


def test_what_is_not_ours_stays_and_is_named(dsn, place):
    """A table and a view of others with names of ours, and one with a name of its own beside them."""
    published(place)
    statement(dsn, "create schema forecasting")
    statement(dsn, "create table forecasting.forecasts as select 1 as mine")
    statement(dsn, 'create view forecasting."PredSales1m" as select 2 as mine')
    statement(dsn, "create table forecasting.orders as select 3 as mine")
    with pytest.raises(UserError, match=r"holds PredSales1m, forecasts, which this project has not made"):
        publish(place, SCHEMA, [])
    assert statement(dsn, "select relname from pg_class where relnamespace = 'forecasting'::regnamespace order by 1") == [
        ("PredSales1m",), ("forecasts",), ("orders",)
    ]  # fmt: skip
    statement(dsn, 'drop table forecasting.forecasts; drop view forecasting."PredSales1m"')
    publish(place, SCHEMA, [])
    publish(place, SCHEMA, [])
    assert in_postgres(dsn) == in_file(place.published) and statement(dsn, "select mine from forecasting.orders") == [
        (3,)
    ]


def test_a_table_with_the_name_of_our_version_table_is_not_taken_for_it(dsn, place):
    published(place)
    statement(
        dsn,
        "create schema forecasting; create table forecasting.forecasting_schema as select 1 as version, array['forecasts'] as tables",
    )
    with pytest.raises(UserError, match="holds forecasting_schema, which"):
        publish(place, SCHEMA, [])


def test_a_schema_belongs_to_one_workspace(dsn, place):
    published(place)
    publish(place, SCHEMA, [])
    held = in_postgres(dsn)
    other = Workspace(place.root, "Beta", "sample", None)
    write(other.published, any_rows(random.Random(7)), SECOND)
    with pytest.raises(UserError, match=r"workspace «acme», and «Beta» must not .* `publish_schema: beta`"):
        publish(other, SCHEMA, [])
    publish(other, "beta", [])
    assert in_postgres(dsn) == held and in_postgres(dsn, "beta") == in_file(other.published)


def test_what_is_older_does_not_overwrite_what_is_newer(dsn, place):
    first, second = published(place)
    write(place.published, second, SECOND)
    publish(place, SCHEMA, [])
    held = in_postgres(dsn)
    write(place.published, first, FIRST)
    with pytest.raises(UserError, match=r"2024-02-09 at 23:30:00 UTC; this is older, of 2024-01-10 at 12:00:00 UTC"):
        publish(place, SCHEMA, [])
    assert in_postgres(dsn) == held
    statement(dsn, 'delete from "forecasting".forecasting_publication')  # as the message says
    publish(place, SCHEMA, [])
    assert in_postgres(dsn)["PredSales1m"] == in_file(place.published)["PredSales1m"]


def test_an_older_version_of_the_tables_is_brought_up_to_date(dsn, place, monkeypatch):
    """An earlier project published neither a table nor a column, and described another otherwise."""
    published(place)
    older = [name for name in FOR_BI if name != "counted_forecasts"]
    monkeypatch.setattr(shape, "FOR_BI", older)
    with duckdb.connect(str(place.published)) as connection:
        connection.execute("alter table forecast_accuracy drop column masc")
    publish(place, SCHEMA, [])
    statement(dsn, "comment on column forecasting.forecasts.ds is 'another'")
    monkeypatch.undo()
    monkeypatch.setenv(DSN, dsn)
    _, second = published(place)
    write(place.published, second, SECOND)
    publish(place, SCHEMA, [])
    held = in_postgres(dsn)
    assert {key: rows for key, rows in held.items() if key != "forecasts"} == {
        key: rows for key, rows in in_file(place.published).items() if key != "forecasts"
    }
    statement(dsn, "alter table forecasting.forecasts drop column scale")
    publish(place, SCHEMA, [])
    with duckdb.connect(str(place.published), read_only=True) as connection:
        scales = as_texts(connection.execute("select run_id, unique_id, scale from forecasts").fetchall())
    assert scales and set(scales) <= set(
        as_texts(statement(dsn, "select run_id, unique_id, scale from forecasting.forecasts"))
    )
    versions = statement(
        dsn, "select version, description, cardinality(tables) from forecasting.forecasting_schema order by version"
    )
    assert versions[0][0::2] == (1, len(older))
    assert versions[1:] == [
        (2, "counted_forecasts made; forecast_accuracy.masc added", 1),
        (3, "forecasts.scale added", 0),
    ]
    assert statement(dsn, "select col_description('forecasting.forecasts'::regclass, 9)") == [
        ("First day of the month that is forecast.",)
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter table forecasting.forecasts add column newer text", "has the columns newer"),
        ("alter table forecasting.forecasts alter column horizon type text", "has the columns horizon"),
        (
            'alter table forecasting."PredSales1m" drop constraint "PredSales1m_pkey"',
            "has a key other than date, region",
        ),
    ],
)
def test_a_table_of_another_shape_is_refused_and_dropped_it_is_made_anew(change, words, dsn, place):
    published(place)
    publish(place, SCHEMA, [])
    held = in_postgres(dsn)
    statement(dsn, change)
    with pytest.raises(UserError, match=words):
        publish(place, SCHEMA, [])
    statement(
        dsn, f"drop table forecasting.{'forecasts' if 'forecasts' in change else chr(34) + 'PredSales1m' + chr(34)}"
    )
    publish(place, SCHEMA, [])
    assert in_postgres(dsn) == held


# --- rights


def test_readers_read_our_tables_and_nothing_else(dsn, place, postgres):
    published(place)
    statement(dsn, 'create role "an analyst" login')
    publish(place, SCHEMA, [])
    statement(dsn, "create table forecasting.salaries as select 1 as mine")
    publish(place, SCHEMA, ["an analyst"])
    reader = psycopg.conninfo.make_conninfo(dsn, user="an analyst")
    assert in_postgres(reader) == in_postgres(dsn)
    for forbidden in (
        "select * from forecasting.salaries",
        "delete from forecasting.forecasts",
        "create table forecasting.x (a int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            statement(reader, forbidden)
    with pytest.raises(UserError, match="publish_readers names 'nobody here'"):
        publish(place, SCHEMA, ["nobody here"])
    statement(dsn, 'drop owned by "an analyst"; drop role "an analyst"')


@pytest.fixture
def role(dsn, postgres, monkeypatch):
    """A role that must give its password and may do nothing yet; this process publishes as it."""
    name = f"publisher_{next(COPIES)}"
    statement(dsn, f"create role {name} login password '{SECRET}' in role needs_password")
    monkeypatch.setenv(DSN, psycopg.conninfo.make_conninfo(dsn, user=name, password=SECRET))
    yield name
    statement(dsn, f"drop owned by {name}; drop role {name}")


def test_a_role_needs_no_more_than_a_schema_of_its_own(role, dsn, place):
    published(place)
    with pytest.raises(UserError, match="lacks a right: permission denied for database"):
        publish(place, SCHEMA, [])
    statement(dsn, f"create schema forecasting authorization {role}")
    publish(place, SCHEMA, [])
    assert in_postgres(dsn) == in_file(place.published)


def test_a_schema_that_others_own(role, dsn, place):
    published(place)
    statement(
        dsn, f"create schema forecasting; grant usage, create on schema forecasting to {role}; create role reader"
    )
    publish(place, SCHEMA, [])
    with pytest.raises(UserError, match='`grant usage on schema "forecasting" to reader`'):
        publish(place, SCHEMA, ["reader"])
    statement(dsn, "drop role reader")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("statement_timeout = 1", "a statement took longer than the server allows"),
        ("default_transaction_read_only = on", "it may only be read"),
        ("timezone = 'America/St_Johns'", None),
        ("datestyle = 'German, DMY'", None),
        ("extra_float_digits = -10", None),
    ],
)
def test_what_the_server_sets_for_a_role(setting, words, role, dsn, place):
    published(place)
    statement(dsn, f"create schema forecasting authorization {role}; alter role {role} set {setting}")
    if words is None:
        publish(place, SCHEMA, [])
        assert in_postgres(dsn) == in_file(place.published)
    else:
        with pytest.raises(UserError, match=words):
            publish(place, SCHEMA, [])


def test_a_lock_that_others_keep(role, dsn, place):
    published(place)
    statement(dsn, f"create schema forecasting authorization {role}; alter role {role} set lock_timeout = '50ms'")
    publish(place, SCHEMA, [])
    _, second = published(place)
    write(place.published, second, SECOND)
    with psycopg.connect(dsn) as other:
        other.execute("lock table forecasting.forecasts in share mode")
        with pytest.raises(UserError, match="another session keeps a lock"):
            publish(place, SCHEMA, [])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("53100", "its disk is full"),
        ("57P01", "the connection was lost"),
        ("P0001", r"a rule of this company \(P0001\)"),
    ],
)
def test_what_the_server_says_in_the_midst_of_it(code, words, dsn, place):
    """Said by a trigger that others have put on a table of ours; nothing of the publication stays."""
    _, second = published(place)
    publish(place, SCHEMA, [])
    held = in_postgres(dsn)
    statement(dsn, "create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'a rule of this company' "
                   f"using errcode = '{code}'; end $$")  # fmt: skip
    statement(
        dsn, "create trigger refuse before insert on forecasting.actual_vs_forecast execute function public.refuse()"
    )
    write(place.published, second, SECOND)
    with pytest.raises(UserError, match=words):
        publish(place, SCHEMA, [])
    assert in_postgres(dsn) == held


def test_a_name_that_the_database_cannot_write(postgres, place, monkeypatch):
    rows, _ = published(place)
    face = (dt.date(2024, 1, 1), "😀", "😀", 1.0, "linear", "run", FIRST, 1.0)
    write(place.published, {**rows, "PredSales1m": [face]}, FIRST)
    statement(postgres.dsn(), "create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'")
    monkeypatch.setenv(DSN, postgres.dsn("latin"))
    with pytest.raises(UserError, match="Use a database with the encoding UTF8"):
        publish(place, SCHEMA, [])


# --- no server, no secret


def unreachable(postgres_dsn: str) -> dict[str, tuple[str, str]]:
    """Return connection strings that lead nowhere, by name, and what is said of each."""

    def changed(**parts: str) -> str:
        return psycopg.conninfo.make_conninfo(postgres_dsn, **parts)

    return {
        "no server": (changed(host="/nowhere", password=SECRET), "none runs at that address"),
        "no database": (changed(dbname="none", password=SECRET), "has no database of that name"),
        "no user": (changed(user="none", password=SECRET), "knows no user of that name"),
        "wrong password": (changed(user="careless", password=f"{SECRET}!"), "refuses the user or the password"),
        "no password": (changed(user="careless"), "refuses the user or the password"),
        "half a string": (f"dbname=x {SECRET}", "is no connection string"),
        "a password with signs": (f"postgresql://me:{SECRET}@localhost/x", ""),
        "an option that is none": (f"postgresql://me@localhost/x?{SECRET}=1", "is no connection string"),
        "no machine": (f"postgresql://me:x@{SECRET}.invalid:1/x", ""),
        "a service": ("service=nowhere", "no such service"),
    }


@pytest.mark.parametrize("case", unreachable("host=x"))
def test_a_server_that_is_not_reached_is_said_without_a_secret(case, dsn, place, monkeypatch, capsys):
    published(place)
    (place.data / "workspace.json").write_text('{"source": "sample", "facts": null}')
    monkeypatch.setattr(command, "ROOT", place.root)
    statement(
        dsn,
        f"do $$ begin create role careless login password '{SECRET}' in role needs_password; exception when duplicate_object then end $$",
    )
    stated, words = unreachable(dsn)[case]
    monkeypatch.setenv(DSN, stated)
    assert command.work(["publish-to", "--target", "postgres", "--name", "acme"]) == 2
    said = "".join(capsys.readouterr())
    assert words in said and DSN in said and "Error: " in said
    assert not any(part in said for part in ("s3cret", "@:word", "Traceback"))


def test_nothing_is_asked_of_a_server_that_nobody_named(place, monkeypatch):
    for name in (DSN, "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=f"set {DSN} in the environment"):
        publish(place, SCHEMA, [])


def test_libpq_s_own_variables_will_do(dsn, place, monkeypatch):
    published(place)
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    monkeypatch.delenv(DSN)
    for name, part in {"PGHOST": "host", "PGDATABASE": "dbname", "PGUSER": "user", "PGPORT": "port"}.items():
        monkeypatch.setenv(name, str(parts[part]))
    publish(place, SCHEMA, [])
    assert in_postgres(dsn) == in_file(place.published)


def test_the_targets_are_named_and_nothing_published_is_said(dsn, place):
    with pytest.raises(UserError, match=r"make publish needs TARGET=postgres\."):
        delivery.publish_to(place, "")
    with pytest.raises(UserError, match=r"TARGET=postgres; there is no target 'mysql'\."):
        delivery.publish_to(place, "mysql")
    with pytest.raises(UserError, match="Nothing has been published in the workspace «acme» yet"):
        delivery.publish_to(place, "postgres")


def test_a_file_of_an_older_project(dsn, place):
    published(place)
    with duckdb.connect(str(place.published)) as connection:
        connection.execute('drop table "PredSales1m"')
    with pytest.raises(UserError, match="lacks PredSales1m: an older version"):
        publish(place, SCHEMA, [])
    assert in_postgres(dsn) == {}
