"""Finds out how the numbers of a CSV are written: one way must read every cell, and only one may be possible."""

from forecasting.facts.sources.csv.cells import Cells
from forecasting.facts.tables import AMOUNT, NUMBER, literal

NOT_FINITE = r"(?i)[+-]?(nan|inf|infinity)"
# decimal mark → what a number with it may look like, thousands parted by the other mark
SHAPES = {
    ".": rf"{NUMBER}|[+-]?\d{{1,3}}(,\d{{3}})+(\.\d*)?",
    ",": r"[+-]?(\d+(,\d*)?|,\d+|\d{1,3}(\.\d{3})+(,\d*)?)",
}
EXAMPLES = {".": "1001.18: a decimal point", ",": "1001,18: a decimal comma"}


def read_number(cell: str, mark: str) -> str:
    """Return the SQL of a cell as a number that DuckDB can cast."""
    return f"replace({cell}, ',', '')" if mark == "." else f"replace(replace({cell}, '.', ''), ',', '.')"


def check_numbers(cells: Cells, stated: str | None) -> str:
    """Return the decimal mark of a file after checking its numbers, which are then written with a decimal point.

    Raises
    ------
    UserError
        At the first cell of a number's column that is no finite number below 10^14, or that could be two numbers.
    """
    columns = [column for column in cells.spec.numbers if column in cells.columns]
    for column in columns:
        cells.fail_at_first(
            column, matches(column, NOT_FINITE), f" not a finite number. Correct it{or_empty(cells, column)}."
        )
    n_unread = {mark: unread(cells, columns, mark) for mark in SHAPES}
    mark = stated or min(SHAPES, key=lambda mark: n_unread[mark])
    for column in columns:
        advice = f"Write {EXAMPLES[mark]}, no currency sign{or_empty(cells, column)}."
        cells.fail_at_first(column, f"not {matches(column, SHAPES[mark])}", f" text where a number belongs. {advice}")
    if not stated and not any(n_unread.values()):
        require_one_meaning(cells, columns)
    cells.query(f"update cells set {', '.join(f'{column} = {read_number(column, mark)}' for column in columns)}")
    for column in columns:
        too_large = f"{column} is not null and try_cast({column} as {AMOUNT}) is null"
        cells.fail_at_first(column, too_large, " too large: amounts must be below 10^14. Choose a larger unit.")
        too_small = f"cast({column} as {AMOUNT}) = 0 and regexp_matches(lower({column}), '^[^e]*[1-9]')"
        advice = "amounts have four decimals, and it would be read as 0. Write 0, or choose a smaller unit."
        cells.fail_at_first(column, too_small, f" too small: {advice}")
    return mark


def unread(cells: Cells, columns: list[str], mark: str) -> int:
    """Return how many cells are no numbers with a decimal mark."""
    wrong = " + ".join(f"count(*) filter (where not {matches(column, SHAPES[mark])})" for column in columns)
    return cells.query(f"select {wrong} from cells")[0]


def require_one_meaning(cells: Cells, columns: list[str]) -> None:
    """Raise a UserError at a cell such as 1.555 where all may have either mark: of a file parted by semicolons, or with commas in them."""
    odd = "[.,]" if cells.file.delimiter == ";" else ","
    for column in columns:
        problem = (
            " not clear: its mark may be a decimal point or a decimal comma, and every number allows both. "
            "State in params/ which it is: decimal_mark."
        )
        cells.fail_at_first(column, f"regexp_matches({column}, '{odd}')", problem)


def matches(column: str, shape: str) -> str:
    """Return the SQL that says whether a cell looks like this."""
    return f"regexp_full_match({column}, {literal(shape)})"


def or_empty(cells: Cells, column: str) -> str:
    """Return what else may be done with a cell that need not be filled in."""
    return "" if column in cells.spec.required else ", or leave the cell empty"
