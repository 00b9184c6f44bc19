with

used as (

    select * from {{ ref('used_days') }}

),

days as (

    select fact_table, fact_date, cast(sum(n_facts) as bigint) as n_facts from used group by all
    union all
    select 'costs' as fact_table, fact_date, cast(sum(n_with_cost) as bigint) as n_facts from used group by all
    having sum(n_with_cost) > 0

)

select * from days
order by fact_table, fact_date
