"""What is unusual in a training set, as tables: the life of each series, its gaps, outliers, spikes and sudden falls.

Pure functions of the training set, one row per unique_id and ds: `unique_id, ds, y, region, product_category,
is_imputed`, without missing months inside a series. The sentences made of these tables are in `checks`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts import ALL, SEASON_LENGTH, SERIES_KEY
from forecasting.training_set.spikes import MAD_TO_SD, spikes_of, standing_out

SHORT_MONTHS = 24  # fewer than two of every season
REGULAR_MONTHS = 9  # of twelve with a value: a series of which one expects something every month
MEAN_DEVIATION_TO_SD = 1.2533
SHOWN_GAPS = 6  # months of a series that are named
FALL_BAND = 0.25  # a fall of less than a quarter of a usual month is not sudden
FALL_BAND_UNKNOWN = 0.50  # the same where the past is too short to know what is usual
FALL_DEVIATIONS = {"total": 3.0, "region": 3.0, "category": 3.0, "series": 4.0}  # robust standard deviations, downwards


def series_table(train: pd.DataFrame) -> pd.DataFrame:
    """Describe each series: one row per unique_id, ordered by it.

    Columns: unique_id, region, product_category, first_month, last_month, n_months, n_nonzero, n_imputed, n_negative,
    last_nonzero_month (NaT where all are zero), status, share (of the sum of all series' last twelve months, 1 is all
    of it; NaN where that sum is zero; for inventory the share of the average stock).

    status is the first that is true of:
    ended (twelve or more trailing zero months), silent (the last months are zero or imputed, while nine or more of the
    twelve before them were not zero), short (fewer than 24 months), intermittent (more than half of the months zero),
    active.
    """
    flags = train.assign(n_nonzero=train["y"] != 0, n_negative=train["y"] < 0)
    table = (
        flags.groupby(SERIES_KEY, sort=True)
        .agg(
            first_month=("ds", "min"),
            last_month=("ds", "max"),
            n_months=("ds", "size"),
            n_nonzero=("n_nonzero", "sum"),
            n_imputed=("is_imputed", "sum"),
            n_negative=("n_negative", "sum"),
        )
        .reset_index()
    )
    last_sale = train[train["y"] != 0].groupby("unique_id")["ds"].max()
    table["last_nonzero_month"] = pd.to_datetime(table["unique_id"].map(last_sale))
    ordered = train.sort_values(["unique_id", "ds"], ignore_index=True)
    status = pd.concat([_status(ordered, places) for places in _stacked(ordered)])
    table["status"] = table["unique_id"].map(status).astype(object)
    recent = train[train["ds"] > train["ds"].max() - pd.DateOffset(months=SEASON_LENGTH)]
    total = recent["y"].sum()
    mine = table["unique_id"].map(recent.groupby("unique_id")["y"].sum()).fillna(0.0).astype(float)
    table["share"] = mine / (total if total else np.nan)
    return table.astype({"n_nonzero": int, "n_imputed": int, "n_negative": int})


def _stacked(ordered: pd.DataFrame) -> Iterator[np.ndarray]:
    """Yield, for each number of months that series have, the rows of these series [series, months]; `ordered` is by unique_id and ds."""
    codes, _ = pd.factorize(ordered["unique_id"])
    size = np.bincount(codes)
    first = np.cumsum(size) - size
    for months in np.unique(size) if len(size) else [1]:
        yield first[size == months][:, None] + np.arange(months)


def _status(ordered: pd.DataFrame, places: np.ndarray) -> pd.Series:
    """Say how alive series of one length are [unique_id -> status]; `places` [series, months] are their rows."""
    y, imputed = ordered["y"].to_numpy()[places], ordered["is_imputed"].to_numpy(bool)[places]
    months = places.shape[1]
    quiet = _trailing((y == 0) | imputed)
    sold = np.pad(np.cumsum(y != 0, axis=1), ((0, 0), (1, 0)))  # in the first 0, 1, 2 … months
    until, each = months - quiet, np.arange(len(y))
    before = sold[each, until] - sold[each, np.maximum(until - SEASON_LENGTH, 0)]
    found = np.select(
        [
            _trailing(y == 0) >= SEASON_LENGTH,
            (quiet > 0) & (before >= REGULAR_MONTHS),
            np.full(len(y), months < SHORT_MONTHS),
            (y == 0).mean(axis=1) > 0.5,
        ],
        ["ended", "silent", "short", "intermittent"],
        "active",
    )
    return pd.Series(found.astype(object), index=ordered["unique_id"].to_numpy()[places[:, 0]])


def _trailing(flags: np.ndarray) -> np.ndarray:
    """Count the true values at the end of each row."""
    return np.where(flags.all(axis=1), flags.shape[1], np.argmin(flags[:, ::-1], axis=1))


def gaps(train: pd.DataFrame) -> pd.DataFrame:
    """List the imputed months of each series that has any: unique_id, n_imputed, n_months, first_ds, last_ds, months.

    One row per unique_id; `months` is a sentence of at most six months ("2012-01, 2012-02 and 4 more").
    """
    imputed = train[train["is_imputed"].astype(bool)].sort_values(["unique_id", "ds"])
    by_series = imputed.groupby("unique_id")["ds"]
    table = by_series.agg(n_imputed="size", first_ds="min", last_ds="max").reset_index()
    table["n_months"] = table["unique_id"].map(train["unique_id"].value_counts())
    shown = imputed[by_series.cumcount() < SHOWN_GAPS]
    named = shown["ds"].dt.strftime("%Y-%m").groupby(shown["unique_id"]).agg(", ".join)
    more = (table["n_imputed"] - SHOWN_GAPS).map(lambda n: f" and {n} more" if n > 0 else "")
    table["months"] = table["unique_id"].map(named).astype(object) + more
    return table[["unique_id", "n_imputed", "n_months", "first_ds", "last_ds", "months"]]


def month_names(ds: pd.Series) -> list[str]:
    """Return months as 2013-12, oldest first."""
    return [f"{month:%Y-%m}" for month in sorted(ds)]


def listed(names: list[str], limit: int = 15) -> str:
    """Join names with commas, the first `limit` of them: "a, b and 3 more"."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def outliers(train: pd.DataFrame, threshold: float = 6.0) -> pd.DataFrame:
    """List months far from what the same month of the year before leads to expect.

    The modified z-score of Iglewicz and Hoaglin (1993, How to Detect and Handle Outliers): distance of the seasonal
    difference y(t) − y(t−12) from its median, divided by 1.4826 × MAD (by 1.2533 × the mean absolute deviation where
    the MAD is zero). Series that are positive throughout are compared by ratios (differences of logarithms), since
    their differences grow with their level. After an outlier the next year is compared with what was expected, not
    with the outlier, so that it does not count twice. Iglewicz and Hoaglin label from 3.5 on; ours is stricter,
    because business series have heavier tails.

    Returns unique_id, ds, y, expected, z (same unit as y, but z is a number of robust standard deviations), ordered.
    """
    ordered = train.sort_values(["unique_id", "ds"], ignore_index=True)
    found = pd.concat([_outliers(ordered, places, threshold) for places in _stacked(ordered)], ignore_index=True)
    return found.sort_values(["unique_id", "ds"], ignore_index=True)


