with

sales as (

    select * from {{ ref('stg_sales') }}

),

inventory as (

    select * from {{ ref('stg_inventory') }}

),

expenses as (

    select * from {{ ref('stg_expenses') }}

),

days as (

    select 'sales' as fact_table, order_date as fact_date, count(*) as n_facts from sales group by all
    union all
    select 'costs' as fact_table, order_date as fact_date, count(*) as n_facts from sales where cost_amount is not null group by all
    union all
    select 'inventory' as fact_table, snapshot_date as fact_date, count(*) as n_facts from inventory group by all
    union all
    select 'expenses' as fact_table, expense_date as fact_date, count(*) as n_facts from expenses group by all

)

select * from days
order by fact_table, fact_date
