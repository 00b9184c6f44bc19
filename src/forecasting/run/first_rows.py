"""A long table as a notebook shows it and as a manifest keeps it: its largest rows, with a word on where all of them are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MOST = 60  # rows that are shown of a table that grows with the number of series
KEPT = 200  # and that a manifest keeps of it


def first_rows(table: pd.DataFrame, by: object, file: str) -> pd.DataFrame:
    """Return a table as a notebook shows it: whole where it is short, else the rows with the largest values of a column.

    Where it is long, a sentence is printed that says how many rows there are, and in which `file` of the run's folder all of them are.
    """
    if len(table) > MOST:
        name = f"{by:%Y-%m}" if hasattr(by, "strftime") else by
        print(
            f"The first {MOST} of {len(table):,} rows, the largest by {name} first; all are in {file}, in the run's folder."
        )
    return largest_rows(table, by, MOST)


def largest_rows(table: pd.DataFrame, by: object, most: int = KEPT) -> pd.DataFrame:
    """Return the rows with the largest values of a column, whatever their sign, unknown ones last; a short table as it is."""
    if len(table) <= most:
        return table
    return table.loc[table[by].abs().sort_values(ascending=False, kind="stable").index[:most]]
