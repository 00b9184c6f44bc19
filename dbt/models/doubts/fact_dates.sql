with

days as (

    select * from {{ ref('known_days') }}

),

dates as (

    select
        fact_table,
        fact_date,
        cast(sum(n_facts) as bigint) as n_facts,
        sum(amount) filter (where fact_table <> 'inventory') as amount
    from days
    group by all

)

select * from dates
order by fact_table, fact_date
