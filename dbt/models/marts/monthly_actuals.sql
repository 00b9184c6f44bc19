with

sales as (

    select * from {{ ref('ml_train_sales_monthly') }}

),

inventory as (

    select * from {{ ref('ml_train_inventory_monthly') }}

),

profit as (

    select * from {{ ref('ml_train_profit_monthly') }}

),

series as (

    select 'sales' as domain, * from sales
    union all
    select 'inventory' as domain, * from inventory
    union all
    select 'profit' as domain, * from profit

),

actuals as (

    {{ bottom_up('series', 'y') }}

)

select * from actuals
order by domain, aggregation, unique_id, ds
