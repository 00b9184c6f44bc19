"""What need not run again: a fingerprint of what each step depends on, written only when it changes.

A step depends on its notebook, on its parameters, on the lock of the packages and on the modules of `forecasting` that it imports,
directly or through others. `plots` and `tables` are left out for the numbered steps, because they show what these computed and can change
no number: so a new colour renders the report again and retrains nothing.
"""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

from forecasting.files import digest, folder_hash
from forecasting.run import params

WEIGHTS = ("*.ckpt", "normalization.json")  # what forecasts hang on in a folder `pretrained`; a card changes none
PRESENTATION = {"forecasting.plots", "forecasting.tables"}


def notebook_code(notebook: Path) -> list[str]:
    """Return the sources of a notebook's cells: what counts of it, whatever its outputs and metadata."""
    return ["".join(cell["source"]) for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]]


def code_cells(notebook: Path) -> str:
    """Return the code of a notebook as one text, without magics."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    lines = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


def imported(code: str, package: Path) -> set[str]:
    """Return the modules of `forecasting` that this code uses, for example {'forecasting.evaluation.metrics'}.

    A room's door only hands names on: `from forecasting.evaluation import leaderboard`, or `evaluation.leaderboard`, counts as the
    module that the name comes from, so that a change elsewhere in the room runs nothing again.
    """
    found, doors, used = set(), {}, set()
    for node in names_in(code):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "forecasting"}
        elif (
            isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "forecasting"
        ):
            for alias in node.names:
                name = origin(node.module, alias.name, package)
                if module_file(name, package).name == "__init__.py" and name == f"{node.module}.{alias.name}":
                    doors[alias.asname or alias.name] = name
                else:
                    found.add(name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add((node.value.id, node.attr))
    return found | {origin(doors[room], name, package) for room, name in used if room in doors}


@cache
def names_in(code: str) -> tuple[ast.AST, ...]:
    """Return the imports and the attributes in code: what all steps that reach a module ask of it, read once."""
    return tuple(
        node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom | ast.Attribute)
    )


def origin(module: str, name: str, package: Path) -> str:
    """Return the module that gives `name` to whoever imports it from `module`: a module of that name, or whose name the door hands on."""
    if module_file(f"{module}.{name}", package):
        return f"{module}.{name}"
    return handed_on(module, package).get(name, module)


@cache
def handed_on(module: str, package: Path) -> dict[str, str]:
    """Return which module each name comes from that a room's door hands on; nothing where the module is no door."""
    file = module_file(module, package)
    if file.name != "__init__.py":
        return {}
    lines = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    inner = [node for node in lines if f"{node.module}.".startswith(f"{module}.")]
    return {alias.name: origin(node.module, alias.name, package) for node in inner for alias in node.names}


def module_file(name: str, package: Path) -> Path | None:
    """Return the file of a module of `forecasting`, or None if there is none of that name."""
    base = package.joinpath(*name.split(".")[1:])
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


@cache
def closure(names: frozenset[str], package: Path, leave_out: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return all modules reached from `names` through imports, those of `leave_out` and what only they import excepted."""
    seen: set[str] = set()
    waiting = set(names) - leave_out
    while waiting:
        name = waiting.pop()
        seen.add(name)
        code = module_file(name, package).read_text(encoding="utf-8")
        waiting |= imported(code, package) - seen - leave_out
    return tuple(sorted(seen))


def modules_hash(names: set[str], package: Path, leave_out: set[str] = frozenset()) -> str:
    """Return one hash over the text of the modules and of all that they import, and over weights that come with them."""
    reached = closure(frozenset(names), package, frozenset(leave_out))
    files = {name: module_file(name, package) for name in reached}
    weights = sorted({file.parent / "pretrained" for file in files.values() if (file.parent / "pretrained").is_dir()})
    texts = [(name, file.read_text(encoding="utf-8")) for name, file in files.items()]
    return digest(texts + [("weights", folder_hash(folder, WEIGHTS)) for folder in weights])


def step_stamp(root: Path, notebook: Path, values: dict[str, Any], page: bool = False) -> str:
    """Return the stamp of one notebook: its own text, its parameters, the modules it needs and the lock.

    `values` are the resolved parameters of the domain; only those that the notebook declares count.
    """
    package = root / "src" / "forecasting"
    leave_out = set() if page else PRESENTATION
    needed = modules_hash(notebook_modules(notebook, package), package, leave_out)
    return digest([notebook_code(notebook), needed, lock_hash(root)], params.for_notebook(values, notebook))


def notebook_modules(notebook: Path, package: Path) -> set[str]:
    """Return the modules that a notebook imports, its model family included, which is found by its name while the notebook runs."""
    family = notebook.stem.removeprefix("20_train_")
    found = {f"forecasting.models.{family}"} if family != notebook.stem else set()
    return found | imported(code_cells(notebook), package)


@cache
def lock_hash(root: Path) -> str:
    """Return the hash of the versions in the lock file; a checksum more, of another build of the same release, changes nothing."""
    lines = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return digest([line for line in lines if not line.startswith(" ")])
