"""Every table of a published file as files that any tool reads: Parquet with its types, CSV that no spreadsheet takes for formulas."""

from pathlib import Path

import duckdb

from forecasting.ledger import private_copy
from forecasting.ledger.reader import NothingPublished, Unreadable
from forecasting.wording import sql_as_text


def write_tables(path: Path, folder: Path) -> list[str]:
    """Write each table of a published file to `folder` as `<table>.parquet` and `<table>.csv`; return the tables' names.

    All are of one publication. Rows are in the order in which they were published. In CSV a text that begins like a formula gets an
    apostrophe before it; Parquet has the very text.

    Raises
    ------
    NothingPublished
        If the file is not there.
    Unreadable
        If it is damaged.
    """
    if not path.exists():
        raise NothingPublished("Nothing has been published yet: `make report` does it.")
    published = private_copy.cursor(path)
    try:
        names = [name for (name,) in published.execute("select table_name from duckdb_tables() order by 1").fetchall()]
        for name in names:
            columns = published.execute(f'select column_name, column_type from (describe "{name}")').fetchall()
            texts = ", ".join(
                f"""{sql_as_text(f'"{column}"')} as "{column}\"""" for column, kind in columns if kind == "VARCHAR"
            )
            safe = f'select * replace ({texts}) from "{name}"' if texts else f'from "{name}"'
            target = str(folder / name).replace("'", "''")
            published.execute(f"copy \"{name}\" to '{target}.parquet' (format parquet)")
            published.execute(f"copy ({safe}) to '{target}.csv' (format csv, header)")
    except duckdb.IOException:
        raise  # the disk is full, or may not be written: said as such
    except duckdb.Error as error:
        raise Unreadable(path) from error
    return names
