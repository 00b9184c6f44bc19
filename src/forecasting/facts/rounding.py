"""What is lost where amounts have more than the four decimals that are kept."""

from forecasting.facts.tables import AMOUNT, Run, quoted

LEAST = 0.005  # what is shown has two decimals


def rounding_notes(run: Run, relation: str, file: str, columns: dict[str, str]) -> list[str]:
    """Return a note on each column of numbers, name in the relation → in the file, that rounding to four decimals changes by a cent."""
    notes = []
    for name, header in columns.items():
        number, exact = f"cast({quoted(name)} as double)", f"cast({quoted(name)} as decimal(38, 18))"
        longer = (
            f"select cast({exact} as {AMOUNT}) - {exact} as move from {relation} where {number} <> round({number}, 4)"
        )
        ((n, moved, sum_of_moves),) = run(
            f"select count(*) filter (where move <> 0), sum(move), sum(abs(move)) from ({longer})"
        )
        if sum_of_moves and sum_of_moves >= LEAST:
            notes.append(
                f"{n:,} cells of the column '{header}' of {file} have more than four decimals. Each is rounded to four, which "
                f"moves their sum by {moved:,.4f}."
            )
    return notes
