"""Weights of a combination: by months ahead, learned from past errors, shrunk towards equal.

The weights minimise the mean absolute scaled error of the combined point, are not negative and add up to one (Granger and
Ramanathan 1984, with Conflitti, De Mol and Giannone 2015's constraint). Learned weights fit the past too closely, equal
ones are hard to beat («the forecast combination puzzle», Claeskens et al. 2016): so a share of each is taken. Equal means
equal among the models that are not far behind the best one (Granger and Jeon 2004, thick modelling).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from forecasting.contracts import POINT
from forecasting.hierarchy import aggregate_actuals, comparable
from forecasting.intervals import BUCKETS, bucket_of, scales

if TYPE_CHECKING:
    from forecasting.models.combination import WeightedCombination

FEWEST_MONTHS = 3  # of known errors in a bucket; below, the weights are equal
NEAR_BEST = 1.15  # a model up to 15 % behind the best one takes part in the equal share
PASSES = 8  # of the reweighting
SMALLEST_ERROR = 0.05  # in scales: bounds the weight of a row that is hit exactly
RIDGE = 1e-9  # keeps the matrix of products invertible where two models agree
SUM_TO_ONE = 1e3  # weight of that constraint beside rows of about 1

KEY = ["aggregation", "unique_id", "cutoff", "horizon", "ds"]


def points(raw: pd.DataFrame, members: Sequence[str]) -> pd.DataFrame:
    """Return the points of each member side by side: one row per KEY, a column per member; rows that all have."""
    wide = raw.pivot(index=KEY, columns="model_name", values=POINT)
    return wide[list(members)].dropna()


def past_errors(raw: pd.DataFrame, train: pd.DataFrame, members: Sequence[str]) -> pd.DataFrame:
    """Return `errors` of walk-forward forecasts (RAW_BACKTEST_COLUMNS) against a domain's training set."""
    actuals = aggregate_actuals(train)
    known = scales(actuals, sorted(raw["cutoff"].unique()))
    return errors(comparable(raw, train), actuals, known, members)


def walk_forward(model: "WeightedCombination", raw: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Combine walk-forward forecasts, the weights of each cutoff learned from months up to it (RAW_BACKTEST_COLUMNS).

    The model keeps the weights learned from everything known, those for the next forecast.
    """
    known = past_errors(raw, train, model.names)
    parts = [
        model.learn(known[known["ds"] <= cutoff]).combine(rows) for cutoff, rows in raw.groupby("cutoff", sort=True)
    ]
    model.learn(known)
    return pd.concat(parts, ignore_index=True) if parts else raw


def errors(
    raw: pd.DataFrame, actuals: pd.DataFrame, known_scales: pd.DataFrame, members: Sequence[str]
) -> pd.DataFrame:
    """Return scaled errors of each member: KEY, bucket and a column per member.

    Parameters
    ----------
    raw: RAW_BACKTEST_COLUMNS of the members.
    actuals: aggregation, unique_id, ds, y.
    known_scales: aggregation, unique_id, cutoff, scale; rows without a scale are left out.
    """
    wide = points(raw, members).reset_index()
    rows = wide.merge(actuals[["aggregation", "unique_id", "ds", "y"]], on=["aggregation", "unique_id", "ds"])
    rows = rows.merge(known_scales, on=["aggregation", "unique_id", "cutoff"])
    rows = rows[rows["scale"].notna()].reset_index(drop=True)
    scaled = rows[list(members)].sub(rows["y"], axis=0).div(rows["scale"], axis=0)
    return pd.concat([rows[KEY].assign(bucket=bucket_names(rows["horizon"])), scaled], axis=1)


def bucket_names(horizon: pd.Series) -> np.ndarray:
    """Return the name of the bucket of months ahead that each horizon lies in."""
    return np.array(list(BUCKETS))[bucket_of(horizon.to_numpy())]


def weights(known: pd.DataFrame, members: Sequence[str], shrinkage: float) -> pd.DataFrame:
    """Return the weights by bucket of months ahead: one row per bucket, a column per member, each row adding up to one.

    `known` is of `errors`, restricted by the caller to months that were known; `shrinkage` is the share of equal weights.
    A bucket without enough months takes those of the bucket before it, the first one equal weights.
    """
    found, last = {}, np.full(len(members), 1.0 / len(members))
    for bucket in BUCKETS:
        rows = known[known["bucket"] == bucket]
        if rows["ds"].nunique() >= FEWEST_MONTHS:
            last = shrunk(rows[list(members)].to_numpy(), shrinkage)
        found[bucket] = last
    return pd.DataFrame.from_dict(found, orient="index", columns=list(members)).rename_axis("bucket")


def shrunk(scaled: np.ndarray, shrinkage: float) -> np.ndarray:
    """Return weights [members] from scaled errors [n, members]: learned ones and equal ones, in the given shares."""
    size = np.abs(scaled).mean(axis=0)
    near = size <= NEAR_BEST * size.min()
    return (1.0 - shrinkage) * learned(scaled) + shrinkage * near / near.sum()


def learned(scaled: np.ndarray) -> np.ndarray:
    """Return the weights [members], not negative and adding up to one, with the least mean absolute error.

    Iteratively reweighted least squares: since the weights add up to one, the combined error is the weighted error.
    """
    members = scaled.shape[1]
    found = np.full(members, 1.0 / members)
    for _ in range(PASSES):
        importance = 1.0 / np.maximum(np.abs(scaled @ found), SMALLEST_ERROR)
        products = (scaled * importance[:, None]).T @ scaled / importance.sum()
        root = np.linalg.cholesky(products + RIDGE * (1.0 + np.trace(products)) * np.eye(members)).T
        sides = np.vstack([root, np.full(members, SUM_TO_ONE)]), np.append(np.zeros(members), SUM_TO_ONE)
        found = nnls(*sides)[0]
        found = found / found.sum()
    return found
