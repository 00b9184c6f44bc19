"""The door for facts: what a company's files hold, whether they are fit for use, and their fingerprint.

In: a source and the path of its files, with the columns that `params/` names. Out: a summary with the variables that dbt needs, or
a UserError that names file, column and row. Nothing is changed or repaired.
"""

from forecasting.facts.cells import DateStyle, Decision, NumberStyle, date_styles, number_styles
from forecasting.facts.csv_dates import FORMATS
from forecasting.facts.inspection import KNOWN_SOURCES, fingerprint, inspect
from forecasting.facts.tables import nearest

__all__ = [
    "FORMATS",
    "KNOWN_SOURCES",
    "DateStyle",
    "Decision",
    "NumberStyle",
    "date_styles",
    "fingerprint",
    "inspect",
    "nearest",
    "number_styles",
]
