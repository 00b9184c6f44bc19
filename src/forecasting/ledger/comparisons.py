"""What was forecast beside what came: which forecasts count, month by month, and how good they were.

Which published forecasts count for a cutoff is dbt's model `counted_forecasts`, which backfilled ones its `counted_backfills`; the
back-test that is read is that of the run in force. What was filled in later is only ever read by itself.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS
from forecasting.ledger.reader import Reader

# Of all rows, or of sums and these series alone.
OF_SERIES = "($series is null or f.aggregation <> 'series' or f.unique_id in (select unnest($series)))"
# The champion's forecasts of months that are over: the published ones that count, and the back-test.
COUNTED = """
    counted as (
        select f.*, f.forecast_kind = 'published' as is_published, c.published_at
        from actual_vs_forecast as f
        left join counted_forecasts as c on f.run_id = c.run_id
        where f.domain = $domain and f.actual is not null
            and ((f.status = 'published' and c.run_id is not null) or (f.forecast_kind = 'walk_forward' and f.is_champion))
    )
"""
# The champions' forecasts that were filled in later, where nothing was published.
FILLED_IN = """
    counted as (
        select f.*, c.filled_at as published_at
        from actual_vs_forecast as f
        inner join counted_backfills as c on f.run_id = c.run_id
        where f.domain = $domain and f.actual is not null and f.status = 'backfill' and f.is_champion
    )
"""
# One forecast for each month that is over.
PAST_OF = f"""
    {COUNTED},
    past as (
        select * from counted
        qualify row_number() over (partition by aggregation, unique_id, ds order by is_published desc, horizon) = 1
    )
"""
PAST = f"""
    with {COUNTED}
    select aggregation, unique_id, region, product_category, ds, actual, predicted_value, lo_80, hi_80, lo_95, hi_95,
        variance, variance_pct, cutoff, horizon, is_published, is_fallback
    from counted as f where list_contains($aggregations, aggregation) and {OF_SERIES}
    qualify row_number() over (partition by aggregation, unique_id, ds order by is_published desc, horizon) = 1
    order by aggregation, unique_id, ds
"""
NAIVE = """
    naive as (
        select run_id, forecast_kind, aggregation, unique_id, cutoff, horizon, any_value(predicted_value) as naive_value
        from actual_vs_forecast where domain = $domain and model_name = 'seasonal_naive' group by all
    )
"""
COMPARED = """
    select aggregation, unique_id, region, product_category, ds, horizon as lag, cutoff, model_name, forecast_kind as kind, actual,
        predicted_value, previous_value, lo_80, hi_80, lo_95, hi_95, scale, is_fallback, naive_value, published_at,
        predicted_value - actual as error
    from counted as f left join naive using (run_id, forecast_kind, aggregation, unique_id, cutoff, horizon)
"""
BESIDE_NAIVE = f"{NAIVE} {COMPARED}"
RECORDS = {
    kind: f"with {counted}, {BESIDE_NAIVE} where forecast_kind = '{kind}' and list_contains($lags, horizon) and {OF_SERIES} "
    "order by aggregation, unique_id, lag, ds"
    for kind, counted in (("published", COUNTED), ("backfill", FILLED_IN))
}
HELD_OUT = f"with {COUNTED}, {BESIDE_NAIVE} where evaluation_set = 'held_out' and {OF_SERIES} order by aggregation, unique_id, cutoff, lag"
# What was said at each cutoff of the total: what was published, else what the champion's back-test says.
PATHS = f"""
    with {COUNTED}
    select cutoff, horizon, ds, actual, predicted_value, scale, is_published from counted where aggregation = 'total'
    qualify is_published = bool_or(is_published) over (partition by cutoff) order by cutoff, horizon
"""
LATE_MONTHS = 12
LATELY = f"""
    with {COUNTED}
    select *, variance_pct / 100 as variance_share from counted
    where evaluation_set <> 'calibration' and list_contains($aggregations, aggregation)
        and ds > (select max(ds) - to_months($months) from monthly_actuals where domain = $domain)
"""
ACCURACY = """
    select * exclude (domain) from forecast_accuracy
    where domain = $domain and ($aggregation is null or aggregation = $aggregation)
        and ($model is null or model_name = $model) and ($kind is null or forecast_kind = $kind)
    order by all
