with

days as (

    select * from {{ ref('used_days') }}

),

costed_sales as (

    select
        region,
        product_category,
        {{ month_of('fact_date') }} as ds,
        n_with_cost as n_facts,
        amount - coalesce(amount_without_cost, 0) - cost as profit
    from days
    where n_with_cost > 0

),

spending as (

    select
        region,
        'Operating expenses' as product_category,
        {{ month_of('fact_date') }} as ds,
        n_facts,
        - amount as profit
    from days
    where fact_table = 'expenses' and exists (select 1 from costed_sales)  -- expenses alone are no profit

),

facts as (

    select * from costed_sales
    union all
    select * from spending

),

months as (

    select
        region,
        product_category,
        ds,
        cast(sum(n_facts) as bigint) as n_facts,
        sum(profit) as profit
    from facts
    group by all

)

select * from months
order by region, product_category, ds
