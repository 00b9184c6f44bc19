with

revisions as (

    select * from {{ source('ledger', 'override_revisions') }}

),

overridden as (

    select * from {{ source('ledger', 'overridden_forecasts') }}

),

last_revisions as (

    select
        run_id,
        max(revision) as revision
    from revisions
    group by run_id

),

counted as (

    select overridden.*
    from overridden
    inner join last_revisions
        on overridden.run_id = last_revisions.run_id
        and overridden.revision = last_revisions.revision

)

select * from counted
order by domain, run_id, aggregation, unique_id, horizon
