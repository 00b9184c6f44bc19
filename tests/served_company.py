"""A small company whose models can be served: a data folder as `publish` leaves it, made without dbt and without training for long."""

import datetime as dt
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import mlflow
import pandas as pd

from forecasting import models
from forecasting.evaluation.backtest import forecast_nodes, known_at, walk_forward
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.intervals import Calibration, calibrate_backtest, calibrate_forecasts
from forecasting.intervals.calibrated import Calibrated
from forecasting.ledger.known_before import NOTHING
from forecasting.models.boosting import BoostingModel, DirectBoostingModel
from forecasting.models.cnn_lstm import CNNLSTMForecastModel
from forecasting.models.combination import WeightedCombination
from forecasting.models.linear import LinearModel
from forecasting.models.naive import SeasonalNaive
from forecasting.models.statistical import AutoETS
from forecasting.registry import store, tracking
from forecasting.registry import versions as registry
from forecasting.series.hierarchy import as_nodes
from synthetic import company

SMALL = {
    "linear": lambda: LinearModel(),
    "seasonal_naive": lambda: SeasonalNaive(),
    "lightgbm": lambda: BoostingModel(trees=20),
    "lightgbm_direct": lambda: DirectBoostingModel(trees=20),
    "cnn_lstm": lambda: CNNLSTMForecastModel(tuning_steps=10),
    "auto_ets": lambda: AutoETS(),
}
UNTIL = dt.datetime(2024, 1, 10, 12)


