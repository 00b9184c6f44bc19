"""deploy/: the commands that its containers run, as processes on this machine, with their healthchecks.

The tests stand in their order: the servers start once for all of them, and the last one stops them.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from container_files import compose, instructions, rests, shell_lines
from forecasting.api.__main__ import KEY_VARIABLE
from forecasting.registry import point_store
from forecasting.run.lock import only_run
from project_copy import ProjectCopy
from served_company import ServedCompany
from waiting import PATIENCE, answers, free_port, until

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
SERVERS = ("api", "dashboard", "mlflow")
KEY = "a key of the tests"


def services() -> dict[str, Any]:
    return compose(DEPLOY / "compose.yaml", {"FORECASTING_NAME": "acme"})["services"]


def entrypoint() -> list[str]:
    return json.loads(rests(instructions(DEPLOY / "Dockerfile"), "ENTRYPOINT")[0])


@dataclass
class Site:
    """A copy of the project in which a workspace was put that another project had made, and the servers started there."""

    copy: ProjectCopy
    made: dict[Path, bytes]
    ports: dict[str, int]

    def address(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def words(self, service: str) -> list[str]:
        """A container's command line, on this machine's loopback and a port that is free."""
        entry = entrypoint()
        command = services()[service]["command"]
        assert "VENV=/opt/venv" in entry and "HOST=0.0.0.0" in command
        here = {"VENV=/opt/venv": f"VENV={Path(sys.executable).parents[1]}", "HOST=0.0.0.0": "HOST=127.0.0.1"}
        return [here.get(word, word) for word in [*entry, *command]] + [f"PORT={self.ports[service]}"]

    def start(self, service: str) -> subprocess.Popen:
        environment = {**self.copy.environment(), "OMP_NUM_THREADS": "1", KEY_VARIABLE: KEY}
        with (self.copy.path / f"{service}.log").open("w") as log:
            return subprocess.Popen(self.words(service), cwd=self.copy.path, env=environment, stdout=log, stderr=log)

    def check(self, service: str) -> int:
        """Run the container's healthcheck and return its exit code."""
        kind, python, script, port, path = services()[service]["healthcheck"]["test"]
        assert (kind, python) == ("CMD", "python") and port.isdigit()
        words = [sys.executable, str(DEPLOY.parent / script), str(self.ports[service]), path]
        return subprocess.run(words, capture_output=True, env={"http_proxy": "http://127.0.0.1:9"}).returncode

    def is_open(self, service: str) -> bool:
        return answers(self.ports[service])

    def wait(self, service: str, process: subprocess.Popen) -> None:
        """Return once the healthcheck passes."""
        try:
            until(lambda: self.is_open(service) and self.check(service) == 0, process, every=0.2)
        except AssertionError as error:
            raise AssertionError((self.copy.path / f"{service}.log").read_text()) from error


@pytest.fixture(scope="module")
def site(root, tmp_path_factory) -> Site:
    made = ServedCompany.made(tmp_path_factory.mktemp("made"))
    made.fit("linear")
    made.publish("linear")
    copy = ProjectCopy.of(root, tmp_path_factory.mktemp("site") / "app")
    shutil.copytree(made.data, copy.path / "data" / "acme")
    (copy.path / "data" / "acme" / "workspace.json").write_text('{"source": "sample", "facts": null}')
    point_store(copy.path / "data" / "acme", copy.path / "data" / "acme")  # as the first report here has done
    return Site(copy, contents(copy.path / "data" / "acme"), {name: free_port() for name in SERVERS})


def contents(folder: Path) -> dict[Path, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def up(site) -> Iterator[dict[str, subprocess.Popen]]:
    processes = {name: site.start(name) for name in SERVERS}
    try:
        for name, process in processes.items():
            site.wait(name, process)
        yield processes
    finally:
        for process in processes.values():
            process.terminate()
            process.wait(PATIENCE)


def test_healthchecks_fail_where_nothing_answers(site):
    assert all(site.check(name) != 0 for name in SERVERS)


def test_healthchecks_pass_where_the_servers_run(site, up):
    for name, process in up.items():
        site.wait(name, process)


def test_the_api_serves_a_workspace_that_was_made_elsewhere_and_prometheus_can_read_it(site, up):
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    with httpx.Client(base_url=site.address("api"), trust_env=False, timeout=PATIENCE) as client:
        assert client.get("/ready").json() == {"status": "ready", "domains": ["sales"]}
        assert client.get(job["metrics_path"]).status_code == 401
        measured = client.get(job["metrics_path"], headers=dict.fromkeys(job["http_headers"], KEY))
    assert measured.status_code == 200 and 'forecasting_champion_version{domain="sales"' in measured.text


def test_mlflow_shows_a_workspace_and_finds_files_where_it_lies_now(site, up):
    files = "/ajax-api/2.0/mlflow/logged-models/{}/artifacts/directories"
    with httpx.Client(base_url=site.address("mlflow"), trust_env=False, timeout=PATIENCE) as client:
        named = client.get("/api/2.0/mlflow/registered-models/get", params={"name": "sales_monthly"}).json()
        assert named["registered_model"]["aliases"] == [{"alias": "champion", "version": "1"}]
        found = client.get("/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": "sales"}).json()
        wanted = {"experiment_ids": [found["experiment"]["experiment_id"]]}
        models = client.post("/api/2.0/mlflow/logged-models/search", json=wanted).json()["models"]
        known = client.get(files.format(models[0]["info"]["model_id"])).json()
    assert known["root_uri"].startswith((site.copy.path / "data" / "acme").as_uri())
    assert "MLmodel" in {file["path"] for file in known["files"]}


def test_servers_leave_the_data_as_it_is(site, up):
    for name, process in up.items():
        site.wait(name, process)
    assert contents(site.copy.path / "data" / "acme") == site.made


def test_the_backup_is_refused_while_a_run_goes_on_and_holds_everything(site, tmp_path):
    (words,) = [each for each in shell_lines(DEPLOY / "README.md") if "alone" in each]
    inner = words[words.index("report") + 1 : words.index(">")]
    inner = [word.replace("sample", "acme") for word in inner]
    environment = site.copy.environment() | {"PYTHONPATH": str(site.copy.path / "src")}

    def copied() -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, *inner], cwd=site.copy.path, env=environment, capture_output=True)

    with only_run(site.copy.path / "data" / "acme"):
        refused = copied()
    assert refused.returncode == 2 and refused.stdout == b"" and b"Another run" in refused.stderr
    (tmp_path / "backup.tar").write_bytes(copied().stdout)
    shutil.unpack_archive(tmp_path / "backup.tar", tmp_path / "back")
    assert (tmp_path / "back/acme/published.duckdb").read_bytes() == site.made[Path("published.duckdb")]


def test_stopping_the_container_stops_the_server(site, up):
    for name, process in up.items():
        process.terminate()  # what Docker sends, to make, which hands it on
        process.wait(PATIENCE)
        assert not site.is_open(name) and site.check(name) != 0
    assert "Finished server process" in (site.copy.path / "api.log").read_text()


def test_make_looks_for_no_environment_in_the_container(site):
    entry = entrypoint()
    for name in (*SERVERS, "report"):
        command = [entry[0], "--dry-run", *entry[1:], *services()[name]["command"]]
        done = subprocess.run(command, cwd=site.copy.path, env=site.copy.environment(), capture_output=True, text=True)
        assert done.returncode == 0 and "/opt/venv/bin/python -m " in done.stdout
        assert ".venv" not in done.stdout and "pip" not in done.stdout
