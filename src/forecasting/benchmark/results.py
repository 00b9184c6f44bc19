"""What the benchmark leaves: the table of results, and the log of every scoring of a test part.

The log is committed. A line is added to it before anybody sees the figures, and none is ever changed: how often the test parts
were looked at, and what was seen, stays on record.
"""

import csv
from pathlib import Path

import pandas as pd

from forecasting.benchmark.scoring import CHAMPION, MEASURES, RESULT_COLUMNS
from forecasting.errors import UserError

LOG_COLUMNS = ["date", "commit", *RESULT_COLUMNS]
DECIMALS = {"smape": 3, "mape": 3, "mase": 4, "wql": 5, "coverage_80": 2, "coverage_95": 2, "seconds": 1}
REFERENCE = "scum"  # the one row that stays when a run does not measure it: no code of ours is in it, and it takes long


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of results with the decimals in which figures are kept."""
    return table[RESULT_COLUMNS].round(DECIMALS)


def write_results(path: Path, scored: pd.DataFrame) -> pd.DataFrame:
    """Put one set's rows into the table, in place of that set's old ones, and return the whole table.

    Parameters
    ----------
    scored: RESULT_COLUMNS of one set.
    """
    (dataset,) = scored["dataset"].unique()
    table = rounded(scored)
    if path.exists():
        old = read_results(path)
        stays = (old["dataset"] != dataset) | ((old["model"] == REFERENCE) & ~old["model"].isin(scored["model"]))
        table = pd.concat([old[stays], table], ignore_index=True)
    return put(path, table.sort_values("dataset", kind="stable", ignore_index=True))


def put(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Write a table in one step, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".running")
    table.to_csv(scratch, index=False, lineterminator="\n")
    scratch.replace(path)
    return table


def measured(path: Path, columns: list[str], command: str) -> pd.DataFrame:
    """Return a table that a command writes; no rows where it was not run.

    Raises
    ------
    UserError
        If it has other columns.
    """
    if not path.exists():
        return pd.DataFrame(columns=columns)
    table = pd.read_csv(path)
    if list(table.columns) != columns:
        raise UserError(f"{path.name} has the columns {', '.join(table.columns)}; run {command} again.")
    return table


def read_results(path: Path) -> pd.DataFrame:
    """Return the table of results: RESULT_COLUMNS, one row per set and model.

    Raises
    ------
    UserError
        If it is not there.
    """
    if not path.exists():
        raise UserError(f"{path.name} is not there yet: run make benchmark.")
    return pd.read_csv(path)


def append_to_log(path: Path, scored: pd.DataFrame, date: str, commit: str, model: str = CHAMPION) -> None:
    """Add a model's line of one scoring of a test part, the champion's where there is one.

    Raises
    ------
    UserError
        If the log there is has other columns.
    """
    is_new = not path.exists() or not path.stat().st_size
    if not is_new:
        read_log(path)
    (row,) = rounded(scored[scored["model"] == model]).to_dict("records")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, LOG_COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow({"date": date, "commit": commit, **row})


def read_log(path: Path) -> pd.DataFrame:
    """Return the log: LOG_COLUMNS, one row per scoring, in order of time; empty where nothing has been scored."""
    if not path.exists():
        return pd.DataFrame(columns=LOG_COLUMNS)
    log = pd.read_csv(path, dtype={"commit": str, "date": str})
    if list(log.columns) != LOG_COLUMNS:
        raise UserError(f"{path.name} has the columns {', '.join(log.columns)}; expected {', '.join(LOG_COLUMNS)}.")
    return log.astype(dict.fromkeys([*MEASURES, "seconds"], "float64"))
