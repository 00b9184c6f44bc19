"""Weights of a combination: by months ahead, from past errors, shrunk towards equal.

A model's weight is its past mean absolute scaled error to a negative power (inverse-error weights: Bates and Granger 1969;
Stock and Watson 2004). Weights that are fitted closely to the past forecast worse than equal ones («the forecast combination
puzzle», Claeskens et al. 2016), so the power is small while few months are known: power 0 means equal weights. Models of one
family err alike, so they share a family's weight: three statistical models do not outvote one network.
A weighted mean of them is still pulled by a member that is far off; how the combination shrinks it is in `WeightedCombination`.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, POINT
from forecasting.models.families import about
from forecasting.series import BUCKETS, Observed, bucket_of, by_cutoff

MONTHS_FOR_HALF = 6  # months of known errors at which half of the power is used
SERIES_FOR_HALF = 100  # series at which the weighted mean counts as much as the median
LARGEST_ERROR = 20.0  # in scales: beyond it, one series whose scale is tiny would decide for all
SMALLEST_ERROR = 1e-6  # in scales: bounds the weight of a model that was never wrong

KEY = ["aggregation", "unique_id", "cutoff", "horizon", "ds"]


def specialists(names: Sequence[str]) -> list[str]:
    """Return those of some models that speak of one kind of series alone (`Model.is_specialist`); none where there are no others."""
    found = [name for name in names if about(name).is_specialist]
    return found if len(found) < len(names) else []


class SideBySide(NamedTuple):
    """Which rows of a table of forecasts stand beside each other.

    `key` [rows of the table]: a number for each KEY, in the order of KEY. `common` [n]: those that all members have a point for, ascending.
    `rows`: for each member the places [n] of these in the table.
    """

    key: np.ndarray
    common: np.ndarray
    rows: dict[str, np.ndarray]

    @classmethod
    def of(cls, raw: pd.DataFrame, members: Sequence[str]) -> Self:
        """Lay the forecasts of several members (RAW_BACKTEST_COLUMNS) side by side."""
        key = np.zeros(len(raw), dtype=np.int64)
        for column in KEY:
            codes, values = pd.factorize(raw[column], sort=True)
            key = key * len(values) + codes
        there, names = raw[POINT].notna().to_numpy(), raw["model_name"].to_numpy()
        own = {member: np.flatnonzero((names == member) & there) for member in members}
        own = {member: places[np.argsort(key[places])] for member, places in own.items()}
        common = reduce(np.intersect1d, (key[places] for places in own.values()))
        return cls(key, common, {name: places[np.searchsorted(key[places], common)] for name, places in own.items()})

    def spoken_for(self, raw: pd.DataFrame) -> np.ndarray:
        """Return the places in the table of the rows in which a specialist speaks, and gives no fallback."""
        names = raw["model_name"]
        return np.flatnonzero(names.isin(specialists(names.unique())) & ~raw["is_fallback"].astype(bool))


def past_errors(raw: pd.DataFrame, train: pd.DataFrame, members: Sequence[str]) -> pd.DataFrame:
    """Return `member_errors` of walk-forward forecasts (RAW_BACKTEST_COLUMNS) against a domain's training set."""
    observed, parts = Observed.of(train), []
    for cutoff, said in by_cutoff(raw):
        rows = learned_from(said[observed.is_comparable(observed.hierarchy.numbers(said), said["ds"])], members)
        node = observed.hierarchy.numbers(rows)
        scale = np.where(node >= 0, observed.scales(cutoff)["scale"][node], np.nan)
        parts.append(_scaled(rows, observed.y(node, rows["ds"]), scale, members))
    if not parts:
        return _scaled(learned_from(raw, members), np.empty(0), np.empty(0), members)
    found = pd.concat(parts, ignore_index=True)
    of_name = pd.factorize(found["aggregation"], sort=True)[0]
    keys = [found["horizon"], found["cutoff"], observed.hierarchy.numbers(found), of_name]
    return found.iloc[np.lexsort(keys)].reset_index(drop=True)


