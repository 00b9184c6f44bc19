"""What `make import` prints: how the file is read and why, ten rows, the months, what is left out, and what became of all rows."""

import re
from collections import Counter
from decimal import Decimal

from forecasting.imports.accounts import Accounts, amount_of
from forecasting.imports.draft import Draft
from forecasting.imports.mapping import PSEUDO, Mapping
from forecasting.imports.reading import READ, Reader
from forecasting.imports.rules import FATES, LOADED
from forecasting.imports.staging import STAGED, Parts, Staged

CURRENCY = r"currenc|waers|waehr|währ|devise|moneda|valuta|\b(cur|curr|ccy)\b"
LEAST_MOVE = Decimal("0.005")
ROWS, MONTHS, EVIDENCE = 10, 24, 40
FATE_WORDS = {
    "loaded": "loaded", "quarantined": "quarantined", "only": "other than `only` says", "leave_out": "by `leave_out`",
    "totals": "totals of the rows above",
    "duplicates": "duplicates", "cancellations": "cancellations", "returns": "returns", "prices": "prices of zero or below",
    "imported": "imported before",
}  # fmt: skip


def proposal(mapping: Mapping, draft: Draft, parts: Parts) -> list[str]:
    """Return how the file is read, and why."""
    lines = [f"{parts.path.name} → {mapping.table}", ""]
    width = max([len(name) for name in draft.spec.columns], default=0)
    for name in draft.spec.columns:
        value = mapping.columns.get(name)
        said = ", ".join(f"{key}: {part}" for key, part in value.items()) if isinstance(value, dict) else value
        lines.append(f"  {name:<{width}}  {said if said else '–'}")
    used = {*mapping.used(), *PSEUDO}
    unused = [name for name, content in draft.contents.all.items() if name not in used and content.n_filled]
    if unused:
        lines.append(f"  {'not used':<{width}}  {', '.join(unused)}")
    facts = [sentence for table in list(parts.tables.values())[:1] for sentence in table.evidence]
    lines += ["", *(f"  {sentence}" for sentence in [*facts, *draft.evidence][:EVIDENCE])]
    if parts.without:
        lines += ["", *(f"  The sheet «{sheet}» has no table: {why}" for sheet, why in parts.without.items())]
    return lines


def currencies(mapping: Mapping, staged: Staged) -> list[str]:
    """Return a warning for each column that says there are several currencies, which are added up, unless rows are chosen by it."""
    lines = []
    for name, column in staged.columns.items():
        if name in mapping.used() or not re.search(CURRENCY, name.lower()):
            continue
        codes = f"select trim({column}), count(*) from {STAGED} where trim({column}) <> '' group by 1 order by 2 desc limit 12"
        found = staged.fetch(codes)
        if 1 < len(found) < 12:
            listed = ", ".join(f"{code} ({n:,} rows)" for code, n in found)
            only = f"only: {{{name}: [{found[0][0]}]}}"
            lines.append(f"  «{name}» has several: {listed}. Unless they are converted already, choose one: {only}.")
    return ["Amounts of several currencies are added up:", *lines] if lines else []


def rounding(reader: Reader) -> list[str]:
    """Return a sentence for each column of numbers whose sum moves by a cent or more because four decimals are kept."""
    lines = []
    for column in reader.known_columns():
        if column in reader.spec.numbers and not reader.mapping.formula(column):
            exact = reader.signed(column, reader.number(reader.mapping.columns[column]))
            ((n, moved),) = reader.staged.fetch(
                f"select count(*) filter (where {column} <> {exact}), sum({column} - {exact}) from {READ}"
            )
            if abs(moved or 0) >= LEAST_MOVE:
                lines.append(
                    f"  {column}: {n:,} cells have more than four decimals; rounding each moves their sum by {moved:,.4f}"
                )
    return ["Rounded:", *lines] if lines else []


def left_out(parts: Parts, staged: Staged) -> list[str]:
    """Return what of the file is no row, by reason, with the first lines."""
    found = parts.left_out
    counts: Counter = Counter()
    for _, each in found:
        counts[each.reason] += each.rows
    lines = []
    for reason, n in counts.most_common():
        first = [
            f"line {each.line}{f' of {sheet}' if sheet else ''}: {each.text[:70]}"
            for sheet, each in found
            if each.reason == reason and each.text
        ]
        lines.append(f"  {n:,} × {reason}{f' ({first[0]})' if first else ''}")
    if staged.headings:
        lines.append(
            f"  {len(staged.headings):,} × heading between rows ({', '.join(dict.fromkeys(staged.headings))[:100]})"
        )
    if staged.empty_cells:
        lines.append(f"  {staged.empty_cells:,} × empty cell below a month")
    return ["Not rows:", *lines] if lines else []


def first_rows(reader: Reader) -> list[str]:
    """Return ten rows as they will be loaded."""
    columns = reader.known_columns()
    found = reader.staged.fetch(
        f"select line, {', '.join(columns)} from {READ} join {FATES} using (n) where fate = '{LOADED}' order by n limit {ROWS}"
    )
    cells = [["line", *columns], *([text_of(value) for value in row] for row in found)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    return [
        f"The first {len(found)} rows as they are read:",
        *("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells),
    ]


def text_of(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return "–"
    text = f"{value:,.4f}".rstrip("0").rstrip(".") if hasattr(value, "quantize") else str(value)
    return text if len(text) <= 30 else text[:29] + "…"


def months(reader: Reader) -> list[str]:
    """Return rows and amounts by month: all, or the first and the last where there are many."""
    amount, day = amount_of(reader), reader.spec.date
    found = reader.staged.fetch(
        f"select strftime({day}, '%Y-%m'), count(*), sum({amount}), min({day}), max({day}) from {READ} join {FATES} using (n) "
        f"where fate = '{LOADED}' group by 1 order by 1"
    )
    lines = [f"  {month}  {n:>9,} rows  {total or 0:>20,.2f}" for month, n, total, _, _ in found]
    if len(lines) > MONTHS:
        half = MONTHS // 2
        lines = [*lines[:half], f"  … {len(lines) - 2 * half} months …", *lines[-half:]]
    span = f", {found[0][3]} to {found[-1][4]}" if found else ""
    return [f"{amount} by month{span}:", *lines]


def accounted(accounts: Accounts) -> list[str]:
    """Return what became of all rows and amounts; the sums are exact."""
    rows = [("in the file", accounts.rows_in, accounts.total_in)]
    rows += [(FATE_WORDS[fate], n, accounts.totals[fate]) for fate, n in accounts.rows.items()]
    return [
        "What became of the rows, and of their amounts where these can be read:",
        *(f"  {said:<26}{n:>12,} rows  {total:>22,.4f}" for said, n, total in rows),
    ]


def rules_met(reader: Reader, mapping: Mapping, conditions: dict[str, str]) -> list[str]:
    """Return how many rows each rule speaks of, and their amounts, also where they are kept."""
    amount = amount_of(reader)
    lines = []
    for rule, condition in conditions.items():
        ((n, total),) = reader.staged.fetch(
            f"select count(*), coalesce(sum({amount}), 0) from (select *, ({condition}) as is_meant from {READ}) where is_meant"
        )
        if n:
            lines.append(f"  {rule:<26}{n:>12,} rows  {total:>22,.4f}  {mapping.rule(rule)}")
    return ["Rules:", *lines] if lines else []
