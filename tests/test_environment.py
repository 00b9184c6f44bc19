"""pyproject.toml, the locks and environment.yml speak of the same packages, this environment holds them, and environment.py fills one."""

import ast
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from time import time

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import LONGEST
from project_copy import ProjectCopy

LOCKS = ("requirements.lock", "requirements-test.lock")


@pytest.fixture(scope="module")
def locks(root) -> dict[str, list[Requirement]]:
    """The pins of both locks, without their hashes."""
    texts = {name: (root / name).read_text(encoding="utf-8") for name in LOCKS}
    return {
        name: [Requirement(line.removesuffix(" \\")) for line in text.splitlines() if re.match(r"\w", line)]
        for name, text in texts.items()
    }


@pytest.fixture(scope="module")
def asked(root) -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for, by the lock that pins it."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    groups = (settings["project"]["dependencies"], settings["dependency-groups"]["test"])
    return {lock: [Requirement(line) for line in lines] for lock, lines in zip(LOCKS, groups, strict=True)}


def names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(each.name) for each in requirements}


@pytest.fixture
def environment(root, monkeypatch):
    """The module environment.py, on a Linux machine without a graphics card."""
    spec = importlib.util.spec_from_file_location("environment", root / "environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.delenv("TORCH", raising=False)
    return module


# --- the locks


def test_the_locks_pin_every_package_that_is_asked_for(locks, asked):
    for name, requirements in asked.items():
        pins = locks["requirements.lock"] + (locks[name] if name != "requirements.lock" else [])
        pinned = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in pins}
        for requirement in requirements:
            version = pinned.get(canonicalize_name(requirement.name))
            assert version and requirement.specifier.contains(version), f"{requirement}: run `make lock`"


def test_no_package_is_in_both_locks_and_none_of_the_tests_alone_in_that_of_runs(locks, asked):
    assert not names(locks["requirements.lock"]) & names(locks["requirements-test.lock"])
    assert {"pytest", "playwright", "schemathesis", "import-linter"} <= names(locks["requirements-test.lock"])


