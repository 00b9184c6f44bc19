"""Statistical models, one per series, through statsforecast: exponential smoothing, dynamic Theta, complex smoothing, ARIMA.

Each series is divided by its mean absolute value before it is fitted, so units do not matter, and its forecast is kept
within what its history makes plausible (`series.within_history`). The season of a short history is removed first and
put back afterwards (`series.seasons_of`): the library's own tests and criteria hardly ever see it.

`fit` estimates every series once and keeps the estimates in memory. Where a history has grown since, a costly model runs
the newer months through with those estimates; a cheap one is estimated again. Nothing of this is saved: a loaded model
estimates inside `predict` and gives the numbers that `fit` and `predict` on the same history give. What is saved for readers
is how many series got which method.

A series that the library cannot fit has no forecast (NaN) and gets the fallback; the others are not touched by it.
"""

import math
import warnings
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting import engine
from forecasting.contracts import QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.models.base import Model, point_forecast
from forecasting.series import History, Panel, Season, histories, panel, seasons_of, within_history


@dataclass(frozen=True)
class Estimate:
    """What was learned of a history, in units of its scale.

    `season` is the season that was removed, if it was; `model` the library's model fitted to the rest, None where the
    library cannot fit it.
    """

    history: History
    season: Season | None
    model: Any | None

    def prepared(self, history: History) -> np.ndarray:
        """Return what the library's model sees of this history or of one that continues it."""
        values = history.scaled(self.history.scale)
        return values if self.season is None else self.season.removed(values, history.months)

    def forecast(self, history: History, horizon: int) -> np.ndarray:
        """Forecast this history or one that continues it [horizon]; NaN where the library gives up."""
        if self.model is None:
            return np.full(horizon, np.nan)
        if len(history.values) == len(self.history.values):
            found = attempted(self.model.predict, horizon)
        else:
            found = attempted(self.model.forward, self.prepared(history), horizon)
        points = np.full(horizon, np.nan) if found is None else found["mean"]
        if self.season is not None:
            points = self.season.restored(points, history.months[-1] + np.arange(1, horizon + 1))
        return points * self.history.scale


class StatisticalModel(Model):
    """What the models of this family share: each series is estimated by itself, side by side with others where a pool is open."""

    family = "statistical"
    parameters = ("statistical_models",)
    packages = ("statsforecast",)
    is_local = True
    side_by_side = True
    is_combined = True
    min_history = SEASON_LENGTH + 1
    own_season_from: ClassVar[int | None] = None  # months of history from which the library models the season itself

    def __init__(self, **settings: Any) -> None:
        """See `Model`."""
        super().__init__(**settings)
        self.estimates: dict[str, Estimate] = {}
        self.methods: dict[str, int] = {}

    @staticmethod
    @abstractmethod
    def fitted(values: np.ndarray, season_length: int) -> Any:
        """Return the library's model fitted to values (season_length 1: without season); it raises where it cannot."""

    @staticmethod
    def method(found: dict[str, Any]) -> str:
        """Return the short name of the method that the library's fitted model (`model_`) stands for: its own, where it has one."""
        return found.get("method", "estimated")

    def fit(self, train: pd.DataFrame) -> Self:
        """Estimate each series that is long enough."""
        found = {key: one for key, one in histories(panel(train)) if len(one.values) >= self.min_history}
        self.estimates = self._estimated(found)
        self.methods = self._methods(found)
        return self

    def _methods(self, found: dict[str, History]) -> dict[str, int]:
        """Count the series by the method that was found for them, the most frequent first."""
        names = []
        for key, one in found.items():
            estimate = self.estimates.get(key)
            if one.is_constant:
                names.append("constant")
            elif estimate is None or estimate.model is None:
                names.append("none")
            else:
                names.append(self.method(estimate.model.model_))
        return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))

    def explanation(self) -> dict[str, Any]:
        """Return how many series (regions, categories and the total among them) got which method: {"methods": {name: n}}.

        «constant» is a series that never changes, «none» one that the library cannot fit.
        """
        return {"methods": self.methods}

    def state(self) -> dict[str, Any]:
        """Return the methods found, for readers; estimates are not saved."""
        return {"methods": self.methods}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.methods = dict(state.get("methods", {}))

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`; a series that `fit` did not see, or saw differently, is estimated here."""
        known = panel(history)
        return point_forecast(known.ids, known.last, self._points(known, horizon))

    def predict_each(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_each`."""
        return np.repeat(self._points(known, horizon)[:, :, None], len(QUANTILE_COLUMNS), axis=2)

    def _points(self, known: Panel, horizon: int) -> np.ndarray:
        """Forecast each series [series, horizon]."""
        found = dict(histories(known))
        other = {key: one for key, one in found.items() if not self._is_estimated(key, one)}
        estimates = {**self.estimates, **self._estimated(other)}
        with without_warnings():
            points = [
                np.full(horizon, one.values[-1]) if one.is_constant else estimates[key].forecast(one, horizon)
                for key, one in found.items()
            ]
        return within_history(np.vstack(points), known.values)

    def _is_estimated(self, key: str, history: History) -> bool:
        """Say whether `fit` saw this series as it is or, of a model that is refitted seldom, without its last months."""
        if key not in self.estimates:
            return False
        earlier = self.estimates[key].history
        return history.continues(earlier) and (self.refit_every > 1 or len(history.values) == len(earlier.values))

    def _estimated(self, found: dict[str, History]) -> dict[str, Estimate]:
        """Estimate each history that is not constant."""
        varying = {key: one for key, one in found.items() if not one.is_constant}
        removed = self._seasons(list(varying.values()))
        done = engine.mapped(partial(estimate, type(self)), list(varying.values()), removed)
        return dict(zip(varying, done, strict=True))

    def _seasons(self, found: list[History]) -> list[Season | None]:
        """Return the season to remove from each history; None where the library models it itself."""
        own = self.own_season_from or math.inf
        return [its if len(one.values) < own else None for one, its in zip(found, seasons_of(found), strict=True)]


def estimate(kind: type[StatisticalModel], history: History, removed: Season | None) -> Estimate:
    """Fit one history with a model of this kind, without the season that is removed, or with its own where none is."""
    values, season_length = history.in_scale, SEASON_LENGTH
    if removed is not None:
        values, season_length = removed.removed(values, history.months), 1
    with without_warnings():
        return Estimate(history, removed, attempted(kind.fitted, values, season_length))


@contextmanager
def without_warnings() -> Iterator[None]:
    """Have the library say nothing of divisions by zero within a series."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def attempted(call: Callable, *arguments: Any) -> Any | None:
    """Call the library; None where it gives up.

    It gives up with whatever comes its way, a bare Exception included, and one series must not end the run: the caller
    turns None into no forecast, which is flagged as a fallback.
    """
    try:
        return call(*arguments)
    except Exception:
        return None


