"""The work of shards that tests tell when to fail: light, because each process that does it imports this file."""

import os
import time
from pathlib import Path

import pyarrow as pa

from forecasting.errors import UserError


def doubled(table: pa.Table, settings: dict, shared: Path | None) -> list[pa.Table]:
    """The work of these tests: notes that it was done, fails where it is told to, else doubles.

    `fails`: how often, by the first series of a shard; `never`: series with which a shard always does.
    """
    ids, folder = table["unique_id"].to_pylist(), Path(settings["folder"])
    with (folder / ids[0]).open("a") as note:
        note.write("x")
    time.sleep(settings.get("takes", 0.0))
    tries = (folder / ids[0]).stat().st_size
    odd = [one for one in ids if one in settings.get("never", [])]
    if odd or tries <= settings.get("fails", {}).get(ids[0], 0):
        if settings.get("how") == "dies":
            os._exit(1)
        raise UserError("says why") if settings.get("how") == "tells" else ValueError(f"{[*odd, ids[0]][0]} is odd")
    return [pa.table({"unique_id": ids, "y": [2 * value for value in table["y"].to_pylist()]})]
