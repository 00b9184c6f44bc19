{#- A product that is half of everything in its region and category, month after month, is the sum of the others. -#}
{%- set least_months, least_equal, least_products = 6, 0.9, 3 -%}

with

halves as (

    select * from {{ ref('product_halves') }}

),

sales as (

    select stg_sales.*
    from {{ ref('stg_sales') }} as stg_sales
    semi join halves
        on halves.fact_table = 'sales'
        and stg_sales.region = halves.region
        and stg_sales.product_category = halves.product_category
    where product is not null

),

inventory as (

    select counts.*
    from {{ ref('inventory_counts') }} as counts
    semi join halves
        on halves.fact_table = 'inventory'
        and counts.region = halves.region
        and counts.product_category = halves.product_category
    where product is not null

),

amounts as (

    select 'sales' as fact_table, region, product_category, product, {{ month_of('order_date') }} as ds, sum(net_amount) as amount
    from sales group by all
    union all
    select 'inventory' as fact_table, region, product_category, product, ds, coalesce(sum(units), sum(value_at_cost)) as amount
    from inventory group by all

),

shares as (

    select
        *,
        sum(amount) over month as all_amounts,
        count(*) over month as n_products
    from amounts
    window month as (partition by fact_table, region, product_category, ds)

),

totals as (

    select
        fact_table,
        region,
        product_category,
        product,
        count(*) as n_months,
        count(*) filter (where {{ is_half() }}) as n_equal
    from shares
    where n_products >= {{ least_products }}
    group by all
    having n_months >= {{ least_months }}
        and n_equal >= {{ least_equal }} * n_months
        and count(distinct amount) >= {{ least_months }}

)

select * from totals
order by fact_table, region, product_category, product
