"""Finds how a text file's cells are written: the sign between them and their quotes, by what parts its lines most evenly."""

import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from forecasting.facts.table_files.kinds import kind_of
from forecasting.facts.table_files.records import Writing, records
from forecasting.facts.table_files.shapes import Notes, Undecided

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
RARE = {"^": "'^'", "~": "'~'", "¦": "'¦'", ":": "a colon", "\x1f": "the unit separator", "\x01": "the character 1"}
NAMES = {**DELIMITERS, **RARE}
SEP = re.compile(r"\s*\"?sep=(.)\"?[,;\t|\s]*", re.IGNORECASE)
PARTS, PART_LINES, PART_LETTERS = 4, 300, 400_000  # of a file that are looked at
EVEN = 0.9


@dataclass(frozen=True)
class Parted:
    """How a writing parts lines: the width of most records, the share of lines that have it, and the rows that do."""

    writing: Writing
    width: int
    even: float
    rows: list[list[str]]

    def score(self, rivals: Iterable[str]) -> float:
        """Return how well it fits: even, and with few cells of words that hold a rival delimiter."""
        cells = [cell for row in self.rows for cell in row if cell.strip()]
        broken = sum(1 for cell in cells if any(sign in cell for sign in rivals) and kind_of(cell) == "text")
        return round(self.even * (1 - broken / max(len(cells), 1)), 3)


def writing_of(path: Path, name: str, stated: Mapping[str, Any], notes: Notes) -> Writing:
    """Return how the cells of a plain text are written; what is stated is taken.

    Raises
    ------
    Undecided
        If several delimiters fit as well.
    """
    lines = sample_of(path)
    named = stated_in_file(lines)
    wanted = stated.get("delimiter", named)
    signs = [wanted] if wanted is not None else [*DELIMITERS]
    found = [best_quotes(lines, sign, stated) for sign in signs]
    able = [one for one in found if one.width > 1]
    if wanted is None and not any(one.even >= 0.5 for one in able):
        able += [one for sign in RARE if (one := best_quotes(lines, sign, stated)).width > 1 and one.even >= EVEN]
    chosen = chosen_of(able, name) if able else found[0]
    sign = chosen.writing.delimiter
    if "delimiter" not in stated:
        parts = f"it parts {chosen.even:.0%} of the lines looked at into {chosen.width} cells"
        why = (
            "the first line states it"
            if named
            else parts
            if able
            else "no line has another sign between cells, so there is one column"
        )
        notes.evidence.append(f"The delimiter is {called(sign)}: {why}.")
    say_quotes(chosen.writing, notes)
    return chosen.writing


def chosen_of(able: Sequence[Parted], name: str) -> Parted:
    """Return what fits best of several ways to part lines."""
    even = [one.writing.delimiter for one in able if one.even >= EVEN]
    scores = [(one.score(sign for sign in even if sign != one.writing.delimiter), one.width) for one in able]
    best = max(scores)
    fit = [one for one, score in zip(able, scores, strict=True) if score == best]
    if len(fit) > 1:
        choices = {one.writing.delimiter: called(one.writing.delimiter) for one in fit}
        listed = " or by ".join(choices.values())
        raise Undecided(
            f"{name}: its lines can be parted by {listed}, each into {fit[0].width} cells. State the `delimiter`.",
            "delimiter",
            choices,
        )
    return fit[0]


def say_quotes(writing: Writing, notes: Notes) -> None:
    """Note quotes that are not the usual ones."""
    if writing.quote == "'":
        notes.evidence.append("Cells stand in single quotes.")
    if writing.quote and writing.escape != writing.quote:
        notes.evidence.append("A quote within a cell stands behind a backslash.")
    if not writing.quote:
        notes.evidence.append("Quotes are characters as any other: they do not come in pairs around cells.")
    if writing.skip_blanks:
        notes.evidence.append("Blanks behind a delimiter are left out, as quotes stand behind them.")


def stated_in_file(lines: Sequence[str]) -> str | None:
    """Return the delimiter that a first line such as `sep=;` states."""
    first = next((line for line in lines if line.strip()), "")
    found = SEP.fullmatch(first.strip("\r\n"))
    return found[1] if found else None


def sample_of(path: Path) -> list[str]:
    """Return lines from the start of a file, and, if it is long, from further parts of it."""
    size = path.stat().st_size
    found: list[str] = []
    for part in range(PARTS):
        with path.open("rb") as file:
            file.seek(size * part // PARTS, os.SEEK_SET)
            block = file.read(PART_LETTERS)
        lines = io.StringIO(block.decode("utf-8", "replace"), newline="").readlines()
        found += islice(lines[1:] if part else lines, PART_LINES)
        if size <= PART_LETTERS:
            return lines[:1_000]
    return found


def best_quotes(lines: Sequence[str], delimiter: str, stated: Mapping[str, Any]) -> Parted:
    """Return how a delimiter parts lines with the quotes that are stated, or that fit best; the usual ones unless others fit better."""
    text = "".join(lines)
    quotes = (
        [stated["quote"]]
        if "quote" in stated
        else ['"', *(["'"] if single_quotes(lines, delimiter) else []), *([""] if '"' in text else [])]
    )
    best: Parted | None = None
    for quote in quotes:
        escapes = (
            [stated["escape"]] if "escape" in stated else [quote, *(["\\"] if quote and f"\\{quote}" in text else [])]
        )
        spaced = [False, True] if quote and re.search(re.escape(delimiter) + " +" + quote, text) else [False]
        for escape in escapes:
            for skip_blanks in [stated["skip_blanks"]] if "skip_blanks" in stated else spaced:
                one = parted(lines, Writing(delimiter, quote, escape, skip_blanks))
                better = 0.0 if quote == "'" or skip_blanks else 0.1 if not quote else 0.001
                if best is None or one.even >= best.even + better:
                    best = one
    assert best is not None
    return best


def single_quotes(lines: Sequence[str], delimiter: str) -> bool:
    """Say whether single quotes stand around cells: in half of the lines, and nowhere are double ones."""
    pattern = re.compile(rf"(?:^|{re.escape(delimiter)})\s*'(?:[^']|'')*'\s*(?:{re.escape(delimiter)}|[\r\n]|$)")
    return bool(lines) and 2 * sum(1 for line in lines if pattern.search(line)) >= len(lines)


def parted(lines: Sequence[str], writing: Writing) -> Parted:
    """Return how lines are parted."""
    found = [record for record in records(lines, writing) if record.text.strip()]
    widths = Counter(len(record.cells) for record in found if not record.fault)
    if not widths:
        return Parted(writing, 1, 0.0, [])
    width, n = max(widths.items(), key=lambda one: (one[1] * (one[0] > 1), one[0]))
    return Parted(
        writing,
        width,
        n / len(found),
        [record.cells for record in found if len(record.cells) == width and not record.fault],
    )


def called(delimiter: str) -> str:
    """Return a delimiter's name, for a sentence."""
    return NAMES.get(delimiter, f"'{delimiter}'")
