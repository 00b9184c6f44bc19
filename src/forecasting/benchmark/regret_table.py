"""The table of choice regrets, `runs/benchmark/regret.csv`: one row per set."""

from pathlib import Path

import pandas as pd

from forecasting.errors import UserError

REGRET_COLUMNS = [
    "dataset", "n_series", "n_origins", "mase", "best", "best_pct", "median_pct", "weighted_pct", "chosen",
]  # fmt: skip
ROUNDED = {"mase": 4, "best_pct": 2, "median_pct": 2, "weighted_pct": 2}


def write_regret(path: Path, row: dict[str, object]) -> pd.DataFrame:
    """Write the row of a set instead of an older one and return the table."""
    new = pd.DataFrame([row], columns=REGRET_COLUMNS)
    old = read_regret(path) if path.exists() else new.iloc[:0]
    table = pd.concat([old[old["dataset"] != row["dataset"]], new], ignore_index=True) if len(old) else new
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".running")
    table.round(ROUNDED).to_csv(scratch, index=False, lineterminator="\n")
    scratch.replace(path)
    return table


def read_regret(path: Path) -> pd.DataFrame:
    """Return the table of regrets: REGRET_COLUMNS, one row per set; no rows where there is none.

    Raises
    ------
    UserError
        If it has other columns.
    """
    if not path.exists():
        return pd.DataFrame(columns=REGRET_COLUMNS)
    table = pd.read_csv(path)
    if list(table.columns) != REGRET_COLUMNS:
        raise UserError(f"{path.name} has the columns {', '.join(table.columns)}; run make benchmark-regret again.")
    return table
