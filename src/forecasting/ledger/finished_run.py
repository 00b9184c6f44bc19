"""A finished run of one domain, read from its folder: its tables and the manifest that a published number can be traced back to."""

import importlib.metadata
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from forecasting.contracts import BACKTEST_COLUMNS, FORECAST_COLUMNS, RESTATED_COLUMNS
from forecasting.errors import UserError
from forecasting.ledger.database import parquet
from forecasting.models import about
from forecasting.run import Manifest, RunFolder, Workspace, git_commit, identity, stamps, training_stamps

# What every run is made with; each model adds what it needs.
PACKAGES = ("duckdb", "hierarchicalforecast", "mlflow", "numpy", "pandas", "papermill", "scipy", "utilsforecast")


@dataclass(frozen=True)
class FinishedRun:
    """What publishing needs of one domain's run: its manifest, its tables and its MLflow runs.

    `backtests` (BACKTEST_COLUMNS, the rows of every model that are kept) and `train`, the training set, are Parquet files: of very many
    series they are too many rows to be held.
    `restated` (RESTATED_COLUMNS) is what it would have forecast from the past as it was known before; no rows where nothing was restated.
    """

    manifest: Manifest
    forecasts: pd.DataFrame
    backtests: Path
    train: Path
    restated: pd.DataFrame
    notes: dict[str, dict[str, Any]]

    @property
    def run_id(self) -> str:
        """The run's id, `<domain>-<cutoff>-<10 hex>`."""
        return self.manifest.run_id

    @property
    def domain(self) -> str:
        """The domain."""
        return self.manifest.domain


def finished_run(workspace: Workspace, domain: str) -> FinishedRun:
    """Read one domain's run folder and put its manifest together.

    Raises
    ------
    UserError
        If a step has not run, or a forecast's month is not its cutoff plus its horizon.
    """
    run = RunFolder.open(workspace.runs / domain)
    train, forecasts, backtests = run.training_set(), run.read_table("forecasts"), run.require("evaluation.parquet")
    check_months("forecasts", forecasts, FORECAST_COLUMNS)
    check_months("evaluation", backtests, BACKTEST_COLUMNS)
    notes = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((run.path / "tracking").glob("*.json"))
    }
    restated = run.read_table("restated_forecasts")[RESTATED_COLUMNS]
    return FinishedRun(
        manifest(workspace, run, train, notes),
        forecasts[FORECAST_COLUMNS],
        backtests,
        run.require(f"train_{domain}.parquet"),
        restated,
        notes,
    )


def check_months(name: str, rows: pd.DataFrame | Path, columns: list[str]) -> None:
    """Raise a UserError unless in every row `ds` is `cutoff` plus `horizon` months and nothing but `scale` is unknown.

    `rows` are a table or the Parquet file of one, `name` is what it is called.
    """
    unknown = " or ".join(f"{column} is null" for column in columns if column != "scale")
    with duckdb.connect() as connection:
        if not isinstance(rows, Path):
            connection.register("incoming", rows)
        row = connection.execute(f"""
            select unique_id, strftime(cutoff, '%Y-%m'), horizon, strftime(ds, '%Y-%m')
            from {parquet(rows) if isinstance(rows, Path) else "incoming"}
            where datediff('month', cutoff, ds) is distinct from horizon or {unknown} limit 1
        """).fetchone()
    if row:
        unique_id, cutoff, horizon, month = row
        raise UserError(f"{name}.parquet: {unique_id}, cutoff {cutoff}, horizon {horizon}, month {month} is incomplete or does not fit; "
                        "run the 30 and 40 notebooks again.")  # fmt: skip


def manifest(workspace: Workspace, run: RunFolder, train: pd.DataFrame, notes: dict[str, dict]) -> Manifest:
    """Return everything a published number can be traced back to."""
    settings = workspace.settings(run.domain)
    facts, cutoff = run.read_json("facts"), f"{train['ds'].max():%Y-%m-%d}"
    fingerprint, incumbent = identity.train_fingerprint(train), run.read_json("incumbent")
    champion = run.read_json("champion")
    run_id = identity.run_id(run.domain, cutoff, fingerprint, facts, run.steps, incumbent)
    return Manifest.from_json({
        "run_id": run_id,
        "contest": identity.contest(fingerprint, run.steps, settings), "incumbent": incumbent,
        "domain": run.domain, "workspace": workspace.name, "source": workspace.source, "cutoff": cutoff,
        "fingerprint": fingerprint, "params": settings, "steps": run.steps,
        "lock": stamps.lock_hash(workspace.root), "git_commit": git_commit(workspace.root),
        "trained": asdict(run.trained()) if run.kept else own_training(run, run_id, settings["families"], cutoff),
        "versions": package_versions(champion["models"]),
        "seconds": seconds(run), "mlflow": {name: note["mlflow_run_id"] for name, note in notes.items()},
        "models": [name for name in champion["models"] if notes.get(name, {}).get("model_uri")], "champion": champion,
        "significance": run.read_json("significance"), "check": run.read_json("check"), "monitor": run.read_json("monitor"), "facts": facts,
        "explanation": run.read_json("explanation"), "tests": run.read_json("tests"),
        "calibration": calibrations(run, champion["models"]),
        "currency": settings["currency"] or "", "unit": unit_of(facts, settings),
    })  # fmt: skip


def own_training(run: RunFolder, run_id: str, families: list[str], cutoff: str) -> dict[str, Any]:
    """Return what later runs need to keep the models that this run trained, as the JSON of a `Trained`."""
    names = {family: run.read_json(f"trained_{family}") for family in families}
    models = {
        name: run.read_json(f"tracking/{name}")["mlflow_run_id"] for members in names.values() for name in members
    }
    return {
        "run_id": run_id,
        "cutoff": cutoff,
        "steps": training_stamps(run.steps),
        "families": names,
        "models": models,
    }


def unit_of(facts: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return what a domain's values count: the currency, or units."""
    return "units" if facts["measure"] == "units" else settings["currency"] or ""


def package_versions(names: list[str]) -> dict[str, str]:
    """Return the installed versions of the packages that a run with these models is made with."""
    needed = {*PACKAGES, *(package for name in names for package in about(name).packages)}
    return {package: importlib.metadata.version(package) for package in sorted(needed)}


def calibrations(run: RunFolder, models: list[str]) -> dict[str, Any]:
    """Return the calibration of each model's next forecast: what a server needs beside the registered model."""
    return {
        name: run.read_json(f"calibration/{name}")
        for name in models
        if (run.path / f"calibration/{name}.json").exists()
    }


def seconds(run: RunFolder) -> dict[str, float]:
    """Return how long each notebook of the run took, in seconds, from papermill's record."""
    found = {}
    for step in run.steps:
        record = json.loads((run.path / f"{step}.ipynb").read_text(encoding="utf-8"))["metadata"]["papermill"]
        found[step] = round(record["duration"], 2)
    return found
