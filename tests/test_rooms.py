"""The plan of the house: who may import whom, and that each room is entered by its door."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecasting import models
from forecasting.ledger.tables import PUBLISHED

SHARED = {"contracts", "errors", "files", "plots", "tables"}  # one file each: door and room at once
ENTRANCES = {"__main__", "api", "dashboard"}  # nobody imports them


def rooms(root: Path) -> list[str]:
    """Return the rooms of the package that are folders and that others may enter."""
    folders = sorted(path.parent.name for path in (root / "src" / "forecasting").glob("*/__init__.py"))
    return [name for name in folders if name not in ENTRANCES]


def codes(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield where, of which room, and the code of every module and notebook; notebooks are of no room."""
    package = root / "src" / "forecasting"
    for path in package.rglob("*.py"):
        yield path.relative_to(root).as_posix(), path.relative_to(package).parts[0], path.read_text(encoding="utf-8")
    for path in [*(root / "notebooks").rglob("*.ipynb"), *(root / "reports").glob("*.ipynb")]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        lines = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code").splitlines()
        yield (
            path.relative_to(root).as_posix(),
            "",
            "\n".join(line for line in lines if line[:1] not in "%!" or not line),
        )


def entered(code: str) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of every import from `forecasting` in code, wherever it stands."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "forecasting":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "forecasting")


def test_a_room_imports_only_from_rooms_below_it_and_there_is_no_circle(root):
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_exception_is_listed(root):
    assert "ignore_imports" not in (root / "pyproject.toml").read_text(encoding="utf-8")


def test_a_room_is_entered_by_its_door(root):
    """Whoever is not of a room imports only what its door hands on; the file of a model family is a door as well."""
    own_doors = {f"forecasting.models.{family}" for family in models.families()}
    around = []
    for where, room, code in codes(root):
        for module, name in entered(code):
            _, *inner = module.split(".")
            if not inner or inner[0] in {room, *SHARED} or {module, f"{module}.{name}"} & own_doors:
                continue
            door = importlib.import_module(f"forecasting.{inner[0]}")
            if len(inner) > 1 or name not in door.__all__:
                around.append(f"{where}: {module} {name}")
    assert around == []


def test_every_room_has_a_door_that_says_what_it_is_for(root):
    for name in rooms(root):
        door = importlib.import_module(f"forecasting.{name}")
        assert "In: " in door.__doc__ and "Out: " in door.__doc__, name
        assert door.__all__ == sorted(door.__all__, key=lambda name: (name.upper() != name, name[0].islower(), name)), (
            name
        )
        assert not [each for each in door.__all__ if not hasattr(door, each)]


def test_a_door_only_hands_names_on(root):
    for name in rooms(root):
        body = ast.parse((root / "src" / "forecasting" / name / "__init__.py").read_text(encoding="utf-8")).body
        kinds = {type(node) for node in body[1:]}
        assert kinds <= {ast.ImportFrom, ast.Assign}, name


def texts(code: str) -> Iterator[str]:
    """Yield every text in code; what an f-string puts in is left out."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_only_the_ledger_opens_databases_and_asks_the_published_tables(root):
    """`facts` has DuckDB read files into memory; `training_set` exports what dbt has just built, through the ledger's connection."""
    asks = re.compile(rf"\bselect\b.*\b(from|join)\s+({'|'.join(PUBLISHED)})\b", re.DOTALL)
    opening, asking = set(), []
    for where, room, code in codes(root):
        if re.search(r"^\s*(import|from) duckdb\b", code, re.MULTILINE):
            opening.add(room)
        if room not in {"ledger", "training_set"}:
            asking += [f"{where}: {text}" for text in texts(code) if asks.search(text)]
    assert opening == {"facts", "ledger"} and asking == []


def test_the_rooms_are_shown_in_the_order_of_the_layers(root):
    """Each room once, in a table, from the top down, as the linter's contract has them."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    wanted = [name.strip() for layer in layers for name in layer.split("|")]
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text[text.index("| room, ") :].split("\n\n")[0]
    shown = [name.strip("`/") for line in table.splitlines()[2:] for name in line.split("|")[1].split()]
    assert shown == wanted


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_a_page_names_files_that_are_there(root, document):
    """Every file or folder of the project that it names between backquotes."""
    text = (root / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:src|dbt|notebooks|reports|params|deploy|docs|tests)/[\w./-]*)`", text)) - {
        "params/workspaces/acme.yml"
    }  # the reader's own
    assert len(named) > 10
    assert [name for name in sorted(named) if not (root / name).exists()] == []
