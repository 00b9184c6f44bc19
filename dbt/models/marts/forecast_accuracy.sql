with

forecasts as (

    select * from {{ ref('actual_vs_forecast') }}

),

publications as (

    select
        run_id,
        max(published_at) as published_at
    from {{ source('ledger', 'publications') }}
    group by run_id

),

latest_runs as (

    select * from {{ ref('latest_runs') }}

),

known as (

    select forecasts.*
    from forecasts
    inner join publications on forecasts.run_id = publications.run_id
    where forecasts.actual is not null
        and forecasts.evaluation_set not in ('calibration', 'recent')  -- cutoffs that are shown but not compared
        and not (forecasts.status = 'baseline' and forecasts.is_champion)  -- the same forecast is there as published
    -- what was published twice for the same cutoff counts once, as it was published last
    qualify rank() over (
        partition by forecasts.domain, forecasts.cutoff, forecasts.forecast_kind
        order by publications.published_at desc, publications.run_id desc
    ) = 1

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
        any_value(abs(actual - predicted_value)) as naive_error
    from known
    where model_name = 'seasonal_naive'
    group by all

),

scored as (

    select
        known.*,
        known.predicted_value - known.actual as error,
        abs(known.predicted_value - known.actual) as absolute_error,
        naive.naive_error,
        coalesce(known.model_name = latest_runs.champion, false) as is_champion_now,
        known.actual between known.lo_80 and known.hi_80 as in_80,
        known.actual between known.lo_95 and known.hi_95 as in_95,
        unnest(
            case when known.horizon <= 3 then ['1-3', 'all'] when known.horizon <= 6 then ['4-6', 'all'] else ['all'] end
        ) as horizon_group
    from known
    left join latest_runs on known.domain = latest_runs.domain
    left join naive
        on known.run_id = naive.run_id
        and known.aggregation = naive.aggregation
        and known.unique_id = naive.unique_id
        and known.cutoff = naive.cutoff
        and known.horizon = naive.horizon
        and (known.forecast_kind = 'walk_forward') = naive.is_walk_forward

),

accuracy as (

    select
        scored.domain,
        scored.aggregation,
        scored.model_name,
        scored.is_champion_now as is_champion,
        scored.forecast_kind,
        scored.evaluation_set,
        scored.horizon_group,
        count(*) as n,
        count(distinct scored.cutoff) as n_cutoffs,
        min(scored.cutoff) as first_cutoff,
        max(scored.cutoff) as last_cutoff,
        avg(scored.absolute_error) as mae,
        sqrt(avg(scored.error * scored.error)) as rmse,
        sum(scored.absolute_error) / nullif(sum(abs(scored.actual)), 0) as wape,
        avg(scored.error) as bias,
        avg(scored.absolute_error / nullif(scored.scale, 0)) as mase,
        avg(cast(scored.in_80 as double)) as coverage_80,
        avg(cast(scored.in_95 as double)) as coverage_95,
        avg(scored.naive_error - scored.absolute_error) as fva
    from scored
    group by all

)

select * from accuracy
order by domain, forecast_kind, evaluation_set, aggregation, horizon_group, mase, model_name
