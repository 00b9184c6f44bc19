{% if var('level_columns') -%}
with

{% for fact_table, date_column in [('sales', 'order_date'), ('inventory', 'snapshot_date')] -%}
{{ fact_table }} as (

    with

    facts as (

        select * from {{ ref(var('source') ~ '_' ~ fact_table) }}

    )

    select distinct
        {{ called('region', ref(var('source') ~ '_' ~ fact_table)) }} as region,
        {{ called('product_category', ref(var('source') ~ '_' ~ fact_table)) }} as product_category,
        {{ var('level_columns') | join(', ') }}
    from facts
    where {{ known_by_as_of(date_column) }} and {{ is_no_total(['region', 'product_category', 'product']) }}

),

{% endfor -%}
groups as (

    select * from sales
    union
    select * from inventory

),

level_values as (

    {% for column in var('level_columns') -%}
    select distinct '{{ column }}' as column_name, region, product_category, {{ column }} as value
    from groups
    where {{ column }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from level_values
order by column_name, region, product_category, value
{%- else -%}
select
    cast(null as varchar) as column_name,
    cast(null as varchar) as region,
    cast(null as varchar) as product_category,
    cast(null as varchar) as value
limit 0
{%- endif %}