def _outliers(ordered: pd.DataFrame, places: np.ndarray, threshold: float) -> pd.DataFrame:
    """Return the outliers of series of one length; `places` [series, months] are their rows."""
    y = ordered["y"].to_numpy(float)[places]
    ratios = (y > 0).all(axis=1, keepdims=True)
    level = np.where(ratios, np.log(np.where(ratios, y, 1.0)), y)
    difference = level[:, SEASON_LENGTH:] - level[:, :-SEASON_LENGTH]
    expected, z = np.full(y.shape, np.nan), np.zeros(y.shape)
    if difference.shape[1] >= SEASON_LENGTH:
        middle, spread = np.median(difference, axis=1), _robust_spread(difference)
        tells = spread > 0
        for t in range(SEASON_LENGTH, y.shape[1]):
            expected[tells, t] = (level[:, t - SEASON_LENGTH] + middle)[tells]
            z[tells, t] = (level[:, t] - expected[:, t])[tells] / spread[tells]
            level[:, t] = np.where(np.abs(z[:, t]) > threshold, expected[:, t], level[:, t])
    hit = np.abs(z) > threshold
    shown = ordered.loc[places[hit], ["unique_id", "ds", "y"]]
    usual, as_ratio = expected[hit], np.broadcast_to(ratios, y.shape)[hit]
    usual[as_ratio] = np.exp(usual[as_ratio])
    return shown.assign(expected=usual, z=z[hit])


def _robust_spread(values: np.ndarray) -> np.ndarray:
    """Return of each row a standard deviation that outliers hardly move; 0 where all values are equal."""
    deviation = np.abs(values - np.median(values, axis=1, keepdims=True))
    typical = MAD_TO_SD * np.median(deviation, axis=1)
    return np.where(typical > 0, typical, MEAN_DEVIATION_TO_SD * deviation.mean(axis=1))


