"""The table of networks by themselves, `runs/benchmark/pretrained.csv`: one row per set and network."""

from pathlib import Path

import pandas as pd

from forecasting.benchmark.results import DECIMALS, measured, put
from forecasting.benchmark.scoring import RESULT_COLUMNS

PRETRAINED_COLUMNS = [*RESULT_COLUMNS, "weights"]  # the SHA-256 of the pretrained ones; empty for others


def write_pretrained(path: Path, scored: pd.DataFrame) -> pd.DataFrame:
    """Put one set's rows into the table, in place of that set's old ones, and return the whole table."""
    table = scored[PRETRAINED_COLUMNS].round(DECIMALS)
    if path.exists():
        old = read_pretrained(path)
        table = pd.concat([old[~old["dataset"].isin(table["dataset"])], table], ignore_index=True)
    return put(path, table.sort_values("dataset", kind="stable", ignore_index=True))


def read_pretrained(path: Path) -> pd.DataFrame:
    """Return the table (PRETRAINED_COLUMNS), one row per set and network; see `results.measured`."""
    return measured(path, PRETRAINED_COLUMNS, "make benchmark PRETRAINED=1").fillna({"weights": ""})
