{#- Where a product may be the sum of the others: in so many months it is half of everything. Found by hashes of names, which are shorter
    than they; what all products add up to is known from the days. -#}
{%- set least_equal = 6 -%}

with

sales as (

    select * from {{ ref('stg_sales') }} where product is not null

),

days as (

    select * from {{ ref('used_days') }} where fact_table = 'sales'

),

inventory as (

    select *, coalesce(units, value_at_cost) as amount from {{ ref('inventory_counts') }} where product is not null

),

product_months as (

    select
        hash('sales', region, product_category, {{ month_of('order_date') }}) as cell,
        hash(product) as product,
        sum(net_amount) as amount
    from sales
    group by all
    union all
    select
        hash('inventory', region, product_category, ds) as cell,
        hash(product) as product,
        amount
    from inventory

),

cell_months as (

    select fact_table, region, product_category, {{ month_of('fact_date') }} as ds, sum(amount_of_products) as all_amounts
    from days group by all
    union all
    select 'inventory' as fact_table, region, product_category, ds, sum(amount) as all_amounts
    from inventory group by all

),

halves as (

    select distinct
        cell_months.fact_table,
        cell_months.region,
        cell_months.product_category
    from product_months
    inner join cell_months
        on product_months.cell = hash(cell_months.fact_table, cell_months.region, cell_months.product_category, cell_months.ds)
    where {{ is_half() }}
    group by cell_months.fact_table, cell_months.region, cell_months.product_category, product_months.product
    having count(*) >= {{ least_equal }}

)

select * from halves
