"""The models, a family a file or, where it needs helpers, a folder: how to find, load and ask any of them.

In: a history, one row per unique_id and ds. Out: eleven quantiles for each series and month ahead. A family's own file is a door too:
its notebook imports its classes from there, and nothing here changes for a new one.
"""

from forecasting.models.base import Model, as_array
from forecasting.models.combination.combining import LARGEST_ERROR, member_errors
from forecasting.models.families import (
    about,
    chosen,
    families,
    family_models,
    get,
    load,
    member_families,
    model_name,
    with_names,
)
from forecasting.models.forecasts import Forecasts, forecast, forecast_apart, forecast_by, forecast_each, with_others
from forecasting.models.saved import gathered, member_folders, saved_folders, saved_member, saved_settings

__all__ = [
    "LARGEST_ERROR", "Forecasts", "Model", "about", "as_array", "chosen", "families", "family_models", "forecast", "forecast_apart",
    "forecast_by", "forecast_each", "gathered", "get", "load", "member_errors", "member_families", "member_folders", "model_name",
    "saved_folders", "saved_member", "saved_settings", "with_names", "with_others",
]  # fmt: skip
