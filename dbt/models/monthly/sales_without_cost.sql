with

sales as (

    select * from {{ ref('stg_sales') }}

),

months as (

    select
        {{ month_of('order_date') }} as ds,
        count(*) as n_facts,
        count(*) - count(cost_amount) as n_without_cost,
        coalesce(sum(net_amount) filter (where cost_amount is null), 0) as amount_without_cost
    from sales
    group by all
    having count(*) > count(cost_amount)

)

select * from months
order by ds
