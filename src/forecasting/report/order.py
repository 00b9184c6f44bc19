"""The order of names in tables and lists: that in which a click on a heading sorts them, R2 before R10."""

import re
import unicodedata
from collections.abc import Iterable

import pandas as pd


def natural(name: str) -> tuple[list[str | int], str]:
    """Return what a name is sorted by: numbers in it by their size, letters whatever their case and accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", plain)], name


def natural_order(names: Iterable[str]) -> list[str]:
    """Return the different names in natural order."""
    return sorted(set(names), key=natural)


def natural_rank(column: pd.Series) -> pd.Series:
    """Return a column's places in natural order, as the `key` of `sort_values`; a column that holds no text as it is."""
    if not (pd.api.types.is_string_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)):
        return column
    return column.astype(str).map({name: i for i, name in enumerate(natural_order(column.astype(str)))})
