"""Series that sell now and then: how often times how much, and the distribution that their history shows.

Exponential smoothing, trees and networks see a level where there is none. Croston (1972) parts such a series into how often it is sold and
how much at a time; TSB (Teunter, Syntetos and Babai 2011) smooths both at every month, so that what is no longer sold fades away. The
forecast is their product, the mean that a month brings: a median would be 0 for most of these series, and a sum of zeros is no plan
(Kolassa 2016, International Journal of Forecasting 32).

The quantiles are those of months drawn from the history (Willemain, Smart and Schwarz 2004): nothing with the chance that nothing is sold,
else as much as was sold at a time before. So a lower bound is 0 where a month may bring nothing, and none is below where no month was.
Season has no part in it: on made series, Superstore's and Contoso's its estimate cost as much as it gained, and series whose zeros are a
season are none of these (`series.intermittent`).
"""

from typing import Any, Self

import numpy as np
import pandas as pd

from forecasting.contracts import MIDDLE, QUANTILES, SEASON_LENGTH
from forecasting.models.base import Model, quantile_forecast
from forecasting.series import Panel, intermittent, mean, panel

SMOOTHING = 0.1  # of the share of months with a sale, and of the size of one: the usual value


class TSB(Model):
    """The mean of a month by TSB, with quantiles from the history; it speaks of intermittent series alone."""

    name = "tsb"
    family = "intermittent"
    title = "intermittent demand (TSB)"
    what = "how often something is sold, times how much at a time"
    is_local = True
    side_by_side = True
    quick = True
    is_combined = True
    is_specialist = True
    min_history = SEASON_LENGTH + 1

    def __init__(self, **settings: Any) -> None:
        """See `Model`."""
        super().__init__(**settings)
        self.methods: dict[str, int] = {}

    def fit(self, train: pd.DataFrame) -> Self:
        """Count whom it speaks of, for readers; each series is known by its own history."""
        speaks = int(intermittent(panel(train)).sum())
        self.methods = {
            "intermittent: TSB": speaks,
            "not intermittent: fallback": train["unique_id"].nunique() - speaks,
        }
        return self

    def explanation(self) -> dict[str, Any]:
        """Return how many series (regions, categories and the total among them) it speaks of: {"methods": {method: n}}."""
        return {"methods": self.methods}

    def state(self) -> dict[str, Any]:
        """Return the counts, for readers."""
        return {"methods": self.methods}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.methods = dict(state["methods"])

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`; NaN for a series that is not intermittent."""
        known = panel(history)
        return quantile_forecast(known.ids, known.last, self.predict_panel(known, horizon))

    def predict_panel(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_panel`; every month ahead is alike."""
        speaks = intermittent(known)
        quantiles = np.full((len(known.ids), len(QUANTILES)), np.nan)
        quantiles[speaks] = demand(known.values[speaks])
        return np.repeat(quantiles[:, None], horizon, axis=1)


MODELS = (TSB,)


def demand(values: np.ndarray) -> np.ndarray:
    """Return the quantiles of a month [series, 11] of intermittent histories [series, months] (NaN: not known)."""
    known = np.isfinite(values)
    sold = known & (values != 0)
    share = sold.sum(axis=1) / known.sum(axis=1)
    share, size = smoothed(values, share, mean(np.where(sold, values, np.nan)))
    quantiles, point = drawn(values, share, size), (share * size)[:, None]
    quantiles[:, :MIDDLE] = np.minimum(quantiles[:, :MIDDLE], point)
    quantiles[:, MIDDLE + 1 :] = np.maximum(quantiles[:, MIDDLE + 1 :], point)
    quantiles[:, MIDDLE] = point[:, 0]
    return quantiles


def smoothed(values: np.ndarray, share: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smoothed share of months with a sale and the smoothed size of one [series], begun at these [series].

    TSB begins them at the first month. A history of two or three years still shows where it began, so they begin at its means here.
    """
    for month in values.T:
        known, sold = np.isfinite(month), np.isfinite(month) & (month != 0)
        share = np.where(known, share + SMOOTHING * (sold - share), share)
        size = np.where(sold, size + SMOOTHING * (np.nan_to_num(month) - size), size)
    return share, size


def drawn(values: np.ndarray, share: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the quantiles [series, 11] of a month that brings something with the chance `share`, of the mean `size` [series].

    What it brings is drawn from the history, brought to that mean where all of it is of one sign. The k-th of n has the rank k / (n + 1) of
    a finite sample, from below for the upper levels and from above for the lower ones.
    """
    sizes = np.where(values != 0, values, np.nan)
    average, count = mean(sizes), np.isfinite(sizes).sum(axis=1)[:, None]
    one_sign = np.isclose(np.abs(average), mean(np.abs(sizes)), rtol=1e-9, atol=0.0)
    outcomes = np.column_stack([sizes * np.where(one_sign, size / average, 1.0)[:, None], np.zeros(len(values))])
    each = share[:, None] / (count + 1)
    chance = np.column_stack([np.where(np.isfinite(sizes), each, 0.0), 1.0 - share])
    order = np.argsort(outcomes, axis=1, kind="stable")  # unknown ones last
    reached = np.cumsum(np.take_along_axis(chance, order, axis=1), axis=1)
    levels = np.array(QUANTILES)
    wanted = levels - np.where(levels < levels[MIDDLE], each, 0.0) - 1e-9
    place = (reached[:, None, :] < wanted[:, :, None]).sum(axis=2)
    return np.take_along_axis(np.take_along_axis(outcomes, order, axis=1), np.minimum(place, count), axis=1)
