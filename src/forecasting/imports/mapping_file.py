"""`params/imports/<name>.yml`: reads it, and writes it with comments, a block per table. What nobody changed stays as it was."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from forecasting.errors import UserError
from forecasting.facts import TABLES, nearest
from forecasting.files import write_if_changed
from forecasting.imports.mapping import FILE_KEYS, MOST_QUARANTINED_PCT, RULES, Mapping, from_yaml
from forecasting.run import read_yaml

HEAD = """\
# How make import NAME={name} reads files. Written as a proposal; what stands here wins, so change what is wrong and run it again.
# docs/import.md says what each line may be.
"""
NOTES = {
    "file": "how the file is written",
    "across": "months (or years) stand side by side: each cell under one is a row, (heading) and (value)",
    "empty": "what stands for nothing in a cell",
    "fill_down": "whether a cell counts for the empty ones below it",
    "columns": "the contract's column: the file's, or a formula such as = [Quantity] * [Price], or null: not in the file",
    "numbers": "how numbers are written, by the file's column",
    "dates": "how dates are written, by the file's column",
    "time_zone": "whose clock dates moments",
    "minus_where": "rows whose amounts count the other way",
    "only": "only rows with these values count",
    "leave_out": "rows with these values do not count",
    "rules": "keep or drop; returns and cancellations may also be net: they and what they take back, both left out",
    "most_quarantined_pct": "where more rows than this cannot be read, nothing is imported",
    "new_files": "a later file: add, replace, or by dates (add where no day is in both, replace where it has all of them)",
}


def mapping_path(root: Path, name: str) -> Path:
    """Return where the mapping of a workspace is."""
    return root / "params" / "imports" / f"{name}.yml"


def read_mapping(path: Path, table: str) -> Mapping:
    """Return what is stated of a table, an empty mapping where there is nothing.

    Raises
    ------
    UserError
        If the file cannot be read, or anything in it is not known.
    """
    shown = f"params/imports/{path.name}"
    if not path.exists():
        return Mapping(table)
    stated = read_yaml(path, shown) or {}
    if not isinstance(stated, dict):
        raise UserError(f"{shown} must hold a block per table ({', '.join(TABLES)}), found {stated!r}.")
    for name in stated:
        if name not in TABLES:
            raise UserError(
                f"{shown}: '{name}' is not a fact table. Known: {', '.join(TABLES)}.{nearest(name, TABLES)}"
            )
    mappings = {name: from_yaml(name, block or {}, shown) for name, block in stated.items()}
    return mappings.get(table, Mapping(table))


def write_mapping(path: Path, mapping: Mapping, open_questions: Sequence[str] = ()) -> bool:
    """Write a table's block into the file; blocks of other tables stay as they are. Say whether anything changed."""
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD.format(name=path.stem)
    block = "\n".join(block_of(mapping, open_questions)) + "\n"
    start = re.search(rf"(?m)^{mapping.table}:", text)
    if start:
        rest = text[start.end() :]
        end = re.search(r"(?m)^[^\s#]", rest)
        tail = rest[end.start() :] if end else ""
        text = text[: start.start()] + block + ("\n" + tail if tail else "")
    else:
        text = text.rstrip("\n") + "\n\n" + block
    return write_if_changed(path, text)


def block_of(mapping: Mapping, open_questions: Sequence[str] = ()) -> list[str]:
    """Return the lines of a table's block."""
    lines = [f"{mapping.table}:"]
    lines += [f"  # open: {line}" for question in open_questions for line in question.splitlines()]
    ordered = {key: mapping.file[key] for key in FILE_KEYS if key in mapping.file}
    lines += section("file", ordered)
    lines += single("across", mapping.across) + single("empty", mapping.empty or None)
    lines += section("fill_down", mapping.fill_down)
    spec = TABLES[mapping.table]
    first = [spec.date, *spec.required[1:], *spec.one_of, *spec.texts, *spec.numbers]
    names = [name for name in dict.fromkeys(first) if name in mapping.columns]
    lines += section("columns", {name: mapping.columns[name] for name in names})
    lines += section("numbers", mapping.numbers) + section("dates", mapping.dates)
    lines += single("time_zone", mapping.time_zone)
    for name in ("minus_where", "only", "leave_out"):
        lines += section(name, getattr(mapping, name))
    lines += section("rules", {name: mapping.rules[name] for name in RULES if name in mapping.rules})
    percent = mapping.most_quarantined_pct
    lines += single("most_quarantined_pct", percent if percent is not None else MOST_QUARANTINED_PCT)
    return lines + single("new_files", mapping.new_files)


def section(name: str, values: dict[str, Any]) -> list[str]:
    """Return the lines of a part with names and values, none where it is empty."""
    return (
        [f"  {name}:  # {NOTES[name]}", *(f"    {scalar(key)}: {scalar(value)}" for key, value in values.items())]
        if values
        else []
    )


def single(name: str, value: Any) -> list[str]:
    """Return the line of one value, none where there is none."""
    return [] if value is None else [f"  {name}: {scalar(value)}  # {NOTES[name]}"]


def scalar(value: Any) -> str:
    """Return a plain value as YAML in one line, quoted where YAML, or a reader, would take it for something else."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {scalar(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(scalar, value)) + "]"
    style = "'" if isinstance(value, str) and not any(sign.isalnum() for sign in value) else None
    within = yaml.safe_dump([value], default_flow_style=True, default_style=style, allow_unicode=True, width=1_000_000)
    return within.strip().removeprefix("[").removesuffix("]")
