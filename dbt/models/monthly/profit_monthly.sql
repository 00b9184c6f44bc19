with

sales as (

    select * from {{ ref('stg_sales') }}

),

expenses as (

    select * from {{ ref('stg_expenses') }}

),

costed_sales as (

    select
        region,
        product_category,
        {{ month_of('order_date') }} as ds,
        net_amount - cost_amount as profit
    from sales
    where cost_amount is not null

),

spending as (

    select
        region,
        'Operating expenses' as product_category,
        {{ month_of('expense_date') }} as ds,
        - amount as profit
    from expenses
    where exists (select 1 from costed_sales)  -- expenses alone are no profit

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
        count(*) as n_facts,
        sum(profit) as profit
    from facts
    group by all

)

select * from months
order by region, product_category, ds
