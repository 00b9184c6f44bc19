with

forecasts as (

    select * from {{ ref('actual_vs_forecast') }}

),

counted_forecasts as (

    select * from {{ ref('counted_forecasts') }}

),

counted_backfills as (

    select * from {{ ref('counted_backfills') }}

),

latest_runs as (

    select * from {{ ref('latest_runs') }}

),

counted as (

    select
        run_id,
        'published' as forecast_kind
    from counted_forecasts
    union all
    select
        run_id,
        'override' as forecast_kind
    from counted_forecasts
    union all
    select
        run_id,
        'backfill' as forecast_kind
    from counted_backfills

),

known as (

    select forecasts.*
    from forecasts
    left join counted
        on forecasts.run_id = counted.run_id
        and forecasts.forecast_kind = counted.forecast_kind
    where forecasts.actual is not null
        and (forecasts.forecast_kind = 'walk_forward' or counted.run_id is not null)
        and forecasts.evaluation_set not in ('calibration', 'recent')  -- cutoffs that are shown but not compared
        and not (forecasts.status = 'baseline' and forecasts.is_champion)  -- the same forecast is there as published

),

-- of very many series the ledger has all of the champion and the seasonal naive, and a sample of the other models
said_by as (

    select
        run_id,
        aggregation,
        unique_id,
        evaluation_set,
        count(distinct model_name) as n_models
    from known
    where forecast_kind = 'walk_forward'
    group by all

),

-- the series that all models have: on these every model is measured
in_all as (

    select
        run_id,
        aggregation,
        unique_id,
        evaluation_set,
        case when min(n_models) over sets < max(n_models) over sets then count(*) over sets end as sampled_of
    from said_by
    window sets as (partition by run_id, aggregation, evaluation_set)
    qualify n_models = max(n_models) over sets

),

compared as (

    select
        known.*,
        in_all.sampled_of
    from known
    left join in_all
        on known.run_id = in_all.run_id
        and known.aggregation = in_all.aggregation
        and known.unique_id = in_all.unique_id
        and known.evaluation_set = in_all.evaluation_set
        and known.forecast_kind = 'walk_forward'
    where known.forecast_kind <> 'walk_forward' or in_all.run_id is not null

),

-- the seasonal naive on the same rows: stored beside every champion, and among the walk-forward models
naive as (

    select
        forecast_kind = 'walk_forward' as is_walk_forward,
        run_id,
        aggregation,
        unique_id,
        cutoff,
        horizon,
        any_value(predicted_value) as naive_value
    from compared
    where model_name = 'seasonal_naive'
        and forecast_kind <> 'override'  -- what people made of one
    group by all

),

grouped as (

    select
        compared.*,
        naive.naive_value,
        coalesce(compared.model_name = latest_runs.champion, false) as is_champion_now,
        unnest(
            case when compared.horizon <= 3 then ['1-3', 'all'] when compared.horizon <= 6 then ['4-6', 'all'] else ['all'] end
        ) as horizon_group
    from compared
    left join latest_runs on compared.domain = latest_runs.domain
    left join naive
        on compared.run_id = naive.run_id
        and compared.aggregation = naive.aggregation
        and compared.unique_id = naive.unique_id
        and compared.cutoff = naive.cutoff
        and compared.horizon = naive.horizon
        and (compared.forecast_kind = 'walk_forward') = naive.is_walk_forward

),

accuracy as (

    select
        grouped.domain,
        grouped.aggregation,
        grouped.model_name,
        grouped.is_champion_now as is_champion,
        grouped.forecast_kind,
        grouped.evaluation_set,
        grouped.horizon_group,
        count(*) as n,
        count(distinct grouped.unique_id) as n_series,
        coalesce(max(grouped.sampled_of), n_series) as of_series,
        count(distinct grouped.cutoff) as n_cutoffs,
        min(grouped.cutoff) as first_cutoff,
        max(grouped.cutoff) as last_cutoff,
        {{ mae('grouped.predicted_value', 'grouped.actual') }} as mae,
        {{ rmse('grouped.predicted_value', 'grouped.actual') }} as rmse,
        {{ wape('grouped.predicted_value', 'grouped.actual') }} as wape,
        {{ bias('grouped.predicted_value', 'grouped.actual') }} as bias,
        {{ mase('grouped.predicted_value', 'grouped.actual', 'grouped.scale') }} as mase,
        {{ coverage('grouped.actual', 'grouped.lo_80', 'grouped.hi_80') }} as coverage_80,
        {{ coverage('grouped.actual', 'grouped.lo_95', 'grouped.hi_95') }} as coverage_95,
        {{ fva('grouped.predicted_value', 'grouped.actual', 'grouped.naive_value') }} as fva,
        {{ masc('grouped.predicted_value', 'grouped.previous_value', 'grouped.scale') }} as masc
    from grouped
    group by all

)

select * from accuracy
order by domain, forecast_kind, evaluation_set, aggregation, horizon_group, mase, model_name
