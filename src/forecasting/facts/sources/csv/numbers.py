"""The numbers of a CSV: all columns have one decimal mark, and every cell must be a number."""

import re

from forecasting.errors import UserError
from forecasting.facts.cells import Decision, NumberStyle, number_styles, table_number_styles
from forecasting.facts.cells.numbers import NOT_FINITE, TOO_LARGE, TOO_SMALL
from forecasting.facts.sources.csv.cells import Cells

EXAMPLES = {".": "1001.18: a decimal point", ",": "1001,18: a decimal comma", None: "1001.18: a decimal point"}
NUMBERED = "(select *, n as line from cells)"
ADVICE = {
    NOT_FINITE: "is not a finite number. Correct it{or_empty}.",
    TOO_LARGE: "is too large: amounts must be below 10^14. Choose a larger unit.",
    TOO_SMALL: "is too small: amounts have four decimals, and it would be read as 0. Write 0, or choose a smaller unit.",
}
TEXT = "is text where a number belongs. Write {example}{or_empty}."


def check_numbers(cells: Cells, stated: str | None) -> dict[str, Decision[NumberStyle]]:
    """Return how each column of numbers is written after checking its cells, which are then written with a decimal point.

    Raises
    ------
    UserError
        At the first cell of a number's column that is no finite number below 10^14, or that could be two numbers.
    """
    columns = [column for column in cells.spec.numbers if column in cells.columns]
    known = {"decimal_mark": stated} if stated else {}
    found = table_number_styles(cells.connection, NUMBERED, columns, known)
    for column, decision in found.items():
        if "several currencies" in decision.question:
            raise UserError(f"{place_of(cells, column)}: {with_lines(cells, decision.question)}")
    mark = stated or mark_of(cells, found)
    for column, decision in found.items():
        if decision.chosen is None or decision.chosen.decimal_mark not in (mark, None):
            found[column] = number_styles(cells.connection, NUMBERED, column, {"decimal_mark": mark})
    for reasons in ([NOT_FINITE], None, [TOO_LARGE], [TOO_SMALL]):
        for column, decision in found.items():
            fail_at_fault(cells, column, decision, mark, reasons)
    for column, decision in found.items():
        if decision.chosen is None:
            raise UserError(f"{place_of(cells, column)}: {with_lines(cells, decision.question)}")
    reads = ", ".join(
        f"{column} = {decision.chosen.sql(column)}" for column, decision in found.items() if decision.chosen
    )
    cells.query(f"update cells set {reads}")
    return found


def mark_of(cells: Cells, found: dict[str, Decision[NumberStyle]]) -> str | None:
    """Return the decimal mark that fits most cells, None where none has any.

    Raises
    ------
    UserError
        At a cell such as 1.555 where all may have either mark: of a file parted by semicolons, or with commas in them.
    """
    votes = {mark: sum(agrees(decision, mark) for decision in found.values()) for mark in (".", ",")}
    if any(votes.values()):
        return max(votes, key=lambda mark: votes[mark])
    odd = "[.,]" if cells.file.delimiter == ";" else ","
    problem = (
        " not clear: its mark may be a decimal point or a decimal comma, and every number allows both. "
        "State in params/ which it is: decimal_mark."
    )
    for column, decision in found.items():
        if decision.doubt and not decision.n_unread:
            cells.fail_at_first(column, f"regexp_matches({column}, '{odd}')", problem)
    return "." if any(decision.chosen is None for decision in found.values()) else None


def agrees(decision: Decision[NumberStyle], mark: str) -> int:
    """Return how many cells of a column are read with a mark, where it tells one."""
    decided = decision.chosen or (decision.candidates[0] if decision.candidates and not decision.doubt else None)
    return decision.n_cells - decision.n_unread if decided and decided.decimal_mark == mark else 0


def fail_at_fault(
    cells: Cells, column: str, decision: Decision[NumberStyle], mark: str | None, reasons: list[str] | None
) -> None:
    """Raise a UserError at the first cell that cannot be read for one of the reasons, None: any other than those of `ADVICE`."""
    faults = [
        fault for fault in decision.faults if (fault.reason in reasons if reasons else fault.reason not in ADVICE)
    ]
    if not faults:
        return
    first, more = min(faults, key=lambda fault: fault.line), sum(fault.n for fault in faults) - 1
    or_empty = "" if column in cells.spec.required else ", or leave the cell empty"
    advice = ADVICE.get(first.reason, TEXT).format(example=EXAMPLES[mark], or_empty=or_empty)
    rest = f" ({more:,} more like it)" if more else ""
    raise UserError(f"{cells.place(column, first.line)}: '{first.text}' {advice}{rest}")


def place_of(cells: Cells, column: str) -> str:
    """Return 'file, column' as messages call it."""
    return f"{cells.file.name}, column '{cells.columns[column]}'"


def with_lines(cells: Cells, text: str) -> str:
    """Return a sentence with the file's lines in place of the numbers of rows."""
    return re.sub(r"\(line (\d+)\)", lambda row: f"(line {cells.file.line_of(int(row[1]))})", text)
