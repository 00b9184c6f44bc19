"""Runs that are killed, at a few moments of those that `make endurance` tries; a disk that is full or may not be written; a copy."""

import os
import resource
import shutil
import sqlite3
import subprocess

import pytest

from endurance import NAME, Watched, chosen, endured, part_of, tables
from forecasting.registry.store import PATHS

MOMENTS = [
    f"write runs/{NAME}/profit/facts.json.running",
    f"move to runs/{NAME}/sales/evaluation.parquet",
    "sql insert into backtests by name select domain, aggregation, unique_id, r",
    "sql create table published.main.forecasts as select * from forecasts",
]


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Watched:
    """A small company that was published once without being disturbed."""
    made = Watched.new(tmp_path_factory.mktemp("endurance"))
    made.run("run", log=str(made.copy.path / "moments.txt"))
    yield made
    shutil.rmtree(made.temporary)


@pytest.fixture(scope="module")
def expected(watched) -> dict:
    return tables(watched.folders[0])


def test_moments_are_chosen_from_every_part_of_a_run(watched):
    log = (watched.copy.path / "moments.txt").read_text(encoding="utf-8").splitlines()
    found = chosen(log, 40)
    assert set(MOMENTS) <= set(log) and {part_of(moment) for moment in found} == {"data", "steps", "publish"}


def trouble(watched: Watched, name: str, **how) -> str:
    """Run the company's facts into a workspace; it must be refused with a sentence. Returns what was said."""
    command = watched.copy.command("run", "SOURCE=csv", "FACTS=sales.csv", f"NAME={name}", "PROFILE=smoke")
    done = subprocess.run(
        command, cwd=watched.copy.path, env=watched.copy.environment(), capture_output=True, text=True, **how
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2 and "\nError: " in said and "Traceback" not in said, said
    return said


def test_a_full_disk_is_a_sentence_and_what_was_published_stays(watched, expected):
    """Full for every file of more than so many bytes, as a quota is: at the warehouse, then at what a notebook writes."""
    data = watched.folders[0]
    facts = watched.copy.path / "sales.csv"
    before = facts.read_text(encoding="utf-8")
    facts.write_text(before + "2024-12-31,1.00,North,Bikes,0.50\n", encoding="utf-8")
    for most in (20_000, 700_000):
        said = trouble(
            watched, NAME, preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        )
        assert "could not be written" in said and "Make room on the disk" in said
        assert tables(data) == expected
    facts.write_text(before, encoding="utf-8")
    watched.run("run")
    assert tables(data) == expected


def test_a_data_folder_that_may_not_be_written_is_a_sentence(watched):
    place = watched.copy.path / "data" / "locked"
    place.mkdir()
    if os.getuid() == 0:  # whom permissions do not stop, but a file system does
        mounted = (
            subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(place)], capture_output=True).returncode
            == 0
        )
        if not mounted:
            pytest.skip("root may write everywhere, and may not mount here")
    else:
        place.chmod(0o500)
    try:
        said = trouble(watched, "locked")
    finally:
        if os.getuid() == 0:
            subprocess.run(["umount", str(place)], check=True)
    assert "could not be written" in said and "give this user the right to write" in said
    place.rmdir()


def test_a_copied_workspace_is_one_of_its_own(watched, expected):
    """MLflow keeps whole paths: the copy must not write into the folder that it was copied from."""
    data = watched.folders[0]
    copy = data.with_name("copy")
    shutil.copytree(data, copy)
    before = watched.copy.checksums(f"data/{NAME}")
    said = watched.copy.made("run", "NAME=copy", "PROFILE=smoke")
    assert f"MLflow's store came from {data}; from now on its paths lead to {copy}." in said
    assert watched.copy.checksums(f"data/{NAME}") == before
    found = tables(copy)
    assert {name: rows for name, rows in found.items() if name != "runs"} == {
        name: rows for name, rows in expected.items() if name != "runs"
    }
    with sqlite3.connect(copy / "mlflow.db") as store:
        for table, column in PATHS.items():
            paths = [path for (path,) in store.execute(f"select {column} from {table}") if "/mlflow/" in path]
            assert paths and all(path.startswith(f"{copy.as_uri()}/mlflow/") for path in paths)
    assert "came from" not in watched.copy.made("data", "NAME=copy", "PROFILE=smoke")


def test_killed_runs_end_with_the_tables_of_an_undisturbed_one(watched, expected):
    for folder in watched.folders:
        shutil.rmtree(folder)
    rows = list(endured(watched, MOMENTS, expected, "run"))
    assert [row["fault"] for row in rows] == [""] * len(MOMENTS), rows
