"""deploy/: its files by linter and schema, and what they name against the project."""

import importlib.metadata
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from container_files import Instruction, compose, instructions, pairs, program, rests, shell_lines, variables_named
from forecasting.api import state
from forecasting.api.__main__ import KEY_VARIABLE
from forecasting.api.limits import KEY_HEADER, OPEN

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
DOCKERFILE, COMPOSE, EXAMPLE = DEPLOY / "Dockerfile", DEPLOY / "compose.yaml", DEPLOY / ".env.example"
SERVERS = ("api", "dashboard", "mlflow")


@pytest.fixture(scope="module")
def steps() -> list[Instruction]:
    return instructions(DOCKERFILE)


def services(**variables: str) -> dict[str, Any]:
    return compose(COMPOSE, variables)["services"]


# --- the files alone


def test_the_dockerfile_passes_the_linter():
    done = subprocess.run([program("hadolint"), "--no-color", str(DOCKERFILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_follows_its_specification(tmp_path):
    check = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(COMPOSE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text(encoding="utf-8").replace("    command:", "    comand:"), encoding="utf-8")
    assert subprocess.run([*check, str(wrong)], capture_output=True).returncode == 1


def test_the_image_is_small_and_runs_without_rights(steps):
    final = max(step.stage for step in steps)
    assert final == 1
    (python,) = [rest.removeprefix("PYTHON=") for rest in rests(steps, "ARG") if rest.startswith("PYTHON=")]
    assert re.fullmatch(r"3\.11-slim-\w+", python)
    assert rests(steps, "FROM") == ["python:${PYTHON} AS packages", "python:${PYTHON}"]
    (installed,) = re.findall(r"apt-get install (.*?)&&", " ".join(rests(steps, "RUN")))
    assert [word for word in installed.split() if not word.startswith("-")] == ["libgomp1", "make"]
    assert not re.search(r"\b(pip|curl|wget|gcc)\b", " ".join(rests(steps, "RUN", final)))
    (user,) = rests(steps, "USER", final)
    assert int(user) > 1000 and f"--uid {user}" in " ".join(rests(steps, "RUN", final))
    assert all("=" not in rest or KEY_VARIABLE not in rest for _, _, rest in steps)


def test_what_changes_often_comes_last(steps):
    first = rests(steps, "COPY", 0)
    assert [rest.split() for rest in first] == [["requirements.lock", "pyproject.toml", "environment.py", "./"]]
    last = rests(steps, "COPY", 1)
    assert last[0].startswith("--from=packages") and last[-1] == "src src"


def test_only_what_the_image_needs_travels_to_the_build(root, steps):
    copied = {name for rest in rests(steps, "COPY") if "--from" not in rest for name in rest.split()[:-1]}
    assert all((root / name).exists() for name in copied)
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*" and {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert not copied & {"data", "runs", "tests", ".venv", ".git", ".", "deploy"}


def test_the_image_holds_what_the_code_imports_and_nothing_for_tests_alone(root, steps):
    (install,) = [rest for rest in rests(steps, "RUN", 0) if "environment.py" in rest]
    assert install.endswith("python environment.py")  # not «environment.py test»
    lock = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.removesuffix(" \\")) for line in lock if re.match(r"\w", line)]
    held = {canonicalize_name(pin.name) for pin in pins if pin.marker is None or pin.marker.evaluate()}
    groups = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    left_out = {canonicalize_name(Requirement(each).name) for each in groups["test"]} - held
    assert {"playwright", "schemathesis", "hypothesis", "pytest"} <= left_out
    owners = importlib.metadata.packages_distributions()
    code = "\n".join(path.read_text(encoding="utf-8") for path in (root / "src").rglob("*.py"))
    imported = {name for name in re.findall(r"^\s*(?:from|import) (\w+)", code, re.MULTILINE) if name in owners}
    assert imported - {"forecasting"} and not {
        name for name in imported - {"forecasting"} if not {canonicalize_name(each) for each in owners[name]} & held
    }


def test_a_mirror_for_torch_may_be_named_and_nothing_is_handed_on_where_none_is(steps):
    (argument,) = [rest for rest in rests(steps, "ARG", 0) if rest.startswith("TORCH")]
    (install,) = [rest for rest in rests(steps, "RUN", 0) if "environment.py" in rest]
    assert argument == "TORCH_INDEX=" and 'PIP_EXTRA_INDEX_URL="${TORCH_INDEX}"' in install
    assert services(FORECASTING_TORCH_INDEX="https://mirror.example")["api"]["build"]["args"] == {
        "TORCH_INDEX": "https://mirror.example"
    }


# --- what they name, against the project


def test_every_service_asks_make_for_a_target_with_settings_it_knows(root):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    settings = " ".join(re.findall(r"foreach setting,([A-Z_ ]+),", makefile))
    targets = {"api": "serve", "dashboard": "dashboard", "mlflow": "mlflow", "report": "report"}
    for name, target in targets.items():
        found, *values = services(FORECASTING_SOURCE="csv")[name]["command"]
        assert found == target and re.search(rf"(?m)^{target}: \$\(READY\)", makefile)
        assert {value.split("=")[0] for value in values} <= {*settings.split(), "NAME"}
        assert "HOST=0.0.0.0" in values or name == "report"


def test_the_report_is_made_of_the_facts_that_are_named():
    def settings(**variables):
        return services(**variables)["report"]["command"][1:]

    assert settings() == ["NAME=sample", "SOURCE=", "FACTS="]
    assert settings(FORECASTING_NAME="acme", FORECASTING_SOURCE="csv") == ["NAME=acme", "SOURCE=csv", "FACTS=/facts"]
    assert "/srv/acme:/facts:ro" in services(FORECASTING_FACTS="/srv/acme")["report"]["volumes"]
    assert "facts:/facts:ro" in services()["report"]["volumes"]


def test_ports_agree_with_make_and_are_open_to_this_machine_alone(root, steps):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    found = services()
    for name in SERVERS:
        recipe = re.search(rf"(?m)^{found[name]['command'][0]}:.*\n((?:\t.*\n)+)", makefile)[1]
        (port,) = re.findall(r"\$\(or \$\(PORT\),(\d+)\)", recipe)
        assert found[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert found[name]["healthcheck"]["test"][3] == port
        assert port in rests(steps, "EXPOSE")[0].split()
    assert found["prometheus"]["ports"] == ["127.0.0.1:9090:9090"]
    chosen = services(FORECASTING_ADDRESS="0.0.0.0", FORECASTING_API_PORT="80")
    assert chosen["api"]["ports"] == ["0.0.0.0:80:8000"]
    (of_image,) = rests(steps, "HEALTHCHECK")
    assert json.loads(of_image.split("CMD ")[1]) == found["api"]["healthcheck"]["test"][1:]


def test_servers_cannot_write_and_lost_processes_come_back(root, steps):
    found, whole = services(), compose(COMPOSE)
    for name in SERVERS:
        assert found[name]["restart"] == "unless-stopped" and "healthcheck" in found[name]
        assert found[name]["volumes"] and all(volume.endswith(":ro") for volume in found[name]["volumes"])
    for name, service in found.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        sources = [volume.split(":")[0] for volume in service["volumes"]]
        assert all(source in whole["volumes"] or (DEPLOY / source).exists() for source in sources), name
    made = " ".join(rests(steps, "RUN", 1))
    assert all(target in made for target in ("/app/data", "/app/runs"))  # else nobody but root could fill the volumes
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {found[name]["image"] for name in (*SERVERS, "report")} == {f"forecasting:{version}"}
    assert re.fullmatch(r"prom/prometheus:v\d+\.\d+\.\d+", found["prometheus"]["image"])


def test_the_example_names_every_variable_with_its_default_and_holds_no_secret():
    example, named = pairs(EXAMPLE), variables_named(COMPOSE)
    assert set(example) == set(named) and KEY_VARIABLE in named
    inside = {"FORECASTING_FACTS", "FORECASTING_DATA_CAME_FROM"}  # defaults that only containers know
    assert all(example[name] == (default or "") for name, default in named.items() if name not in inside)
    assert example[KEY_VARIABLE] == "" and services()["api"]["environment"][KEY_VARIABLE] == ""
    assert services(**{KEY_VARIABLE: "k"})["api"]["environment"][KEY_VARIABLE] == "k"
    assert (DEPLOY.parent / ".gitignore").read_text(encoding="utf-8").splitlines().count(".env") == 1


def test_prometheus_asks_the_api_for_what_it_has():
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    name, port = target.split(":")
    assert services()[name]["ports"][0].endswith(f":{port}") and services()[name]["command"][0] == "serve"
    paths = {route.path for route in state.router.routes}
    assert job["metrics_path"] in paths and services()[name]["healthcheck"]["test"][4] in paths & set(OPEN)
    assert list(job["http_headers"]) == [KEY_HEADER]


@pytest.mark.parametrize("key", ["", "s3cret %s $HOME"])
def test_prometheus_gets_the_key_by_a_file_that_only_it_can_read(tmp_path, key):
    """The container's own line, with another program in Prometheus' place."""
    shell, option, line, name = services()["prometheus"]["entrypoint"]
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    ((file,),) = [header["files"] for header in job["http_headers"].values()]
    assert line.count(file) == 1 and line.endswith('exec /bin/prometheus "$@"')
    line = line.replace(file, str(tmp_path / "key")).replace("/bin/prometheus", "echo")
    words = services()["prometheus"]["command"]
    done = subprocess.run([shell, option, line, name, *words], env={KEY_VARIABLE: key}, capture_output=True, text=True)
    assert done.stdout.split() == words and words[0].endswith("/etc/prometheus/prometheus.yml")
    assert (tmp_path / "key").read_text() == key and (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_the_page_speaks_of_services_that_are_there():
    lines = [words for words in shell_lines(DEPLOY / "README.md") if words[:2] == ["docker", "compose"]]
    known, profiles = services(), {"report", "monitoring"}
    assert {profile for each in known.values() for profile in each.get("profiles", [])} == profiles
    runs = [words for words in lines if "run" in words]
    assert len(runs) >= 5 and all("report" in words for words in runs)
    assert all(words[words.index("--profile") + 1] in profiles for words in lines if "--profile" in words)
