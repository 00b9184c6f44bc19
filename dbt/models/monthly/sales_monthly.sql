with

days as (

    select * from {{ ref('used_days') }} where fact_table = 'sales'

),

months as (

    select
        region,
        product_category,
        {{ month_of('fact_date') }} as ds,
        cast(sum(n_facts) as bigint) as n_facts,
        sum(amount) as net_amount
    from days
    group by all

)

select * from months
order by region, product_category, ds
