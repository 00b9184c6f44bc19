"""Gradient-boosted trees, one model for all series of a domain: LightGBM on the lag features of mlforecast.

Each series is divided by its mean absolute value, its season is removed (`seasonality`), and the rest is compressed by
asinh, which is nearly a logarithm for months of ordinary size and, unlike it, has a value for zeros and negatives:
changes are relative, and units do not matter. The target is the change from one month to the next. The features are
earlier changes, their rolling means, the mean change of the same calendar month in earlier years, where the season
that was removed leaves something, and the calendar month. Forecasts are fed back as lags month by month. Trees
minimise absolute errors, so the point is near the median.

What is saved is LightGBM's own text; features are recomputed from settings and history, so a loaded model agrees.
"""

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.features import panel
from forecasting.history import History, histories, within_history
from forecasting.models.base import Model, point_forecast
from forecasting.seasonality import Season, season

TREES_FILE = "model.txt"
COMPRESSION = (
    0.1  # of the scale: values well above it are compressed like a logarithm, values below are kept as they are
)
LAGS = SEASON_LENGTH + 1  # changes before the forecast month that are features of their own
ROLLING = (2, 3, 6, 12, 24)  # months
YEARS = (2, 3, 5, 10)  # over which the change of the same calendar month is averaged
FEWEST_ROWS = 50  # below this nothing can be learned: every series gets the fallback
TRAINING = {
    "objective": "l1",
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 1,
    "num_threads": 1,  # more threads add the same numbers in another order
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


class Trees:
    """LightGBM's booster as mlforecast calls it, with one thread."""

    def __init__(self, text: str) -> None:
        """Read a booster from its own text."""
        from lightgbm import Booster

        self.text = text
        self.booster = Booster(model_str=text)

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Return the change from the last month [rows], in compressed units."""
        return self.booster.predict(features, num_threads=1)


class BoostingModel(Model):
    """Global gradient boosting. Settings: how many trees, how fast they learn, how many leaves each has."""

    name = "lightgbm"
    family = "boosting"
    min_history = 2 * SEASON_LENGTH
    refit_every = 6
    defaults: ClassVar[dict[str, Any]] = {"trees": 400, "learning_rate": 0.03, "leaves": 15}
    trees: Trees | None = None

    def fit(self, train: pd.DataFrame) -> Self:
        """Grow trees on every month of every varying series that has thirteen changes before it."""
        import lightgbm

        known = [one for _, one in histories(panel(train)) if not one.is_constant]
        self.trees = None
        rows = changes(lag_features(), known)
        if len(rows) < FEWEST_ROWS:
            return self
        data = lightgbm.Dataset(rows.drop(columns=["unique_id", "ds", "y"]), rows["y"])
        options = TRAINING | {"learning_rate": self.settings["learning_rate"], "num_leaves": self.settings["leaves"]}
        self.trees = Trees(lightgbm.train(options, data, self.settings["trees"]).model_to_string())
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`; NaN for every series where there was too little to learn from."""
        known = panel(history)
        found = [one for _, one in histories(known)]
        varying = np.array([not one.is_constant for one in found])
        points = np.array([np.full(horizon, one.values[-1]) for one in found])
        if varying.any():
            points[varying] = self._points([one for one in found if not one.is_constant], horizon)
        return point_forecast(known.ids, known.last, within_history(points, known.values))

    def _points(self, found: list[History], horizon: int) -> np.ndarray:
        """Forecast month by month, each forecast being a lag of the next [series, horizon]; NaN without trees."""
        if self.trees is None:
            return np.full((len(found), horizon), np.nan)
        features, removed = lag_features(), seasons(found)
        # mlforecast goes on from the histories it has prepared
        features.preprocess(table(found, removed), static_features=[], dropna=False)
        features.models_ = {self.name: self.trees}
        compressed = features.predict(horizon)[self.name].to_numpy().reshape(len(found), horizon)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is no forecast
            adjusted = np.sinh(compressed) * COMPRESSION
            ahead = np.arange(1, horizon + 1)
            return np.array(
                [
                    known.restored(points, one.months[-1] + ahead) * one.scale
                    for known, points, one in zip(removed, adjusted, found, strict=True)
                ]
            )

    def importances(self) -> pd.DataFrame:
        """Return one row per feature: feature, importance (its share of the loss that all splits removed), largest first."""
        if self.trees is None:
            return pd.DataFrame({"feature": pd.Series(dtype=str), "importance": pd.Series(dtype=float)})
        booster = self.trees.booster
        gain = booster.feature_importance("gain")
        result = pd.DataFrame({"feature": booster.feature_name(), "importance": gain / max(gain.sum(), 1e-300)})
        return result.sort_values("importance", ascending=False, kind="stable", ignore_index=True)

    def explanation(self) -> dict[str, Any]:
        """Return each feature's share of the loss that all splits removed: {"importances": {feature: share}}, largest first."""
        table = self.importances()
        return {"importances": dict(zip(table["feature"], table["importance"].round(4).tolist(), strict=True))}

    def save(self, directory: Path) -> None:
        """Write the settings and the trees."""
        super().save(directory)
        (directory / TREES_FILE).write_text(self.trees.text if self.trees else "", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote."""
        model = super().load(directory)
        text = (directory / TREES_FILE).read_text(encoding="utf-8")
        model.trees = Trees(text) if text else None
        return model


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


def seasons(found: list[History]) -> list[Season]:
    """Return the season of each history in units of its scale."""
    return [season(one.scaled(one.scale), one.months) for one in found]


def table(found: list[History], removed: list[Season]) -> pd.DataFrame:
    """Return histories as mlforecast wants them: unique_id (their position), ds (month number), y (compressed)."""
    adjusted = [known.removed(one.scaled(one.scale), one.months) for known, one in zip(removed, found, strict=True)]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(found)), [len(values) for values in adjusted]),
            "ds": np.concatenate([one.months for one in found]),
            "y": np.arcsinh(np.concatenate(adjusted) / COMPRESSION),
        }
    )


def changes(features: Any, found: list[History]) -> pd.DataFrame:
    """Return one row per series and month that has all features: unique_id, ds, y (the change) and the features."""
    long_enough = [one for one in found if len(one.values) > LAGS + 1]
    if not long_enough:
        return pd.DataFrame(columns=["unique_id", "ds", "y"])
    return features.preprocess(table(long_enough, seasons(long_enough)), static_features=[])


MODELS = (BoostingModel,)
