"""What an auditor asks a published file: where a number comes from, what is known of a run, and what was known when it was made."""

import pandas as pd

from forecasting.ledger.reader import Reader

HAS_OVERRIDES = "select 1 from information_schema.tables where table_name = 'overridden_forecasts'"
KNOWN_RUNS = """
    select run_id, domain, cutoff, champion, published_at as written_at from runs order by domain, cutoff, published_at
"""
RUN = "select domain, manifest, published_at as written_at from runs where run_id = $run_id"
TIMES = "select published_at from publications where run_id = $run_id order by published_at"
WRITTEN = """
    select status, model_name, model_version, count(*) as n, count(distinct unique_id) filter (where aggregation = 'series') as n_series,
        min(ds) as first_month, max(ds) as last_month, count(*) filter (where is_fallback) as n_fallback,
        max(prediction_time) as written_at
    from forecasts where run_id = $run_id group by all order by status desc, model_name
"""
POOLS = """
    select aggregation, interval_pool, interval_n, count(*) as n
    from forecasts semi join runs on forecasts.run_id = runs.run_id and forecasts.model_name = runs.champion
    where run_id = $run_id and status <> 'baseline'
    group by aggregation, interval_pool, interval_n
    order by list_position(['total', 'region', 'category', 'series'], aggregation), interval_pool
"""
# Later runs that found months of a run, up to its cutoff, to have another value than the run before them had published.
RESTATED_SINCE = """
    select r.run_id, runs.published_at as written_at, count(*) as n, min(r.ds) as first_month, max(r.ds) as last_month,
        sum(r.y - r.y_before) as change
    from restatements as r inner join runs on r.run_id = runs.run_id inner join runs as own on own.run_id = $run_id
    where r.domain = own.domain and runs.published_at > own.published_at and r.ds <= own.cutoff
    group by all order by written_at
"""
NUMBERS = """
    select f.run_id, f.status, f.aggregation, f.cutoff, f.horizon, f.model_name, f.model_version, f.predicted_value,
        f.lo_80, f.hi_80, f.lo_95, f.hi_95, f.prediction_time as written_at,
        latest_runs.run_id is not null as in_force, counted_forecasts.run_id is not null as counts
    from forecasts as f
    inner join runs on f.run_id = runs.run_id and f.model_name = runs.champion
    left join latest_runs on f.run_id = latest_runs.run_id
    left join counted_forecasts on f.run_id = counted_forecasts.run_id
    where f.domain = $domain and f.region = $region and f.product_category = $category and f.ds = $month::date
        and f.status <> 'baseline'
        and ($region <> 'All' and $category <> 'All' or f.aggregation in ('total', 'region', 'category'))
    qualify row_number() over (
        partition by f.run_id, f.status order by list_position(['total', 'region', 'category', 'series'], f.aggregation)
    ) = 1
    order by in_force desc, f.cutoff desc, f.prediction_time desc
"""
FORECASTS = """
    select aggregation, unique_id, model_name, horizon, status, predicted_value, lo_80, hi_80, lo_95, hi_95 from forecasts
    where run_id = $run_id and status in ('published', 'baseline', 'backfill') order by all
"""
NAMES = """
    select unique_id, any_value(region) as region, any_value(product_category) as product_category from forecasts
    where domain = $domain and aggregation = 'series' group by unique_id order by unique_id
"""
ACTUALS = "select unique_id, ds, y, as_of from actuals where domain = $domain order by all"
UNDONE = """
    select r.unique_id, r.ds, arg_min(r.y_before, runs.published_at) as y
    from restatements as r inner join runs on r.run_id = runs.run_id inner join runs as own on own.run_id = $run_id
    where r.domain = own.domain and runs.published_at > own.published_at and r.ds <= own.cutoff
    group by all order by all
"""
OVERRIDES = """
    select revision, override_ids, overridden_by, override_reason, made_at, count(*) as n
    from overridden_forecasts where run_id = $run_id and override_ids <> '' group by all order by all
"""


class Trail(Reader):
    """What the published file says of how its numbers came about."""

    def known_runs(self) -> pd.DataFrame:
        """Return every run of the ledger, backfilled ones too: run_id, domain, cutoff, champion, written_at (UTC)."""
        return self.ask(KNOWN_RUNS)

    def written_down(self, run_id: str) -> pd.DataFrame:
        """Return the row of a run, if there is one: domain, manifest (JSON text as the run wrote it), written_at (UTC)."""
        return self.ask(RUN, run_id=run_id)

    def publications(self, run_id: str) -> list[pd.Timestamp]:
        """Return when a run was published, UTC; none where it was filled in afterwards."""
        return self.ask(TIMES, run_id=run_id)["published_at"].tolist()

    def rows_of(self, run_id: str) -> pd.DataFrame:
        """Return what a run wrote into `forecasts`, one row per status and model: how many rows, of which months, and when."""
        return self.ask(WRITTEN, run_id=run_id)

    def pools_of(self, run_id: str) -> pd.DataFrame:
        """Return which errors the intervals of a run's forecasts come from: aggregation, interval_pool, interval_n (errors), n."""
        return self.ask(POOLS, run_id=run_id)

    def restated_since(self, run_id: str) -> pd.DataFrame:
        """Return which later runs found months of a run restated: run_id, written_at, n, first_month, last_month, change (unit of y)."""
        return self.ask(RESTATED_SINCE, run_id=run_id)

    def numbers(self, domain: str, region: str, category: str, month: str) -> pd.DataFrame:
        """Return every forecast of one number, the one in force first; 'All' is the name of what a sum runs over."""
        return self.ask(NUMBERS, domain=domain, region=region, category=category, month=month)

    def stored(self, run_id: str) -> pd.DataFrame:
        """Return the forecasts that a run stored, what people changed excepted: the key columns, the points and their bounds."""
        return self.ask(FORECASTS, run_id=run_id)

    def names(self, domain: str) -> pd.DataFrame:
        """Return region and category of every series that was ever forecast, one row per unique_id."""
        return self.ask(NAMES, domain=domain)

    def known_actuals(self, domain: str) -> pd.DataFrame:
        """Return every value that was ever known of a month: unique_id, ds, y, as_of (the last day of the facts that said so)."""
        return self.ask(ACTUALS, domain=domain)

    def undone(self, run_id: str) -> pd.DataFrame:
        """Return what a run knew of the months that later runs restated: unique_id, ds, y."""
        return self.ask(UNDONE, run_id=run_id)

    def overrides_of(self, run_id: str) -> pd.DataFrame:
        """Return what people changed of a run's forecasts, a row per revision and set of overrides; none where nobody can yet."""
        if self.ask(HAS_OVERRIDES).empty:  # published before people could
            return pd.DataFrame()
        return self.ask(OVERRIDES, run_id=run_id)
