"""The table of networks by themselves, `runs/benchmark/pretrained.csv`: one row per set and network."""

from pathlib import Path

import pandas as pd

from forecasting.benchmark.results import DECIMALS
from forecasting.benchmark.scoring import RESULT_COLUMNS
from forecasting.errors import UserError

PRETRAINED_COLUMNS = [*RESULT_COLUMNS, "weights"]  # the SHA-256 of the pretrained ones; empty for others


def write_pretrained(path: Path, scored: pd.DataFrame) -> pd.DataFrame:
    """Put one set's rows into the table, in place of that set's old ones, and return the whole table."""
    table = scored[PRETRAINED_COLUMNS].round(DECIMALS)
    if path.exists():
        old = read_pretrained(path)
        table = pd.concat([old[~old["dataset"].isin(table["dataset"])], table], ignore_index=True)
    table = table.sort_values("dataset", kind="stable", ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".running")
    table.to_csv(scratch, index=False, lineterminator="\n")
    scratch.replace(path)
    return table


def read_pretrained(path: Path) -> pd.DataFrame:
    """Return the table (PRETRAINED_COLUMNS), one row per set and network; empty where it was not measured.

    Raises
    ------
    UserError
        If it has other columns.
    """
    if not path.exists():
        return pd.DataFrame(columns=PRETRAINED_COLUMNS)
    table = pd.read_csv(path)
    if list(table.columns) != PRETRAINED_COLUMNS:
        raise UserError(
            f"{path.name} has the columns {', '.join(table.columns)}; run make benchmark PRETRAINED=1 again."
        )
    return table.fillna({"weights": ""})
