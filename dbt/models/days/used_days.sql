{{ config(materialized='view') }}
{%- set sums = ('amount', 'amount_of_products', 'n_with_cost', 'cost', 'amount_without_cost') -%}
with

known as (

    select * from {{ ref('known_days') }}

),

stray as (

    select * from {{ ref('stray_dates') }}

),

surplus as (

    select * from {{ ref('repeated_surplus') }}

),

{% if var('duplicates') == 'drop' -%}
once as (

    select
        known.fact_table,
        known.fact_date,
        known.region,
        known.product_category,
        known.n_facts - coalesce(surplus.n_facts, 0) as n_facts,
        {%- for name in sums %}
        known.{{ name }} - coalesce(surplus.{{ name }}, 0) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from known
    left join surplus
        on known.fact_table = surplus.fact_table
        and known.fact_date = surplus.fact_date
        and known.region = surplus.region
        and known.product_category is not distinct from surplus.product_category

),

{% endif -%}
used as (

    select fact_table, fact_date, region, product_category, n_facts, {{ sums | join(', ') }}
    from {{ 'once' if var('duplicates') == 'drop' else 'known' }} as days
    where not exists (select 1 from stray where stray.fact_table = days.fact_table and stray.fact_date = days.fact_date)

)

select * from used
