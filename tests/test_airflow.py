"""deploy/airflow without Airflow: the DAG's graph by a stand-in for its modules, its Make targets by make itself, and the lock.

`make airflow-test` has the rest, with Airflow's real scheduler.
"""

import datetime as dt
import json
import re
import runpy
import subprocess
import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from container_files import compose, instructions, program, rests
from forecasting.contracts import DOMAINS
from project_copy import ProjectCopy

GROUP = ("train", "log", "predict", "persist")
SETTINGS = {"NAME": "acme", "AS_OF": "2024-12-31", "RETRAIN": ""}


@dataclass
class Task:
    """Stands for BashOperator: keeps what it is given, and which tasks come after it."""

    task_id: str
    bash_command: str
    execution_timeout: dt.timedelta
    retries: int | None = None
    is_teardown: bool = False
    after: set[str] = field(default_factory=set)
    known: ClassVar[dict[str, "Task"]] = {}
    group: ClassVar[list[str]] = []

    def __post_init__(self) -> None:
        self.task_id = ".".join([*self.group, self.task_id])
        assert self.task_id not in self.known
        self.known[self.task_id] = self

    def __rshift__(self, other: "Task") -> "Task":
        self.after.add(other.task_id)
        return other

    def as_teardown(self) -> "Task":
        self.is_teardown = True
        return self


class Within:
    """Stands for DAG and TaskGroup."""

    made: ClassVar[dict[str, Any]] = {}

    def __init__(self, group_id: str = "", **settings: Any) -> None:
        self.name = [group_id] if group_id else []
        Within.made.update(settings)

    def __enter__(self) -> None:
        Task.group.extend(self.name)

    def __exit__(self, *_: object) -> None:
        del Task.group[len(Task.group) - len(self.name) :]


@pytest.fixture(scope="module")
def dag(root) -> SimpleNamespace:
    """The DAG's tasks and settings, and what else its file defines."""
    operators, sdk = ModuleType("airflow.providers.standard.operators.bash"), ModuleType("airflow.sdk")
    operators.BashOperator, sdk.DAG, sdk.TaskGroup = Task, Within, Within
    sdk.Param = lambda default, **rule: SimpleNamespace(default=default, **rule)
    sdk.CronTriggerTimetable = lambda cron, timezone: (cron, timezone)
    names = operators.__name__.split(".")
    packages = {".".join(names[:n]): ModuleType(".".join(names[:n])) for n in range(1, len(names))}
    Task.known.clear()
    with pytest.MonkeyPatch.context() as patch:
        for module in (operators, sdk, *packages.values()):
            patch.setitem(sys.modules, module.__name__, module)
        defined = runpy.run_path(str(root / "deploy/airflow/dags/monthly_forecast.py"))
    return SimpleNamespace(tasks=dict(Task.known), settings=dict(Within.made), **defined)


def test_the_graph_is_the_flow(dag):
    """data → check (each domain) → decide → train → log → predict → persist (each domain) → report → alerts."""
    after = {name: task.after for name, task in dag.tasks.items()}
    expected = {"data": {f"check_{domain}" for domain in DOMAINS}, "report": {"alerts"}, "alerts": set()}
    expected["decide"] = {f"{domain}.train" for domain in DOMAINS}
    for domain in DOMAINS:
        expected[f"check_{domain}"] = {"decide"}
        for task, following in zip(GROUP, [*(f"{domain}.{task}" for task in GROUP[1:]), "report"], strict=True):
            expected[f"{domain}.{task}"] = {following}
    assert after == expected


def test_one_task_at_a_time_retried_and_with_an_end(dag):
    """Stages refuse one another: one slot for all. Alerts are told once, and fail nothing but themselves."""
    defaults = dag.settings["default_args"]
    assert defaults["pool"] == "forecasting" and defaults["retries"] >= 1 and dag.settings["max_active_runs"] == 1
    assert all(dt.timedelta(0) < task.execution_timeout <= dt.timedelta(hours=12) for task in dag.tasks.values())
    special = {name for name, task in dag.tasks.items() if task.is_teardown or task.retries is not None}
    assert special == {"alerts"} and dag.tasks["alerts"].is_teardown and dag.tasks["alerts"].retries == 0


