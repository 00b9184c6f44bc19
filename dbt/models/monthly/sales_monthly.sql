with

sales as (

    select * from {{ ref('stg_sales') }}

),

months as (

    select
        region,
        product_category,
        {{ month_of('order_date') }} as ds,
        count(*) as n_facts,
        sum(net_amount) as net_amount
    from sales
    group by all

)

select * from months
order by region, product_category, ds
