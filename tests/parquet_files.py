"""Tables as Parquet files, for code that takes a file."""

import tempfile
from itertools import count
from pathlib import Path

import pandas as pd

FOLDER = tempfile.TemporaryDirectory(prefix="fc-tables-")  # goes with the process
NUMBERS = count()


def parquet_file(table: pd.DataFrame) -> Path:
    """Write a table into a file of its own and return the path."""
    path = Path(FOLDER.name) / f"{next(NUMBERS)}.parquet"
    table.to_parquet(path, index=False)
    return path
