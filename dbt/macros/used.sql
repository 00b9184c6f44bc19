{#- The facts that are used of those that are known: without stray dates, and once where `duplicates: drop` says so. -#}

{% macro used(fact_table, date_column) %}
with

known as (

    select * from {{ ref('known_' ~ fact_table) }}

),

stray as (

    select fact_date from {{ ref('stray_dates') }} where fact_table = '{{ fact_table }}'

),

{% if var('duplicates') == 'drop' -%}
repeated as (

    select * from {{ ref('repeated_blocks') }} where fact_table = '{{ fact_table }}'

),

numbered as (

    select
        known.*,
        row_number() over (partition by known.{{ date_column }}, known.region, known.value_hash) as copy,
        count(*) over (partition by known.{{ date_column }}, known.region, known.value_hash) as n_copies,
        coalesce((
            select max(times)
            from repeated
            where known.{{ date_column }} between repeated.first_date and repeated.last_date
                and known.region = coalesce(repeated.region, known.region)
{%- if fact_table != 'expenses' %}
                and known.product_category = coalesce(repeated.product_category, known.product_category)
{%- endif %}
        ), 1) as times
    from known

),

once as (

    select * exclude (copy, n_copies, times) from numbered where copy * times <= n_copies or n_copies % times <> 0

),

{% endif -%}
used as (

    select * exclude (row_hash, value_hash)
    from {{ 'once' if var('duplicates') == 'drop' else 'known' }}
    where {{ date_column }} not in (select fact_date from stray)

)

select * from used
{% endmacro %}
