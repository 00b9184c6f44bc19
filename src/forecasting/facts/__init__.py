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
from forecasting.facts.table_files import (
    LeftOut,
    Limits,
    RawTable,
    Undecided,
    read_table_file,
    sheet_rows,
    sheets_with_cells,
)
from forecasting.facts.tables import (
    AMOUNT,
    EARLIEST,
    TABLES,
    Connection,
    Memory,
    TableSpec,
    connect,
    literal,
    nearest,
    one_file,
)

__all__ = [
    "AMOUNT", "EARLIEST", "KNOWN_SOURCES", "TABLES", "Connection", "DateStyle", "Decision", "LeftOut", "Limits", "Memory", "NumberStyle",
    "RawTable", "TableSpec", "Undecided", "connect", "date_ends", "date_styles", "fingerprint", "inspect", "literal", "nearest",
    "number_styles", "one_file", "read_as_any_date", "read_dates", "read_numbers", "read_table_file", "sheet_rows",
    "sheets_with_cells", "source_named", "table_number_styles",
]  # fmt: skip
