with

runs as (

    select * from {{ source('ledger', 'runs') }}

),

publications as (

    select * from {{ source('ledger', 'publications') }}

),

counted as (

    select
        runs.domain,
        runs.cutoff,
        arg_max(runs.run_id, publications.published_at) as run_id,
        max(publications.published_at) as published_at
    from runs
    inner join publications on runs.run_id = publications.run_id
    group by runs.domain, runs.cutoff

)

select * from counted
order by domain, cutoff
