with

runs as (

    select * from {{ source('ledger', 'runs') }}

),

publications as (

    select * from {{ source('ledger', 'publications') }}

),

last_published as (

    select
        domain,
        run_id,
        published_at
    from publications
    qualify row_number() over (partition by domain order by published_at desc) = 1

),

latest as (

    select
        runs.domain,
        runs.run_id,
        runs.cutoff,
        runs.champion,
        last_published.published_at
    from last_published
    inner join runs on last_published.run_id = runs.run_id

)

select * from latest
order by domain
