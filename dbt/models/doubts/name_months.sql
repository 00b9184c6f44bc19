with

days as (

    select * from {{ ref('used_days') }} where fact_table <> 'inventory'

),

inventory as (

    select * from {{ ref('inventory_month_end') }}

),

amounts as (

    select fact_table, {{ month_of('fact_date') }} as ds, region, product_category, sum(n_facts) as n_facts, sum(amount) as amount
    from days group by all
    union all
    select 'inventory' as fact_table, ds, region, product_category, sum(n_facts) as n_facts, sum(stock) as amount
    from inventory group by all

),

months as (

    select fact_table, 'region' as column_name, region as name, ds, sum(n_facts) as n_facts, sum(amount) as amount
    from amounts group by all
    union all
    select fact_table, 'product_category' as column_name, product_category as name, ds, sum(n_facts) as n_facts, sum(amount) as amount
    from amounts where product_category is not null group by all

)

select * from months
order by fact_table, column_name, name, ds
