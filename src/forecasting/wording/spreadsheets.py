"""Text for spreadsheets: what a person called a region must not become a formula where a CSV file is opened.

A cell that begins with one of STARTS is taken for a formula by spreadsheets, whatever quotes stand around it in the file. An apostrophe
before it makes it text (OWASP, CSV injection). Numbers and dates stay as they are.
"""

import pandas as pd

STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four: the same signs in full width


def as_text(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: text with an apostrophe where it needs one, all else as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple(STARTS)) else value


def without_formulas(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts and headings no spreadsheet takes for formulas."""
    texts = rows.select_dtypes(["object", "string", "category"]).columns
    return rows.assign(**{name: rows[name].map(as_text) for name in texts}).rename(columns=as_text)


def sql_as_text(column: str) -> str:
    """Return the SQL expression that does for a text column what `as_text` does for a cell."""
    starts = ", ".join(f"chr({ord(sign)})" for sign in STARTS)
    return f"case when left({column}, 1) in ({starts}) then chr(39) || {column} else {column} end"