def test_the_locks_hold_exact_versions_with_hashes_and_no_addresses(root, locks):
    for name, pins in locks.items():
        assert all(
            len(pin.specifier) == 1 and next(iter(pin.specifier)).operator == "==" and pin.url is None for pin in pins
        )
        text = (root / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|--(index|find)", text)
        hashed = re.findall(r"(?m)^\w.* \\\n    --hash=sha256:[0-9a-f]{64}", text)
        assert len(hashed) == len(pins) > 20
        assert not re.search(r"(?m)^(nvidia|cuda|triton)", text)  # torch asks for them where its build needs them


def test_this_environment_is_the_locks(locks):
    for pin in [pin for pins in locks.values() for pin in pins]:
        if pin.marker is None or pin.marker.evaluate():
            found = importlib.metadata.version(pin.name).split("+")[0]  # torch names its build: 2.13.0+cpu
            assert found == next(iter(pin.specifier)).version


def test_the_locks_are_complete(locks, asked):
    """They are installed without asking what each package needs: so what it needs must be there."""
    for lock in LOCKS:
        pinned = names(locks["requirements.lock"]) | names(locks[lock])
        waiting, seen = list(asked[lock]), set()
        while waiting:
            requirement = waiting.pop()
            extras = [{"extra": extra} for extra in requirement.extras or {""}]
            key = (canonicalize_name(requirement.name), *sorted(requirement.extras))
            if key not in seen:
                seen.add(key)
                assert key[0] in pinned, f"{requirement} is not in {lock}"
                needs = map(Requirement, importlib.metadata.requires(key[0]) or [])
                waiting += [need for need in needs if need.marker is None or any(map(need.marker.evaluate, extras))]


def test_conda_users_get_the_same_lock_and_quarto(root):
    """environment.yml brings what pip cannot; the packages come from the lock, by the same rule of make."""
    entries = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))
    assert entries["name"] == "forecasting"
    assert {each.split("=")[0] for each in entries["dependencies"]} == {"python", "make", "quarto", "pip"}


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_the_modules_import_only_what_the_project_asks_for(root, asked, folder):
    """A package that something imports but nobody lists would be there by accident; code may not need what only tests get."""
    listed = names(asked["requirements.lock"] + (asked["requirements-test.lock"] if folder == "tests" else []))
    owners = importlib.metadata.packages_distributions()
    found = set()
    for path in (root / folder).rglob("*.py"):
        found |= set(re.findall(r"^(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    foreign = {name for name in found if name in owners and name != "forecasting"}
    unlisted = {name for name in foreign if not {canonicalize_name(owner) for owner in owners[name]} & listed}
    assert foreign and unlisted <= {
        "packaging",
        "nbformat",
        "jupyter_client",
        "jupyter_core",
        "nbclient",
        "IPython",
        "traitlets",
    }  # parts of jupyterlab


def test_the_files_that_are_run_first_are_there(root):
    assert [name for name in LONGEST if not (root / "tests" / f"{name}.py").exists()] == []


# --- environment.py: who is asked for what, with nobody asked in truth


class Asked(list):
    """Takes the place of `done`: keeps every command as one line and succeeds but for those that hold one of these words."""

    def __init__(self, *failing: str):
        self.failing = failing

    def __call__(self, *command: str | Path, show: bool = True) -> bool:
        line = " ".join(map(str, command))
        self.append(line.replace(f"{sys.executable} -m ", ""))
        return not any(word in line for word in self.failing)


def torch_asked(environment, monkeypatch, *failing: str, uv: bool = True) -> list[str]:
    """Return what is asked for where torch is not there yet and commands with these words fail."""
    asked = Asked(*failing)
    monkeypatch.setattr(environment, "done", asked)
    monkeypatch.setattr(environment, "installed", lambda name: None)
    environment.install_torch(uv)
    return asked


def test_torch_as_built_for_processors_is_taken_from_where_pip_finds_it(environment, monkeypatch):
    download, install = torch_asked(environment, monkeypatch)
    assert download.startswith("pip") and download.endswith(f"torch=={environment.pinned('torch')}+cpu")
    assert install.startswith("uv pip install") and "--no-index --find-links" in install
    assert not Path(sys.prefix, "torch.running").exists()


def test_else_from_the_index_of_pytorch_by_uv(environment, monkeypatch):
    assert "--torch-backend cpu" in torch_asked(environment, monkeypatch, "+cpu")[-1]


@pytest.mark.parametrize(("uv", "tries"), [(True, 2), (False, 1)])
def test_without_a_small_build_nothing_large_is_taken_unasked(environment, monkeypatch, uv, tries):
    """The usual build of torch is never asked for; the sentence names both ways out."""
    asked = Asked("+cpu", "--torch-backend")
    monkeypatch.setattr(environment, "done", asked)
    monkeypatch.setattr(environment, "installed", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        environment.install_torch(uv)
    assert "TORCH=cuda" in stopped.value.code and "PIP_EXTRA_INDEX_URL" in stopped.value.code
    assert len(asked) == tries and all("+cpu" in line or "--torch-backend cpu" in line for line in asked)


@pytest.mark.parametrize("reason", ["asked for", "card", "macOS"])
def test_the_usual_build_where_it_is_welcome_or_small(environment, monkeypatch, reason):
    if reason == "asked for":
        monkeypatch.setenv("TORCH", "cuda")
    elif reason == "card":
        monkeypatch.setattr(environment.shutil, "which", lambda name: "/usr/bin/nvidia-smi" * (name == "nvidia-smi"))
    else:
        monkeypatch.setattr(environment.sys, "platform", "darwin")
    (line,) = torch_asked(environment, monkeypatch)
    assert line.startswith("uv pip install") and line.endswith(f"--no-deps torch=={environment.pinned('torch')}")


def test_torch_that_is_there_is_left_alone(environment, monkeypatch):
    monkeypatch.setattr(environment, "done", asked := Asked())
    environment.install_torch(True)
    assert asked == []


def filled(environment, monkeypatch, lock: str, *failing: str) -> list[str]:
    """Return what is asked for to fill this environment by a lock while commands with these words fail."""
    monkeypatch.setattr(environment, "done", asked := Asked(*failing))
    monkeypatch.setattr(environment, "forget_what_was_interrupted", lambda: None)
    monkeypatch.setattr(environment, "tell_uv_where_pip_looks", lambda: None)
    monkeypatch.setattr(environment, "installed", lambda name: environment.pinned("torch") if name == "torch" else None)
    environment.fill(getattr(environment, lock))
    return asked


def test_everything_else_is_taken_by_uv_as_locked(environment, monkeypatch, root):
    fetched, lock, torch, project = filled(environment, monkeypatch, "LOCK")
    assert fetched.startswith("pip") and "--requirement" in fetched
    assert lock.startswith("uv pip install") and lock.endswith(f"--no-deps --requirement {root / 'requirements.lock'}")
    assert torch.endswith(f"torch=={environment.pinned('torch')}") and "--no-deps" not in torch
    assert project.endswith(f"--no-deps --no-build-isolation --editable {root}")


def test_what_only_tests_need_is_added_by_itself(environment, monkeypatch, root):
    assert filled(environment, monkeypatch, "TEST_LOCK")[1:] == [
        f"uv pip install --quiet --python {sys.executable} --no-deps --requirement {root / 'requirements-test.lock'}"
    ]


def test_what_only_pretraining_needs_is_added_by_itself(environment, monkeypatch, root):
    assert filled(environment, monkeypatch, "PRETRAIN_LOCK")[1:] == [
        f"uv pip install --quiet --python {sys.executable} --no-deps --requirement {root / 'requirements-pretrain.lock'}"
    ]


def test_airflow_gets_its_own_lock_and_nothing_of_ours(environment, monkeypatch, root):
    lock = root / "deploy" / "airflow" / "requirements.lock"
    assert filled(environment, monkeypatch, "AIRFLOW_LOCK")[1:] == [
        f"uv pip install --quiet --python {sys.executable} --no-deps --requirement {lock}"
    ]


@pytest.mark.parametrize("failing", ["uv.lock", "uv pip"])  # uv is not to be had; uv fails
def test_pip_goes_on_where_uv_cannot(environment, monkeypatch, failing):
    done = [line for line in filled(environment, monkeypatch, "LOCK", failing) if failing not in line]
    lock, torch, project = [line for line in done if "uv.lock" not in line]
    assert all(line.startswith("pip") for line in (lock, torch, project)) and "--no-deps --requirement" in lock


def test_a_failure_is_said_and_is_one(environment, monkeypatch):
    with pytest.raises(SystemExit, match="the next make goes on"):
        filled(environment, monkeypatch, "LOCK", "--requirement")


def test_uv_looks_where_pip_was_told_to(environment, monkeypatch, tmp_path):
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = https://packages.example/simple\ncert = /ca.pem\n")
    for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.pem")
    environment.tell_uv_where_pip_looks()
    assert environment.os.environ["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert environment.os.environ["SSL_CERT_FILE"] == "/mine.pem"
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    environment.tell_uv_where_pip_looks()
    assert environment.os.environ["UV_DEFAULT_INDEX"] == "https://other.example/simple"
    monkeypatch.delenv("UV_DEFAULT_INDEX")


def test_what_an_interruption_left_in_pieces_is_installed_again(environment, monkeypatch, tmp_path):
    monkeypatch.setattr(environment.sysconfig, "get_path", lambda name: str(tmp_path))
    for name in ("whole-1", "scikit_learn-1", "pandas-2", "pip-23"):
        folder = tmp_path / f"{name}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("")
        (folder / "RECORD").write_text(f"{name}.py,,\n{name}.pyc,,\n{folder.name}/METADATA,,\n{folder.name}/RECORD,,\n")
        (tmp_path / f"{name}.py").write_text("")
    environment.forget_what_was_interrupted()
    assert len(list(tmp_path.glob("*.dist-info"))) == 4
    (tmp_path / "scikit_learn-1.py").unlink()  # a file is missing
    (tmp_path / "pandas-2.dist-info" / "RECORD").unlink()  # the list itself
    (tmp_path / "pip-23.py").unlink()  # not ours
    environment.forget_what_was_interrupted()
    assert {path.name for path in tmp_path.glob("*.dist-info")} == {"whole-1.dist-info", "pip-23.dist-info"}


def test_an_image_has_no_lock_but_ours(environment, monkeypatch, tmp_path):
    """The Dockerfile copies requirements.lock alone."""
    monkeypatch.setattr(environment.sysconfig, "get_path", lambda name: str(tmp_path))
    for name in ("TEST_LOCK", "PRETRAIN_LOCK", "AIRFLOW_LOCK"):
        monkeypatch.setattr(environment, name, tmp_path / name)
    environment.forget_what_was_interrupted()


def test_pinning_leaves_out_cuda_and_tells_the_tests_packages_from_the_others(environment, monkeypatch, tmp_path):
    hashed = {
        name: f"{name}==1 \\\n    --hash=sha256:{name}\n"
        for name in ("nvidia-cublas", "pandas", "pytest", "six", "triton")
    }
    for name in ("LOCK", "TEST_LOCK", "PRETRAIN_LOCK"):
        monkeypatch.setattr(environment, name, tmp_path / name)
    marked = hashed["six"].replace("==1", "==1 ; sys_platform == 'win32'")

    def compiled(*command: str | Path) -> bool:
        text = "".join(hashed.values()) if "--group" in command else hashed["nvidia-cublas"] + hashed["pandas"] + marked
        Path(command[-1]).write_text(text.replace("pytest", "cpi") if "pretrain" in command else text)
        return True

    monkeypatch.setattr(environment, "done", compiled)
    monkeypatch.setattr(environment, "fetch_uv", lambda: True)
    environment.pin()
    assert (tmp_path / "LOCK").read_text() == hashed["pandas"] + marked
    assert (tmp_path / "TEST_LOCK").read_text() == hashed["pytest"] + hashed[
        "six"
    ]  # six: there on every system for tests alone
    pretraining = (tmp_path / "PRETRAIN_LOCK").read_text()
    assert "cpi==1" in pretraining and not {"pandas", "pytest"} & set(pretraining.replace("=", " ").split())


def test_airflows_lock_is_pinned_by_itself(environment, monkeypatch, tmp_path):
    def compiled(*command: str | Path) -> bool:
        assert str(command[-3]).endswith("requirements.in") and "--generate-hashes" in command
        Path(command[-1]).write_text("pinned")
        return True

    monkeypatch.setattr(environment, "AIRFLOW_LOCK", tmp_path / "lock")
    monkeypatch.setattr(environment, "done", compiled)
    monkeypatch.setattr(environment, "fetch_uv", lambda: True)
    environment.pin_airflow()
    assert (tmp_path / "lock").read_text() == "pinned"


def test_environment_py_needs_nothing_but_python(root):
    tree = ast.parse((root / "environment.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


# --- make: when it runs environment.py


@dataclass(frozen=True)
class Clone:
    """A fresh clone with an empty environment, whose environment.py only notes that it ran and fails while a file `broken` lies there."""

    path: Path

    def make(self, *words: str, **variables: str) -> int:
        """Run make and return its exit code."""
        environment = {**ProjectCopy(self.path).environment(), "CONDA_DEFAULT_ENV": "base", **variables}
        line = ["make", *words, f"PYTHON3={sys.executable}"]
        return subprocess.run(line, cwd=self.path, env=environment, capture_output=True).returncode

    def asked(self) -> list[str]:
        """Return what environment.py was run with since this was last asked."""
        notes = self.path / "asked"
        lines = notes.read_text().splitlines() if notes.exists() else []
        notes.unlink(missing_ok=True)
        return lines


@pytest.fixture
def clone(root, tmp_path) -> Clone:
    for name in ("Makefile", "pyproject.toml", *LOCKS):
        shutil.copy(root / name, tmp_path)
    for name in (".venv", "conda"):
        (tmp_path / name / "bin").mkdir(parents=True)
        python = tmp_path / name / "bin" / "python"
        python.write_text(f'#!/bin/sh\nOF={name} exec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
    (tmp_path / "environment.py").write_text(
        "import os, pathlib, sys\n"
        "words = [os.environ['OF'], *sys.argv[1:], os.environ.get('TORCH', '')]\n"
        "with open('asked', 'a') as notes: print(' '.join(words).strip(), file=notes)\n"
        "sys.exit(pathlib.Path('broken').exists())\n"
    )
    return Clone(tmp_path)


def test_a_failed_set_up_is_continued_by_the_next_make_and_a_good_one_is_not_repeated(clone):
    (clone.path / "broken").touch()
    assert clone.make(".venv/ready") != 0 and clone.asked() == [".venv"]
    (clone.path / "broken").unlink()
    assert clone.make(".venv/ready") == 0 and clone.asked() == [".venv"]
    assert clone.make(".venv/ready") == 0 and clone.asked() == []


def test_the_large_torch_is_asked_for_on_makes_command_line(clone):
    assert clone.make(".venv/ready", "TORCH=cuda") == 0 and clone.asked() == [".venv cuda"]


def test_what_only_tests_need_is_added_when_it_is_asked_for(clone):
    assert clone.make(".venv/ready-test") == 0 and clone.asked() == [".venv", ".venv test"]
    os.utime(clone.path / "requirements-test.lock", (time() + 9, time() + 9))
    assert clone.make(".venv/ready") == 0 and clone.asked() == []
    assert clone.make(".venv/ready-test") == 0 and clone.asked() == [".venv test"]


def test_the_environment_of_conda_is_filled_by_the_same_rule(clone):
    conda = {"CONDA_DEFAULT_ENV": "forecasting", "CONDA_PREFIX": str(clone.path / "conda")}
    assert clone.make("test", "TESTS=--version", **conda) == 0
    assert clone.asked() == ["conda", "conda test"]


def test_every_target_sets_up_what_it_needs(root):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    ready = dict(re.findall(r"(?m)^([a-z]+):(.*?)  ## ", makefile))
    assert {name for name, needs in ready.items() if needs == " $(READY_TEST)"} == {
        "test",
        "opening",
        "lint",
        "picture",
    }
    assert {name for name, needs in ready.items() if not needs} == {"help", "clean"}
