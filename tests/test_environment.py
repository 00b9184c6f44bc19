"""pyproject.toml, requirements.lock and environment.yml speak of the same packages, and the environment holds them."""

import importlib.metadata
import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import LONGEST


@pytest.fixture(scope="module")
def lock(root):
    lines = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_the_lock_pins_every_package_that_is_asked_for(root, lock):
    asked = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    pinned = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in lock}
    for requirement in map(Requirement, asked):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version and requirement.specifier.contains(version), f"{requirement}: run `make lock`"


def test_the_lock_holds_exact_versions_and_no_addresses(root, lock):
    assert all(
        len(pin.specifier) == 1 and next(iter(pin.specifier)).operator == "==" and pin.url is None for pin in lock
    )
    assert not re.search(r"https?://|--(index|find)", (root / "requirements.lock").read_text(encoding="utf-8"))


def test_this_environment_is_the_lock(lock):
    for pin in lock:
        if pin.marker is None or pin.marker.evaluate():
            found = importlib.metadata.version(pin.name).split("+")[0]  # torch names its build: 2.13.0+cpu
            assert found == next(iter(pin.specifier)).version


def test_conda_users_get_the_same_lock_and_quarto(root):
    entries = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    assert "quarto" in entries
    assert {"--requirement requirements.lock", "--editable ."} == set(
        next(e for e in entries if isinstance(e, dict))["pip"]
    )


def test_the_modules_import_only_what_the_project_asks_for(root):
    """A package that something imports but nobody lists would be there by accident."""
    asked = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {canonicalize_name(Requirement(line).name) for line in asked}
    owners = importlib.metadata.packages_distributions()
    found = set()
    for path in [*(root / "src").rglob("*.py"), *(root / "tests").glob("*.py")]:
        found |= set(re.findall(r"^(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    foreign = {name for name in found if name in owners and name != "forecasting"}
    unlisted = {name for name in foreign if not {canonicalize_name(owner) for owner in owners[name]} & names}
    assert unlisted <= {
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