def test_every_task_is_a_make_target_that_takes_the_settings_as_they_were_typed(dag, root, tmp_path):
    """By make itself, in a project where nothing is built: it knows the target, and no sign in a setting is a command."""
    copy = ProjectCopy.of(root, tmp_path / "project")
    odd = {**SETTINGS, "NAME": 'a"; touch caught; "b', "RETRAIN": "1"}
    targets = set()
    for task in dag.tasks.values():
        command, target = re.fullmatch(r"exec (make (\S+) (?:DOMAIN=\w+ )?.*)", task.bash_command).groups()
        targets.add(target)
        dry = command.replace("make ", f"make --dry-run READY= VENV={sys.prefix} FC=forecasting ", 1)
        environment = {**copy.environment(), **odd}
        done = subprocess.run(["bash", "-c", dry], cwd=copy.path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "forecasting" in done.stdout
    assert targets == {"alerts", *(f"cycle-{name}" for name in ("data", "check", "decide", *GROUP, "report"))}
    assert not list(copy.path.rglob("caught"))
    assert set(dag.settings["default_args"]["env"]) == set(SETTINGS)


def test_the_page_speaks_of_targets_that_there_are(dag, root):
    """docs/schedule.md names every stage, in the order in which the tasks run."""
    page = (root / "docs" / "schedule.md").read_text(encoding="utf-8")
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    asked = set(re.findall(r"`make ([a-z-]+)", page))
    known = set(re.findall(r"(?m)^([a-z-]+):", makefile)) | {f"cycle-{task}" for task in ("check", *GROUP)}
    assert asked <= known
    stages = re.findall(r"(?m)^\| `make cycle-(\w+)", page)
    assert stages == ["data", "check", "decide", *GROUP, "report"]


def test_the_files_own_project_is_the_default(dag, root):
    assert root.resolve() == dag.PROJECT and f"'{dag.PROJECT}'" in dag.settings["default_args"]["cwd"]


@given(
    moment=st.datetimes(dt.datetime(2000, 2, 1), dt.datetime(2099, 12, 31), timezones=st.just(dt.UTC)),
    by_hand=st.booleans(),
)
def test_what_is_known_ends_with_the_month_before(dag, moment, by_hand):
    """Whatever day the logical date is: a day later would be in the month that goes on. By hand there may be none: then now counts."""
    run = SimpleNamespace(logical_date=None if by_hand else moment, run_after=moment if by_hand else dt.datetime.max)
    last = dt.date.fromisoformat(dag.month_end(run))
    following = last + dt.timedelta(days=1)
    assert (following.year, following.month, following.day) == (moment.year, moment.month, 1)


def test_the_month_is_that_of_the_companys_clock(root, dag, monkeypatch):
    """Half past six on the 1st of March in Tokyo is still February by UTC."""
    monkeypatch.setitem(dag.month_end.__globals__, "TIME_ZONE", "Asia/Tokyo")
    assert dag.month_end(SimpleNamespace(logical_date=dt.datetime(2024, 2, 29, 21, 30, tzinfo=dt.UTC))) == "2024-02-29"


@pytest.mark.parametrize(("name", "good", "bad"), [
    ("name", ["acme", "a-b_C9"], ["$(shell x)", "a b", "../x", ""]),
    ("as_of", ["2024-02-29"], ["$(shell x)", "yesterday", "2024-2-9", ""]),
])  # fmt: skip
def test_who_triggers_a_run_can_give_no_command(dag, name, good, bad):
    """Make expands what it is given."""
    pattern = dag.settings["params"][name].pattern
    assert all(re.search(pattern, text) for text in good) and not any(re.search(pattern, text) for text in bad)


# --- its environment


@pytest.fixture(scope="module")
def pins(root) -> dict[str, Requirement]:
    text = (root / "deploy/airflow/requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(index|find)", text)
    found = [Requirement(line.removesuffix(" \\")) for line in text.splitlines() if re.match(r"\w", line)]
    assert len(re.findall(r"(?m)^\w.* \\\n    --hash=sha256:[0-9a-f]{64}", text)) == len(found) > 20
    return {canonicalize_name(pin.name): pin for pin in found}


def test_the_lock_pins_what_the_list_asks_for(root, pins):
    lines = (root / "deploy/airflow/requirements.in").read_text(encoding="utf-8").splitlines()
    asked = [Requirement(line.split("#")[0]) for line in lines if re.match(r"\w", line)]
    assert {"apache-airflow", "apache-airflow-providers-standard", "fastapi"} <= {each.name for each in asked}
    for requirement in asked:
        (version,) = pins[canonicalize_name(requirement.name)].specifier
        assert version.operator == "==" and version.version in requirement.specifier


def test_airflow_never_comes_into_our_environment(root):
    for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock"):
        assert "airflow" not in (root / name).read_text(encoding="utf-8")


# --- its container


@pytest.fixture(scope="module")
def service(root) -> dict[str, Any]:
    return compose(root / "deploy/airflow/compose.yaml", {"FORECASTING_NAME": "acme"})


def test_the_files_pass_linter_and_schema(root):
    folder = root / "deploy" / "airflow"
    check = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(folder / "compose.yaml")]
    for command in ([program("hadolint"), "--no-color", str(folder / "Dockerfile")], check):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_container_has_what_the_dag_asks_for(root, service, dag):
    """The same image and volumes as the other services, the pool of the DAG, its settings; and no right that it does not need."""
    steps, airflow = instructions(root / "deploy/airflow/Dockerfile"), service["services"]["airflow"]
    others = compose(root / "deploy/compose.yaml")
    assert rests(steps, "FROM")[1] == others["services"]["api"]["image"]
    assert {name: each["name"] for name, each in service["volumes"].items() if each} == {
        name: f"{others['name']}_{name}" for name in ("data", "runs", "facts")
    }
    assert airflow["read_only"] and airflow["cap_drop"] == ["ALL"] and rests(steps, "USER", 1)[-1] == "10001"
    assert airflow["ports"] == ["127.0.0.1:8080:8080"]
    (start,) = json.loads(rests(steps, "CMD")[-1])
    assert f"airflow pools set {dag.settings['default_args']['pool']} 1 " in start and start.endswith(
        "exec airflow standalone"
    )
    assert airflow["environment"]["AIRFLOW_VAR_FORECASTING_NAME"] == "acme"
    assert airflow["environment"]["FORECASTING_SCHEDULE"] == dag.SCHEDULE
    assert airflow["environment"]["FORECASTING_TIME_ZONE"] == dag.TIME_ZONE
    copied = {name for rest in rests(steps, "COPY") if "--from" not in rest for name in rest.split()[:-1]}
    lines = (root / "deploy/airflow/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert (
        all((root / name).exists() for name in copied)
        and {line[1:] for line in lines if line.startswith("!")} == copied
    )
