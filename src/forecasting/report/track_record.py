"""Every published forecast against what came, and how good it was by months ahead; likewise, and apart, what was filled in later.

A forecast counts against the actual as it was first known, so that a restated month changes no old figure; which of them count
says dbt's model `counted_forecasts`, as for the mart `forecast_accuracy`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.contracts import BOUNDS, MAX_HORIZON, POINT
from forecasting.evaluation import metrics
from forecasting.ledger import Domain, Published

LAGS = (1, 3, 6)  # months between the last month that a forecast knew and the month that it was made for
ALL_LAGS = tuple(range(1, MAX_HORIZON + 1))
SAID = {"published": "published", "backfill": "backfilled as of"}
SIGNAL_LIMIT = 4.0  # mean absolute errors: beyond it errors do not cancel out by chance alone


def load_record(
    published: str,
    domain: str,
    lags: tuple[int, ...] = LAGS,
    kind: str = "published",
    series: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the forecasts of a domain that were published, or filled in ('backfill'), and whose month has come; see `Published.record`."""
    return Published(published).record(domain, lags, kind, series)


def said(record: pd.DataFrame) -> str:
    """Return how the forecasts of a record, which are of one kind, came to be: «published», or «backfilled as of» so long before."""
    return SAID[record["kind"].iloc[0]]


@dataclass(frozen=True)
class Coverage:
    """How many actuals lay inside an interval: `inside` of `n`, which come from so many `months`.

    `low` and `high` are what intervals of the stated level lead to expect of `months` months: the central range that
    holds at least 95 % of a binomial distribution. The forecasts of one month share its surprises, so several series
    count as one month each: the range is never narrower than it should be.
    """

    level: int
    n: int
    inside: int
    months: int

    @property
    def share(self) -> float:
        """The share that lay inside."""
        return self.inside / self.n

    @property
    def low(self) -> int:
        """The fewest months inside that are still in keeping with the level."""
        from scipy.stats import binom

        return int(binom.ppf(0.025, self.months, self.level / 100))

    @property
    def high(self) -> int:
        """The most months inside that are still in keeping with the level."""
        from scipy.stats import binom

        return int(binom.ppf(0.975, self.months, self.level / 100))

    @property
    def verdict(self) -> str:
        """«unknown» (too few months to tell), «narrow» (too few inside), «wide» (too many inside) or «fair»."""
        months = self.share * self.months
        if self.low == 0:
            return "unknown"
        return "narrow" if months < self.low else "wide" if months > self.high else "fair"


@dataclass(frozen=True)
class Measures:
    """How good the forecasts of one kind were: one lag of the total, or of all series together.

    `bias`, `mae` and `fva` are in the domain's unit; `bias_share`, `wape` and `fva_share` are fractions of the mean
    absolute actual (of the seasonal naive's mean absolute error). `masc` and `change_share` say how far the forecast of a month moved
    since the month before, in typical errors and as a fraction of its size. What cannot be computed (a division by zero, no seasonal
    naive) is None. `signal` is None for several series together: their errors must not cancel out.
    """

    lag: int
    n: int
    months: int
    first: pd.Timestamp
    last: pd.Timestamp
    bias: float
    bias_share: float | None
    mae: float
    wape: float | None
    mase: float | None
    masc: float | None
    change_share: float | None
    signal: float | None
    coverage_80: Coverage
    coverage_95: Coverage
    fva: float | None
    fva_share: float | None


@dataclass(frozen=True)
class Together:
    """The measures of all series of a lag, how many series they are and of how many the forecasts lean to one side."""

    measures: Measures
    n_series: int
    n_leaning: int

    @classmethod
    def of(cls, row: dict) -> "Together":
        """Return a row of `Published.measured`."""
        n, months = int(row["n"]), int(row["months"])
        covered = {level: Coverage(level, n, int(row[f"inside_{level}"]), months) for level in (80, 95)}
        found = Measures(
            lag=int(row["lag"]), n=n, months=months, first=row["first"], last=row["last"], bias=row["bias"],
            bias_share=ratio(row["bias"], row["size"]), mae=row["mae"], wape=known(row["wape"]), mase=known(row["mase"]),
            masc=known(row["masc"]), change_share=known(row["change_share"]), signal=None, coverage_80=covered[80],
            coverage_95=covered[95], fva=known(row["fva"]), fva_share=ratio(row["fva"], row["naive_mae"]),
        )  # fmt: skip
        return cls(found, int(row["n_series"]), int(row["n_leaning"]))


