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
cells as (

    select * from {{ ref('repeated_cells') }} where fact_table = '{{ fact_table }}'

),

numbered as (

    {{ numbered_copies('known', 'cells', fact_table, date_column) }}

),

once as (

    select * exclude (copy, n_copies, times)
    from numbered
    where {{ is_counted_once() }}
    union all by name
    select known.*
    from {{ ref('known_' ~ fact_table) }} as known
    anti join cells on {{ lies_in_cell('known', 'cells', fact_table, date_column) }}

),

{% endif -%}
used as (

    select * exclude (row_hash, value_hash)
    from {{ 'once' if var('duplicates') == 'drop' else 'known' }}
    where {{ date_column }} not in (select fact_date from stray)

)

select * from used
{% endmacro %}

{% macro lies_in_cell(known, cells, fact_table, date_column) -%}
  {{ known }}.{{ date_column }} = {{ cells }}.fact_date
  and {{ known }}.region = {{ cells }}.region
  {%- if fact_table != 'expenses' %}
  and {{ known }}.product_category = {{ cells }}.product_category
  {%- endif %}
{%- endmacro %}

{% macro numbered_copies(known, cells, fact_table, date_column) -%}
  {#- The rows that lie in a block, with how many are alike (n_copies), the number of each among them and how many times the block stands. -#}
  select
      {{ known }}.*,
      row_number() over (partition by {{ date_column }}, {{ known }}.region, value_hash) as copy,
      count(*) over (partition by {{ date_column }}, {{ known }}.region, value_hash) as n_copies,
      {{ cells }}.times
  from {{ known }}
  inner join {{ cells }} on {{ lies_in_cell(known, cells, fact_table, date_column) }}
{%- endmacro %}

{% macro is_counted_once() -%}
  {#- Of rows that stand twice every other one; one that does not stand so many times is no copy, though its day has some. -#}
  (copy * times <= n_copies or n_copies % times <> 0)
{%- endmacro %}
