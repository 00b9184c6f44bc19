with

days as (

    select * from {{ ref('used_days') }} where fact_table = 'sales'

),

months as (

    select
        {{ month_of('fact_date') }} as ds,
        cast(sum(n_facts) as bigint) as n_facts,
        cast(sum(n_facts - n_with_cost) as bigint) as n_without_cost,
        coalesce(sum(amount_without_cost), 0) as amount_without_cost
    from days
    group by all
    having sum(n_facts) > sum(n_with_cost)

)

select * from months
order by ds
