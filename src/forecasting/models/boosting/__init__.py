"""Gradient-boosted trees, one model for all series of a domain, through LightGBM: a recursive one and a direct one.

`BoostingModel` predicts the change from one month to the next on mlforecast's lag features (`changes`); its forecasts
are fed back as lags month by month. `DirectBoostingModel` predicts every month ahead at once from the windows that the network
sees (`direct`), with quantiles of its own. They err differently, which a combination lives on. Both minimise absolute
errors, so the point is near the median.

What is saved is LightGBM's own text; features are recomputed from settings and history, so a loaded model agrees.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting.contracts import QUANTILES, SEASON_LENGTH
from forecasting.models.base import DirectModel, Model, point_forecast
from forecasting.models.boosting import direct
from forecasting.models.boosting.changes import COMPRESSION, changes, lag_features, table
from forecasting.models.boosting.trees import FEWEST_ROWS, Trees
from forecasting.series import (
    BUCKETS,
    WINDOW,
    History,
    Panel,
    bucket_of,
    histories,
    last_windows,
    normalised,
    panel,
    seasons_of,
    varying,
    within_history,
)

TREES_FILE = "model.txt"
MEDIAN_FILES = ("median_1.txt", "median_2.txt")
SIZE_FILE = "size.txt"
NO_IMPORTANCES = pd.DataFrame({"feature": pd.Series(dtype=str), "importance": pd.Series(dtype=float)})


class Boosting(Model):
    """What both models of this family share. Settings: how many trees, how fast they learn, how many leaves each has."""

    family = "boosting"
    parameters = ("boosting_models", "boosting_trees", "boosting_learning_rate", "boosting_leaves")
    packages = ("lightgbm", "mlforecast")
    side_by_side = True
    is_combined = True
    refit_every = 6
    defaults: ClassVar[dict[str, Any]] = {"trees": 250, "learning_rate": 0.05, "leaves": 31}

    @abstractmethod
    def importances(self) -> pd.DataFrame:
        """Return one row per feature: feature, importance (its share of the loss that all splits removed), largest first."""

    def explanation(self) -> dict[str, Any]:
        """Return each feature's share of the loss that all splits removed: {"importances": {feature: share}}, largest first."""
        table = self.importances()
        return {"importances": dict(zip(table["feature"], table["importance"].round(4).tolist(), strict=True))}

    def _options(self) -> dict[str, Any]:
        """Return the settings as LightGBM calls them."""
        return {"learning_rate": self.settings["learning_rate"], "num_leaves": self.settings["leaves"]}