def member_errors(
    raw: pd.DataFrame, actuals: pd.DataFrame, known_scales: pd.DataFrame, members: Sequence[str]
) -> pd.DataFrame:
    """Return scaled errors of each member: KEY, bucket and a column per member.

    Parameters
    ----------
    raw: RAW_BACKTEST_COLUMNS of the members.
    actuals: aggregation, unique_id, ds, y.
    known_scales: aggregation, unique_id, cutoff, scale; rows without a scale are left out.

    Series that a specialist speaks of are left out: none of the others has a say there.
    """
    rows = learned_from(raw, members)
    rows = rows.merge(actuals[["aggregation", "unique_id", "ds", "y"]], on=["aggregation", "unique_id", "ds"])
    rows = rows.merge(
        known_scales[["aggregation", "unique_id", "cutoff", "scale"]], on=["aggregation", "unique_id", "cutoff"]
    )
    return _scaled(rows, rows["y"].to_numpy(), rows["scale"].to_numpy(), members)


def learned_from(raw: pd.DataFrame, members: Sequence[str]) -> pd.DataFrame:
    """Return KEY and the points of each member, of rows that all have and of which no specialist speaks."""
    beside = SideBySide.of(raw, members)
    own = ~np.isin(beside.common, beside.key[beside.spoken_for(raw)])
    table = raw[KEY].iloc[beside.rows[members[0]][own]].reset_index(drop=True)
    point = raw[POINT].to_numpy()
    return table.assign(**{name: point[places[own]] for name, places in beside.rows.items()})


def _scaled(rows: pd.DataFrame, y: np.ndarray, scale: np.ndarray, members: Sequence[str]) -> pd.DataFrame:
    """Return the scaled errors of points beside each other: KEY, bucket and a column per member, where y and scale are known."""
    known = np.isfinite(y) & ~np.isnan(scale)
    table = rows.loc[known, KEY].reset_index(drop=True)
    errors = {name: (rows[name].to_numpy()[known] - y[known]) / scale[known] for name in members}
    return table.assign(bucket=bucket_names(table["horizon"]), **errors)


def bucket_names(horizon: pd.Series) -> np.ndarray:
    """Return the name of the bucket of months ahead that each horizon lies in."""
    return np.array(list(BUCKETS))[bucket_of(horizon.to_numpy())]


def weights(known: pd.DataFrame, families: dict[str, str], power: float) -> pd.DataFrame:
    """Return the weights by bucket of months ahead: one row per bucket, a column per member, each row adding up to one.

    Parameters
    ----------
    known: of `member_errors`, restricted by the caller to months that were known.
    families: the family of each member, in their order.
    power: of the inverse error, reached as the known months become many.

    A bucket of which nothing is known takes the weights of the bucket before it, the first one equal weights.
    """
    members = list(families)
    found, last = {}, shared(np.ones(len(members)), list(families.values()))
    for bucket in BUCKETS:
        rows = known[known["bucket"] == bucket]
        months = rows["ds"].nunique()
        if months:
            size = np.minimum(rows[members].abs(), LARGEST_ERROR).mean().to_numpy()
            relative = np.maximum(size, SMALLEST_ERROR) / max(size.min(), SMALLEST_ERROR)
            last = shared(relative ** (-power * months / (months + MONTHS_FOR_HALF)), list(families.values()))
        found[bucket] = last
    return pd.DataFrame.from_dict(found, orient="index", columns=members).rename_axis("bucket")


def trust(known: pd.DataFrame) -> float:
    """Return what the weighted mean counts beside the median, from 0 to 1: n / (n + SERIES_FOR_HALF) for the n series of `known`.

    Series err alike within a company, so more months of the same few tell less than other series do.
    """
    series = known.loc[known["aggregation"] == AGGREGATIONS[0], "unique_id"].nunique()
    return series / (series + SERIES_FOR_HALF)


def shared(claims: np.ndarray, families: Sequence[str]) -> np.ndarray:
    """Return weights [members] that add up to one: each model's claim divided by the number of models in its family."""
    count = np.array([families.count(family) for family in families])
    share = claims / count
    return share / share.sum()
