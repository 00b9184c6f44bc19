"""The pretrained network by itself on competition sets: as it comes, tuned, beside networks trained from scratch and another's.

For each set the network is taken that has not seen that set (`models/cnn_lstm/experience`). Nothing is calibrated, combined or chosen: what
is scored is what the networks say. The rows `zero_shot` and `fine_tuned` are of the weights that come with the package, whose SHA-256
stands beside them.
"""

import time

import pandas as pd

from forecasting.benchmark import fracast
from forecasting.benchmark.scoring import score
from forecasting.competitions import Dataset
from forecasting.models import forecast
from forecasting.models.cnn_lstm import FINE_TUNED, FROM_SCRATCH, ZERO_SHOT, CNNLSTMForecastModel, experience

LOGGED = ZERO_SHOT  # the row that stands for the scoring in the log


def networks(dataset: Dataset) -> pd.DataFrame:
    """Forecast and score one set with each network (PRETRAINED_COLUMNS); fracast only where its package is installed.

    The models are handed the training part only.
    """
    rows, seconds = [], {}
    for variant in (ZERO_SHOT, FINE_TUNED, FROM_SCRATCH):
        begun = time.perf_counter()
        without = None if variant == FROM_SCRATCH else dataset.name
        model = CNNLSTMForecastModel(variant=variant, without=without, horizon=dataset.horizon).fit(dataset.train)
        rows.append(forecast(model, dataset.train, dataset.horizon, flow=False).assign(model_name=variant))
        seconds[variant] = time.perf_counter() - begun
    if fracast.is_installed():
        found, seconds[fracast.NAME] = fracast.forecast(dataset.train, dataset.horizon)
        rows.append(found)
    scored = score(dataset, pd.concat(rows, ignore_index=True), seconds)
    ours = scored["model"].isin((ZERO_SHOT, FINE_TUNED))
    return scored.assign(weights=scored["model"].where(~ours, experience.card()["weights_sha256"]).where(ours, ""))
