"""One thing that speaks against facts, and the words for where it stands."""

from typing import NamedTuple

COLUMNS = {"region": "Region", "product_category": "Category"}
MONTHS_TO_JUDGE = 6
NOT_STATED = "Not stated"  # as dbt calls what has no name where others have one


class Doubt(NamedTuple):
    """One thing that speaks against the facts of a table. `severity`: refuse, high, medium or low; `code` is a name for programs."""

    fact_table: str
    severity: str
    code: str
    text: str