"""


def one_of(table: str) -> str:
    """Return a CTE `mine` of the rows of one unique_id, alone so that they are looked up in the index and not searched."""
    return f"with mine as materialized (select * from {table} where unique_id = $unique_id)"


def named(series: Sequence[str] | None) -> list[str] | None:
    """Return unique_ids as a parameter of a question; None where none are named."""
    return None if series is None else list(series)


class Comparisons(Reader):
    """What the published file says of forecasts whose month is over; amounts in the domain's unit."""

    def past(
        self, domain: str, aggregations: tuple[str, ...] = AGGREGATIONS, series: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return one forecast for each month that is over, one row per aggregation, unique_id and ds; of series only some, if named.

        A published one if there is one, else of the back-test (`is_published`); of each the one that was made latest.
        """
        return self.ask(PAST, domain=domain, aggregations=list(aggregations), series=named(series))

    def record(
        self, domain: str, lags: tuple[int, ...], kind: str = "published", series: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the forecasts of one kind ('published' or 'backfill') whose month has come, one row per aggregation, unique_id, lag, ds.

        Columns: aggregation, unique_id, region, product_category, ds, lag (months), cutoff, model_name, kind, actual (as first
        known), predicted_value, previous_value (what the same kind said of the same month one month before; NaN where nothing was), lo_80,
        hi_80, lo_95, hi_95, scale (MASE's), is_fallback, naive_value (the seasonal naive stored beside; NaN where there is none),
        published_at (of a backfill: when it was filled in), and error = predicted_value − actual.
        """
        return self.ask(RECORDS[kind], domain=domain, lags=list(lags), series=named(series))

    def paths(self, domain: str) -> pd.DataFrame:
        """Return what was forecast of a domain's total at each cutoff, of the months that are over, one row per cutoff and horizon.

        What was published where something was, else the champion's back-test: cutoff, horizon, ds, actual, predicted_value, scale
        (MASE's, at the cutoff) and is_published.
        """
        return self.ask(PATHS, domain=domain)

    def held_out(self, domain: str, series: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the champion's back-test on the held-out cutoffs, one row per aggregation, unique_id, cutoff and lag.

        Columns as those of `record`; lag is the months ahead, actual is as known now.
        """
        return self.ask(HELD_OUT, domain=domain, series=named(series))

    def lately(
        self, domain: str, aggregations: tuple[str, ...] = AGGREGATIONS, months: int = LATE_MONTHS
    ) -> pd.DataFrame:
        """Return the forecasts of the last closed months, published ones and the champion's back-test.

        One row per forecast_kind, aggregation, unique_id, cutoff and horizon: the columns of `actual_vs_forecast`, and
        variance_share (a fraction of the forecast's size). Cutoffs that only teach the intervals are left out.
        """
        return self.ask(LATELY, domain=domain, aggregations=list(aggregations), months=months)

    def write_lately(self, domain: str, target: Path) -> None:
        """Have DuckDB write the same as Parquet, of all aggregations."""
        self._write(LATELY, target, domain=domain, aggregations=list(AGGREGATIONS), months=LATE_MONTHS)

    def n_lately(self, domain: str) -> int:
        """Return how many rows that are."""
        asked = {"domain": domain, "aggregations": list(AGGREGATIONS), "months": LATE_MONTHS}
        return int(self.ask(f"select count(*) as n from ({LATELY})", **asked)["n"].iloc[0])

    def _write(self, sql: str, target: Path, **params: object) -> None:
        """Have DuckDB write the answer to a question as Parquet."""
        path = str(target).replace("'", "''")
        self.ask(f"copy ({sql}) to '{path}' (format parquet)", **params)

    def accuracy(
        self, domain: str, aggregation: str | None = None, model: str | None = None, kind: str | None = None
    ) -> pd.DataFrame:
        """Return the rows of `forecast_accuracy` of a domain, limited to an aggregation, a model, a kind of forecast."""
        rows = self.ask(ACCURACY, domain=domain, aggregation=aggregation, model=model, kind=kind)
        return (
            rows if "of_series" in rows else rows.assign(n_series=np.nan, of_series=np.nan)
        )  # an older version's file
