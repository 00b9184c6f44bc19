"""One loaded model that answers: the same forecasts as notebook 40, for programs and people who never open a notebook.

In: a workspace's `data/` folder. Out: `SalesForecaster`, which follows the champion and may be used by any number of threads.
"""

from forecasting.serving.forecaster import LOOK_EVERY, SalesForecaster
from forecasting.serving.model_source import times
from forecasting.serving.series_input import LARGEST, MONTH, SeriesError, checked_series
from forecasting.serving.served_model import Series, SeriesForecast, ServedModel
from forecasting.serving.sign_words import bounds_cut, points_cut

__all__ = [
    "LARGEST", "LOOK_EVERY", "MONTH", "SalesForecaster", "Series", "SeriesError", "SeriesForecast", "ServedModel",
    "bounds_cut", "checked_series", "points_cut", "times",
]  # fmt: skip
