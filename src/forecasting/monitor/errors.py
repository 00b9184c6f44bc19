"""Errors as arrays [months, horizons]: of every node, and over all series; from what came due, and from the back-tests of quiet months.

An error is prediction − actual in units of the node's seasonal-naive error (`scale`). What is not known is NaN.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts import MAX_HORIZON
from forecasting.evaluation import BASELINE
from forecasting.monitor import signals
from forecasting.series import NODE

TOTAL = ("total", "All/All")
MOST = 3.0  # usual sizes that one series may count


@dataclass(frozen=True)
class Errors:
    """What was missed, month by month.

    Attributes
    ----------
    months: the months that were forecast, in order, none left out [months]
    nodes: aggregation and unique_id of each node, in order
    error: scaled errors of each node [nodes, months, MAX_HORIZON]
    loss, naive_loss: the sum of all series' absolute errors / the sum of their scales, of the forecast and of the seasonal naive on the
        same rows [months, MAX_HORIZON]
    inside: the share of all series inside the 80 and the 95 % interval [2, months, MAX_HORIZON]
    """

    months: pd.DatetimeIndex
    nodes: pd.MultiIndex
    error: np.ndarray
    loss: np.ndarray
    naive_loss: np.ndarray
    inside: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, naive: pd.DataFrame) -> Self:
        """Return the errors of forecasts, one row per aggregation, unique_id, cutoff and horizon, beside those of the seasonal naive.

        Rows without a scale or an actual, and those that a simple stand-in forecast (`is_fallback`), are left out.
        """
        rows = rows[(rows["scale"] > 0) & rows["actual"].notna() & ~rows["is_fallback"]]
        if rows.empty:
            none = np.full((0, MAX_HORIZON), np.nan)
            nobody = rows.groupby(NODE).size().index
            return cls(
                pd.DatetimeIndex([]), nobody, np.full((0, 0, MAX_HORIZON), np.nan), none, none, np.stack([none, none])
            )
        months = pd.date_range(rows["ds"].min(), rows["ds"].max(), freq="MS")
        key = [*NODE, "cutoff", "horizon"]
        rows = rows.merge(naive[[*key, "predicted_value"]], on=key, how="left", suffixes=("", "_naive"))
        month, ahead = months.get_indexer(rows["ds"]), rows["horizon"].to_numpy() - 1
        of_nodes = rows.groupby(NODE)
        nodes = of_nodes.size().index
        error = np.full((len(nodes), len(months), MAX_HORIZON), np.nan)
        error[of_nodes.ngroup(), month, ahead] = (rows["predicted_value"] - rows["actual"]) / rows["scale"]
        series = rows["aggregation"].eq("series").to_numpy()
        return cls(months, nodes, error, *_over_series(rows[series], month[series], ahead[series], len(months)))

    @property
    def total(self) -> np.ndarray:
        """The errors of the total [months, MAX_HORIZON]."""
        return self.of_node(TOTAL) if TOTAL in self.nodes else np.full_like(self.loss, np.nan)

    def of_node(self, node: tuple[str, str]) -> np.ndarray:
        """Return the errors of a node [months, MAX_HORIZON]."""
        return self.error[self.nodes.get_loc(node)]

    def quiet(self, judged: pd.Timestamp, alarms: list[pd.Timestamp]) -> Self:
        """Return these errors without what is judged and without what alarms were about.

        That is the months from `judged` on, and what forecasts made before an alarm missed from two months before it on.
        """
        month = _number(self.months)[:, None]
        cutoff = month - np.arange(1, MAX_HORIZON + 1)
        out = np.broadcast_to(month >= _number(judged), cutoff.shape)
        for alarm in map(_number, alarms):
            out = out | ((cutoff < alarm) & (month >= alarm - 2))
        parts = (np.where(out, np.nan, part) for part in (self.error, self.loss, self.naive_loss, self.inside))
        return type(self)(self.months, self.nodes, *parts)


def breadth(errors: Errors, quiet: Errors) -> np.ndarray:
    """Return how far all series, large and small alike, were missed on one side [months, horizons].

    That is the mean over the series of errors in units of what is usual for them in quiet months, each cut at MOST: what many
    series share shows here though each by itself is too noisy, and one alone cannot show.
    """
    place = quiet.nodes.get_indexer(errors.nodes)
    both = (errors.nodes.get_level_values("aggregation") == "series") & (place >= 0)
    mine, usual = errors.error[both], quiet.error[place[both]]
    with np.errstate(divide="ignore", invalid="ignore"):
        return signals.mean(np.clip(mine / signals.usual(usual)[:, None, :], -MOST, MOST), axis=0)


def _number(months: pd.DatetimeIndex | pd.Timestamp) -> np.ndarray:
    """Return months counted from the year 0, so that they can be added to."""
    return np.asarray(months.year) * 12 + np.asarray(months.month)


def _over_series(
    rows: pd.DataFrame, month: np.ndarray, ahead: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return loss, naive_loss [months, horizons] and inside [2, months, horizons] of the series' rows."""
    missed, naive = (
        (rows[column] - rows["actual"]).abs().to_numpy() for column in ("predicted_value", "predicted_value_naive")
    )
    scale = rows["scale"].to_numpy()

    def added(values: np.ndarray) -> np.ndarray:
        """Add values up by month and horizon."""
        sums = np.zeros((n, MAX_HORIZON))
        np.add.at(sums, (month, ahead), values)
        return sums

    def over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """Divide; NaN where there is nothing to divide by."""
        return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)

    inside = [rows["actual"].between(rows[f"lo_{level}"], rows[f"hi_{level}"]).to_numpy(float) for level in (80, 95)]
    bounded = rows["lo_80"].notna().to_numpy(float)
    compared = np.isfinite(naive)
    return (
        over(added(missed), added(scale)),
        over(added(np.where(compared, naive, 0.0)), added(np.where(compared, scale, 0.0))),
        np.stack([over(added(each * bounded), added(bounded)) for each in inside]),
    )


def split(rows: pd.DataFrame, champion: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the champion's rows and the seasonal naive's: of what came due by their status, of back-tests by the model's name."""
    if champion is None:
        naive = rows["model_name"] == BASELINE
        return rows[rows["status"] == "published"], rows[naive].drop_duplicates([*NODE, "cutoff", "horizon"])
    return rows[rows["model_name"] == champion], rows[rows["model_name"] == BASELINE]
