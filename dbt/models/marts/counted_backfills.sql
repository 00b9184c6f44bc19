with

runs as (

    select * from {{ source('ledger', 'runs') }}

),

counted_forecasts as (

    select * from {{ ref('counted_forecasts') }}

),

filled_in as (

    select
        runs.domain,
        runs.cutoff,
        runs.run_id,
        runs.published_at as filled_at
    from runs
    left join counted_forecasts
        on runs.domain = counted_forecasts.domain
        and runs.cutoff = counted_forecasts.cutoff
    where (runs.manifest ->> '$.backfill') = 'true'
        and counted_forecasts.run_id is null
    qualify row_number() over (partition by runs.domain, runs.cutoff order by runs.published_at desc, runs.run_id) = 1

)

select * from filled_in
order by domain, cutoff
