with

forecasts as (

    select * from {{ source('ledger', 'forecasts') }}

),

backtests as (

    select * from {{ source('ledger', 'backtests') }}

),

runs as (

    select * from {{ source('ledger', 'runs') }}

),

latest_runs as (

    select * from {{ ref('latest_runs') }}

),

counted_overrides as (

    select * from {{ ref('counted_overrides') }}

),

monthly_actuals as (

    select * from {{ ref('monthly_actuals') }}

),

counted_forecasts as (

    select * from {{ ref('counted_forecasts') }}

),

counted_backfills as (

    select * from {{ ref('counted_backfills') }}

),

first_known_actuals as (

    select * from {{ ref('first_known_actuals') }}

),

published as (

    select
        forecasts.domain,
        forecasts.aggregation,
        forecasts.unique_id,
        forecasts.region,
        forecasts.product_category,
        forecasts.ds,
        first_known_actuals.y as actual,
        forecasts.predicted_value,
        forecasts.lo_80,
        forecasts.hi_80,
        forecasts.lo_95,
        forecasts.hi_95,
        forecasts.cutoff,
        forecasts.horizon,
        forecasts.model_name,
        'all' as evaluation_set,
        forecasts.scale,
        case forecasts.status when 'backfill' then 'backfill' else 'published' end as forecast_kind,
        forecasts.status,
        forecasts.is_fallback,
        forecasts.run_id
    from forecasts
    left join first_known_actuals
        on forecasts.domain = first_known_actuals.domain
        and forecasts.aggregation = first_known_actuals.aggregation
        and forecasts.unique_id = first_known_actuals.unique_id
        and forecasts.ds = first_known_actuals.ds
    where forecasts.status in ('published', 'baseline', 'backfill')

),

overridden as (

    select
        forecasts.domain,
        forecasts.aggregation,
        forecasts.unique_id,
        forecasts.region,
        forecasts.product_category,
        forecasts.ds,
        first_known_actuals.y as actual,
        counted_overrides.predicted_value,
        counted_overrides.lo_80,
        counted_overrides.hi_80,
        counted_overrides.lo_95,
        counted_overrides.hi_95,
        forecasts.cutoff,
        forecasts.horizon,
        forecasts.model_name,
        'all' as evaluation_set,
        forecasts.scale,
        'override' as forecast_kind,
        'override' as status,
        forecasts.is_fallback,
        forecasts.run_id
    from counted_overrides
    inner join forecasts
        on counted_overrides.run_id = forecasts.run_id
        and counted_overrides.aggregation = forecasts.aggregation
        and counted_overrides.unique_id = forecasts.unique_id
        and counted_overrides.horizon = forecasts.horizon
        and forecasts.status = 'published'
    left join first_known_actuals
        on forecasts.domain = first_known_actuals.domain
        and forecasts.aggregation = first_known_actuals.aggregation
        and forecasts.unique_id = first_known_actuals.unique_id
        and forecasts.ds = first_known_actuals.ds

),

walk_forward as (

    select
        backtests.domain,
        backtests.aggregation,
        backtests.unique_id,
        backtests.region,
        backtests.product_category,
        backtests.ds,
        monthly_actuals.y as actual,
        backtests.q500 as predicted_value,
        backtests.q100 as lo_80,
        backtests.q900 as hi_80,
        backtests.q025 as lo_95,
        backtests.q975 as hi_95,
        backtests.cutoff,
        backtests.horizon,
        backtests.model_name,
        backtests.evaluation_set,
        backtests.scale,
        'walk_forward' as forecast_kind,
        'walk_forward' as status,
        backtests.is_fallback,
        backtests.run_id
    from backtests
    inner join latest_runs on backtests.run_id = latest_runs.run_id
    left join monthly_actuals
        on backtests.domain = monthly_actuals.domain
        and backtests.aggregation = monthly_actuals.aggregation
        and backtests.unique_id = monthly_actuals.unique_id
        and backtests.ds = monthly_actuals.ds

),

together as (

    select * from published
    union all
    select * from overridden
    union all
    select * from walk_forward

),

all_forecasts as (

    select
        together.*,
        coalesce(together.model_name = runs.champion, false) as is_champion,
        -- whose forecasts follow one another from cutoff to cutoff: the champions', whichever models they are, or a model's own
        case
            when together.status in ('published', 'backfill') and together.model_name = runs.champion then together.status
            else together.status || ' ' || together.model_name
        end as said_by
    from together
    left join runs on together.run_id = runs.run_id

),

-- what was said a month before, of what counts
said_before as (

    select
        domain,
        aggregation,
        unique_id,
        said_by,
        ds,
        cast(cutoff + interval 1 month as date) as cutoff,
        predicted_value
    from all_forecasts
    where forecast_kind = 'walk_forward'
        or run_id in (select run_id from counted_forecasts union all select run_id from counted_backfills)

),

compared as (

    select
        all_forecasts.domain,
        all_forecasts.aggregation,
        all_forecasts.unique_id,
        all_forecasts.region,
        all_forecasts.product_category,
        all_forecasts.ds,
        all_forecasts.actual,
        all_forecasts.predicted_value,
        said_before.predicted_value as previous_value,
        all_forecasts.lo_80,
        all_forecasts.hi_80,
        all_forecasts.lo_95,
        all_forecasts.hi_95,
        all_forecasts.actual - all_forecasts.predicted_value as variance,
        100 * (all_forecasts.actual - all_forecasts.predicted_value)
            / nullif(abs(all_forecasts.predicted_value), 0) as variance_pct,
        all_forecasts.cutoff,
        all_forecasts.horizon,
        all_forecasts.model_name,
        all_forecasts.is_champion,
        all_forecasts.evaluation_set,
        all_forecasts.scale,
        all_forecasts.forecast_kind,
        all_forecasts.status,
        all_forecasts.is_fallback,
        all_forecasts.run_id
    from all_forecasts
    left join said_before
        on all_forecasts.domain = said_before.domain
        and all_forecasts.aggregation = said_before.aggregation
        and all_forecasts.unique_id = said_before.unique_id
        and all_forecasts.said_by = said_before.said_by
        and all_forecasts.ds = said_before.ds
        and all_forecasts.cutoff = said_before.cutoff

)

select * from compared
order by domain, aggregation, unique_id, forecast_kind, run_id, status, model_name, cutoff, horizon
