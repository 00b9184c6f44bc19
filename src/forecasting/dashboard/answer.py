"""The forecast of a series that somebody brought, and in words who made it and how far it can be trusted."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.contracts import BOUNDS, QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.dashboard.pasted import Brought
from forecasting.intervals import MIDDLE
from forecasting.models import model_name
from forecasting.report import pool_words
from forecasting.serving import SeriesForecast, ServedModel, bounds_cut, checked_series, points_cut
from forecasting.wording import SPACE, count, listing, month, number


class Answer(NamedTuple):
    """The forecast of one series and the model that made it."""

    served: ServedModel
    brought: Brought
    forecast: SeriesForecast

    @property
    def table(self) -> pd.DataFrame:
        """One row per month: ds, predicted_value, lo_80, hi_80, lo_95, hi_95, in the unit of the series."""
        bounds = {name: self.forecast.quantiles[:, QUANTILE_COLUMNS.index(column)] for name, column in BOUNDS.items()}
        return pd.DataFrame({"ds": self.forecast.months, "predicted_value": self.forecast.points, **bounds})

    @property
    def download(self) -> pd.DataFrame:
        """The table with what made it, for a file."""
        origin, served = self.served.origin, self.served
        return self.table.assign(
            was_cut=self.forecast.was_cut[:, MIDDLE], is_fallback=self.forecast.is_fallback, domain=served.domain, model_name=served.name,
            model_version=origin.version, run_id=origin.run_id,
        )  # fmt: skip


def answer(served: ServedModel, brought: Brought, horizon: int) -> Answer:
    """Forecast a series by `SalesForecaster.served`: what its `forecast_series` does, and which model did it."""
    return Answer(served, brought, served.forecast_series([checked_series(brought.months, brought.values)], horizon)[0])


def who(served: ServedModel) -> str:
    """Say which model, version and run answered, and what it had learned from."""
    origin = served.origin
    return (
        f"Made by the champion of {served.domain}, {model_name(served.name)}: version {origin.version} of {served.domain}_monthly, "
        f"from the run {origin.run_id}, which learned from the company's months up to {month(origin.cutoff)}."
    )


def fallback_reason(found: Answer) -> str:
    """Say why no model made the forecast; «» where one did."""
    if not found.forecast.is_fallback:
        return ""
    values, served = np.array(found.brought.values), found.served
    if served.is_flow and len(values) >= SEASON_LENGTH and not values[-SEASON_LENGTH:].any():
        return "This is a fallback: the series has had twelve months of 0, so it counts as ended and its forecast is 0."
    instead = "the same month of the year before" if len(values) >= SEASON_LENGTH else "the mean of your months"
    if len(values) < served.min_history:
        has = f"your series has {count(len(values), 'month')}, {model_name(served.name)} needs {number(served.min_history)}"
        return f"This is a fallback: {has}. Each month is {instead}."
    return f"This is a fallback: {model_name(served.name)} has no forecast of this series. Each month is {instead}."


def cut_points(found: Answer) -> str:
    """Say where the forecast was cut to 0 because the domain may not be below it; «» where nowhere."""
    return points_cut(found.served.domain, found.forecast)


def cut_bounds(found: Answer) -> str:
    """Say the same of bounds."""
    shown = [QUANTILE_COLUMNS.index(column) for column in BOUNDS.values()]
    return bounds_cut(found.served.domain, found.forecast, shown)


def interval_words(found: Answer) -> str:
    """Say what the intervals rest on, and that another company's errors need not be yours."""
    table, forecast = found.table, found.forecast
    if (table["lo_95"] == table["hi_95"]).all():
        return "There is no interval: nothing is known of how much such a series changes."
    pools = dict(zip(forecast.interval_pool, forecast.interval_n, strict=True))
    known = [f"{pool_words(str(pool))} ({count(int(n), 'error')})" for pool, n in pools.items() if int(n) > 0]
    if not known:
        return "The intervals are the model's own; no past errors were known to correct them."
    return (
        f"The intervals rest on errors that the model made on the company's {listing(known)}, in units of how much each series "
        f"changes from year to year. How well they hold for your series cannot be known: 80{SPACE}% is what they aim at, not a promise."
    )


def looks_at(served: ServedModel, months: int) -> str:
    """Say how much of a series the model looks at where that is not all; «» else."""
    if served.window_size is None or months <= served.window_size:
        return ""
    return f"{model_name(served.name).capitalize()} looks at the last {count(served.window_size, 'month')} of a series."
