"""Pieces of Typst's code: strings, calls, arrays. What stands in a string is never read as markup."""

import re
from collections.abc import Iterable

LONG_WORD = 24  # characters from which a word may be broken


def literal(text: str) -> str:
    """Return text as a string of Typst."""
    return '"' + re.sub(r"[\x00-\x1f]", " ", text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def call(name: str, *arguments: str) -> str:
    """Return a call of a Typst function."""
    return f"{name}({', '.join(arguments)})"


def array(items: Iterable[str]) -> str:
    """Return an array of Typst; the comma at its end keeps one of one item from being a mere bracket."""
    return "(" + "".join(f"{item}, " for item in items) + ")"


def joined(parts: Iterable[str]) -> str:
    """Return Typst that puts these parts one after another."""
    return "{" + "; ".join(part for part in parts if part) + "}"


def breakable(text: str) -> str:
    """Let very long words, such as fingerprints, go over lines."""
    every = re.compile(rf"\S{{{LONG_WORD // 2}}}(?=\S)")
    return re.sub(rf"\S{{{LONG_WORD},}}", lambda word: every.sub(lambda part: part[0] + "\u200b", word[0]), text)
