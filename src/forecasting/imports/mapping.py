"""The mapping of a table: how a file of a company is read, in the words of `params/imports/<name>.yml`.

It is what a person states and may change: file (how it is written), columns (which is which), numbers and dates (their style by the
file's column), rows (which count) and rules. What it states wins over every proposal.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from forecasting.errors import UserError
from forecasting.facts import TABLES, nearest
from forecasting.imports.formula import Formula, parse

SHEET, SECTION, HEADING, VALUE = "(sheet)", "(section)", "(heading)", "(value)"
PSEUDO = (SHEET, SECTION, HEADING, VALUE)  # columns that are none of the file's, but may be named as if they were
DATE_PARTS = ("year", "month", "day", "day_month")
FILE_KEYS = ("encoding", "delimiter", "quote", "escape", "sheet", "sheets", "header_line", "header_rows", "member")
RULES = {"duplicates": ("keep", "drop"), "returns": ("keep", "drop", "net"), "cancellations": ("keep", "drop", "net"),
         "prices": ("keep", "drop")}  # fmt: skip
RULE_KEYS = {
    "duplicates": (),
    "returns": ("key",),
    "cancellations": ("column", "values", "prefix", "key"),
    "prices": ("column",),
}
NEW_FILES = ("by dates", "replace", "add")
ACROSS = ("months", "years")
MOST_QUARANTINED_PCT = 5


@dataclass
class Mapping:
    """The mapping of one table. A column of `columns` that is None is known not to be in the file; one that is missing is open."""

    table: str
    file: dict[str, Any] = field(default_factory=dict)
    across: str | None = None
    empty: list[str] | None = None
    fill_down: dict[str, bool] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    dates: dict[str, Any] = field(default_factory=dict)
    minus_where: dict[str, list[str]] = field(default_factory=dict)
    only: dict[str, list[str]] = field(default_factory=dict)
    leave_out: dict[str, list[str]] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    most_quarantined_pct: float = MOST_QUARANTINED_PCT
    new_files: str = NEW_FILES[0]
    time_zone: str | None = None

    def formula(self, column: str) -> Formula | None:
        """Return the formula of a column of the contract, None where it has none."""
        stated = self.columns.get(column)
        if not (isinstance(stated, str) and stated.startswith("=")):
            return None
        return parse(stated[1:], f"{self.table}: columns: {column}")

    def sources(self, column: str) -> tuple[str, ...]:
        """Return the file's columns (or pseudo columns) that a column of the contract is read from."""
        stated = self.columns.get(column)
        if formula := self.formula(column):
            return formula.columns
        if isinstance(stated, dict):
            return tuple(part for part in stated.values() if isinstance(part, str))
        return (stated,) if stated else ()

    def used(self) -> tuple[str, ...]:
        """Return all columns of the file that anything uses, each once."""
        named = [source for column in self.columns for source in self.sources(column)]
        by_rule = [each.get("column") for each in self.rules.values() if isinstance(each, dict)]
        keys = [key for each in self.rules.values() if isinstance(each, dict) for key in each.get("key", [])]
        rows = [*self.minus_where, *self.only, *self.leave_out, *self.fill_down]
        return tuple(dict.fromkeys(name for name in [*named, *rows, *by_rule, *keys] if name))

    def number_columns(self) -> tuple[str, ...]:
        """Return the file's columns that are read as numbers."""
        named = [source for column in TABLES[self.table].numbers for source in self.sources(column)]
        price = self.rule_detail("prices").get("column")
        return tuple(dict.fromkeys([*named, *([price] if price else [])]))

    def rule(self, name: str) -> str:
        """Return what a rule says, 'keep' where nothing is stated."""
        stated = self.rules.get(name, "keep")
        return stated.get("rule", "keep") if isinstance(stated, dict) else stated

    def rule_detail(self, name: str) -> dict[str, Any]:
        """Return what a rule says beside keep, drop or net."""
        stated = self.rules.get(name)
        return stated if isinstance(stated, dict) else {}


def from_yaml(table: str, stated: Any, shown: str) -> Mapping:
    """Return a table's mapping from what its YAML says; `shown` names the file in messages.

    Raises
    ------
    UserError
        If a key or value is not known: names it and the nearest one.
    """
    if table not in TABLES:
        raise UserError(f"{shown}: '{table}' is not a fact table. Known: {', '.join(TABLES)}.{nearest(table, TABLES)}")
    problems = list(problems_of(table, stated))
    if problems:
        raise UserError(f"{shown}: {problems[0]}" if len(problems) == 1 else f"{shown}:\n  " + "\n  ".join(problems))
    plain = {name: as_texts(value) if name in LISTS else value for name, value in stated.items() if value is not None}
    mapping = Mapping(table, **plain)
    for column in mapping.columns:
        mapping.formula(column)
    return mapping


