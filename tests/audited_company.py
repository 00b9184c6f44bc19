"""A company whose ledger, store and published file can be asked: published by the real code, with few models and no notebook executed."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from forecasting import models, pipeline
from forecasting.contracts import BACKTEST_COLUMNS, FORECAST_COLUMNS, QUANTILE_COLUMNS
from forecasting.evaluation.cutoffs import plan_cutoffs
from forecasting.ledger import publishing
from forecasting.ledger.finished_run import FinishedRun
from forecasting.registry import store, tracking
from forecasting.run import Manifest, RunFolder, Workspace, identity, params, stamps, train_fingerprint
from ledger_by_macros import create_views, migrate
from parquet_files import parquet_file
from synthetic import series

TABLES = ["forecasts", "backtests", "actuals", "restatements", "training_changes", "runs", "publications", "latest_runs",
          "counted_forecasts", "ml_train_sales_monthly"]  # fmt: skip
ORDER = ["naive", "seasonal_naive", "linear"]
STEPS = ("10_check_data", "20_train_linear", "20_train_naive", "25_combine", "30_evaluate", "40_forecast", "50_monitor")
NOTHING = pd.DataFrame({"metric": ["n"], "value": [1.0]})
BOUNDS = ("predicted_value", "lo_80", "hi_80", "lo_95", "hi_95")


@dataclass
class AuditedCompany:
    """A workspace with one domain, sales, of one series, North/Bikes: 100 and the number of the month from January 2020 on."""

    place: Workspace

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.place.runs / "sales"

    def publish(self, months: int, restated: dict[str, float], incumbent: dict) -> Manifest:
        """Publish a run that knows so many months; `restated`: by which factor the facts of a month are others than they were."""
        run, train = self.prepared(months, restated)
        notes = self.logged(run, train)
        manifest = self.manifest(run, train, incumbent, notes)
        row = {"domain": "sales", "aggregation": "series", "unique_id": "North/Bikes", "region": "North", "product_category": "Bikes",
               "horizon": 1, "scale": 1.0, "interval_pool": "series, horizons 1-3", "interval_n": 40, "is_fallback": False}  # fmt: skip
        cutoff = train["ds"].max()
        ahead = {**dict.fromkeys(BOUNDS, 100.0), "cutoff": cutoff, "ds": cutoff + pd.DateOffset(months=1)}
        forecasts = [
            {**row, **ahead, "model_name": name, "status": status}
            for name, status in (("linear", "published"), ("seasonal_naive", "baseline"))
        ]  # fmt: skip
        backtests = [
            {**row, **dict.fromkeys(QUANTILE_COLUMNS, 100.0), "cutoff": cutoff - pd.DateOffset(months=1), "ds": cutoff, "model_name": name,
             "evaluation_set": "recent"} for name in ORDER
        ]  # fmt: skip
        tables = (pd.DataFrame(forecasts)[FORECAST_COLUMNS], pd.DataFrame(backtests)[BACKTEST_COLUMNS])
        self.add(
            FinishedRun(
                manifest, tables[0], parquet_file(tables[1]), run.path / "train_sales.parquet", pd.DataFrame(), notes
            )
        )
        return manifest

    def prepared(self, months: int, restated: dict[str, float]) -> tuple[RunFolder, pd.DataFrame]:
        """Write what `make data` writes of a run."""
        train = series([100.0 + m % 12 for m in range(months)], end=f"{pd.Period('2020-01') + months - 1}-01")
        for month, factor in restated.items():
            train.loc[train["ds"] == month, "y"] *= factor
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = params.resolve(self.place.root, "acme", "sales")
        steps = {step: pipeline.stamp_today(self.place, step, settings) for step in STEPS}
        about = {"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": steps}
        (self.folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
        run = RunFolder.open(self.folder)
        run.write_table("train_sales", train)
        run.write_table("cutoffs", plan_cutoffs(train["ds"]))
        return run, train

    def logged(self, run: RunFolder, train: pd.DataFrame) -> dict[str, dict]:
        """Fit the models and log them, as the training notebooks do."""
        for name in ORDER:
            models.get(name)().fit(train).save(run.path / "models" / name)
            tracking.log_step(
                run, self.place.data, "20_train_naive", name, {}, NOTHING, model_dir=run.path / "models" / name
            )
        return {name: run.read_json(f"tracking/{name}") for name in ORDER}

    def manifest(self, run: RunFolder, train: pd.DataFrame, incumbent: dict, notes: dict[str, dict]) -> Manifest:
        """Say what `publish` says of a run."""
        last = train["ds"].max()
        facts = {"domain": "sales", "measure": "net amount", "grain": "daily", "first_fact": "2020-01-01",
                 "last_fact": f"{last + pd.DateOffset(days=45):%Y-%m-%d}", "n_facts": 1234, "first_month": "2020-01-01",
                 "last_month": f"{last:%Y-%m-%d}", "n_months": len(train), "notes": [], "doubts": [],
                 "left_out": [{"ds": f"{last + pd.DateOffset(months=1):%Y-%m-%d}", "n_facts": 7, "amount": 5.5,
                               "reason": "not whole"}]}  # fmt: skip
        cutoff, fingerprint, settings = (
            f"{last:%Y-%m-%d}",
            train_fingerprint(train),
            params.resolve(self.place.root, "acme", "sales"),
        )
        return Manifest.from_json({
            "run_id": identity.run_id("sales", cutoff, fingerprint, facts, run.steps, incumbent), "incumbent": incumbent,
            "domain": "sales", "workspace": "acme", "source": "import", "cutoff": cutoff, "fingerprint": fingerprint, "params": settings,
            "steps": run.steps, "lock": stamps.lock_hash(self.place.root), "versions": {"pandas": pd.__version__},
            "facts": facts, "models": ORDER,
            "mlflow": {name: note["mlflow_run_id"] for name, note in notes.items()}, "currency": "EUR", "unit": "EUR",
            "champion": {"name": "linear", "models": ORDER, "verdict": "kept", "reason": "linear is the best.", "gate_choice": "linear",
                         "next_best": "seasonal_naive", "incumbent": incumbent["name"], "metric": "mase",
                         "metric_choice": {"linear": 0.8, "naive": 1.2}, "choice_cutoffs": ["2023-01-01"],
                         "rules": [{"name": "improvement_pct", "measured": 20.0, "limit": 1.0, "passed": True}]},
            "explanation": {"reconciliation": "bottom_up", "cut": {"points": 0, "bounds": 3}},
        })  # fmt: skip

    def add(self, run: FinishedRun) -> None:
        """Register, write and copy, as `publish` does."""
        known = publishing.register(self.place, run)
        with duckdb.connect(str(self.place.warehouse)) as connection:
            connection.execute(
                f"create or replace table ml_train_sales_monthly as select * replace (ds::date as ds) from '{run.train}'"
            )
            publishing.add_to_ledger(connection, [run], {"sales": known["champion"]})
            publishing.crown(self.place, run, known)
            publishing.publish_copy(connection, self.place.published)


def project(root: Path, place: Path) -> Path:
    """Make an empty project that has this one's code."""
    place.mkdir(parents=True, exist_ok=True)
    for part in ("dbt", "notebooks", "reports", "src", "requirements.lock"):
        (place / part).symlink_to(root / part)
    shutil.copytree(root / "params", place / "params")
    return place


def published_company(root: Path, place: Path) -> AuditedCompany:
    """Make a company, in euros, and publish it twice, the second time a month later and with one month of the past restated."""
    company = AuditedCompany(Workspace(project(root, place), "acme", "import", "data/acme/facts"))
    company.place.data.mkdir(parents=True)
    company.place.remember()
    store.prepare_store(company.place.data)
    with duckdb.connect(str(company.place.warehouse)) as connection:
        migrate(connection)
        create_views(connection)
    (place / "params" / "workspaces").mkdir(exist_ok=True)
    (place / "params" / "workspaces" / "acme.yml").write_text("currency: EUR\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "PUBLISHED", TABLES)
        first = company.publish(48, {}, {"name": None, "run_id": None, "decision": None})
        company.publish(49, {"2021-05-01": 1.5}, {"name": "linear", "run_id": first.run_id, "decision": None})
    return company
