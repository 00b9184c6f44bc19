{#- SQL that several source and staging models share. -#}

{% macro csv_table(table, types) %}
  {#- The rows of one CSV of the source csv, every cell text until it is cast here. A column that the file does not have
      is a typed null, a file that is not there gives no rows; an empty cell is null. How each is read is handed over.
      row_hash stands for all cells of a line. -#}
  {%- set csv = var('csv').get(table) -%}
  select
  {%- for name, type in types.items() %}
    {{ csv_cell(csv, name, type) }} as {{ name }},
  {%- endfor %}
    hash(line) as row_hash
  from {{ source('csv', table) if csv else '(select 1 limit 0)' }} as line
{% endmacro %}

{% macro csv_cell(csv, name, type) %}
  cast({{ csv.cells.get(name, 'null') if csv else 'null' }} as {{ type }})
{%- endmacro %}

{% macro known_by_as_of(date_column) %}
  {#- The facts that were known on the day as_of; all of them where none is given. -#}
  {{ date_column ~ " <= date '" ~ var('as_of') ~ "'" if var('as_of') else 'true' }}
{%- endmacro %}

{% macro month_of(date_column) %}
  {#- date_trunc gives a timestamp for some inputs; a month is a date, its first day. -#}
  cast(date_trunc('month', {{ date_column }}) as date)
{%- endmacro %}

{% macro third_business_day(date_column) %}
  {#- Business days are Monday to Friday: the third is among a month's first five days, the third-last among its last five. -#}
  cast([d for d in generate_series({{ month_of(date_column) }}, {{ month_of(date_column) }} + interval 6 day, interval 1 day)
        if isodow(d) < 6][3] as date)
{%- endmacro %}

{% macro third_last_business_day(date_column) %}
  cast([d for d in generate_series(last_day({{ date_column }}) - interval 6 day, last_day({{ date_column }}), interval 1 day)
        if isodow(d) < 6][-3] as date)
{%- endmacro %}

{% macro money() %}decimal(18, 4){% endmacro %}
