"""Backup and restore: what comes back is what was there, whoever used the workspace meanwhile; what is damaged, hostile or in the way
changes nothing."""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb
import mlflow
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audited_company import AuditedCompany, project, published_company
from forecasting import audit
from forecasting.__main__ import main
from forecasting.audit import archive, backing_up, restoring
from forecasting.errors import UserError, storage_message
from forecasting.ledger import Published
from forecasting.registry import versions
from forecasting.registry.store import follow_move, follow_where_written, open_store
from forecasting.run import Workspace, only_run, open_workspace

IMPORTED = {"facts": "imported/facts", "imported": "imported-0123456789"}


@pytest.fixture(scope="module")
def made(root, tmp_path_factory) -> AuditedCompany:
    """A company that has been published twice, with settings, imports and editions of its own."""
    company = published_company(root, tmp_path_factory.mktemp("project") / "here")
    data = company.place.data
    (data / "imported-0123456789" / "facts" / "sales").mkdir(parents=True)
    (data / "imported-0123456789" / "facts" / "sales" / "Ærø & Co.parquet").write_bytes(b"facts")
    for name, to in IMPORTED.items():
        (data / name).symlink_to(to)
    (data / "editions" / "2024").mkdir(parents=True)
    (data / "editions" / "2024" / "index.html").write_text("<p>then</p>", encoding="utf-8")
    (company.place.root / "params" / "imports").mkdir(exist_ok=True)
    (company.place.root / "params" / "imports" / "acme.yml").write_text("currency: EUR\n", encoding="utf-8")
    return company


@pytest.fixture(scope="module")
def saved(made, tmp_path_factory) -> Path:
    """Its backup."""
    target = tmp_path_factory.mktemp("backups") / "acme.tar.gz"
    said = audit.backup(made.place, str(target))
    assert re.search(r"SHA-256 [0-9a-f]{64}", said) and "runs/acme" in said and str(target) in said
    return target


@pytest.fixture
def elsewhere(root, tmp_path) -> Path:
    return project(root, tmp_path / "another machine's project")


def facts_of(data: Path) -> dict[str, bytes]:
    """Every file but the store of MLflow, whose paths change, and links, by name."""
    return {
        path.relative_to(data).as_posix(): os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(data.rglob("*"))
        if (path.is_symlink() or path.is_file()) and path.name not in ("mlflow.db", ".lock", "workspace.json")
    }


def untouched(place: Path) -> None:
    """Nothing of a restore is left in a project."""
    assert not (place / "data").exists() or not list((place / "data").iterdir())
    assert not (place / "params" / "workspaces" / "acme.yml").exists()


def test_what_is_restored_is_what_was_there(made, saved, elsewhere):
    said = audit.restore(elsewhere, str(saved))
    assert "make report NAME=acme" in said
    data = elsewhere / "data" / "acme"
    assert facts_of(data) == facts_of(made.place.data)
    assert (data / "facts" / "sales" / "Ærø & Co.parquet").read_bytes() == b"facts"
    for folder in ("workspaces", "imports"):
        assert (elsewhere / "params" / folder / "acme.yml").read_text() == "currency: EUR\n"
    place = open_workspace(elsewhere, "acme")
    assert (place.source, place.facts) == ("import", "data/acme/facts")
    assert list((elsewhere / "data").iterdir()) == [data]


