"""Reads the files of deploy/ for tests: the Dockerfile's instructions, and compose.yaml with its variables filled in."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-+])([^}]*))?\}|\$\$")


class Instruction(NamedTuple):
    """One instruction of a Dockerfile; `stage` counts from 0."""

    stage: int
    word: str
    rest: str


def instructions(dockerfile: Path) -> list[Instruction]:
    """Return the instructions in order, comments left out and continued lines joined."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    stage, found = -1, []
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            word, rest = line.split(maxsplit=1)
            stage += word == "FROM"
            found.append(Instruction(stage, word, rest))
    return found


def rests(steps: list[Instruction], word: str, stage: int | None = None) -> list[str]:
    """Return what follows a word of the Dockerfile, in one stage or all."""
    return [step.rest for step in steps if step.word == word and stage in (None, step.stage)]


def filled(value: Any, variables: Mapping[str, str]) -> Any:
    """Return a part of compose.yaml as Compose reads it: `${A:-b}` is b where A is missing or empty, `${A:+b}` b where it is not."""
    if isinstance(value, dict):
        return {key: filled(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, variables) for each in value]
    return VARIABLE.sub(lambda match: _value(match, variables), value) if isinstance(value, str) else value


def _value(match: re.Match, variables: Mapping[str, str]) -> str:
    name, sign, other = match.groups()
    if name is None:
        return "$"
    known = variables.get(name, "")
    return {None: known, ":-": known or other, ":+": other if known else ""}[sign]


def compose(path: Path, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return compose.yaml as Compose reads it with these variables set."""
    return filled(yaml.safe_load(path.read_text(encoding="utf-8")), variables or {})


def variables_named(path: Path) -> dict[str, str | None]:
    """Return the variables that compose.yaml asks for, with their defaults."""
    return {name: other if sign == ":-" else None for name, sign, other in VARIABLE.findall(path.read_text()) if name}


def pairs(path: Path) -> dict[str, str]:
    """Return the lines NAME=value of an .env file."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def shell_lines(markdown: Path) -> Iterator[list[str]]:
    """Yield the words of each command in the `sh` blocks of a page."""
    for block in re.findall(r"```sh\n(.*?)```", markdown.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            yield shlex.split(line, comments=True)


def program(name: str) -> str:
    """Return the path of a program that a package brings: beside this Python, else on PATH."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is missing: it comes with requirements-test.lock"
    return found
