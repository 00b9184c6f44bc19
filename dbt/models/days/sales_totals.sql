with

sales as (

    select * from {{ ref('stg_sales') }}

),

months as (

    select
        {{ month_of('order_date') }} as ds,
        count(cost_amount) as n_with_cost,
        sum(net_amount) as amount,
        sum(cost_amount) as cost
    from sales
    group by all

)

select * from months
order by ds