def test_the_store_goes_with_it_and_goes_on(made, saved, elsewhere):
    """Under another name: models load by MLflow's own address, aliases hold, and what is logged next lies here, even beside the first."""
    audit.restore(elsewhere, str(saved), "copy")
    data = elsewhere / "data" / "copy"
    assert open_workspace(elsewhere, "copy").facts == "data/copy/facts"
    with closing(sqlite3.connect(data / "mlflow.db")) as store:
        tables = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
        whole = "\n".join(str(row) for table in tables for row in store.execute(f'select * from "{table}"'))
    assert str(made.place.data) not in whole and (data / "mlflow").as_uri() in whole
    champion = versions.champion(data, "sales")
    assert champion.version == versions.champion(made.place.data, "sales").version
    assert champion.folder.is_relative_to(data) and champion.folder.is_dir()
    client = open_store(data, "sales")
    train = Published(data / "published.duckdb").ask("select unique_id, ds, y from ml_train_sales_monthly order by all")
    shutil.move(made.place.data / "mlflow", made.place.data / "gone")  # nothing may come from there
    try:
        model = mlflow.pyfunc.load_model("models:/sales_monthly@champion")
        assert len(model.predict(train, params={"horizon": 3})) == 3
    finally:
        shutil.move(made.place.data / "gone", made.place.data / "mlflow")
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "hello.txt")
    assert (data / "mlflow" / "sales" / run.info.run_id / "artifacts" / "hello.txt").read_text() == "hello"
    assert client.get_run(run.info.run_id).info.artifact_uri.startswith((data / "mlflow").as_uri())


def test_a_project_that_moved_logs_where_it_is_now(made, tmp_path, capsys):
    """Before anything is built again: make mlflow says where it lies, and whoever logs or registers looks first."""
    after = tmp_path / "after" / "data"
    shutil.copytree(made.place.data, after, symlinks=True)
    before = {path for path in made.place.data.rglob("*") if path.name == "artifacts"}
    follow_move(after)
    assert "from now on its paths lead to" in capsys.readouterr().err
    open_store(after, "sales")
    assert capsys.readouterr().err == ""  # it lies where it says
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "hello.txt")
    assert (after / "mlflow" / "sales" / run.info.run_id / "artifacts" / "hello.txt").exists()
    assert {path for path in made.place.data.rglob("*") if path.name == "artifacts"} == before


def test_a_server_shows_a_moved_store_that_it_may_not_write(made, tmp_path, monkeypatch, capsys):
    """As in a container that is given the data to read."""
    after = tmp_path / "after" / "data"
    shutil.copytree(made.place.data, after, symlinks=True)
    before = (after / "mlflow.db").read_bytes()
    connect = sqlite3.connect
    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", lambda path, **rest: connect(f"file:{path}?mode=ro", uri=True, **rest))
        follow_where_written(after)
    assert "may not be written here" in capsys.readouterr().err and (after / "mlflow.db").read_bytes() == before
    with closing(connect(after / "mlflow.db")) as store:
        store.execute("drop table model_versions")
        store.execute("create view model_versions as select 1")  # what no read-only folder explains
    with pytest.raises(sqlite3.OperationalError):
        follow_where_written(after)


def test_who_reads_or_uses_the_store_is_not_in_the_way(made, tmp_path, elsewhere):
    with (
        duckdb.connect(str(made.place.published)) as held,
        closing(sqlite3.connect(made.place.data / "mlflow.db")) as store,
    ):
        held.execute("create table somebodys as select 1 as n")  # without a checkpoint: none of what was published
        store.execute("begin immediate")
        store.execute("insert into registered_model_tags (name, key, value, workspace) select name, 'half', 'x', workspace "
                      "from registered_models limit 1")  # fmt: skip
        audit.backup(made.place, str(tmp_path / "used.tar.gz"))
        store.rollback()
    Path(f"{made.place.published}.wal").unlink(missing_ok=True)
    audit.restore(elsewhere, str(tmp_path / "used.tar.gz"))
    published = Published(elsewhere / "data" / "acme" / "published.duckdb")
    assert len(published.ask("select * from runs")) == 2
    with closing(sqlite3.connect(elsewhere / "data" / "acme" / "mlflow.db")) as store:
        assert store.execute("select count(*) from registered_model_tags where key = 'half'").fetchone() == (0,)


def test_a_run_or_a_writer_is_waited_for_by_the_person(made, tmp_path):
    target = tmp_path / "never.tar.gz"
    with only_run(made.place.data), pytest.raises(UserError, match="Another run of the workspace «acme» is going on"):
        audit.backup(made.place, str(target))
    other = tmp_path / "other"
    shutil.copytree(made.place.data, other / "data" / "acme", symlinks=True)
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    line = [sys.executable, "-c", code, str(other / "data" / "acme" / "warehouse.duckdb")]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(UserError, match=rf"warehouse\.duckdb is open in process {writer.pid}"):
            audit.backup(Workspace(other, "acme", "import", "data/acme/facts"), str(target))
        writer.stdin.close()
    assert list(tmp_path.glob("*.gz")) == [] and list(tmp_path.glob(".*")) == []


