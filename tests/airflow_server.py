"""A real Airflow for tests: scheduler, DAG processor and API server as processes of this machine, with all that they keep in one folder.

The scheduler runs the tasks itself (LocalExecutor); Airflow's own records are in SQLite.
"""

import os
import secrets
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx

from waiting import PATIENCE, free_port, until

PIECES = ("api-server", "dag-processor", "scheduler")
DAG = "monthly_forecast"


class AirflowServer:
    """Airflow, running; `close` ends it. `bin` is the folder of its own environment's programs, `folder` takes all that it keeps."""

    def __init__(self, bin: Path, folder: Path, dags: Path, environment: dict[str, str]) -> None:
        """Make Airflow's records; `environment` is what the tasks get besides."""
        self.folder, self.port = folder, free_port()
        self.log = folder / "airflow.log"
        self.address = f"http://127.0.0.1:{self.port}"
        self._airflow = str(bin / "airflow")
        settings = {
            "core__dags_folder": dags, "core__load_examples": False, "core__executor": "LocalExecutor", "core__parallelism": 2,
            "core__simple_auth_manager_all_admins": True, "core__execution_api_server_url": f"{self.address}/execution/",
            "api_auth__jwt_secret": secrets.token_hex(32), "api__secret_key": secrets.token_hex(32), "api__host": "127.0.0.1",
            "api__port": self.port, "api__workers": 1, "api__base_url": self.address,
            "database__load_default_connections": False, "scheduler__scheduler_heartbeat_sec": 1,
            # a busy machine takes its time
            "core__dagbag_import_timeout": PATIENCE, "dag_processor__dag_file_processor_timeout": int(PATIENCE),
            "workers__execution_api_timeout": PATIENCE, "scheduler__task_instance_heartbeat_timeout": int(PATIENCE),
            "dag_processor__refresh_interval": 3600, "dag_processor__min_file_process_interval": 3600,
        }  # fmt: skip
        own = {f"AIRFLOW__{name.upper()}": str(value) for name, value in settings.items()}
        self._environment = {**environment, **own, "AIRFLOW_HOME": str(folder), "PATH": f"{bin}:{os.environ['PATH']}"}
        self._client = httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False)
        self._pieces: list[subprocess.Popen] = []
        migrate = [self._airflow, "db", "migrate"]
        done = subprocess.run(migrate, env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start the pieces and wait until the DAG is known; it must have been read without a complaint."""
        with self.log.open("a") as log:
            for piece in PIECES:
                self._pieces.append(
                    subprocess.Popen(
                        [self._airflow, piece], env=self._environment, stdout=log, stderr=log, start_new_session=True
                    )
                )
        until(self._answers, self._pieces[0], every=0.5)
        token = self._client.get("/auth/token").raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        until(lambda: self.ask("GET", "importErrors")["total_entries"] or self.ask("GET", "dags")["total_entries"],
              self._pieces[1], every=0.5)  # fmt: skip
        assert not (wrong := self.ask("GET", "importErrors")["import_errors"]), wrong
        self.ask("POST", "pools", json={"name": "forecasting", "slots": 1})
        self.ask("PATCH", f"dags/{DAG}", json={"is_paused": False})

    def _answers(self) -> bool:
        try:
            return self._client.get("/api/v2/version").is_success
        except httpx.TransportError:
            return False

    def ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask the API (v2) and return its answer."""
        answer = self._client.request(method, f"/api/v2/{path}", **more)
        assert answer.is_success, answer.text
        return answer.json()

    def trigger(self, run: str, settings: dict[str, Any]) -> None:
        """Begin a run by hand with these params, and no logical date, so that it begins at once."""
        self.ask("POST", f"dags/{DAG}/dagRuns", json={"dag_run_id": run, "conf": settings, "logical_date": None})

    def state(self, run: str) -> str:
        """Return a run's state; the scheduler must be alive."""
        assert self._pieces[2].poll() is None, f"Airflow's scheduler has ended: {self.log}"
        return self.ask("GET", f"dags/{DAG}/dagRuns/{run}")["state"]

    def tasks(self, run: str) -> dict[str, dict[str, Any]]:
        """Return what the API says of each task of a run, by its name."""
        found = self.ask("GET", f"dags/{DAG}/dagRuns/{run}/taskInstances", params={"limit": 100})["task_instances"]
        return {task["task_id"]: task for task in found}

    def logs(self, run: str) -> str:
        """Return what the tasks of a run said, all tries."""
        files = sorted((self.folder / "logs" / f"dag_id={DAG}" / f"run_id={run}").rglob("attempt=*.log"))
        return "\n".join(f"{path}\n{path.read_text(encoding='utf-8')}" for path in files)

    def close(self) -> None:
        """End the pieces, and what they have started."""
        for piece in reversed(self._pieces):
            piece.send_signal(signal.SIGTERM)
        for piece in reversed(self._pieces):
            try:
                piece.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(piece.pid, signal.SIGKILL)
                piece.wait()
        self._client.close()
