"""Finds columns that are written once for several rows, as pivot tables do: the cell counts for the empty ones below it, or it does not."""

from forecasting.facts import TABLES
from forecasting.imports.draft import Draft
from forecasting.imports.mapping import PSEUDO
from forecasting.imports.questions import Choice, Question
from forecasting.imports.staging import STAGED

LEAST_ROWS, MOST_FILLED = 4, 0.6  # of the rows


def propose_fill_down(draft: Draft) -> None:
    """Ask of each column that is written once for several rows whether its cells count for the rows below."""
    spec, mapping = TABLES[draft.mapping.table], draft.mapping
    names = {
        name for column in (spec.date, *spec.texts) if mapping.columns.get(column) for name in mapping.sources(column)
    }
    for name in [each for each in draft.staged.columns if each in names and each not in (*PSEUDO, *mapping.fill_down)]:
        n_rows, n_filled = written_once(draft, name)
        if n_filled:
            said = {True: "a cell counts for the empty ones below it", False: "an empty cell is empty"}
            choices = tuple(Choice(why, {("fill_down", name): value}) for value, why in said.items())
            text = f"«{name}» is filled in {n_filled:,} of {n_rows:,} rows only, from the first on and never twice the same, as where it is"
            draft.questions.append(Question(mapping.table, f"{text} written once for all rows below. Is it?", choices))


def written_once(draft: Draft, name: str) -> tuple[int, int]:
    """Return the rows and how many of them are filled; none filled where the column is not written once for several rows."""
    column = draft.staged.columns[name]
    ((n_rows, n_filled, n_again, is_first),) = draft.staged.fetch(
        f"with lines as (select sheet, line, any_value({column}) as cell from {STAGED} group by sheet, line), "
        "cells as (select *, lag(cell ignore nulls) over (partition by sheet order by line) as above from lines) "
        "select count(*), count(cell), count(*) filter (where cell = above), arg_min(cell is not null, line) from cells"
    )
    once = n_rows >= LEAST_ROWS and 2 <= n_filled <= MOST_FILLED * n_rows and is_first and not n_again
    return n_rows, n_filled if once else 0
