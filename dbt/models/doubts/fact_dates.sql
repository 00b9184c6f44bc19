with

sales as (

    select * from {{ ref('known_sales') }}

),

inventory as (

    select * from {{ ref('known_inventory') }}

),

expenses as (

    select * from {{ ref('known_expenses') }}

),

dates as (

    select 'sales' as fact_table, order_date as fact_date, count(*) as n_facts, sum(net_amount) as amount from sales group by all
    union all
    select 'inventory' as fact_table, snapshot_date as fact_date, count(*) as n_facts, null as amount from inventory group by all
    union all
    select 'expenses' as fact_table, expense_date as fact_date, count(*) as n_facts, sum(amount) as amount from expenses group by all

)

select * from dates
order by fact_table, fact_date
