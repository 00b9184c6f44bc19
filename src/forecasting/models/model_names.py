"""The models in words, for those who do not know what they are called in commands and files."""

import re

from forecasting.wording import DASH, SPACE

NAMES = {
    "seasonal_naive": "seasonal naive",
    "auto_ets": "AutoETS",
    "dynamic_optimized_theta": "dynamic optimised Theta",
    "auto_ces": "AutoCES",
    "auto_arima": "AutoARIMA",
    "lightgbm": "LightGBM",
    "lightgbm_direct": "LightGBM, direct",
    "cnn_lstm": "CNN-LSTM",
    "median": "median combination",
    "weighted": "weighted combination",
}
WHAT = {
    "naive": "the last month, repeated",
    "seasonal_naive": "the same month of last year, repeated",
    "linear": "a regression on the calendar and on earlier months",
    "auto_ets": "exponential smoothing of level, trend and season",
    "dynamic_optimized_theta": "a long trend and a smoothed level, averaged",
    "auto_ces": "complex exponential smoothing, which needs no choice between kinds of trend",
    "auto_arima": "a regression of each month on those before it",
    "lightgbm": "boosted decision trees on the calendar and on earlier months",
    "lightgbm_direct": "boosted decision trees that look at each month ahead by itself",
    "cnn_lstm": "a neural network that reads the earlier months in order",
    "median": "the middle of what the kinds of models forecast",
    "weighted": "an average of the models' forecasts that trusts the better ones more",
}


def model_name(name: str) -> str:
    """Write a model's name as people do."""
    return NAMES.get(name) or name.replace("_", " ") or DASH


def with_names(text: str) -> str:
    """Write the models in a sentence of the gate as people do, and keep numbers and their % together."""
    known = "|".join(NAMES)
    return re.sub(rf"\b({known})\b", lambda found: NAMES[found[0]], text).replace(" %", f"{SPACE}%")
