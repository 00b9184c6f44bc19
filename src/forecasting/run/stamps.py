"""What need not run again: a fingerprint of what each step depends on, written only when it changes.

A step depends on its notebook, on its parameters, on the lock of the packages and on the modules of `forecasting` that it imports,
directly or through others. `plots` is left out for the numbered steps, because it draws what they computed and can change no
number: so a new colour renders the report again and retrains nothing.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from forecasting.run import params

PRESENTATION = {"forecasting.plots"}


def digest(*parts: Any) -> str:
    """Return the SHA-256 of JSON-able parts, as 64 hex digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write a file only if its content differs, so that its time tells when it last changed; say whether it did."""
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".running")
    scratch.write_bytes(data)
    scratch.replace(path)
    return True


def notebook_code(notebook: Path) -> list[str]:
    """Return the sources of a notebook's cells: what counts of it, whatever its outputs and metadata."""
    return ["".join(cell["source"]) for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]]


def code_cells(notebook: Path) -> str:
    """Return the code of a notebook as one text, without magics."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    lines = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


def imported(code: str, package: Path) -> set[str]:
    """Return the modules of `forecasting` that this code imports by name, for example {'forecasting.evaluation.metrics'}."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.startswith("forecasting") and module_file(name, package)}


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
    """Return one hash over the text of the modules and of all that they import."""
    reached = closure(frozenset(names), package, frozenset(leave_out))
    return digest([(name, module_file(name, package).read_text(encoding="utf-8")) for name in reached])


def folder_hash(folder: Path, patterns: tuple[str, ...]) -> str:
    """Return one hash over the names and contents of the files below `folder` that match, in order of their names."""
    files = sorted({path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()})
    return digest(
        [(path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
    )


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
    """Return the hash of the lock file."""
    return digest((root / "requirements.lock").read_text(encoding="utf-8"))
