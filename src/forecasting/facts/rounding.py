"""What is lost where amounts have more than the four decimals that are kept."""

from forecasting.facts.tables import AMOUNT, Run, quoted

LEAST = 0.005  # what is shown has two decimals


def rounding_notes(run: Run, relation: str, file: str, columns: dict[str, str]) -> list[str]:
    """Return a note on each column of numbers, name in the relation → in the file, that rounding to four decimals changes by a cent."""
    if not columns:
        return []
    moves = ", ".join(f"{move_of(name)} as move_{i}" for i, name in enumerate(columns))
    sums = ", ".join(
        f"row(count(*) filter (where move_{i} <> 0), sum(move_{i}), sum(abs(move_{i})))" for i in range(len(columns))
    )
    (found,) = run(f"select {sums} from (select {moves} from {relation})")
    notes = []
    for header, (n, moved, sum_of_moves) in zip(columns.values(), found, strict=True):
        if sum_of_moves and sum_of_moves >= LEAST:
            notes.append(
                f"{n:,} cells of the column '{header}' of {file} have more than four decimals. Each is rounded to four, which "
                f"moves their sum by {moved:,.4f}."
            )
    return notes


def move_of(name: str) -> str:
    """Return the SQL of what rounding to four decimals changes in a cell of a column of numbers, null where it has no more."""
    number, exact = f"cast({quoted(name)} as double)", f"cast({quoted(name)} as decimal(38, 18))"
    return f"case when {number} <> round({number}, 4) then cast({exact} as {AMOUNT}) - {exact} end"
