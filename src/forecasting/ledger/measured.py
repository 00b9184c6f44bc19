"""How good the forecasts of very many series were, measured where they are: one row per lag, as `report.track_record` measures few."""

from collections.abc import Sequence

import pandas as pd

from forecasting.ledger.comparisons import COMPARED, COUNTED, FILLED_IN, NAIVE, Comparisons

FROM = {
    "published": (COUNTED, "forecast_kind = 'published'"),
    "backfill": (FILLED_IN, "forecast_kind = 'backfill'"),
    "held_out": (COUNTED, "evaluation_set = 'held_out'"),
}
# The same measures as those of evaluation.metrics (tests/test_many_series.py holds them equal).
MEASURED = """
    with {counted},
    {naive},
    compared as ({beside_naive} where {kind} and aggregation = 'series'),
    leaning as (
        select lag, count(*) as n_series, count(*) filter (abs(signal) > $limit) as n_leaning
        from (select lag, unique_id, sum(error) / nullif(avg(abs(error)), 0) as signal from compared group by all) group by lag
    ),
    measures as (
        select lag, count(*) as n, count(distinct ds) as months, min(ds) as first, max(ds) as last, avg(error) as bias,
            avg(abs(actual)) as size, avg(abs(error)) as mae, sum(abs(error)) / nullif(sum(abs(actual)), 0) as wape,
            avg(abs(error) / nullif(scale, 0)) as mase,
            avg(abs(predicted_value - previous_value) / nullif(scale, 0)) as masc,
            sum(abs(predicted_value - previous_value)) / nullif(sum(abs(previous_value)), 0) as change_share,
            count(*) filter (actual between lo_80 and hi_80) as inside_80,
            count(*) filter (actual between lo_95 and hi_95) as inside_95,
            avg(abs(naive_value - actual) - abs(error)) as fva, avg(abs(naive_value - actual)) as naive_mae
        from compared group by lag
    )
    select * from measures inner join leaning using (lag) where {lags} order by lag
"""

# The back-test of several models on the cutoffs held out, on the rows that all of them have: of very many series the ledger has a sample.
BY_MONTHS_AHEAD = """
    with compared as (
        select model_name, unique_id, cutoff, horizon, actual, predicted_value from actual_vs_forecast
        where domain = $domain and forecast_kind = 'walk_forward' and evaluation_set = 'held_out' and aggregation = 'series'
            and actual is not null and list_contains($models, model_name)
    ),
    in_all as (
        select unique_id, cutoff, horizon from compared group by all
        having count(*) = (select count(distinct model_name) from compared)
    )
    select model_name, horizon, count(*) as n, sum(abs(predicted_value - actual)) as error, sum(abs(actual)) as size
    from compared semi join in_all using (unique_id, cutoff, horizon) group by all order by all
"""


class Measured(Comparisons):
    """Reads the accuracy of all series together."""

    def measured(self, domain: str, kind: str, limit: float, lags: tuple[int, ...] | None = None) -> pd.DataFrame:
        """Return the measures of all series' forecasts by lag: of 'published', 'backfill' or, of the back-test, 'held_out'.

        Columns: lag, n, months, first, last, bias, size (mean absolute actual), mae, wape, mase, masc, change_share, inside_80, inside_95
        (numbers of forecasts), fva, naive_mae, n_series, n_leaning (whose tracking signal is beyond ± `limit`).
        """
        counted, of_kind = FROM[kind]
        sql = MEASURED.format(
            counted=counted, naive=NAIVE, beside_naive=COMPARED, kind=of_kind,
            lags="true" if lags is None else "list_contains($lags, lag)",
        )  # fmt: skip
        return self.ask(sql, domain=domain, limit=limit, **({} if lags is None else {"lags": list(lags)}))

    def by_months_ahead(self, domain: str, models: Sequence[str]) -> pd.DataFrame:
        """Return the errors of models in the back-test on the cutoffs held out, over all single series that each of them has.

        One row per model_name and horizon: n, error (the sum of the absolute errors) and size (that of the absolute actuals).
        """
        return self.ask(BY_MONTHS_AHEAD, domain=domain, models=list(models))
