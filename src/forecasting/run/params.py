"""What an analyst may change: reads `params/`, refuses what nobody declared, and gives each notebook its own values.

A notebook declares its parameters in the cell tagged `parameters`; `params/` gives the values. Later files win:
default.yml, <domain>.yml, the profile (for example smoke.yml), workspaces/<name>.yml (whose sections `sales:`,
`inventory:` and `profit:` speak to one domain).
"""

import ast
import datetime as dt
import difflib
import json
import math
import reprlib
from functools import cache
from pathlib import Path
from typing import Any

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.run.ranges import checked_ranges
from forecasting.run.yaml_file import read_yaml

# Settings of the whole run, not of one notebook, and what each must be.
RUN_SETTINGS: dict[str, type | tuple] = {
    "as_of": (str, type(None)),
    "domains": list,
    "families": list,
    "columns": dict,
    "postgres": dict,
    "date_format": (str, type(None)),
    "time_zone": (str, type(None)),
    "decimal_mark": (str, type(None)),
    "sample_size": str,
    "rename": dict,
    "countries": dict,
    "like": dict,
    "levels": dict,
    "totals": dict,
    "duplicates": str,
    "stray_dates": str,
    "long_gaps": str,
    "memory_limit": (str, type(None)),
    "company": (str, type(None)),
    "logo": (str, type(None)),
    "retrain_every": int,
    "retrain_on": list,
    "publish_to": str,
    "publish_schema": str,
    "publish_readers": list,
    "on_alert": (str, type(None)),
    "engine": str,
    "engine_address": (str, type(None)),
    "engine_processes": int,
}
TEXTS = ["text"]  # what the lists among them hold
# What the pipeline itself tells a notebook: where things are. Not for `params/`.
INJECTED = {"run_dir", "tracking_dir", "published", "domain"}
INJECTED |= {f"benchmark_{name}" for name in ("results", "log", "regret", "pretrained")}