class BoostingModel(Boosting):
    """Global gradient boosting of monthly changes, recursive; see `Boosting`."""

    name = "lightgbm"
    title = "LightGBM"
    what = "boosted decision trees on the calendar and on earlier months"
    min_history = 2 * SEASON_LENGTH
    trees: Trees | None = None

    def fit(self, train: pd.DataFrame) -> Self:
        """Grow trees on every month of every varying series that has thirteen changes before it."""
        known = [one for _, one in histories(varying(train))]
        self.trees = None
        rows = changes(lag_features(), known)
        if len(rows) >= FEWEST_ROWS:
            features = rows.drop(columns=["unique_id", "ds", "y"])
            self.trees = Trees.grown(features, rows["y"], self.settings["trees"], **self._options())
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`; NaN for every series where there was too little to learn from."""
        known = panel(history)
        return point_forecast(known.ids, known.last, self._within(known, horizon))

    def predict_panel(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_panel`."""
        return np.repeat(self._within(known, horizon)[:, :, None], len(QUANTILES), axis=2)

    def _within(self, known: Panel, horizon: int) -> np.ndarray:
        """Forecast each series [series, horizon], within what its history makes plausible."""
        found = [one for _, one in histories(known)]
        varying = np.array([not one.is_constant for one in found])
        points = np.array([np.full(horizon, one.values[-1]) for one in found])
        if varying.any():
            points[varying] = self._points([one for one in found if not one.is_constant], horizon)
        return within_history(points, known.values)

    def _points(self, found: list[History], horizon: int) -> np.ndarray:
        """Forecast month by month, each forecast being a lag of the next [series, horizon]; NaN without trees."""
        if self.trees is None:
            return np.full((len(found), horizon), np.nan)
        features, removed = lag_features(), seasons_of(found)
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
        """See `Boosting.importances`."""
        return NO_IMPORTANCES if self.trees is None else self.trees.importances()

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


class DirectBoostingModel(Boosting, DirectModel):
    """Global gradient boosting of every month ahead on normalised windows. Further settings: `horizon`, `rows`, `seed`.

    Two sets of trees learn the median, each from half of the windows; the forecast is their mean. What each missed in the other
    half is out of sample: a third set learns its size, and the quantiles of what was missed in such sizes, by months ahead,
    give the forecast's own. That is a location-scale model; like quantile regression forests (Meinshausen 2006) it lets the
    spread depend on everything that the window shows.

    `horizon`: months ahead that are forecast directly, beyond which it forecasts again from its own medians; `rows`: at most
    so many are learned from, drawn by lot with `seed`.
    """

    name = "lightgbm_direct"
    title = "LightGBM, direct"
    what = "boosted decision trees that look at each month ahead by itself"
    min_history = SEASON_LENGTH + 1
    window_size = WINDOW
    defaults: ClassVar[dict[str, Any]] = Boosting.defaults | {"horizon": 24, "rows": 150_000, "seed": 1}
    # Rows repeat each other, because windows overlap and series share their months' surprises: leaves must be large, and fewer rows
    # at a time and coarser features lose nothing.
    OPTIONS: ClassVar[dict[str, Any]] = {"min_data_in_leaf": 200, "bagging_fraction": 0.5, "max_bin": 63}

    def __init__(self, **settings: Any) -> None:
        """See `Model`."""
        super().__init__(**settings)
        self._forget()

    def _forget(self) -> None:
        """Return to what a model is before it has learned anything."""
        self.medians: list[Trees] = []
        self.size: Trees | None = None
        self.quantiles = {name: [0.0] * len(QUANTILES) for name in BUCKETS}

    def fit(self, train: pd.DataFrame) -> Self:
        """Grow the trees on windows of `train`; nothing is learned where there are too few."""
        self._forget()
        seen = direct.rows(train, *(self.settings[key] for key in ("horizon", "rows", "seed")), self.min_history)
        if min(np.bincount(seen.half, minlength=2)) < FEWEST_ROWS:
            return self
        options = self._options() | self.OPTIONS | {"seed": self.settings["seed"]}
        missed = np.zeros(len(seen))
        for half in (0, 1):
            own, other = seen.half == half, seen.half != half
            trees = Trees.grown(
                seen.features[own], seen.target[own], self.settings["trees"], seen.weight[own], **options
            )
            missed[other] = seen.target[other] - trees.predict(seen.features[other])
            self.medians.append(trees)
        size = np.log(np.abs(missed) + direct.SMALLEST_MISS)
        self.size = Trees.grown(seen.features, size, max(self.settings["trees"] // 2, 1), seen.weight, **options)
        self.quantiles = direct.standardised(missed, np.exp(self.size.predict(seen.features)), seen)
        return self

    def block(self, known: Panel) -> np.ndarray:
        """See `DirectModel.block`."""
        shape = len(known.ids), self.settings["horizon"], len(QUANTILES)
        if self.size is None:
            return np.full(shape, np.nan)
        window, month = last_windows(known)
        windows = normalised(window)
        which, step = (index.ravel() for index in np.indices(shape[:2]))
        features = direct.features(windows, month, which, step + 1)
        median = np.mean([trees.predict(features) for trees in self.medians], axis=0)
        around = np.array(list(self.quantiles.values()))[bucket_of(step + 1)]
        found = median[:, None] + np.exp(self.size.predict(features))[:, None] * around
        return windows.forecasts(found.reshape(shape))

    def importances(self) -> pd.DataFrame:
        """See `Boosting.importances`; of the median. Trees of one set that found nothing to split on count for nothing."""
        if not self.medians:
            return NO_IMPORTANCES
        both = pd.concat([trees.importances() for trees in self.medians])
        mean = both.groupby("feature", sort=False)["importance"].mean()
        return (mean / (mean.sum() or 1.0)).sort_values(ascending=False, kind="stable").reset_index()

    def state(self) -> dict[str, Any]:
        """Return the quantiles around the median, in expected sizes, by bucket of months ahead."""
        return {"quantiles": self.quantiles}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.quantiles = {name: state["quantiles"][name] for name in BUCKETS}

    def save(self, directory: Path) -> None:
        """Write the settings and the three sets of trees."""
        super().save(directory)
        grown = [*self.medians, self.size] if self.size else [None] * 3
        for name, trees in zip((*MEDIAN_FILES, SIZE_FILE), grown, strict=True):
            (directory / name).write_text(trees.text if trees else "", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote."""
        model = super().load(directory)
        *medians, size = ((directory / name).read_text(encoding="utf-8") for name in (*MEDIAN_FILES, SIZE_FILE))
        if size:
            model.medians, model.size = [Trees(text) for text in medians], Trees(size)
        return model


MODELS = (BoostingModel, DirectBoostingModel)
