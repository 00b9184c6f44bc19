"""Readers of what was published go on whatever others do with the file: a person who opens it for writing, a publication, a crash."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from fastapi.testclient import TestClient

from forecasting.api.app import create_app
from forecasting.errors import UserError
from forecasting.ledger import NothingPublished, Published, Unreadable, private_copy
from forecasting.ledger.publishing import publish_copy
from forecasting.ledger.tables import PUBLISHED
from served_company import ServedCompany

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])  # Python's default, for writing
connection.execute(sys.argv[2])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def private(tmp_path, monkeypatch) -> Path:
    """The folder in which private copies are made here, and nothing else."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@contextmanager
def held(path: Path, sql: str = "select 1") -> Iterator[subprocess.Popen]:
    """Another process has the file open for writing, having run a statement in it."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, path, sql], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def made(path: Path, number: int) -> Path:
    """Put a database with one number in a file's place, in one step; a copy of it, to which nothing of DuckDB's holds on."""
    draft, new = path.with_suffix(".draft"), path.with_suffix(".new")
    with duckdb.connect(str(draft)) as connection:
        connection.execute(f"create table t as select {number} as n")
    shutil.copyfile(draft, new)
    draft.unlink()
    os.replace(new, path)
    return path


def read(path: Path) -> list[int]:
    return Published(path).ask("select n from t")["n"].tolist()


def test_a_person_who_opens_the_file_for_writing_keeps_nobody_out(tmp_path, private):
    path = made(tmp_path / "published.duckdb", 1)
    with held(path, "insert into t values (2)"):
        assert Path(f"{path}.wal").exists()
        with pytest.raises(duckdb.IOException):
            duckdb.connect(str(path), read_only=True)
        assert read(path) == [1]  # and what is not checkpointed was not published
        made(path, 3)
        assert read(path) == [3]
    assert read(path) == [3] and list(private.iterdir()) == []


def test_a_file_is_copied_once_for_each_publication_and_nothing_is_left(tmp_path, private, monkeypatch):
    copies, opened = [], private_copy._opened
    monkeypatch.setattr(private_copy, "_opened", lambda path: copies.append(path) or opened(path))
    path = made(tmp_path / "published.duckdb", 0)
    for number in range(3):
        assert read(path) == read(path) == [number]
        made(path, number + 1)
    assert len(copies) == 3 and list(private.iterdir()) == []
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, [path] * 40)) == [[3]] * 40
    assert len(copies) == 4 and list(private.iterdir()) == []
    for number in range(5):
        assert read(made(tmp_path / f"{number}.duckdb", number)) == [number]
    assert len(private_copy.COPIES) <= private_copy.KEPT


def test_who_is_reading_is_not_disturbed_by_a_publication(tmp_path):
    path, wrong, stop = made(tmp_path / "published.duckdb", 0), [], threading.Event()

    def reading() -> None:
        last = 0
        while not stop.is_set():
            [found] = read(path)
            if found < last:
                wrong.append((last, found))
            last = found

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(reading) for _ in range(3)]
        for number in range(1, 40):
            made(path, number)
        stop.set()
        assert [each.result() for each in readers] == [None] * 3 and wrong == []


def test_a_fork_reads_for_itself(tmp_path):
    path = made(tmp_path / "published.duckdb", 7)
    assert read(path) == [7]
    child = os.fork()
    if child == 0:
        os._exit(0 if read(path) == [7] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and read(path) == [7]


def test_what_cannot_be_read_is_said_and_mended_without_a_restart(tmp_path, private):
    path = tmp_path / "published.duckdb"
    with pytest.raises(NothingPublished):
        read(path)
    path.write_bytes(b"nothing of the sort" * 99)
    with pytest.raises(UserError, match=r"published\.duckdb cannot be opened as a DuckDB database") as said:
        read(path)
    assert str(private) not in str(said.value)
    with pytest.raises(Unreadable):
        Published(made(path, 1)).ask("select * from nothing")
    assert read(path) == [1]
    private.rmdir()
    with pytest.raises(UserError, match="Make room in the folder of temporary files"):
        read(made(path, 2))


def test_what_somebody_left_half_written_is_not_played_into_the_next_publication(tmp_path):
    path = made(tmp_path / "published.duckdb", 1)
    with duckdb.connect() as connection:
        for table in PUBLISHED:
            connection.execute(
                f"create table {table} as select 10 as n, 'sales' as domain, 'one' as run_id, 'a' as unique_id, "
                "now() as published_at, now() as cutoff"
            )
        with held(path, "create table forecasts as select 99 as n"):
            publish_copy(connection, path)
            assert Published(path).ask("select n from forecasts")["n"].tolist() == [10]
            assert duckdb.connect(str(path), read_only=True).execute("select n from forecasts").fetchall() == [(10,)]


def test_the_service_answers_while_a_person_holds_the_file_and_while_it_is_published(tmp_path):
    company = ServedCompany.made(tmp_path)
    company.fit("linear")
    first = company.publish("linear")
    path = company.data / "published.duckdb"
    with TestClient(create_app(company.data)) as client, held(path, "update runs set domain = 'none'"):
        assert client.get("/api/forecasts?domain=sales").json()["run_id"] == first
        assert client.get("/ready").json()["domains"] == ["sales"]
    with TestClient(create_app(company.data)) as client:
        Path(f"{path}.wal").unlink()
        asked = "/api/forecasts?domain=sales"
        stop, seen = threading.Event(), []

        def asking() -> None:
            while not stop.is_set():
                found = client.get(asked)
                assert found.status_code == 200, found.text
                seen.append(found.json()["run_id"])

        with ThreadPoolExecutor(1) as pool:
            caller = pool.submit(asking)
            try:
                runs = [first, *(company.publish("linear") for _ in range(3))]
            finally:
                stop.set()
            caller.result()
        assert seen == sorted(seen, key=runs.index) and client.get(asked).json()["run_id"] == runs[-1]