def test_the_ledger_with_what_was_not_yet_checkpointed_is_whole(made, tmp_path, elsewhere):
    other = tmp_path / "other" / "data" / "acme"
    shutil.copytree(made.place.data, other, symlinks=True)
    code = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('pragma disable_checkpoint_on_shutdown');"
        "c.execute('create table late as select 42 as n'); c.commit() if False else None; os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(other / "warehouse.duckdb")], check=True)
    assert (other / "warehouse.duckdb.wal").exists()
    audit.backup(Workspace(tmp_path / "other", "acme", "import", "data/acme/facts"), str(tmp_path / "late.tar.gz"))
    audit.restore(elsewhere, str(tmp_path / "late.tar.gz"))
    with duckdb.connect(str(elsewhere / "data" / "acme" / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("from late").fetchall() == [(42,)]
        assert connection.execute("select count(*) from runs").fetchone() == (2,)


def test_nothing_is_written_over(made, saved, elsewhere, tmp_path):
    with pytest.raises(UserError, match="is there already"):
        audit.backup(made.place, str(saved))
    before = facts_of(made.place.data)
    with pytest.raises(UserError, match="There is a workspace «acme»"):
        audit.restore(made.place.root, str(saved))
    assert facts_of(made.place.data) == before
    (elsewhere / "params" / "imports").mkdir(exist_ok=True)
    (elsewhere / "params" / "imports" / "acme.yml").write_text("currency: USD\n")
    with pytest.raises(UserError, match=r"params/imports/acme\.yml is there and says something else"):
        audit.restore(elsewhere, str(saved))
    untouched(elsewhere)
    assert (elsewhere / "params" / "imports" / "acme.yml").read_text() == "currency: USD\n"
    with pytest.raises(UserError, match="cannot be a workspace"):
        audit.restore(elsewhere, str(saved), "../acme")
    with pytest.raises(UserError, match="lies in the workspace"):
        audit.backup(made.place, str(made.place.data / "self.tar.gz"))
    with pytest.raises(UserError, match="nothing to back up"):
        audit.backup(Workspace(elsewhere, "nobody", "csv", "facts"))


def test_two_restores_at_once_leave_one_workspace(saved, elsewhere, monkeypatch):
    give = restoring.give_settings

    def slowly(*args):  # so that all of them come between the settings and the workspace, were they let
        given = give(*args)
        time.sleep(0.05)
        return given

    monkeypatch.setattr(restoring, "give_settings", slowly)

    def attempt(_: int) -> str:
        try:
            return audit.restore(elsewhere, str(saved))
        except UserError as error:
            return f"refused: {error}"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(4)))
    assert sum(not said.startswith("refused") for said in outcomes) == 1
    assert all("There is a workspace" in said for said in outcomes if said.startswith("refused"))
    assert [path.name for path in (elsewhere / "data").iterdir()] == ["acme"]
    assert (elsewhere / "params" / "workspaces" / "acme.yml").read_text() == "currency: EUR\n"
    assert len(Published(elsewhere / "data" / "acme" / "published.duckdb").ask("select * from runs")) == 2


@settings(max_examples=25)
@given(st.data())
def test_a_damaged_archive_changes_nothing(saved, root, tmp_path_factory, data):
    """Cut anywhere, or with a byte changed anywhere in what is packed: refused, unless only how it is packed has changed."""
    whole = saved.read_bytes()
    folder = tmp_path_factory.mktemp("damaged")
    broken = folder / "broken.tar.gz"
    if data.draw(st.booleans(), "cut"):
        broken.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 2000), "at")])
    else:
        content = bytearray(gzip.decompress(whole))
        with tarfile.open(saved) as tar:
            names = [info for info in tar if info.size]
        info = data.draw(st.sampled_from(names), "file")
        content[info.offset_data + data.draw(st.integers(0, info.size - 1), "byte")] ^= 1 << data.draw(
            st.integers(0, 7), "bit"
        )
        broken.write_bytes(gzip.compress(bytes(content), 1))
    with pytest.raises(UserError, match="damaged|cut off|no backup|format|settings"):
        audit.restore(folder, str(broken))
        raise AssertionError(sorted(folder.rglob("*")))
    untouched(folder)


