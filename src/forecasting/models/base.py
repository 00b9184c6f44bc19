"""What every model of every family promises: `fit`, `predict`, `save`, `load`, and what it needs to know.

A model is settings (from `params/`), what `fit` learned, and nothing else: no clock, no globals, no pickles. A family
is one file in this folder with a tuple MODELS. Its import is cheap: a heavy library is imported inside the methods that
need it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting.contracts import MIDDLE, QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.models import saved
from forecasting.series import Panel, month_start, panel


class Model(ABC):
    """A forecaster of many series at once.

    Class attributes: `name` (unique; names its files and ledger rows), `family` (its module), `min_history` (months a
    series needs, else it gets the fallback), `window_size` (months of history it looks at; None: all), `refit_every`
    (walk-forward refits at every k-th cutoff; in between it only predicts, with the newer history), `defaults` (the
    settings it takes and their values, all JSON).

    For readers: `title` (how people call it), `what` (what it is, in a phrase), `parameters` (its settings in `params/`),
    `learns` (whether there is anything inside to show). For others: `packages` (what must be installed to load it),
    `is_local` (whether `fit` learns of a series from that series alone, so that series can be fitted in parts),
    `side_by_side` (whether `predict_panel` gives a series the same bits whatever series stand beside it), `quick` (whether many
    series take some thousandths of a second, so that a server need not leave its loop for them), `is_combined` (whether
    combinations count it; baselines are what these are measured against), `is_specialist` (whether it speaks of one kind of series
    alone, NaN for all others; of those a combination takes its word instead of the others').
    """

    name: ClassVar[str]
    family: ClassVar[str]
    title: ClassVar[str] = ""
    what: ClassVar[str] = ""
    parameters: ClassVar[tuple[str, ...]] = ()
    learns: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ()
    is_local: ClassVar[bool] = False
    side_by_side: ClassVar[bool] = False
    quick: ClassVar[bool] = False
    is_combined: ClassVar[bool] = False
    is_specialist: ClassVar[bool] = False
    min_history: int = 1
    window_size: int | None = None
    refit_every: int = 1
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, **settings: Any) -> None:
        """Take settings by name; a setting the model does not know is a UserError."""
        unknown = sorted(set(settings) - set(self.defaults))
        if unknown:
            known = ", ".join(sorted(self.defaults)) or "none"
            raise UserError(f"Model {self.name} has no setting {', '.join(unknown)}. Its settings are: {known}.")
        self.settings = {**self.defaults, **settings}

    @abstractmethod
    def fit(self, train: pd.DataFrame) -> Self:
        """Learn from a training table (one row per unique_id, ds; column y). A local model has nothing to learn."""

    @abstractmethod
    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """Forecast each series of `history` for the `horizon` months after its own last month.

        Returns one row per unique_id, horizon, in that order: unique_id, ds, horizon, q025 … q975 in the unit of y. A
        model of points gives eleven equal quantiles. Every series has at least `min_history` months (`models.forecast`
        sees to it).
        """

    def predict_panel(self, known: Panel, horizon: int) -> np.ndarray:
        """Return the quantiles of `predict` [series, horizon, 11] for a history that is known as a panel; NaN where nothing is said.

        A family that is asked for one series at a time, by a server, overrides it to spare the tables.
        """
        return as_array(self.predict(known.table(), horizon), known, horizon)

    def predict_each(self, known: Panel, horizon: int) -> np.ndarray:
        """Do what `predict_panel` does, each series with the very bits that it has alone, for servers that are asked for many at once.

        A family in which a series' last digits depend on its neighbours overrides it where asking for one after another is slow.
        """
        if self.side_by_side:
            return self.predict_panel(known, horizon)
        alone = np.eye(len(known.ids), dtype=bool)
        return np.concatenate([self.predict_panel(known.only(one), horizon) for one in alone])

    def predict_apart(self, known: Panel, horizon: int) -> np.ndarray:
        """Do what `predict_panel` does, each series with the same bits whatever others there are: for many series, in parts.

        The bits may differ from those that it has alone. A family in which a series' last digits depend on its neighbours overrides it
        where asking for one after another is slow.
        """
        return self.predict_each(known, horizon)

    def explanation(self) -> dict[str, Any]:
        """Return what a reader may want to know of what `fit` learned, as small JSON; `report/explanation` shows it."""
        return {}

    def state(self) -> dict[str, Any]:
        """Return what `fit` learned, as JSON."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:  # noqa: B027  a model without state has nothing to take back
        """Take back what `state` returned."""

    def save(self, directory: Path) -> None:
        """Write the model to a folder; a family with weights adds its files here and calls this."""
        content = {"name": self.name, "family": self.family, "settings": self.settings, "state": self.state()}
        saved.write(directory, content)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote."""
        content = saved.read(directory)
        model = cls(**content["settings"])
        model.restore(content["state"])
        return model


class DirectModel(Model):
    """A model that forecasts a fixed number of months at once; beyond them it forecasts again from its own medians."""

    @abstractmethod
    def block(self, known: Panel) -> np.ndarray:
        """Return the quantiles of the months that are reached directly [series, months, 11].

        Equal ones of a model that knows points only; NaN where nothing was learned.
        """

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`."""
        known = panel(history)
        return quantile_forecast(known.ids, known.last, self.predict_panel(known, horizon))

    def predict_panel(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_panel`."""
        return ahead(self.block, known, horizon)


def ahead(block: Callable[[Panel], np.ndarray], known: Panel, horizon: int) -> np.ndarray:
    """Return `horizon` months of forecasts by blocks, each of which goes on from the medians of the one before [series, horizon, 11]."""
    blocks = [block(known)]
    while sum(found.shape[1] for found in blocks) < horizon:
        known = known.extended(blocks[-1][:, :, MIDDLE])
        blocks.append(block(known))
    return np.concatenate(blocks, axis=1)[:, :horizon]


def as_array(said: pd.DataFrame, known: Panel, horizon: int) -> np.ndarray:
    """Return the quantiles of a table that `Model.predict` returned [series, horizon, 11]; NaN where nothing is said."""
    wanted = pd.MultiIndex.from_product([known.ids, range(1, horizon + 1)])
    found = said.set_index(["unique_id", "horizon"])[QUANTILE_COLUMNS].reindex(wanted)
    return found.to_numpy().reshape(len(known.ids), horizon, -1)


def point_forecast(ids: np.ndarray, last: np.ndarray, points: np.ndarray) -> pd.DataFrame:
    """Arrange points [series, horizons] as `predict` returns them; `last` holds each series' last month number."""
    return quantile_forecast(ids, last, np.repeat(points[:, :, None], len(QUANTILE_COLUMNS), axis=2))


def quantile_forecast(ids: np.ndarray, last: np.ndarray, quantiles: np.ndarray) -> pd.DataFrame:
    """Arrange quantiles [series, horizons, 11] as `predict` returns them."""
    horizon = quantiles.shape[1]
    steps = np.arange(1, horizon + 1)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(ids, horizon),
            "ds": month_start((last[:, None] + steps).ravel()),
            "horizon": np.tile(steps, len(ids)),
        }
    )
    frame[QUANTILE_COLUMNS] = quantiles.reshape(len(frame), len(QUANTILE_COLUMNS)).astype(np.float64)
    return frame