class AutoETS(StatisticalModel):
    """Exponential smoothing in state space form; error, trend and season chosen by AICc (Hyndman et al. 2002).

    The trend is damped or absent: one that goes on for ever overshoots (Gardner and McKenzie 1985), was no better on
    rolling origins of the M3 and tourism competitions, and takes half of the time to look for. Error and season are
    chosen with the damped trend, which is then compared with none.
    """

    name = "auto_ets"
    title = "AutoETS"
    what = "exponential smoothing of level, trend and season"
    refit_every = 6
    own_season_from = 7 * SEASON_LENGTH

    @staticmethod
    def fitted(values: np.ndarray, season_length: int) -> Any:
        """See `StatisticalModel.fitted`."""
        from statsforecast.models import AutoETS as Library

        damped = Library(season_length, model="ZAZ", damped=True).fit(values)
        error, _, found, _ = damped.model_["components"]
        level = Library(season_length, model=f"{error}N{found}", damped=False).fit(values)
        return min(damped, level, key=lambda model: model.model_["aicc"])


class DynamicOptimizedTheta(StatisticalModel):
    """Dynamic optimised Theta model (Fiorucci et al. 2016)."""

    name = "dynamic_optimized_theta"
    title = "dynamic optimised Theta"
    what = "a long trend and a smoothed level, averaged"

    @staticmethod
    def fitted(values: np.ndarray, season_length: int) -> Any:
        """See `StatisticalModel.fitted`."""
        from statsforecast.models import DynamicOptimizedTheta as Library

        return Library(season_length).fit(values)

    @staticmethod
    def method(found: dict[str, Any]) -> str:
        """Return the library's name of the variant, DOTM."""
        return found["modeltype"]


class AutoCES(StatisticalModel):
    """Complex exponential smoothing, its season chosen by AICc (Svetunkov, Kourentzes and Ord 2022).

    Its estimates do not carry over: they may be explosive, which only shows with months that they were not fitted to.
    """

    name = "auto_ces"
    title = "AutoCES"
    what = "complex exponential smoothing, which needs no choice between kinds of trend"
    own_season_from = 10 * SEASON_LENGTH

    @staticmethod
    def fitted(values: np.ndarray, season_length: int) -> Any:
        """See `StatisticalModel.fitted`."""
        from statsforecast.models import AutoCES as Library

        return Library(season_length).fit(values)

    @staticmethod
    def method(found: dict[str, Any]) -> str:
        """Return the kind of season: CES(N) none, CES(S) simple, CES(P) partial, CES(F) full."""
        return f"CES({found['seasontype']})"


class AutoARIMA(StatisticalModel):
    """Seasonal ARIMA, its orders chosen by AICc (Hyndman and Khandakar 2008): by far the costliest of the family."""

    name = "auto_arima"
    title = "AutoARIMA"
    what = "a regression of each month on those before it"
    refit_every = 6
    own_season_from = 7 * SEASON_LENGTH

    @staticmethod
    def fitted(values: np.ndarray, season_length: int) -> Any:
        """See `StatisticalModel.fitted`."""
        from statsforecast.models import AutoARIMA as Library

        return Library(season_length=season_length).fit(values)

    @staticmethod
    def method(found: dict[str, Any]) -> str:
        """Return the orders, such as ARIMA(1,1,0)(0,1,1)[12]."""
        p, q, seasonal_p, seasonal_q, months, d, seasonal_d = found["arma"]
        season = f"({seasonal_p},{seasonal_d},{seasonal_q})[{months}]" if months > 1 else ""
        return f"ARIMA({p},{d},{q}){season}"


MODELS = (AutoETS, DynamicOptimizedTheta, AutoCES, AutoARIMA)
