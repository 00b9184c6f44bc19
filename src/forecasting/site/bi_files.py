"""A folder of files for BI tools: every published table as Parquet and as CSV, replaced in one step."""

import shutil
from pathlib import Path

from forecasting.ledger import write_tables
from forecasting.site.exports import BYTE_ORDER_MARK
from forecasting.site.swap import swap


def export(published: Path, folder: Path) -> int:
    """Write every table of a published file into `folder`, in the place of what was there; return how many there are.

    The CSV files are UTF-8 with a byte order mark, as Excel wants it.
    """
    building = folder.with_name(folder.name + ".running")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        names = write_tables(published, building)
        for name in names:
            file, marked = building / f"{name}.csv", building / f"{name}.marked"
            with file.open("rb") as rows, marked.open("wb") as target:
                target.write(BYTE_ORDER_MARK)
                shutil.copyfileobj(rows, target)
            marked.replace(file)
        swap(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return len(names)
