"""One thing that speaks against facts, and the words for where it stands."""

from typing import NamedTuple

COLUMNS = {"region": "Region", "product_category": "Category"}
MONTHS_TO_JUDGE = 6


class Doubt(NamedTuple):
    """One thing that speaks against the facts of a table. `severity`: refuse, high, medium or low; `code` is a name for programs."""

    fact_table: str
    severity: str
    code: str
    text: str
