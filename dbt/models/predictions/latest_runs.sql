with

runs as (

    select * from {{ source('ledger', 'runs') }}

),

latest as (

    select
        domain,
        run_id,
        cutoff,
        champion,
        published_at
    from runs
    qualify row_number() over (partition by domain order by cutoff desc, published_at desc, run_id desc) = 1

)

select * from latest
order by domain
