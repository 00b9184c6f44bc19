"""Shared by all tests: the project's folder, and small projects to try settings in."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

import made_once
import postgres_server

# The same examples on every run, and no deadline, nor a word on how long making them takes: how fast a busy machine is says nothing
# about the code.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parents[1]

# The files that take longest, longest first, so that workers which take one file after another end at about the same time.
LONGEST = (
    "test_end_to_end",
    "test_errors",
    "test_endurance",
    "test_companies",
    "test_monthly",
    "test_audit",
    "test_backfill",
    "test_api",
    "test_browser",
    "test_postgres_out",
    "test_robustness",
    "test_dashboard",
    "test_dbt",
    "test_promote",
    "test_forecaster",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the order within a file stays."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_interrupts() -> None:
    """Let what tests start be interrupted: a suite that was itself started in a shell's background inherits that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def one_place(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Say where things lie that are made once for all workers."""
    own = tmp_path_factory.getbasetemp()
    made_once.PLACE = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made_once"


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.PostgresServer]:
    """A PostgreSQL server of this worker's own, started for the first test that asks."""
    programs = postgres_server.programs()
    if programs is None:
        pytest.skip(postgres_server.HOW_TO_GET_ONE)
    server = postgres_server.PostgresServer(programs)
    yield server
    server.close()


@pytest.fixture
def postgres_dsn(postgres: postgres_server.PostgresServer) -> str:
    """The connection string of a new, empty database, as its superuser."""
    return postgres.dsn(postgres.new_database())


@pytest.fixture
def can_start_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `multiprocessing` start processes, which run the main module again.

    The one of pytest-xdist's workers lacks a spec, and Streamlit's tests leave their own script in its place.
    """
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


def write_notebook(path: Path, parameters: str, *code: str) -> Path:
    """Write a notebook with one parameters cell and further code cells."""
    cells = [
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]},
            "source": parameters,
            "outputs": [],
            "execution_count": None,
            "id": "p",
        }
    ]
    cells += [
        {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None, "id": f"c{i}"}
        for i, text in enumerate(code)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tiny project: two notebooks, two modules and parameters."""
    write_notebook(
        tmp_path / "notebooks" / "10_check_data.ipynb",
        'run_dir = "."\nthreshold = 6.0\nnames = ["a"]',
        "from forecasting import one",
    )
    write_notebook(
        tmp_path / "notebooks" / "20_train_x.ipynb",
        "horizon = 6\nseed = 1\nflag = True",
        "from forecasting import two, plots",
    )
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "default.yml").write_text(
        "threshold: 6.0\nnames: [a]\nhorizon: 6\nseed: 1\nflag: true\ndomains: [sales]\n"
    )
    package = tmp_path / "src" / "forecasting"
    (package / "models").mkdir(parents=True)
    for name, text in {
        "__init__": "",
        "one": "",
        "two": "from forecasting import three",
        "three": "",
        "plots": "",
        "models/__init__": "",
        "models/x": "",
    }.items():
        (package / f"{name}.py").write_text(text)
    (tmp_path / "requirements.lock").write_text("pandas==2.3.3\n")
    return tmp_path
