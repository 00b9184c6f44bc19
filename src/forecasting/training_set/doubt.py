"""One thing that speaks against facts, and the words for where it stands."""

import re
from typing import NamedTuple

COLUMNS = {"region": "Region", "product_category": "Category"}
MONTHS_TO_JUDGE = 6


class Doubt(NamedTuple):
    """One thing that speaks against the facts of a table. `severity`: refuse, high, medium or low; `code` is a name for programs."""

    fact_table: str
    severity: str
    code: str
    text: str


def in_yaml(name: str, quoted: bool = False) -> str:
    """Return a name as one writes it in params/: between double quotes where it must be, what the eye does not see as \\u escapes."""
    if (
        not quoted
        and re.fullmatch(r"[^\W\d][\w &/.+-]*", name)
        and not name.endswith(" ")
        and name.lower() not in YAML_WORDS
    ):
        return name
    letters = (letter if letter.isprintable() and letter not in '"\\' else f"\\u{ord(letter):04x}" for letter in name)
    return f'"{"".join(letters)}"'


YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
