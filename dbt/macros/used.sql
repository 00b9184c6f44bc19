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

    {{ numbered_copies('known', date_column, 'repeated', fact_table) }}

),

once as (

    select * exclude (copy, n_copies, times)
    from numbered
    where {{ is_counted_once() }}
    union all by name
    select known.* from known where not {{ is_in_a_block('known', date_column, 'repeated', fact_table) }}

),

{% endif -%}
used as (

    select * exclude (row_hash, value_hash)
    from {{ 'once' if var('duplicates') == 'drop' else 'known' }}
    where {{ date_column }} not in (select fact_date from stray)

)

select * from used
{% endmacro %}

{% macro is_in_a_block(known, date_column, blocks, fact_table) -%}
  exists (select 1 from {{ blocks }} as block where {{ block_holds(known, date_column, fact_table) }})
{%- endmacro %}

{% macro block_holds(known, date_column, fact_table) -%}
  {{ known }}.{{ date_column }} between block.first_date and block.last_date
  and {{ known }}.region = coalesce(block.region, {{ known }}.region)
  {%- if fact_table != 'expenses' %}
  and {{ known }}.product_category = coalesce(block.product_category, {{ known }}.product_category)
  {%- endif %}
{%- endmacro %}

{% macro numbered_copies(known, date_column, blocks, fact_table) -%}
  {#- The rows that lie in a block, with how many are alike (n_copies), the number of each among them and how many times the block stands. -#}
  select
      {{ known }}.*,
      row_number() over (partition by {{ date_column }}, region, value_hash) as copy,
      count(*) over (partition by {{ date_column }}, region, value_hash) as n_copies,
      (select max(times) from {{ blocks }} as block where {{ block_holds(known, date_column, fact_table) }}) as times
  from {{ known }}
  where {{ is_in_a_block(known, date_column, blocks, fact_table) }}
{%- endmacro %}

{% macro is_counted_once() -%}
  {#- Of rows that stand twice every other one; one that does not stand so many times is no copy, though its day has some. -#}
  (copy * times <= n_copies or n_copies % times <> 0)
{%- endmacro %}
