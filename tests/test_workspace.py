"""Workspaces: what they remember, what they refuse, and one run at a time."""

import json
import os
import subprocess
import sys
import textwrap

import duckdb
import pytest

from forecasting.errors import UserError
from forecasting.ledger import NothingPublished, Published
from forecasting.ledger import database as warehouse
from forecasting.run import lock, workspace


def test_a_workspace_remembers_its_source_and_facts(tmp_path):
    (tmp_path / "facts").mkdir()
    first = workspace.open_workspace(tmp_path, "acme", "csv", str(tmp_path / "facts"))
    first.remember()
    again = workspace.open_workspace(tmp_path, "acme")
    assert (again.source, again.facts, again.facts_path) == ("csv", "facts", tmp_path / "facts")


@pytest.mark.parametrize(("source", "facts"), [("sample", ""), ("csv", "other"), ("adventureworks", "facts")])
def test_a_workspace_refuses_another_company(tmp_path, source, facts):
    workspace.open_workspace(tmp_path, "acme", "csv", str(tmp_path / "facts")).remember()
    with pytest.raises(UserError, match="belongs to SOURCE=csv FACTS=facts"):
        workspace.open_workspace(tmp_path, "acme", source, facts and str(tmp_path / facts))


def test_a_workspace_in_which_nothing_was_built_says_so(tmp_path):
    with pytest.raises(UserError, match="Nothing has been built.*make data"):
        workspace.open_workspace(tmp_path, "acme", "csv", "x").domains()


@pytest.mark.parametrize(("built", "told"), [("2024-11-30", "2024-12-31"), (None, "2024-12-31"), ("2024-11-30", None)])
def test_a_step_refuses_what_was_built_as_of_another_day(root, tmp_path, built, told):
    """A scheduler calls one step after another; a run that came between has left other training sets."""
    for name in ("params", "notebooks"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "runs" / "acme").mkdir(parents=True)
    (tmp_path / "runs" / "acme" / "built.json").write_text(json.dumps({"domains": ["sales"], "as_of": built}))
    workspace.Workspace(tmp_path, "acme", "csv", "x", as_of=built).require_same_day()
    with pytest.raises(UserError, match="another run came between.*make monthly or make cycle-data"):
        workspace.Workspace(tmp_path, "acme", "csv", "x", as_of=told).require_same_day()


def test_the_sample_is_the_default_and_a_source_names_its_workspace(tmp_path):
    assert workspace.open_workspace(tmp_path, "").source == "sample"
    assert workspace.open_workspace(tmp_path, "", "csv", "x").name == "csv"


@pytest.mark.parametrize(
    ("name", "source", "facts", "words"),
    [
        ("acmee", "", "", r"no workspace «acmee» yet \(acme so far\).*SOURCE=sample NAME=acmee"),
        ("acmee", "csv", "", "SOURCE=csv needs FACTS"),
        ("", "", "folder", "FACTS needs a SOURCE and a NAME"),
        ("acmee", "", "folder", "no workspace «acmee» yet"),
    ],
)
def test_a_misspelt_name_does_not_make_up_a_company(tmp_path, name, source, facts, words):
    workspace.open_workspace(tmp_path, "acme", "csv", str(tmp_path / "facts")).remember()
    with pytest.raises(UserError, match=words):
        workspace.open_workspace(tmp_path, name, source, facts)


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"source": "csv"', "[]", '"csv"', "null", '{"source": 3, "facts": "x"}', '{"source": "csv"}', "[" * 50_000,
     '{"source": "csv", "facts": 1}', '{"source": "csv", "facts": ["x"]}', '{"facts": "x"}', b"\xff\xfe\x00"],
)  # fmt: skip
def test_a_damaged_memory_is_a_sentence_and_never_guessed_at(tmp_path, content):
    place = workspace.open_workspace(tmp_path, "acme", "csv", str(tmp_path / "facts"))
    place.remember()
    memory = place.data / "workspace.json"
    memory.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=r"data/acme/workspace\.json is damaged") as error:
        workspace.open_workspace(tmp_path, "acme", "csv", str(tmp_path / "facts"))
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("facts", ["", "folder"])
@pytest.mark.parametrize("source", ["nowhere", "CSV", "x" * 300])
def test_an_unknown_source_names_those_that_there_are(tmp_path, source, facts):
    with pytest.raises(UserError, match=r"no SOURCE=.*: sources are sample, csv, adventureworks") as error:
        workspace.open_workspace(tmp_path, "acme", source, facts)
    assert len(str(error.value)) < 200 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "../up", "-x", "a/b", "é" * 3, "x" * 64, "x" * 300, "a\n", "."])
def test_a_name_that_is_no_folder_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="cannot be a workspace"):
        workspace.open_workspace(tmp_path, name)


def test_two_runs_at_once_the_second_is_told_who_is_first(tmp_path):
    place = workspace.open_workspace(tmp_path, "acme", "csv", "x")
    with (
        lock.only_run(place.data),
        pytest.raises(UserError, match=r"«acme» is going on \(process \d+\)"),
        lock.only_run(place.data),
    ):
        pass
    with lock.only_run(place.data):
        assert (place.data / ".lock").read_text() == str(os.getpid())  # free again after the first ended
        place.remember()
    assert (place.data / ".lock").read_text() == ""


def test_a_run_that_wrote_nothing_leaves_no_folder(tmp_path):
    place = workspace.open_workspace(tmp_path, "acme", "csv", "x")
    (place.runs / "sales").mkdir(parents=True)
    assert workspace.run_alone(place, [sys.executable, "-c", "raise SystemExit(2)"]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [0, 2, 1])
def test_the_exit_code_of_a_run_is_passed_on(tmp_path, code):
    place = workspace.open_workspace(tmp_path, "acme", "csv", "x")
    assert workspace.run_alone(place, [sys.executable, "-c", f"raise SystemExit({code})"]) == code


@pytest.fixture
def held(tmp_path):
    """A database that another process has open for writing; yields its path and that process."""
    path = tmp_path / "warehouse.duckdb"
    code = textwrap.dedent(f"""
        import duckdb
        connection = duckdb.connect({str(path)!r})
        connection.execute("create table t as select 1 as a")
        print("ready", flush=True)
        input()
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield path, process
    process.communicate("\n")


def test_a_held_warehouse_names_the_process_that_holds_it(held):
    path, process = held
    with pytest.raises(UserError, match=rf"warehouse\.duckdb is open in process {process.pid} .*published\.duckdb"):
        warehouse.require_writable(path)


def test_reading(tmp_path):
    path = tmp_path / "published.duckdb"
    with pytest.raises(UserError, match="make report"), warehouse.connect(path):
        pass
    with pytest.raises(NothingPublished, match="make report"):
        Published(path).ask("select 1")
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t as select date '2025-01-01' as ds, 1 as y")
    assert Published(path).ask("select y from t where y = $y", y=1).to_dict("list") == {"y": [1]}
    warehouse.require_writable(path)  # no connection was left open


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    path.write_text("not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(UserError, match="cannot be opened as a DuckDB database"):
        warehouse.require_writable(path)
