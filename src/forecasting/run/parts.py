"""A table that is too large to be held: written part by part into one Parquet file."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.files import replace_if_changed


def write_parts(path: Path, parts: Iterable[pd.DataFrame]) -> None:
    """Write tables of the same columns one below the other, in one step; the file keeps its time where the content is the same.

    Each part is a row group, or more. Types are those of the first part that has rows.
    """
    scratch = path.with_name(path.name + ".running")
    schema, first, writer = None, None, None
    try:
        for part in parts:
            first = part.head(0) if first is None else first
            if len(part):
                table = pa.Table.from_pandas(part, schema=schema, preserve_index=False)
                schema = table.schema
                writer = writer or pq.ParquetWriter(scratch, schema)
                writer.write_table(table)
                del table
            del part  # before the next one is made
        if writer is None:
            nothing = pd.DataFrame() if first is None else first
            pq.write_table(pa.Table.from_pandas(nothing, preserve_index=False), scratch)
    finally:
        if writer:
            writer.close()
    replace_if_changed(scratch, path)
