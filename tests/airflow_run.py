"""The DAG of deploy/airflow by Airflow's real scheduler: it must publish what `make monthly` publishes, kills and repetition included.

A small company in a copy of the project, twice: both workspaces begin with the same month by `make monthly`; then one goes on with the
next month by `make monthly`, the other by Airflow. There one task is killed with all that it started, another alone, so that what it
began goes on without it; both are retried. At last Airflow runs once more, which must change nothing. `make airflow-test` calls this file.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from airflow_server import AirflowServer
from endurance import ROOT, tables, write_company
from project_copy import ProjectCopy
from waiting import until

BY_MAKE, BY_AIRFLOW = "by-make", "by-airflow"
FIRST, NEXT = "2024-11-30", "2024-12-31"
KILLED = ("sales.train", "profit.persist")  # with all that it started; alone
PROFILE = "params/smoke.yml"
PATIENCE = 7200.0  # seconds: a run is twenty processes one after another


def company(folder: Path) -> ProjectCopy:
    """Return a copy of the project with the facts of a small company, and its settings for both workspaces."""
    copy = ProjectCopy.of(ROOT, folder / "project").with_families("naive", "linear")
    write_company(copy.path / "sales.csv")
    for name in (BY_MAKE, BY_AIRFLOW):
        shutil.copy(copy.path / PROFILE, copy.path / "params" / "workspaces" / f"{name}.yml")
    return copy


def published(copy: ProjectCopy, name: str) -> dict[str, list[list[str]]]:
    """Return all that a workspace has published, without times and the workspace's name."""
    return json.loads(json.dumps(tables(copy.path / "data" / name)).replace(name, "acme"))


def make_of(task: str) -> int | None:
    """Return the process of the `make` that a task runs, if it runs."""
    domain, stage = task.split(".")
    for folder in Path("/proc").iterdir():
        try:
            words = (
                (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if folder.name.isdecimal()
                else []
            )
        except OSError:  # it has ended
            continue
        if words[:3] == ["make", f"cycle-{stage}", f"DOMAIN={domain}"]:
            return int(folder.name)
    return None


def kill(task: str, copy: ProjectCopy) -> None:
    """Kill a task's `make` while it is at work, the first of KILLED with its whole group."""
    process = until(lambda: make_of(task), patience=PATIENCE)
    if task == KILLED[0]:
        until(lambda: list((copy.path / "runs" / BY_AIRFLOW / "sales").glob("20_*.running*")) or not make_of(task))
        os.killpg(process, signal.SIGKILL)
    else:
        os.kill(process, signal.SIGKILL)


def run(airflow: AirflowServer, run_id: str, settings: dict[str, Any]) -> None:
    """Begin a run of the DAG by hand."""
    print(f"airflow  run «{run_id}»: {settings}", flush=True)
    airflow.trigger(run_id, settings)


def finished(airflow: AirflowServer, run_id: str) -> dict[str, tuple[str, int]]:
    """Wait until a run has ended; print and return the state and the tries of its tasks. It must have ended well."""
    state = until(
        lambda: (found := airflow.state(run_id)) in ("success", "failed") and found, every=2, patience=PATIENCE
    )
    tasks = {task: (found["state"], found["try_number"]) for task, found in airflow.tasks(run_id).items()}
    for task, (ended, tries) in tasks.items():
        print(f"airflow  {task:<18}{ended}{f', at try {tries}' if tries > 1 else ''}", flush=True)
    assert state == "success", airflow.logs(run_id)
    return tasks


def differences(expected: dict[str, list[list[str]]], found: dict[str, list[list[str]]]) -> list[str]:
    """Say which tables differ, with the first row that one has and the other has not."""
    said = []
    for table in sorted({*expected, *found}):
        missing = [row for row in expected.get(table, []) if row not in found.get(table, [])]
        added = [row for row in found.get(table, []) if row not in expected.get(table, [])]
        if missing or added or len(expected[table]) != len(found[table]):
            said.append(
                f"{table}: {len(missing)} rows are missing, {len(added)} others are there: {[*missing[:1], *added[:1]]}"
            )
    return said


def proven(copy: ProjectCopy, airflow: AirflowServer) -> list[str]:
    """Do it all and return what is not as it should be."""
    first = ("monthly-run", "SOURCE=csv", "FACTS=sales.csv", f"AS_OF={FIRST}")
    for words in ((*first, f"NAME={BY_MAKE}"), (*first, f"NAME={BY_AIRFLOW}"),
                  ("monthly", f"NAME={BY_MAKE}", f"AS_OF={NEXT}", "RETRAIN=1")):  # fmt: skip
        print(f"make     {' '.join(words)}", flush=True)
        copy.made(*words)
    airflow.start()
    settings = {"name": BY_AIRFLOW, "as_of": NEXT, "retrain": True}
    run(airflow, "killed", settings)
    for task in KILLED:
        kill(task, copy)
        print(f"airflow  {task} was killed", flush=True)
    tasks = finished(airflow, "killed")
    faults = [f"{task} was not tried again" for task in KILLED if tasks[task][1] < 2]
    expected = published(copy, BY_MAKE)
    faults += [f"after the run, {each}" for each in differences(expected, published(copy, BY_AIRFLOW))]
    run(airflow, "again", settings)
    tasks = finished(airflow, "again")
    faults += [f"{task} needed {tries} tries the second time" for task, (_, tries) in tasks.items() if tries > 1]
    faults += [f"after the second run, {each}" for each in differences(expected, published(copy, BY_AIRFLOW))]
    n_rows = {table: len(rows) for table, rows in expected.items()}
    print(
        f"compared {sum(n_rows.values())} rows of {len(n_rows)} tables, {n_rows['forecasts']} of forecasts", flush=True
    )
    return faults


def main() -> int:
    """Do it and say what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("programs", type=Path, help="the folder of Airflow's programs, .venv-airflow/bin")
    programs = options.parse_args().programs
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="airflow-") as folder:
        copy = company(Path(folder))
        home = Path(folder) / "airflow"
        home.mkdir()
        tasks = {
            **copy.environment(),
            "AIRFLOW_VAR_FORECASTING_HOME": str(copy.path),
            "MAKEFLAGS": f"VENV={Path(sys.executable).parents[1]} READY=",
        }
        airflow = AirflowServer(programs, home, ROOT / "deploy" / "airflow" / "dags", tasks)
        try:
            faults = proven(copy, airflow)
        finally:
            airflow.close()
    for fault in faults:
        print(f"NOT AS IT SHOULD BE: {fault}")
    if not faults:
        print(
            f"Airflow published what make monthly published, kills and repetition included ({time.monotonic() - started:.0f} s)."
        )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
