"""Reads a YAML file that a person wrote: plain values only, each name once, of a size that a person writes."""

from pathlib import Path
from typing import Any

import yaml

from forecasting.errors import UserError

MOST_BYTES = 1_000_000


class Plain(yaml.SafeLoader):
    """YAML without what can silently lose a value, or blow up in memory: doubled names and aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse an alias."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.MarkedYAMLError(
                problem=f"the alias «*{event.anchor[:80]}»: write the value out", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a name that stands there twice, or means the same as another: the first value would be lost."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name == "<<":
                raise yaml.MarkedYAMLError(
                    problem="«<<» merges what may be lost: write it out", problem_mark=key.start_mark
                )
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"«{name[:80]}» stands there twice", problem_mark=key.start_mark)
            seen.add(name)
        made = super().construct_mapping(node, deep)
        if len(made) < len(seen):  # on, yes and true are one in YAML, and so are 1 and 1.0
            problem = f"of {', '.join(sorted(seen))[:80]} two mean the same: put names in quotes"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return made


def read_yaml(path: Path, shown: str) -> Any:
    """Return what a YAML file holds; `shown` is its name in messages.

    Raises
    ------
    UserError
        If it cannot be read as YAML.
    """
    if not path.is_file():
        raise UserError(f"{shown} is no file.")
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"{shown} has more than {MOST_BYTES:,} bytes: it must hold «name: value» lines, not data.")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=Plain)
    except RecursionError:
        raise UserError(f"{shown} cannot be read as YAML: its brackets or indents are nested too deeply.") from None
    except (
        yaml.YAMLError,
        OSError,
        ValueError,
    ) as error:  # ValueError: a text that is no UTF-8, a day that no calendar has
        raise UserError(f"{shown} cannot be read as YAML: {error}") from error