LISTS = ("minus_where", "only", "leave_out")


def as_texts(stated: dict[str, Any]) -> dict[str, list[str]]:
    """Return column → the list of texts that are meant, as cells are compared: 441 is '441'."""
    return {name: [str(v) for v in (value if isinstance(value, list) else [value])] for name, value in stated.items()}


def problems_of(table: str, stated: Any) -> Iterator[str]:
    """Yield a sentence for each thing in a table's mapping that cannot be."""
    known = [each.name for each in fields(Mapping) if each.name != "table"]
    if not isinstance(stated, dict):
        yield f"{table}: must hold file, columns, …, found {stated!r}."
        return
    yield from unknown(f"{table}", stated, known)
    sections = {"file": FILE_KEYS, "columns": TABLES[table].columns, "rules": tuple(RULES)}
    for name in ("file", "fill_down", "columns", "numbers", "dates", "rules", *LISTS):
        section = stated.get(name) or {}
        if not isinstance(section, dict):
            yield f"{table}: {name}: must hold «name: value» lines, found {section!r}."
        elif name in sections:
            yield from unknown(f"{table}: {name}", section, sections[name])
        elif name == "fill_down" and not all(isinstance(value, bool) for value in section.values()):
            yield f"{table}: fill_down: each column must be true or false, found {section!r}."
    if isinstance(stated.get("columns"), dict):
        yield from problems_of_columns(table, stated["columns"])
    if isinstance(stated.get("rules"), dict):
        yield from problems_of_rules(table, stated["rules"])
    for name, allowed in (("new_files", NEW_FILES), ("across", ACROSS)):
        if stated.get(name) not in (None, *allowed):
            yield f"{table}: {name}: must be {' or '.join(allowed)}, found {stated[name]!r}."
    if stated.get("empty") is not None and not isinstance(stated["empty"], list):
        yield f"{table}: empty: must be a list of what stands for nothing, as in [NULL], found {stated['empty']!r}."
    share = stated.get("most_quarantined_pct", 0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 100:
        yield f"{table}: most_quarantined_pct: must be a number from 0 to 100, found {share!r}."


def problems_of_columns(table: str, columns: dict) -> Iterator[str]:
    """Yield what is wrong with where the contract's columns are read from."""
    spec = TABLES[table]
    for name, value in columns.items():
        where = f"{table}: columns: {name}"
        if isinstance(value, dict):
            yield from unknown(where, value, DATE_PARTS if name == spec.date else ("value",))
            if name in spec.numbers:
                yield f"{where}: a number is a column of the file or a formula (= [A] * [B]), found {value!r}."
        elif value is not None and not isinstance(value, str):
            yield f"{where}: must be the name of a column in quotes, found {value!r}."
        elif isinstance(value, str) and value.startswith("=") and name not in spec.numbers:
            yield f"{where}: only numbers have formulas, found {value!r}."


def problems_of_rules(table: str, rules: dict) -> Iterator[str]:
    """Yield what is wrong with rules."""
    for name, value in rules.items():
        if name not in RULES:
            continue
        where, said = f"{table}: rules: {name}", value.get("rule", "keep") if isinstance(value, dict) else value
        if said not in RULES[name]:
            yield f"{where}: must be {', '.join(RULES[name])}, found {said!r}."
        if isinstance(value, dict):
            yield from unknown(where, value, ("rule", *RULE_KEYS[name]))
            for key in ("values", "key"):
                if key in value and not (isinstance(value[key], list) and value[key]):
                    yield f"{where}: {key}: must be a list, as in [A, B], found {value[key]!r}."
        if name == "cancellations" and said != "keep" and not (isinstance(value, dict) and "column" in value):
            yield f"{where}: needs a column and values or a prefix, as in {{column: Invoice, prefix: C, rule: drop}}."


def unknown(where: str, found: dict, known: Any) -> Iterator[str]:
    """Yield a sentence for each name that is not known, with the nearest that is."""
    for name in found:
        if name not in known:
            yield f"{where}: '{name}' is not known. Known: {', '.join(known)}.{nearest(str(name), known)}"


def safe_name(text: str) -> str:
    """Return a file's name without what a path cannot have, so that two files with different names stay apart."""
    return re.sub(r"[^\w.() -]", "_", text).strip(". ") or "file"
