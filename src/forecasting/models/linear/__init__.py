"""One ridge regression for all series of a domain, on calendar and lag features (scikit-learn).

The target is the departure from the same month of last year, divided by the series' own mean absolute value of the last
two years, so that large and small, zero and negative series share coefficients and units do not matter. Horizons 1 to 6
have a regression each; beyond them the six forecasts are appended to the history and the regressions applied again.

A penalty that grows without bound gives the seasonal naive: a small search decides how far to leave it, and whether
calendar months have effects of their own, shared by all series.

Rows are weighted by the inverse of the series' own seasonal error and reweighted by their residuals (iteratively
reweighted least squares, Holland and Welsch 1977), which brings the fit to absolute errors: the point is near the
median, as in MASE.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from forecasting.contracts import QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.models.base import DirectModel
from forecasting.models.linear.features import LIMIT, LookBack, design, windows
from forecasting.series import Panel, panel, seasonal_error

DIRECT = 6  # horizons with a regression of their own
SEARCH_HORIZONS = (1, 3, 6)
FEWEST_ROWS = 12  # below this a regression says nothing: the forecast is the reference
PASSES = 5  # of the reweighting
SMALLEST_RESIDUAL = 0.2  # in seasonal errors: bounds the weight of a row that fits exactly
SMALLEST_ERROR = 0.05  # of the scale: bounds the weight of a series that repeats itself exactly


class Rows(NamedTuple):
    """Training rows of one horizon: features [n, k], target [n], seasonal error [n], months before the end [n]."""

    names: list[str]
    features: np.ndarray
    target: np.ndarray
    error: np.ndarray
    age: np.ndarray


class LinearModel(DirectModel):
    """Global ridge regression. Settings: the grid that `fit` searches."""

    name = "linear"
    family = "linear"
    title = "linear"
    what = "a regression on the calendar and on earlier months"
    parameters = ("linear_penalties", "linear_month_effects")
    packages = ("scikit-learn", "threadpoolctl")
    side_by_side = True
    quick = True
    min_history = SEASON_LENGTH + 1
    window_size = 3 * SEASON_LENGTH
    refit_every = 3
    defaults: ClassVar[dict[str, Any]] = {
        "penalties": [10000.0, 1000.0, 300.0, 100.0, 30.0],
        "month_effects": [False, True],
    }

    def fit(self, train: pd.DataFrame) -> Self:
        """Search the grid on the last months of `train`, then fit each horizon on all of it."""
        import sklearn.linear_model  # noqa: F401  before the limit, which holds for libraries that are loaded

        known = panel(train)
        with threadpool_limits(limits=1):
            rows = training_rows(known, range(1, DIRECT + 1))
            self.search = search(rows, **self.settings)
            best = self.search[self.search["chosen"]].iloc[0]
            chosen = ([float(best["penalty"])], bool(best["month_effects"]))
            self.names = rows[0].names
            self.weights = np.vstack([coefficients(r, *chosen) for r in rows])
        self.limits = np.array([[r.target.min(initial=0.0), r.target.max(initial=0.0)] for r in rows])
        return self

    def block(self, known: Panel) -> np.ndarray:
        """Forecast the next six months; no departure is larger than one seen in training. See `DirectModel.block`."""
        past, points = LookBack.of(windows(known.values)[:, -1]), []
        for step in range(1, DIRECT + 1):
            described = design(past, known.last, step)
            departure = (described.features * self.weights[step - 1]).sum(axis=1)
            points.append(described.reference + described.scale * np.clip(departure, *self.limits[step - 1]))
        return np.repeat(np.column_stack(points)[:, :, None], len(QUANTILE_COLUMNS), axis=2)

    def coefficients(self) -> pd.DataFrame:
        """Return one row per feature and horizon: feature, horizon, coefficient (unit-free)."""
        table = pd.DataFrame(self.weights.T, index=pd.Index(self.names, name="feature"), columns=range(1, DIRECT + 1))
        return table.rename_axis(columns="horizon").stack().rename("coefficient").reset_index()

    def explanation(self) -> dict[str, Any]:
        """Return the penalty that the search chose and the coefficients by months ahead, rounded, unit-free.

        {"penalty", "month_effects", "coefficients": {feature: [one per month ahead]}}; features without any are left out.
        """
        best = self.search[self.search["chosen"]].iloc[0]
        rounded = np.round(self.weights, 4) + 0.0  # no «-0.0»
        used = {
            name: column.tolist() for name, column in zip(self.names, rounded.T, strict=True) if np.any(column != 0)
        }
        return {
            "penalty": float(best["penalty"]),
            "month_effects": bool(best["month_effects"]),
            "coefficients": used,
        }

    def state(self) -> dict[str, Any]:
        """Return coefficients, limits and the search."""
        shown = self.search.astype(object).where(self.search.notna(), None)  # JSON knows no NaN
        return {
            "names": self.names,
            "weights": self.weights.tolist(),
            "limits": self.limits.tolist(),
            "search": shown.to_dict(orient="split", index=False),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.names = state["names"]
        self.weights, self.limits = np.array(state["weights"]), np.array(state["limits"])
        self.search = pd.DataFrame(**state["search"]).astype({"error": np.float64})


def training_rows(known: Panel, steps: Iterable[int]) -> list[Rows]:
    """Collect, for each number of months ahead, every origin with 13 months of history and a known value so many months later."""
    values = known.values
    grown = np.isfinite(values).cumsum(axis=1) > SEASON_LENGTH
    window = windows(values)[grown]
    past, error = LookBack.of(window), seasonal_error(window)
    age = np.broadcast_to(np.arange(values.shape[1] - 1, -1, -1), values.shape)[grown]
    found = []
    for step in steps:
        future = np.full_like(values, np.nan)
        future[:, :-step] = values[:, step:]
        followed = np.isfinite(future[grown])
        described = design(past.only(followed), known.origins[grown][followed], step)
        unit = np.where(described.scale > 0, described.scale, 1.0)
        target = np.clip((future[grown][followed] - described.reference) / unit, -LIMIT, LIMIT)
        scaled = np.maximum(error[followed] / unit, SMALLEST_ERROR)
        usable = np.isfinite(target) & np.isfinite(scaled)
        columns = (array[usable] for array in (described.features, target, scaled, age[followed]))
        found.append(Rows(described.names, *columns))
    return found


def coefficients(rows: Rows, penalties: list[float], month_effects: bool) -> np.ndarray:
    """Fit rows for each penalty [len(penalties), k]; zeros, the seasonal naive, where there are too few rows.

    Features are divided by their root mean square, without centring: 0 keeps its meaning, no departure.
    """
    result = np.zeros((len(penalties), len(rows.names)))
    if len(rows.target) < FEWEST_ROWS:
        return result
    columns = np.array([month_effects or not name.startswith("month_") for name in rows.names])
    features, target, weight = rows.features[:, columns], rows.target, 1.0 / rows.error
    size = np.sqrt((weight[:, None] * features**2).sum(axis=0) / weight.sum())
    size = np.where(size > 1e-9, size, 1.0)
    features = features / size
    middle = np.array([penalties[len(penalties) // 2]])
    for _ in range(PASSES - 1):
        residual = np.abs(target - features @ ridge(features, target, weight, middle)[0]) / rows.error
        weight = 1.0 / rows.error / np.maximum(residual, SMALLEST_RESIDUAL)
    result[:, columns] = ridge(features, target, weight, np.array(penalties)) / size
    return result


def ridge(features: np.ndarray, target: np.ndarray, weight: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Solve one weighted ridge regression per penalty, sharing the products [len(penalties), k]; no intercept."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=penalties, fit_intercept=False, solver="cholesky")
    targets = np.repeat(target[:, None], len(penalties), axis=1)
    return np.atleast_2d(model.fit(features, targets, sample_weight=weight / weight.mean()).coef_)


def search(rows: list[Rows], penalties: Sequence[float], month_effects: Sequence[bool]) -> pd.DataFrame:
    """Try the grid on the last months of the training data (12 of them from four years on, else 6).

    Each candidate is fitted on rows whose target lies before those months and scored on rows whose origin lies in them,
    at horizons 1, 3 and 6: mean absolute error in seasonal errors of the series. Ties go to the candidate named first
    and the stronger penalty. Returns one row per candidate: month_effects, penalty, error, n, chosen.
    """
    penalties = sorted(penalties, reverse=True)
    length = max(int(r.age.max(initial=0)) for r in rows) + SEASON_LENGTH + 1
    months = SEASON_LENGTH if length >= 4 * SEASON_LENGTH else SEASON_LENGTH // 2
    losses = [_validation_losses(rows[step - 1], step, months, penalties, month_effects) for step in SEARCH_HORIZONS]
    loss = np.concatenate(losses, axis=1)
    grid = itertools.product(month_effects, penalties)
    table = pd.DataFrame(grid, columns=["month_effects", "penalty"])
    table = table.assign(error=loss.mean(axis=1) if loss.shape[1] else np.nan, n=loss.shape[1])
    return table.assign(chosen=np.arange(len(table)) == int(np.argmin(table["error"].fillna(np.inf))))


def _validation_losses(
    rows: Rows, step: int, months: int, penalties: list[float], month_effects: Sequence[bool]
) -> np.ndarray:
    """Return each candidate's scaled absolute errors on the validation rows of one horizon [candidates, n]."""
    early, late = rows.age >= months + step, rows.age <= months
    fit_on = Rows(rows.names, *(array[early] for array in rows[1:]))
    weights = np.vstack([coefficients(fit_on, penalties, effects) for effects in month_effects])
    errors = rows.target[late] - (rows.features[late] @ weights.T).T
    return np.abs(errors) / rows.error[late]


MODELS = (LinearModel,)
