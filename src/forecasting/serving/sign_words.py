"""Says in words where the sign policy cut a forecast: what a model expected below zero is never shown as if it had expected zero."""

import numpy as np

from forecasting.intervals import MIDDLE
from forecasting.serving.served_model import SeriesForecast
from forecasting.wording import count


def points_cut(domain: str, forecast: SeriesForecast) -> str:
    """Say in how many months the forecast itself was cut; «» where in none."""
    cut = forecast.was_cut[:, MIDDLE]
    if not cut.any():
        return ""
    return (
        f"The forecast was below 0 in {int(cut.sum())} of {count(len(cut), 'month')} and was cut to 0 there, because {domain} may not be "
        f"below 0 (allow_negative in params/). A history that goes below 0 is hardly one of {domain}."
    )


def bounds_cut(domain: str, forecast: SeriesForecast, columns: list[int]) -> str:
    """Say in how many months a bound, of those in these columns of the quantiles, was cut while the forecast was not; «» where in none."""
    if not forecast.was_cut.any():  # mostly so, and soon seen
        return ""
    cut = forecast.was_cut[:, columns].any(axis=1) & ~forecast.was_cut[:, MIDDLE]
    if not np.any(cut):
        return ""
    months = f"{int(cut.sum())} of {count(len(cut), 'month')}"
    return f"A bound was below 0 in {months} and was cut to 0 there, because {domain} may not be below 0."
