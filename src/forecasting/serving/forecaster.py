"""SalesForecaster: the forecasts of a domain for whoever does not open a notebook, with the numbers that notebook 40 gives.

    forecaster = SalesForecaster.champion("data/acme", "sales")
    forecaster.forecast(forecaster.training_set())                         # every series and sum, as published
    forecaster.forecast_series(["2024-01", "2024-02", …], [10.5, 11.0, …])   # one series that somebody brings

A forecaster of the champion follows it: where the workspace published anew, or somebody promoted another model, the next forecast comes
from that one, and those that have begun are finished by the one before. Where the new one cannot be loaded, the one before goes on
answering and `problem` says why.
"""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pandas as pd

from forecasting.contracts import MAX_HORIZON
from forecasting.errors import UserError
from forecasting.intervals import Calibration
from forecasting.ledger import Published
from forecasting.serving.model_source import ChampionSource, FolderSource, Found, RunSource, Source, folder_times, times
from forecasting.serving.series_input import checked_series
from forecasting.serving.served_model import SeriesForecast, ServedModel, uncalibrated

LOOK_EVERY = 1.0  # seconds between two looks at the files
TRY_AGAIN = 10.0  # seconds after which what could not be loaded is tried again, though no file changed
LOG = logging.getLogger("forecasting")


class SalesForecaster:
    """The forecasts of one domain (sales, inventory or profit), by one loaded model; any number of threads may use it.

    Made by `champion`, `of_run` or `of_folder`. The model is loaded at the first use and kept. From then on numerical libraries use
    one thread each in this process, as in notebooks, so that the digits are the same.

    `loaded` is the model in force, None before the first look; `problem` says why what the files hold now could not be loaded, None
    where it could.
    """

    def __init__(self, source: Source) -> None:
        """Use `champion`, `of_run` or `of_folder`."""
        self._source = source
        self._loading = threading.Lock()
        self._looked = self._tried = float("-inf")
        self._found: Found | None = None
        self._state: tuple = ()
        self._loaded_from: tuple = ()
        self.loaded: ServedModel | None = None
        self.problem: UserError | None = None

    @classmethod
    def champion(cls, data: str | Path, domain: str) -> Self:
        """Serve the model with the alias `champion` of a domain; `data` is the workspace's folder data/<name>."""
        return cls(ChampionSource(Path(data), domain))

    @classmethod
    def of_run(cls, data: str | Path, run_id: str) -> Self:
        """Serve the champion of a published run, whatever is in force now."""
        return cls(RunSource(Path(data), run_id))

    @classmethod
    def of_folder(
        cls, folder: str | Path, domain: str, calibration: Calibration | None = None, allow_negative: bool = True
    ) -> Self:
        """Serve a saved model folder (model.json and, by family, model.ckpt and normalization.json or model.txt).

        Without a calibration, bounds are the model's own quantiles: a model of points has none, its bounds are the point.
        """
        return cls(FolderSource(Path(folder), domain, calibration or uncalibrated(), allow_negative))

    @property
    def served(self) -> ServedModel:
        """The model in force, after a look at the files (at most one a second).

        Raises
        ------
        UserError
            If none could be loaded; says why.
        """
        self.look()
        served = self.loaded
        if served is None:
            raise self.problem or UserError("No model is loaded.")
        return served

    def training_set(self) -> pd.DataFrame:
        """Return the published training set of the domain: one row per unique_id, ds."""
        if self._source.data is None:
            raise UserError("A saved model folder has no training set beside it.")
        return Published(self._source.data / "published.duckdb").training_set(self.served.domain)

    def forecast(self, train: pd.DataFrame, horizon: int = MAX_HORIZON) -> pd.DataFrame:
        """Forecast every series, region, category and the total of a training set; see `ServedModel.forecast`."""
        return self.served.forecast(train, horizon)

    def forecast_series(
        self, months: Sequence[str], values: Sequence[float], horizon: int = MAX_HORIZON
    ) -> SeriesForecast:
        """Forecast one series that somebody brings: consecutive months ('2025-06') and their values.

        Any length will do: below `served.min_history` it gets the fallback, flagged.

        Raises
        ------
        SeriesError
            If months and values are not a series without gaps.
        """
        return self.served.forecast_series([checked_series(months, values)], horizon)[0]

    def look(self) -> None:
        """Look whether there is another model, at most once a second; who comes while one is being loaded does not wait for it."""
        if time.monotonic() - self._looked < LOOK_EVERY or not self._loading.acquire(blocking=self.loaded is None):
            return
        try:
            again = self.problem is not None and time.monotonic() - self._tried > TRY_AGAIN
            if again or not self._state or self._state != self._now():
                self._take_over()
            self._looked = time.monotonic()
        finally:
            self._loading.release()

    def _now(self) -> tuple:
        """Return what changes when a file of the source or of the model changes."""
        return times(self._source.files()), folder_times(self._found.folder if self._found else None)

    def _take_over(self) -> None:
        """Load what the source finds, unless it is loaded already; what goes wrong is kept in `problem`."""
        self._tried = time.monotonic()
        self._state = self._now()
        try:
            self._found = found = self._source.find()
            files = folder_times(found.folder)
            self._state = (self._state[0], files)
            self._load(found, files)
        except UserError as error:
            self._note(error)
        except Exception as error:  # whatever it is, who asks for forecasts must not pay for it
            LOG.exception("The model could not be loaded.")
            self._note(UserError(f"The model could not be loaded ({type(error).__name__}: {error})."))
        else:
            self.problem = None

    def _load(self, found: Found, files: tuple) -> None:
        """Put a model in force; one that has only been published again is kept, with its new time."""
        if self.loaded is not None and found.origin[:2] == self.loaded.origin[:2] and files == self._loaded_from:
            self.loaded = self.loaded.at(found.origin)
            return
        self.loaded, self._loaded_from = found.load(), files
        LOG.info("%s: %s, version %s of %s", found.domain, self.loaded.name, found.origin.version, found.origin.run_id)

    def _note(self, error: UserError) -> None:
        """Keep why there is no new model, and say it once."""
        if str(error) != str(self.problem):
            LOG.warning("%s", error)
        self.problem = error