@dataclass(frozen=True)
class Unusual:
    """What stands out of a training set, looked for once at every aggregation.

    `levels`: the sums, of `_levels`; `expected`: of `spikes.standing_out`, by aggregation as well, where there is anything.
    """

    levels: dict[str, pd.DataFrame]
    expected: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, train: pd.DataFrame) -> Self:
        """Look at a training set."""
        levels = _levels(train)
        return cls(levels, {name: standing_out(wide, name) for name, wide in levels.items() if len(wide)})

    @cached_property
    def spikes(self) -> pd.DataFrame:
        """The months of the last two years that stand out, at every aggregation; see `spikes.spikes_of`."""
        return spikes_of(self.levels, self.expected)

    @cached_property
    def falls(self) -> pd.DataFrame:
        """Where the last month fell out of all it is compared with; see `sudden_falls`."""
        columns = ["aggregation", "unique_id", "ds", "y", "expected", "change_pct"]
        found = [
            _falls(_without_spikes(self.levels[name], expected), FALL_DEVIATIONS[name]).assign(aggregation=name)
            for name, expected in self.expected.items()
        ]
        if not found:
            return pd.DataFrame(columns=columns)
        falls = pd.concat(found, ignore_index=True)
        falls["change_pct"] = 100 * (falls["y"] - falls["expected"]) / falls["expected"].abs().replace(0, np.nan)
        return falls[columns]


def spikes(train: pd.DataFrame) -> pd.DataFrame:
    """List the months of the last two years that stand out, at every aggregation; see `spikes.spikes_of`."""
    return Unusual.of(train).spikes


def sudden_falls(train: pd.DataFrame) -> pd.DataFrame:
    """List where the last month fell out of all it is compared with, from the total down to the series.

    The last month is compared with the lower of two: the same month last year, so that a season is no fall; and the
    same with the change of level since (mean of the three months before, less the mean of the same three a year
    earlier), so that a slow decline is none either. The shortfall, in usual months (mean absolute y of the twelve
    months before), must exceed a quarter, and must lie three robust standard deviations (four for single series, of
    which there are many) below the median of the same comparison in all months before: 1.4826 × the median distance of
    the months below that median, since a rise long ago is no measure of a fall. Where fewer than twelve such months
    exist, it must exceed one half. Earlier months that stand out (of `spikes`) count as what was expected of them: a year after
    a spike nothing has fallen. Series that ended long ago are compared with zero and do not appear.

    Returns aggregation, unique_id, ds, y, expected (the lower of the two), change_pct ((y − expected) / |expected|
    in %; NaN where expected is 0), ordered from the total to the series, the greatest loss in y first.
    """
    return Unusual.of(train).falls


def _levels(train: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Sum the series: aggregation name -> months × unique_id; empty where a month has no value yet."""

    row, months = pd.factorize(train["ds"], sort=True)

    def wide(name: pd.Series) -> pd.DataFrame:
        column, ids = pd.factorize(name, sort=True)
        summed = train["y"].groupby(row * len(ids) + column).sum()
        values = np.full(len(months) * len(ids), np.nan)
        values[summed.index] = summed
        table = values.reshape(len(months), len(ids))
        return pd.DataFrame(table, pd.Index(months, name="ds"), pd.Index(ids, name="unique_id"))

    return {
        "total": wide(pd.Series(f"{ALL}/{ALL}", index=train.index)),
        "region": wide(train["region"] + f"/{ALL}"),
        "category": wide(f"{ALL}/" + train["product_category"]),
        "series": wide(train["unique_id"]),
    }


def _without_spikes(wide: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Return a history in which earlier months that stand out are what was expected of them; the last month stays."""
    earlier = expected.notna()
    earlier.iloc[-1] = False
    return wide.where(~earlier, expected)


def _falls(wide: pd.DataFrame, deviations: float) -> pd.DataFrame:
    """Find the falls among columns of months: unique_id, ds, y, expected."""
    before = wide.shift(1)
    last_year, level = wide.shift(SEASON_LENGTH), before.rolling(3).mean()
    change = (level - level.shift(SEASON_LENGTH)).clip(upper=0)
    lowest = last_year + change.where(change.notna(), 0.0)  # too young to know its change: last year alone
    usual = before.abs().rolling(SEASON_LENGTH).mean()
    shortfall = (wide - lowest) / usual.where(usual > 0)
    now, past = shortfall.iloc[-1], shortfall.iloc[:-1]
    below = (past.median() - past).where(past <= past.median())
    limit = past.median() - deviations * MAD_TO_SD * below.median()
    band = limit.clip(upper=-FALL_BAND).where(past.count() >= SEASON_LENGTH, -FALL_BAND_UNKNOWN)
    fallen = now.index[now < band]
    y, expected = wide.iloc[-1][fallen].to_numpy(), lowest.iloc[-1][fallen].to_numpy()
    falls = pd.DataFrame({"unique_id": fallen, "ds": wide.index[-1], "y": y, "expected": expected})
    return falls.iloc[np.argsort(y - expected, kind="stable")]
