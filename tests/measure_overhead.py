"""What a model's step costs beside the library calls that it is made of: seconds of both and their ratio. Not a test.

    python tests/measure_overhead.py runs/benchmark/overhead.csv --series 1000

Each model of the default profile walks forward over a made company of `--series` products (60 months, the default's cutoffs), and
its forecasts are calibrated and measured, all in this process with one thread, as in its notebook with one core. Library calls are
those of statsforecast, LightGBM, mlforecast, scikit-learn and torch: estimating or training, and forecasting with what was estimated.
The naive models and TSB have no library behind them.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from unittest import mock

from forecasting.engine import THREADS

os.environ.update(THREADS)  # before a library counts its threads

import lightgbm
import mlforecast
import numpy as np
import pandas as pd
import sklearn.linear_model
from statsforecast import models as statsforecast

from forecasting import evaluation, models
from forecasting.engine import Engine
from forecasting.models.cnn_lstm import network, one_thread, training
from many_series import many_series

STATISTICAL = (statsforecast.AutoETS, statsforecast.DynamicOptimizedTheta, statsforecast.AutoCES)
CALLS = [
    *((model, call) for model in STATISTICAL for call in ("fit", "predict", "forward")),
    (lightgbm, "train"), (lightgbm.Booster, "predict"),
    (mlforecast.MLForecast, "preprocess"), (mlforecast.MLForecast, "predict"),
    (sklearn.linear_model.Ridge, "fit"),
    (training._Run, "until_no_better"), (training._Run, "on_all"), (network.CNNLSTM, "forward"),
]  # fmt: skip
NAMES = [
    "naive",
    "seasonal_naive",
    "linear",
    "auto_ets",
    "dynamic_optimized_theta",
    "auto_ces",
    "tsb",
    "lightgbm",
    "lightgbm_direct",
    "cnn_lstm",
]
SAMPLE = evaluation.Sample(2000)  # as train_series in params/default.yml


class Clock:
    """Adds up the seconds that are spent in library calls; a call within a call counts once."""

    def __init__(self) -> None:
        self.seconds, self.depth = 0.0, 0

    def timed(self, call: Callable) -> Callable:
        """Return a call that is added up."""

        @wraps(call)
        def inner(*arguments, **named):
            self.depth += 1
            begun = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self.depth -= 1
                self.seconds += (time.perf_counter() - begun) * (self.depth == 0)

        return inner


def measured(name: str, train: pd.DataFrame, plan: pd.DataFrame) -> dict[str, str | float]:
    """Walk forward with a model, calibrate and measure it; return its seconds and those of the library in them."""
    clock = Clock()
    patches = [mock.patch.object(owner, call, clock.timed(getattr(owner, call))) for owner, call in CALLS]
    begun = time.perf_counter()
    for patch in patches:
        patch.start()
    try:
        made = evaluation.back_test(models.get(name)(), train, "sales", plan, False, Engine(), SAMPLE)
    finally:
        for patch in patches:
            patch.stop()
    walked = time.perf_counter() - begun
    evaluation.measure(made.rows, train)
    return {"model": name, "seconds": time.perf_counter() - begun, "back_test": walked, "library": clock.seconds}


def main() -> None:
    """Measure and write the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("target", type=Path)
    asked.add_argument("--series", type=int, default=1000)
    options = asked.parse_args()
    one_thread()
    train = many_series(options.series, months=60, regions=max(options.series // 200, 2))
    plan = evaluation.plan_cutoffs(train["ds"].unique())
    few = many_series(20, months=60)
    for name in NAMES:  # so that imports and compilation are in nobody's time
        evaluation.back_test(models.get(name)(), few, "sales", plan.iloc[-2:], False, Engine())
    rows = []
    for name in NAMES:
        rows.append(measured(name, train, plan))
        print(
            ", ".join(f"{key} {value:.1f}" if key != "model" else value for key, value in rows[-1].items()), flush=True
        )
    table = pd.DataFrame(rows)
    table.loc[len(table)] = ["all", *table.iloc[:, 1:].sum()]
    table["ratio"] = (table["seconds"] / table["library"].replace(0.0, np.nan)).round(2)
    options.target.parent.mkdir(parents=True, exist_ok=True)
    table.round(2).to_csv(options.target, index=False)
    print(f"{options.series} series, {len(plan)} cutoffs\n{table.round(2).to_string(index=False)}")


if __name__ == "__main__":
    main()
