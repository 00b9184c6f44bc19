"""Monthly changes of seasonally adjusted, compressed series and mlforecast's lag features of them, fed back month by month.

Each series is divided by its mean absolute value, its season is removed (`series.seasons_of`), and the rest is compressed by
asinh, which is nearly a logarithm for months of ordinary size and, unlike it, has a value for zeros and negatives:
changes are relative, and units do not matter. It is rounded, because in the sixteenth digit, which hangs on the order of a sum, trees
find other splits: forecasts would differ by more than a percent.
"""

from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.series import DECIMALS, History, Season, seasons_of

COMPRESSION = (
    0.1  # of the scale: values well above it are compressed like a logarithm, values below are kept as they are
)
LAGS = SEASON_LENGTH + 1  # changes before the forecast month that are features of their own
ROLLING = (2, 3, 6, 12, 24)  # months
YEARS = (2, 3, 5, 10)  # over which the change of the same calendar month is averaged


def calendar_month(months: np.ndarray) -> np.ndarray:
    """Return 1 … 12 for month numbers."""
    return months % SEASON_LENGTH + 1


def feature_name(transform: Any, lag: int, *_: Any) -> str:
    """Return a short name for a feature computed from the changes up to `lag` months before the forecast month."""
    kind = type(transform).__name__
    if kind == "SeasonalRollingMean":
        return f"same_month_{transform.window_size}y_lag{lag}"
    return f"{'mean' if kind == 'RollingMean' else 'spread'}_{transform.window_size}m_lag{lag}"


def lag_features() -> Any:
    """Return mlforecast's object that turns compressed histories into features and feeds forecasts back."""
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean, RollingStd, SeasonalRollingMean
    from mlforecast.target_transforms import Differences

    def same_month(years: int) -> SeasonalRollingMean:
        return SeasonalRollingMean(SEASON_LENGTH, years, min_samples=1)

    recent = [RollingMean(months, min_samples=min(months, SEASON_LENGTH)) for months in ROLLING]
    return MLForecast(
        models={},
        freq=1,
        lags=list(range(1, LAGS + 1)),
        lag_transforms={
            1: [*recent, RollingStd(SEASON_LENGTH)],
            SEASON_LENGTH - 1: [same_month(5)],
            SEASON_LENGTH: [same_month(years) for years in YEARS],
            SEASON_LENGTH + 1: [same_month(5)],
        },
        lag_transforms_namer=feature_name,
        date_features=[calendar_month],
        target_transforms=[Differences([1])],
        num_threads=1,
    )


def table(found: list[History], removed: list[Season]) -> pd.DataFrame:
    """Return histories as mlforecast wants them: unique_id (their position), ds (month number), y (compressed)."""
    adjusted = [known.removed(one.in_scale, one.months) for known, one in zip(removed, found, strict=True)]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(found)), [len(values) for values in adjusted]),
            "ds": np.concatenate([one.months for one in found]),
            "y": np.round(np.arcsinh(np.concatenate(adjusted) / COMPRESSION), DECIMALS),
        }
    )


def changes(features: Any, found: list[History]) -> pd.DataFrame:
    """Return one row per series and month that has all features: unique_id, ds, y (the change) and the features."""
    long_enough = [one for one in found if len(one.values) > LAGS + 1]
    if not long_enough:
        return pd.DataFrame(columns=["unique_id", "ds", "y"])
    return features.preprocess(table(long_enough, seasons_of(long_enough)), static_features=[])