def all_series(published: str, domain: Domain, kind: str, lags: tuple[int, ...] | None = LAGS) -> list[Together] | None:
    """Return the measures of all series together by lag, measured in the database; None where the series are few enough to be read."""
    if "series" not in domain.in_sight:
        return None
    rows = Published(published).measured(domain.name, kind, SIGNAL_LIMIT, lags)
    return [Together.of(row) for row in rows.to_dict("records")]


def measurable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `load_record` as `evaluation.metrics` measures them."""
    naive_error = (rows["naive_value"] - rows["actual"]).abs()
    return rows.rename(
        columns={"actual": "y", "predicted_value": POINT, "previous_value": "previous", **BOUNDS}
    ).assign(naive_error=naive_error)


def known(value: float) -> float | None:
    """Return a measure, None where nothing could be measured."""
    return None if np.isnan(value) else float(value)


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole, None where that says nothing."""
    return float(part / whole) if whole > 0 and np.isfinite(part) else None


def measures(rows: pd.DataFrame) -> Measures:
    """Return the accuracy of rows of `load_record` of one lag, of one node or of several; there is at least one row."""
    table, months = measurable(rows), rows["ds"].nunique()
    bias, gain = metrics.bias(table), metrics.fva(table)
    covered = {level: Coverage(level, len(rows), int(metrics.inside(table, level).sum()), months) for level in (80, 95)}
    return Measures(
        lag=int(rows["lag"].iloc[0]),
        n=len(rows),
        months=months,
        first=rows["ds"].min(),
        last=rows["ds"].max(),
        bias=bias,
        bias_share=ratio(bias, rows["actual"].abs().mean()),
        mae=metrics.mae(table),
        wape=known(metrics.wape(table)),
        mase=known(metrics.mase(table)),
        masc=known(metrics.masc(table)),
        change_share=known(metrics.change_share(table)),
        signal=known(metrics.tracking_signal(table)) if rows["unique_id"].nunique() == 1 else None,
        coverage_80=covered[80],
        coverage_95=covered[95],
        fva=known(gain),
        fva_share=ratio(gain, table["naive_error"].mean()),
    )


def by_lag(rows: pd.DataFrame) -> list[Measures]:
    """Return the measures of rows of one aggregation for each lag that has any."""
    return [measures(part) for _, part in rows.groupby("lag", sort=True)]


def signals(record: pd.DataFrame) -> pd.DataFrame:
    """Return the tracking signal of every node and lag: aggregation, unique_id, lag, n, bias, bias_share, signal.

    One row per aggregation, unique_id and lag; signal is NaN where every forecast was exact.
    """
    found = []
    for node, rows in measurable(record).groupby(["aggregation", "unique_id", "lag"], sort=True):
        bias = metrics.bias(rows)
        found.append((*node, len(rows), bias, ratio(bias, rows["y"].abs().mean()), metrics.tracking_signal(rows)))
    columns = ["aggregation", "unique_id", "lag", "n", "bias", "bias_share", "signal"]
    return pd.DataFrame(found, columns=columns).astype({"bias_share": float})


def misses(record: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose actual left its 80 % interval, with what lay how far outside.

    Added: level (the widest interval that it left, 80 or 95), low and high (the bounds of that interval), beyond (actual −
    the bound it passed: negative is below, in the domain's unit) and scaled (|beyond| in units of MASE's scale, NaN where that is 0).
    The latest month comes first, in it the shortest lag, in that the largest in scale.
    """
    table = measurable(record)
    left = ~metrics.inside(table, 80)
    out, level = record[left], np.where(metrics.inside(table[left], 95), 80, 95)
    low, high = (np.where(level == 95, out[f"{side}_95"], out[f"{side}_80"]) for side in ("lo", "hi"))
    beyond = np.where(out["actual"] < low, out["actual"] - low, out["actual"] - high)
    scaled = np.abs(beyond) / out["scale"].where(out["scale"] > 0)
    found = out.assign(level=level, low=low, high=high, beyond=beyond, scaled=scaled)
    order = ["ds", "lag", "scaled", "aggregation", "unique_id"]
    return found.sort_values(order, ascending=[False, True, False, True, True], ignore_index=True)
