"""Every published forecast against what came, and how good it was by months ahead. No back-test is among it.

The rows follow the mart `forecast_accuracy`: a forecast counts against the actual as it was first known, so that a
restated month changes no old figure, and of what was published twice for a cutoff the last publication counts.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.ledger import query

LAGS = (1, 3, 6)  # months between the last month that a forecast knew and the month that it was made for
SIGNAL_LIMIT = 4.0  # mean absolute errors: beyond it errors do not cancel out by chance alone

# `counted`: of the runs with the same cutoff that have met an actual, the one that was published last.
RECORD = """
    with met as (
        select * from actual_vs_forecast
        where domain = $domain and forecast_kind = 'published' and actual is not null
    ),
    last_published as (
        select run_id, max(published_at) as published_at from publications group by run_id
    ),
    counted as (
        select met.cutoff, met.run_id, last_published.published_at
        from (select distinct cutoff, run_id from met) as met
        inner join last_published on met.run_id = last_published.run_id
        qualify row_number() over (
            partition by met.cutoff order by last_published.published_at desc, met.run_id desc
        ) = 1
    ),
    naive as (
        select run_id, aggregation, unique_id, horizon, any_value(predicted_value) as naive_value
        from met where model_name = 'seasonal_naive' group by all
    )
    select met.aggregation, met.unique_id, met.region, met.product_category, met.ds, met.horizon as lag, met.cutoff,
        met.model_name, met.actual, met.predicted_value, met.lo_80, met.hi_80, met.lo_95, met.hi_95, met.scale,
        met.is_fallback, naive.naive_value, counted.published_at
    from met
    inner join counted on met.run_id = counted.run_id
    left join naive on met.run_id = naive.run_id and met.aggregation = naive.aggregation
        and met.unique_id = naive.unique_id and met.horizon = naive.horizon
    where met.status = 'published' and list_contains($lags, met.horizon)
    order by met.aggregation, met.unique_id, met.horizon, met.ds
"""


def load_record(published: str, domain: str, lags: tuple[int, ...] = LAGS) -> pd.DataFrame:
    """Return the published forecasts of a domain whose month has come, one row per aggregation, unique_id, lag and ds.

    Columns: aggregation, unique_id, region, product_category, ds, lag (months), cutoff, model_name, actual (as first
    known), predicted_value, lo_80, hi_80, lo_95, hi_95, scale (MASE's), is_fallback, naive_value (the seasonal naive
    stored beside; NaN where there is none), published_at, and error = predicted_value − actual; in the domain's unit.
    """
    rows = query(published, RECORD, {"domain": domain, "lags": list(lags)})
    return rows.assign(error=rows["predicted_value"] - rows["actual"])


def tracking_signal(error: pd.Series) -> float | None:
    """Return the sum of the errors in units of their mean absolute value; None where there is no error at all.

    The cumulative-sum signal of Brown (1959, Statistical Forecasting for Inventory Control), with the usual warning
    beyond ±4; Trigg (1964, Operational Research Quarterly 15) has a smoothed form. Here an error is prediction −
    actual, so a positive signal means forecasts that keep being too high. It cannot exceed the number of errors.
    """
    mean = error.abs().mean()
    return float(error.sum() / mean) if mean > 0 else None


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
    absolute actual (of the seasonal naive's mean absolute error). What cannot be computed (a division by zero, no seasonal
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
    signal: float | None
    coverage_80: Coverage
    coverage_95: Coverage
    fva: float | None
    fva_share: float | None


def inside(rows: pd.DataFrame, level: int) -> pd.Series:
    """Say of each row whether the actual lies in the interval of this level (80 or 95), its bounds included."""
    return rows["actual"].between(rows[f"lo_{level}"], rows[f"hi_{level}"])


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole, None where that says nothing."""
    return float(part / whole) if whole > 0 and np.isfinite(part) else None


def measures(rows: pd.DataFrame) -> Measures:
    """Return the accuracy of rows of `load_record` of one lag, of one node or of several; there is at least one row."""
    size, months = rows["error"].abs(), rows["ds"].nunique()
    scaled = size / rows["scale"].where(rows["scale"] > 0)
    naive = (rows["naive_value"] - rows["actual"]).abs()
    gain = (naive - size).mean()
    covered = {level: Coverage(level, len(rows), int(inside(rows, level).sum()), months) for level in (80, 95)}
    return Measures(
        lag=int(rows["lag"].iloc[0]),
        n=len(rows),
        months=months,
        first=rows["ds"].min(),
        last=rows["ds"].max(),
        bias=float(rows["error"].mean()),
        bias_share=ratio(rows["error"].sum(), rows["actual"].abs().sum()),
        mae=float(size.mean()),
        wape=ratio(size.sum(), rows["actual"].abs().sum()),
        mase=None if scaled.isna().all() else float(scaled.mean()),
        signal=tracking_signal(rows["error"]) if rows["unique_id"].nunique() == 1 else None,
        coverage_80=covered[80],
        coverage_95=covered[95],
        fva=None if np.isnan(gain) else float(gain),
        fva_share=ratio(gain, naive.mean()),
    )


def by_lag(rows: pd.DataFrame) -> list[Measures]:
    """Return the measures of rows of one aggregation for each lag that has any."""
    return [measures(part) for _, part in rows.groupby("lag", sort=True)]


def signals(record: pd.DataFrame) -> pd.DataFrame:
    """Return the tracking signal of every node and lag: aggregation, unique_id, lag, n, bias, bias_share, signal.

    One row per aggregation, unique_id and lag; signal is NaN where every forecast was exact.
    """
    found = []
    for (aggregation, unique_id, lag), rows in record.groupby(["aggregation", "unique_id", "lag"], sort=True):
        share = ratio(rows["error"].sum(), rows["actual"].abs().sum())
        values = (len(rows), rows["error"].mean(), share, tracking_signal(rows["error"]))
        found.append((aggregation, unique_id, lag, *values))
    columns = ["aggregation", "unique_id", "lag", "n", "bias", "bias_share", "signal"]
    return pd.DataFrame(found, columns=columns).astype({"bias_share": float, "signal": float})


def misses(record: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose actual left its 80 % interval, with what lay how far outside.

    Added: level (the widest interval that it left, 80 or 95), low and high (the bounds of that interval), beyond (actual −
    the bound it passed: negative is below, in the domain's unit) and scaled (|beyond| in units of MASE's scale, NaN where that is 0).
    The latest month comes first, in it the shortest lag, in that the largest in scale.
    """
    out = record[~inside(record, 80)]
    level = np.where(inside(out, 95), 80, 95)
    low, high = (np.where(level == 95, out[f"{side}_95"], out[f"{side}_80"]) for side in ("lo", "hi"))
    beyond = np.where(out["actual"] < low, out["actual"] - low, out["actual"] - high)
    scaled = np.abs(beyond) / out["scale"].where(out["scale"] > 0)
    found = out.assign(level=level, low=low, high=high, beyond=beyond, scaled=scaled)
    order = ["ds", "lag", "scaled", "aggregation", "unique_id"]
    return found.sort_values(order, ascending=[False, True, False, True, True], ignore_index=True)
