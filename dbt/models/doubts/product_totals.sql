{#- A product that is half of everything in its region and category, month after month, is the sum of the others. -#}
{%- set least_months, least_equal, least_products = 6, 0.9, 3 -%}

with

sales as (

    select * from {{ ref('stg_sales') }}

),

inventory as (

    select * from {{ ref('inventory_counts') }}

),

amounts as (

    select 'sales' as fact_table, region, product_category, product, {{ month_of('order_date') }} as ds, sum(net_amount) as amount
    from sales where product is not null group by all
    union all
    select 'inventory' as fact_table, region, product_category, product, ds, coalesce(sum(units), sum(value_at_cost)) as amount
    from inventory where product is not null group by all

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
        count(*) filter (where amount <> 0 and abs(all_amounts - 2 * amount) <= 0.01) as n_equal
    from shares
    where n_products >= {{ least_products }}
    group by all
    having n_months >= {{ least_months }}
        and n_equal >= {{ least_equal }} * n_months
        and count(distinct amount) >= {{ least_months }}

)

select * from totals
order by fact_table, region, product_category, product