def packed(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], about: dict | None = None) -> Path:
    """An archive with members of one's own, whose backup.json fits them unless it says otherwise."""
    files = {
        info.name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} for info, content in members
    }
    known = {
        "made_at": "2024-01-01",
        "workspace": "acme",
        "source": "csv",
        "facts": None,
        "git_commit": None,
        "links": {},
        "format": 1,
    }
    text = json.dumps({**known, "files": files, **(about or {})}).encode()
    last = tarfile.TarInfo("backup.json")
    last.size = len(text)
    with tarfile.open(path, "w:gz") as tar:
        for info, content in [*members, (last, text)]:
            tar.addfile(info, io.BytesIO(content))
    return path


def member(name: str, content: bytes = b"x", **extra: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in extra.items():
        setattr(info, key, value)
    return info, content


HOSTILE = {
    "upwards": [member("data/../../../evil")],
    "absolute": [member("/tmp/evil")],
    "elsewhere": [member("src/forecasting/errors.py")],
    "backslash": [member("data/..\\..\\evil")],
    "drive": [member("data/C:evil")],
    "dots": [member("data/./x")],
    "control": [member("data/a\nb")],
    "settings of others": [member("params/default.yml")],
    "symlink": [member("data/x", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
    "hard link": [member("data/x", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "device": [member("data/x", b"", type=tarfile.CHRTYPE)],
    "pipe": [member("data/x", b"", type=tarfile.FIFOTYPE)],
    "twice": [member("data/x"), member("data/x")],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused(tmp_path, kind):
    path = packed(tmp_path / "evil.tar.gz", HOSTILE[kind])
    with pytest.raises(UserError, match="is no backup that make backup wrote"):
        audit.restore(tmp_path, str(path))
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "about",
    [
        {"links": {"x": "../../secret"}},
        {"links": {"../x": "y"}},
        {"links": {"x": "/etc"}},
        {"files": []},
        {"files": {"data/x": {"sha256": "0" * 64}}},
        {"files": {"data/x": {"sha256": 1, "size": -1}}},
        {"workspace": 7},
        {"facts": ["x"]},
        {"links": [1]},
    ],
)
def test_a_hostile_description_is_refused(tmp_path, about):
    path = packed(tmp_path / "evil.tar.gz", [member("data/x")], about)
    with pytest.raises(UserError, match="is no backup"):
        audit.restore(tmp_path, str(path))
    assert sorted(tmp_path.iterdir()) == [path]


def test_other_refusals_name_the_remedy(tmp_path):
    with pytest.raises(UserError, match="needs FILE="):
        audit.restore(tmp_path, "")
    with pytest.raises(UserError, match="There is no file"):
        audit.restore(tmp_path, str(tmp_path / "none.tar.gz"))
    with pytest.raises(UserError, match="of format 2; this version of the project reads format 1"):
        audit.restore(tmp_path, str(packed(tmp_path / "new.tar.gz", [member("data/x")], {"format": 2})))
    with pytest.raises(UserError, match="cannot be a workspace"):
        audit.restore(tmp_path, str(packed(tmp_path / "name.tar.gz", [member("data/x")], {"workspace": "../../x"})))
    huge = archive.About(files={"data/x": {"sha256": "0", "size": 10**18}})
    with pytest.raises(UserError, match="make room first"):
        restoring.require_room(tmp_path, tmp_path / "big.tar.gz", huge)
    with pytest.raises(UserError, match=r"must end in \.tar\.gz"):
        backing_up.target_of(Workspace(tmp_path, "acme", "csv", "facts"), "x.zip")


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_full_disk_leaves_nothing_half(made, saved, elsewhere, tmp_path, monkeypatch, after):
    """`after`: so many files are written, then none."""
    calls = []

    def full(*_: object) -> None:
        calls.append(1)
        if len(calls) > after:
            raise OSError(28, "No space left on device")

    target = tmp_path / "full.tar.gz"
    add, read = archive.Writer.add, archive.Counted.read
    with monkeypatch.context() as patch, pytest.raises(OSError) as said:
        patch.setattr(archive.Writer, "add", lambda *a: (full(), add(*a)))
        audit.backup(made.place, str(target))
    assert "No space left" in storage_message(str(said.value))
    assert not target.exists() and not list(tmp_path.glob(".backup*"))
    calls.clear()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        unpack = restoring.unpack
        patch.setattr(archive.Counted, "read", read)

        def filling(path: Path, about: archive.About, place) -> None:
            unpack(path, about, lambda name: (full(), place(name))[1])

        patch.setattr(restoring, "unpack", filling)
        audit.restore(elsewhere, str(saved))
    untouched(elsewhere)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_killed_at_once_leaves_nothing_that_counts(made, saved, elsewhere, tmp_path, command):
    """SIGKILL while it works; the same command then succeeds and takes away what the killed one left."""
    stopped = f"""
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(audit.__file__).parents[2])!r})
from forecasting import audit
from forecasting.audit import archive, restoring
from forecasting.run import Workspace
def then_killed(path):
    about = archive.checked(path)
    archive.Counted.read = killed  # while files are written, not while they are checked
    return about
read, seen = archive.Counted.read, []
def killed(self, n=-1):
    seen.append(1)
    if len(seen) > int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    return read(self, n)
restoring.checked = then_killed
if {command == "backup"}:
    archive.Counted.read = killed
    audit.backup(Workspace(Path({str(made.place.root)!r}), "acme", "import", "data/acme/facts"), {str(tmp_path / "one.tar.gz")!r})
else:
    audit.restore(Path({str(elsewhere)!r}), {str(saved)!r})
"""
    done = subprocess.run([sys.executable, "-c", stopped, "7"], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    if command == "backup":
        assert not (tmp_path / "one.tar.gz").exists() and list(tmp_path.glob(".backup-*"))
        audit.backup(made.place, str(tmp_path / "one.tar.gz"))
        assert not list(tmp_path.glob(".backup-*")) and archive.checked(tmp_path / "one.tar.gz").files
    else:
        assert not (elsewhere / "data" / "acme").exists() and list((elsewhere / "data").glob(".restoring-*"))
        audit.restore(elsewhere, str(saved))
        assert [path.name for path in (elsewhere / "data").iterdir()] == ["acme"]


def test_a_file_that_changes_while_it_is_copied_stops_the_backup(made, tmp_path, monkeypatch):
    changing = made.place.data / "editions" / "2024" / "index.html"
    read = archive.Counted.read

    def meanwhile(self: archive.Counted, n: int = -1) -> bytes:
        if getattr(self.file, "name", "") == str(changing):
            changing.write_text("<p>then</p>" * 9, encoding="utf-8")
        return read(self, n)

    monkeypatch.setattr(archive.Counted, "read", meanwhile)
    with pytest.raises(UserError, match=r"index\.html was written to while it was copied"):
        audit.backup(made.place, str(tmp_path / "changing.tar.gz"))
    assert list(tmp_path.iterdir()) == []
    changing.write_text("<p>then</p>", encoding="utf-8")


def test_on_the_command_line(made, elsewhere, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("forecasting.__main__.ROOT", made.place.root)
    target = tmp_path / "line.tar.gz"
    assert main(["backup", "--name", "acme", "--file", str(target)]) == 0
    assert main(["backup", "--name", "acme", "--file", str(target)]) == 2
    monkeypatch.setattr("forecasting.__main__.ROOT", elsewhere)
    assert main(["restore", "--file", str(target), "--name", ""]) == 0
    assert main(["restore", "--file", str(target), "--name", ""]) == 2
    said = capsys.readouterr()
    assert "data/acme: " in said.out and "There is a workspace «acme»" in said.err
    assert pd.notna(Published(elsewhere / "data" / "acme" / "published.duckdb").in_force_of("sales"))
