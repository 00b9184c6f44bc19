"""The door for facts: what a company's files hold, whether they are fit for use, and their fingerprint.

In: a source and the path of its files, with the columns that `params/` names. Out: a summary with the variables that dbt needs, or
a UserError that names file, column and row. Nothing is changed or repaired.
"""

from forecasting.facts.cells import (
    DateStyle,
    Decision,
    NumberStyle,
    date_ends,
    date_styles,
    number_styles,
    read_as_any_date,
    read_dates,
    read_numbers,
    table_number_styles,
)
from forecasting.facts.inspection import KNOWN_SOURCES, fingerprint, inspect, source_named
from forecasting.facts.table_files import Limits, RawTable, Undecided, read_table_file, sheets_with_cells
from forecasting.facts.tables import connect, nearest

__all__ = [
    "KNOWN_SOURCES", "DateStyle", "Decision", "Limits", "NumberStyle", "RawTable", "Undecided", "connect", "date_ends",
    "date_styles", "fingerprint", "inspect", "nearest", "number_styles", "read_as_any_date", "read_dates", "read_numbers",
    "read_table_file", "sheets_with_cells", "source_named", "table_number_styles",
]  # fmt: skip
