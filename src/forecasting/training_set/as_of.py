"""Training sets as dbt would have built them from the facts of an earlier day, in a warehouse of their own that is thrown away."""

import shutil
from pathlib import Path

import pandas as pd

from forecasting import ledger
from forecasting.contracts import DOMAINS
from forecasting.files import digest
from forecasting.run import Workspace, read_parquet
from forecasting.training_set.building import OF_FACTS, data_stamp, export_table, inspect_facts, run_dbt
from forecasting.training_set.of_series import train_select

FOLDER = "as_of"


def built_as_of(workspace: Workspace, domain: str, day: str) -> pd.DataFrame:
    """Return the training set of a domain as it is built with `as_of` a day: one row per unique_id, ds; no row where no month was whole.

    What was built is kept in the run folder for as long as facts, settings and dbt's models are the same.

    Parameters
    ----------
    day: ISO date.
    """
    settings = workspace.settings("sales") | {"as_of": day}
    folder = workspace.runs / FOLDER / f"{day}-{digest(data_stamp(workspace, settings))[:10]}"
    if not folder.exists():
        build_as_of(workspace, settings, folder)
    return read_parquet(folder / f"train_{domain}.parquet")


def build_as_of(workspace: Workspace, settings: dict, folder: Path) -> None:
    """Build all training sets from the facts of `as_of` and leave them in a new folder, in one step."""
    running = folder.with_name(f"{folder.name}.running")
    shutil.rmtree(running, ignore_errors=True)
    running.mkdir(parents=True)
    variables = {**inspect_facts(workspace, settings).dbt_vars(), **{name: settings[name] for name in OF_FACTS}}
    wanted = [f"+ml_train_{domain}_monthly" for domain in DOMAINS] + (["+series_levels"] if settings["levels"] else [])
    run_dbt(workspace, "run", {**variables, "on_fault": "warn"}, "--select", *wanted, folder=running)
    with ledger.connect(running / "warehouse.duckdb") as connection:
        for domain in DOMAINS:
            select = train_select(domain, levels=settings["levels"])
            export_table(connection, select, running / f"train_{domain}.parquet")
    for path in running.iterdir():  # only the training sets are kept
        shutil.rmtree(path) if path.is_dir() else path.suffix == ".parquet" or path.unlink()
    running.replace(folder)
