"""A small company whose months can be filled in without make, dbt and notebooks: what a finished run leaves, and an empty ledger."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from dbt_sql import model
from forecasting import models
from forecasting.contracts import TRAIN_COLUMNS
from forecasting.evaluation import known_at
from forecasting.run import Workspace
from forecasting.series import as_nodes
from ledger_by_macros import create_views, migrate

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = ("naive", "linear")
SETTINGS = {"families": [*FAMILIES], "linear_penalties": [1000.0, 100.0], "n_cutoffs": 3, "n_calibration": 1}
LINKED = ("src", "notebooks", "reports", "requirements.lock", "dbt")


def training_set(months: int = 48, seed: int = 1, first: str = "2020-01-01") -> pd.DataFrame:
    """Return a training set: two series of two regions, one of which begins a year later."""
    rng, parts = np.random.default_rng(seed), []
    every = pd.date_range(first, periods=months, freq="MS")
    for number, (region, category) in enumerate((("East", "Bikes"), ("West", "Bikes"))):
        own = every[12 if number else 0 :]
        size = 100.0 * (number + 1)
        y = size * (1 + 0.3 * np.sin(own.month / 2) + 0.01 * np.arange(len(own))) + rng.normal(0, size / 12, len(own))
        parts.append(pd.DataFrame({"unique_id": f"{region}/{category}", "ds": own, "y": y.round(2), "region": region,
                                   "product_category": category, "is_imputed": False}))  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)[TRAIN_COLUMNS]
    return rows.assign(ds=rows["ds"].astype("datetime64[ns]"))


def company(folder: Path, **trains: pd.DataFrame) -> Workspace:
    """Make a workspace whose last run trained the naive and the linear models on these training sets."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "params").mkdir()
    settings = "\n".join(f"{key}: {json.dumps(value)}" for key, value in SETTINGS.items())
    (folder / "params" / "default.yml").write_text((ROOT / "params" / "default.yml").read_text(encoding="utf-8"))
    (folder / "params" / "small.yml").write_text(settings + "\n", encoding="utf-8")
    workspace = Workspace(folder, "acme", "csv", None, "small")
    for domain, train in (trains or {"sales": training_set()}).items():
        finished_run(workspace, domain, train)
    empty_ledger(workspace)
    built = {"domains": [*(trains or {"sales": None})], "missing": {}}
    (workspace.runs / "built.json").write_text(json.dumps(built), encoding="utf-8")
    return workspace


def finished_run(workspace: Workspace, domain: str, train: pd.DataFrame) -> None:
    """Leave in the run folder of a domain what a backfill reads of a finished run."""
    folder = workspace.runs / domain
    folder.mkdir(parents=True, exist_ok=True)
    train.to_parquet(folder / f"train_{domain}.parquet", index=False)
    steps = {step: step for step in ("20_train_naive", "20_train_linear", "25_combine", "30_evaluate", "40_forecast")}
    run = {"domain": domain, "workspace": workspace.name, "experiment": domain, "steps": steps}
    notes = {
        "run": run,
        "facts": {"domain": domain, "measure": "net amount"},
        "trained_naive": ["naive", "seasonal_naive"],
        "trained_linear": ["linear"],
        "trained_combination": ["median", "weighted"],
    }
    for name, content in notes.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    known = as_nodes(known_at(train, train["ds"].max()))
    for name in (*notes["trained_naive"], *notes["trained_linear"]):
        settings = {"penalties": SETTINGS["linear_penalties"]} if name == "linear" else {}
        models.get(name)(**settings).fit(known).save(folder / "models" / name)


def empty_ledger(workspace: Workspace) -> None:
    """Make the ledger's tables and the views that say which run counts."""
    workspace.data.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(workspace.warehouse)) as connection:
        migrate(connection)
        create_views(connection)
        for view in ("counted_backfills", "counted_overrides"):
            connection.execute(f"create view {view} as {model(f'marts/{view}')}")


def rows(workspace: Workspace, table: str = "forecasts", leave_out: str = "prediction_time") -> pd.DataFrame:
    """Return a table of the ledger, in order, without the times at which it was written."""
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        return connection.execute(f"select * exclude ({leave_out}) from {table} order by all").df()
