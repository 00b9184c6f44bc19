"""One series as somebody brings it, typed, pasted or sent: months and values, checked, never repaired."""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from forecasting.errors import UserError
from forecasting.serving.served_model import Series

MONTH = r"^(19|20)[0-9][0-9]-(0[1-9]|1[0-2])(-01)?$"  # 2025-06, or its first day as the database has it
LARGEST = 1e15  # of a value: beyond it cents are lost, and somebody has slipped


class SeriesError(UserError):
    """A fault in a series; `where` is 'months', 'history' or one entry of them, such as 'months.3' (counted from 0)."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(message)
        self.where = where


def checked_series(months: Sequence[str], values: Sequence[float]) -> Series:
    """Return a series of consecutive months.

    Raises
    ------
    SeriesError
        If there are not as many months as values, a month is none, is missing, stands twice or out of order, or a value is no number.
    """
    if len(months) != len(values):
        raise SeriesError(
            f"There are {len(months)} months for {len(values)} values; each value needs its month.", "months"
        )
    if len(months) == 0:
        raise SeriesError("The history is empty.", "history")
    first = _month_number(months[0], 0)
    if tuple(months) != _following(months[0], len(months)):
        _check_steps(months)
    return Series(_numbers(values), first + len(months) - 1)


@lru_cache(maxsize=64)  # callers' histories mostly end with the same month
def _following(first: str, many: int) -> tuple[str, ...]:
    """Return a month and those that follow it, written as it is written."""
    start = _month_number(first, 0)
    day = first[7:]
    return tuple(f"{1970 + number // 12}-{number % 12 + 1:02d}{day}" for number in range(start, start + many))


def _check_steps(months: Sequence[str]) -> None:
    """Raise a SeriesError unless the months follow one another, in whichever of the two ways each is written."""
    numbers = [_month_number(text, place) for place, text in enumerate(months)]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise _out_of_step(months, numbers)


def _month_number(text: str, place: int) -> int:
    """Return months since January 1970 of a text like '2025-06' or '2025-06-01'; `place` is where it stands."""
    if not isinstance(text, str) or not re.fullmatch(MONTH, text):
        raise SeriesError(
            f"{text!r} is no month; write it as 2025-06 or as its first day, 2025-06-01.", f"months.{place}"
        )
    return 12 * (int(text[:4]) - 1970) + int(text[5:7]) - 1


def _out_of_step(months: Sequence[str], numbers: list[int]) -> SeriesError:
    """Say which month is the first that does not follow the one before it."""
    place = next(place for place in range(1, len(numbers)) if numbers[place] != numbers[place - 1] + 1)
    here, before = months[place], months[place - 1]
    apart = numbers[place] - numbers[place - 1]
    if apart == 0:
        what = f"{here} stands there twice."
    elif apart > 1:
        what = f"{apart - 1} month{'s are' if apart > 2 else ' is'} missing between {before} and {here}."
    else:
        what = f"{here} comes after {before}."
    return SeriesError(f"The months must follow one another without gaps: {what}", f"months.{place}")


def _numbers(values: Sequence[float]) -> np.ndarray:
    """Return values as an array, or say which of them is no usable number."""
    if {type(value) for value in values} == {float}:
        found = np.array(values, dtype=float)
        if (np.abs(found) <= LARGEST).all():
            return found
    for place, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not abs(value) <= LARGEST:
            raise SeriesError(
                f"{value!r} is no usable number: values are finite and at most {LARGEST:.0e} in size.",
                f"history.{place}",
            )
    return np.array(values, dtype=float)