@dataclass
class ServedCompany:
    """`data` is what a server reads; `runs` holds the run folder of sales, which a server must not need."""

    data: Path
    runs: Path
    months: int = 48
    allow_negative: bool = False
    fitted: dict[str, models.Model] = field(default_factory=dict)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    published: int = 0
    raw: dict[str, pd.DataFrame] = field(default_factory=dict)
    logged: dict[str, dict] = field(default_factory=dict)
    said: dict[str, Calibrated] = field(default_factory=dict)

    @classmethod
    def made(cls, folder: Path, **settings) -> "ServedCompany":
        """Make the folders, the training set and an empty MLflow store."""
        found = cls(folder / "data" / "acme", folder / "runs" / "acme" / "sales", **settings)
        found.runs.mkdir(parents=True)
        store.prepare_store(found.data)
        found.train.to_parquet(found.runs / "train_sales.parquet", index=False)
        plan(found.train["ds"]).to_parquet(found.runs / "cutoffs.parquet", index=False)
        found.write("known_before", NOTHING)
        return found

    @property
    def train(self) -> pd.DataFrame:
        """The training set: two regions, three categories, one of them young."""
        return company(self.months)

    def fit(self, *names: str) -> None:
        """Fit and save models, and calibrate them by a short walk-forward."""
        table = plan(self.train["ds"], n_cutoffs=3, n_calibration=0)
        for name in names:
            model = self._fitted(name)
            if name == "weighted":
                self.raw[name] = model.combine(pd.concat([self.raw[each] for each in model.names]))
            else:
                self.raw[name] = walk_forward(SMALL[name](), self.train, "sales", table["cutoff"].tolist())
            self.fitted[name] = model
            model.save(self.runs / "models" / name)
            made = calibrate_backtest(self.raw[name], self.train, "sales", table, self.allow_negative)
            self.calibrate(name, Calibration.from_json(made.calibration))

    def calibrate(self, name: str, calibration: Calibration) -> None:
        """Keep the calibration of a model's next forecast."""
        self.calibrations[name] = calibration
        self.said.pop(name, None)
        self.write(f"calibration/{name}", calibration.to_json())

    def _fitted(self, name: str) -> models.Model:
        """Return a model that has learned from the whole training set."""
        if name != "weighted":
            return SMALL[name]().fit(as_nodes(self.train))
        combination = WeightedCombination([self.fitted[each] for each in ("lightgbm", "cnn_lstm", "auto_ets")])
        buckets = pd.Index(["1-3", "4-6", "7-12", "13-18", "19+"], name="bucket")
        combination.learned = pd.DataFrame([[0.2, 0.5, 0.3]] * len(buckets), index=buckets, columns=combination.names)
        return combination

    def write(self, name: str, content: object) -> None:
        """Write a JSON file of the run folder."""
        path = self.runs / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))

    def register(self, name: str, run_id: str, alias: bool = True) -> registry.Registered:
        """Log a saved model, register it as a model of a run, and give it the alias of the champion."""
        store.open_store(self.data, "sales")
        if name not in self.logged:
            with mlflow.start_run() as active:
                uri = tracking.log_model(self.runs / "models" / name, True)
            self.logged[name] = {"mlflow_run_id": active.info.run_id, "model_uri": uri}
        version = registry.register(self.data, "sales", self.logged[name], run_id, name)
        if alias:
            registry.set_aliases(self.data, "sales", {registry.CHAMPION: version})
        return registry.registered(self.data, "sales", run_id, name)

    def publish(self, name: str, run_id: str = "", forecasts: pd.DataFrame | None = None) -> str:
        """Register a model as champion of a new run, publish the run, and return its id."""
        self.published += 1
        run_id = run_id or f"sales-2023-12-01-{self.published:010x}"
        version = self.register(name, run_id)
        explanation = {}
        if forecasts is None:
            said = self.forecasts(name)
            forecasts, explanation = said.rows, {"cut": said.cut, "cut_series": said.cut_series}
        at = UNTIL + dt.timedelta(days=self.published)
        rows = forecasts.assign(run_id=run_id, model_version=version.version, prediction_time=at)
        manifest = {
            "champion": {"name": name}, "calibration": {each: found.to_json() for each, found in self.calibrations.items()},
            "params": {"allow_negative": self.allow_negative}, "cutoff": "2023-12-01", "unit": "EUR", "domain": "sales",
            "explanation": explanation,
        }  # fmt: skip
        run = {"run_id": run_id, "domain": "sales", "manifest": json.dumps(manifest), "published_at": at}
        self._add(rows, pd.DataFrame([run]), pd.DataFrame([{"domain": "sales", "run_id": run_id, "published_at": at}]))
        return run_id

    def forecasts(self, name: str) -> Calibrated:
        """Return what a model says of the training set, as notebook 40 computes it."""
        if name not in self.said:
            history, known = known_at(self.train, self.train["ds"].max()), self.calibrations[name]
            raw = forecast_nodes(models.load(self.runs / "models" / name), history, 6, flow=True)
            self.said[name] = calibrate_forecasts(
                raw, self.train, "sales", name, "published", known, self.allow_negative
            )
        return self.said[name]

    def _add(self, forecasts: pd.DataFrame, runs: pd.DataFrame, publications: pd.DataFrame) -> None:
        """Put a published database with these rows more in the old one's place, in one step."""
        target, scratch = self.data / "published.duckdb", self.data / "published.running.duckdb"
        with duckdb.connect(str(scratch)) as connection:
            parts = {"forecasts": forecasts, "runs": runs, "publications": publications}
            days = dict.fromkeys(parts, "") | {"forecasts": "replace (cutoff::date as cutoff, ds::date as ds)"}
            if target.exists():
                connection.execute(f"attach '{target}' as old (read_only)")
            for table, rows in parts.items():
                connection.register("incoming", rows)
                older = f"union all by name select * from old.{table}" if target.exists() else ""
                connection.execute(f"create table {table} as select * {days[table]} from incoming {older}")
            connection.execute(
                "create table latest_runs as select * from publications qualify "
                "row_number() over (partition by domain order by published_at desc) = 1"
            )
            train = self.train
            connection.execute("create table ml_train_sales_monthly as select * replace (ds::date as ds) from train")
            board = accuracy()
            connection.execute("create table forecast_accuracy as select * from board")
            if target.exists():
                connection.execute("detach old")
            assert len(train) and len(board)
        os.replace(scratch, target)


def accuracy() -> pd.DataFrame:
    """Two rows of the accuracy mart, one of them with a measure that is not known."""
    row = {"domain": "sales", "aggregation": "series", "model_name": "linear", "is_champion": True, "forecast_kind": "walk_forward",
           "evaluation_set": "held_out", "horizon_group": "all", "n": 30, "n_series": 1, "of_series": 1, "n_cutoffs": 2,
           "mae": 1 / 3, "rmse": 0.1 + 0.2,
           "wape": 0.05, "bias": -1.5, "mase": 0.8, "coverage_80": 0.81, "coverage_95": 0.96, "fva": 2.5, "masc": 0.2}  # fmt: skip
    frame = pd.DataFrame(
        [row, {**row, "aggregation": "total", "mase": None, "model_name": "seasonal_naive", "is_champion": False}]
    )
    return frame.assign(first_cutoff=dt.date(2023, 5, 1), last_cutoff=dt.date(2023, 6, 1))
