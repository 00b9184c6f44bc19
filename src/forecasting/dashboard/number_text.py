"""Numbers as people write them, read as the facts of files are: one style for all cells, and none is guessed."""

from collections.abc import Sequence

from forecasting.errors import UserError
from forecasting.facts import read_numbers


class NothingToRead(UserError):
    """What was brought holds no series at all."""


def require_digits(text: str) -> None:
    """Raise NothingToRead where something was pasted that cannot hold a number."""
    if text.strip() and not any(map(str.isdigit, text)):
        raise NothingToRead("There is no number in what you pasted.")


def as_numbers(cells: Sequence[object], decimal: str | None = None) -> list[float | None]:
    """Return each cell as a number, None where it is none; `decimal` is «.» or «,», None where the cells are to tell.

    Raises
    ------
    UserError
        If the cells do not tell, as «1,234» alone does not, or have several currencies.
    """
    places = [place for place, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()]
    found = [_typed(cell) for cell in cells]
    if not places:
        return found
    decision, values = read_numbers(
        [str(cells[place]) for place in places], {"decimal_mark": decimal} if decimal else None
    )
    if decision.doubt:
        text = decision.doubt.text.strip()
        raise UserError(f"«{text}» may be a number with thousands or one with decimals. Choose the decimal sign below.")
    if "several currencies" in decision.question:
        raise UserError("The values are of several currencies. Bring those of one.")
    for place, value in zip(places, values, strict=True):
        found[place] = value
    return found


def _typed(cell: object) -> float | None:
    """Return a cell that is no text as a number."""
    return float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) and cell == cell else None
