"""The table of choice regrets, `runs/benchmark/regret.csv`: one row per set."""

from pathlib import Path

import pandas as pd

from forecasting.benchmark.results import measured, put

REGRET_COLUMNS = [
    "dataset", "n_series", "n_origins", "mase", "best", "best_pct", "median_pct", "weighted_pct", "chosen",
]  # fmt: skip
ROUNDED = {"mase": 4, "best_pct": 2, "median_pct": 2, "weighted_pct": 2}


def write_regret(path: Path, row: dict[str, object]) -> pd.DataFrame:
    """Write the row of a set instead of an older one and return the table."""
    new = pd.DataFrame([row], columns=REGRET_COLUMNS)
    old = read_regret(path) if path.exists() else new.iloc[:0]
    table = pd.concat([old[old["dataset"] != row["dataset"]], new], ignore_index=True) if len(old) else new
    return put(path, table.round(ROUNDED))


def read_regret(path: Path) -> pd.DataFrame:
    """Return the table of regrets: REGRET_COLUMNS, one row per set; see `results.measured`."""
    return measured(path, REGRET_COLUMNS, "make benchmark-regret")