def declared(notebook: Path) -> dict[str, Any]:
    """Return the names and literal defaults of a notebook's cell tagged `parameters`.

    Raises
    ------
    UserError
        If the notebook has no such cell, or the cell holds anything but `name = literal` lines.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise UserError(f"{notebook}: expected one cell tagged «parameters», found {len(tagged)}.")
    values = {}
    for line in ast.parse("".join(tagged[0]["source"])).body:
        try:
            values[line.targets[0].id] = ast.literal_eval(line.value)
        except (AttributeError, ValueError) as error:
            raise UserError(
                f"{notebook}, parameters cell, line {line.lineno}: only «name = literal» may stand here."
            ) from error
    return values


@cache
def declared_anywhere(root: Path) -> dict[str, Any]:
    """Return every parameter that some notebook or report page declares, with its default, except the injected ones."""
    found: dict[str, Any] = {}
    for notebook in sorted([*(root / "notebooks").glob("*.ipynb"), *(root / "reports").glob("*.ipynb")]):
        found.update(declared(notebook))
    return {name: value for name, value in found.items() if name not in INJECTED}


def resolve(root: Path, name: str, domain: str, profile: str | None = None, as_of: str | None = None) -> dict[str, Any]:
    """Return the parameters of one domain of one workspace: run settings and notebook parameters together.

    `as_of` stands above what the files say.

    Raises
    ------
    UserError
        If a file cannot be read, a key is declared by no notebook, or a value has the wrong type.
    """
    values: dict[str, Any] = {}
    for path in layers(root, name, domain, profile):
        values.update(read_layer(path, domain, declared_anywhere(root)))
    return checked_ranges(values | ({"as_of": as_of} if as_of else {}))


def defaults(root: Path, domain: str) -> dict[str, Any]:
    """Return what holds for a domain where nobody states anything: what notebooks declare and params/default.yml says."""
    known = declared_anywhere(root)
    return {**known, **read_layer(root / "params" / "default.yml", domain, known)}


def layers(root: Path, name: str, domain: str, profile: str | None) -> list[Path]:
    """Return the files that speak for a domain of a workspace, in the order in which later wins."""
    folder = root / "params"
    profiles = sorted(path.stem for path in folder.glob("*.yml") if path.stem not in {"default", *DOMAINS})
    if profile and profile not in profiles:
        raise UserError(
            f"There is no profile params/{profile[:80]}.yml. Those that exist: {', '.join(profiles) or 'none'}."
        )
    optional = [folder / f"{domain}.yml", folder / "workspaces" / f"{name}.yml"]
    files = [folder / "default.yml", optional[0], *([folder / f"{profile}.yml"] if profile else []), optional[1]]
    return [path for path in files if path.exists() or path not in optional]


def read_layer(path: Path, domain: str, known: dict[str, Any]) -> dict[str, Any]:
    """Read one YAML file, check each key and type, and return what it says for `domain`."""
    content = read_yaml(path, shown(path)) or {}
    if not isinstance(content, dict):
        raise UserError(f"{shown(path)} must hold «name: value» lines, found {type(content).__name__}.")
    sections = {key: content.pop(key) or {} for key in DOMAINS if key in content}
    for section, values in sections.items():
        if not isinstance(values, dict):
            raise UserError(f"{shown(path)}: «{section}:» must hold indented «name: value» lines.")
        for key, value in values.items():
            check_entry(path, key, value, known)
            check_whole(path, key)
    for key, value in content.items():
        check_entry(path, key, value, known)
        if path.stem in DOMAINS:
            check_whole(path, key)
    return {**content, **sections.get(domain, {})}


def check_entry(path: Path, key: str, value: Any, known: dict[str, Any]) -> None:
    """Raise a UserError if nobody declares `key` or if `value` is of another type than declared."""
    names = {*known, *RUN_SETTINGS}
    if key not in names:
        near = difflib.get_close_matches(str(key)[:80], names, n=1)
        hint = f" Did you mean «{near[0]}»?" if near else f" Known: {', '.join(sorted(names))}."
        raise UserError(f"{shown(path)}: no notebook declares the parameter «{str(key)[:80]}».{hint}")
    expected = RUN_SETTINGS.get(key) or expected_type(known[key])
    if isinstance(value, dt.date):
        raise UserError(f"{shown(path)}: write {key} in quotes, as '{value.isoformat()}'.")
    if not is_of_type(value, expected):
        raise UserError(f"{shown(path)}: {key} must be {type_words(expected)}, found {reprlib.repr(value)}.")
    default = TEXTS if expected is list and key in RUN_SETTINGS else known.get(key)
    if isinstance(default, list) and default:
        inner = expected_type(default[0])
        for entry in value:
            if not is_of_type(entry, inner):
                raise UserError(
                    f"{shown(path)}: each entry of {key} must be {type_words(inner)}, found {reprlib.repr(entry)}."
                )


def check_whole(path: Path, key: str) -> None:
    """Raise a UserError if a setting of the whole run stands where one domain is spoken to."""
    if key in RUN_SETTINGS:
        raise UserError(
            f"{shown(path)}: {key} is for all domains; set it in params/default.yml or at the top of a workspace's file."
        )


def is_of_type(value: Any, expected: type | tuple) -> bool:
    """Say whether a value is of the expected type; true and false are no numbers, nor are nan and inf usable ones."""
    if isinstance(value, bool):
        return expected is bool or (isinstance(expected, tuple) and bool in expected)
    return isinstance(value, expected) and not (isinstance(value, float) and not math.isfinite(value))


def expected_type(default: Any) -> type | tuple:
    """Return the types that may stand in for a declared default: its own, and whole numbers for decimals."""
    if isinstance(default, float):
        return (int, float)
    return (str, type(None)) if default is None else type(default)


def type_words(expected: type | tuple) -> str:
    """Return a plain-English name for the type(s)."""
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    kinds = expected if isinstance(expected, tuple) else (expected,)
    if kinds == (int, float):
        return "a number"
    return " or ".join(words.get(kind, "empty (null)") for kind in kinds)


def for_notebook(resolved: dict[str, Any], notebook: Path) -> dict[str, Any]:
    """Return the part of `resolved` that this notebook declares."""
    return {key: resolved[key] for key in declared(notebook) if key in resolved}


def shown(path: Path) -> str:
    """Return the path as an analyst knows it, from `params/` on."""
    parts = path.parts
    return "/".join(parts[parts.index("params") :]) if "params" in parts else path.name
