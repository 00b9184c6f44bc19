"""The tables that are published: what others find in `published.duckdb`, and which of them BI tools are given elsewhere too."""

from forecasting.contracts import DOMAINS

TRAINING_SETS = tuple(f"ml_train_{domain}_monthly" for domain in DOMAINS)
PREDICTIONS = tuple(f"ml_pred_{domain}_{months}m" for domain in DOMAINS for months in (1, 3, 6))
BY_REGION = tuple(f"Pred{domain.capitalize()}1m" for domain in DOMAINS)
COMPARED = (
    "monthly_actuals", "actual_vs_forecast", "counted_forecasts", "counted_backfills", "counted_overrides", "forecast_accuracy",
)  # fmt: skip
PUBLISHED = (
    *TRAINING_SETS, *PREDICTIONS, *BY_REGION, "domain_calendar", "left_out_months", "series_levels", *COMPARED,
    "forecasts", "backtests", "actuals", "restatements", "verdicts", "training_changes", "restated_forecasts", "overrides",
    "override_revisions", "overridden_forecasts", "runs", "publications", "latest_runs",
)  # fmt: skip
# Which sums of levels each series is in, of some levels, in the order of params/.
SERIES_LEVELS = (
    "from series_levels where list_contains($levels, aggregation) order by position, region, product_category"
)
FOR_BI = (*PREDICTIONS, *BY_REGION, *COMPARED, "forecasts", "latest_runs")
# In which a single series is looked up: they have an index of unique_id, without which very many rows are read for one.
BY_SERIES = ("monthly_actuals", "actual_vs_forecast", "forecasts")
MEASURES = {"forecast_accuracy": "actual_vs_forecast"}  # which is copied before it
# What readers are given of a table that grows by far the most: back-tests of the run in force of each domain and of the one before it,
# and of those that count for the last two cutoffs, which the monitor learns from.
# Those of older runs stay in the warehouse.
KEPT = {
    "backtests": """
        select backtests.* from backtests semi join (
            (
                select run_id from publications group by domain, run_id
                qualify row_number() over (partition by domain order by max(published_at) desc) <= 2
            )
            union
            (select run_id from counted_forecasts qualify row_number() over (partition by domain order by cutoff desc) <= 2)
        ) as kept using (run_id)
    """,
}
