{#- SQL that several source and staging models share. -#}

{% macro fact_table(source_name, table) %}
  {#- The rows of one fact table that the check before the build hands over: where it is read from, and for each column the SQL of
      its cell, cast here. A column that the facts do not have is a typed null, a table that is not there gives no rows; an empty cell
      is null. Behind the contract's columns come those that `levels` in params/ groups series by. row_hash stands for all cells of a row, which has a name here that no column has. -#}
  {%- set columns = {
      'sales': {'order_date': 'date', 'region': 'varchar', 'product_category': 'varchar', 'product': 'varchar',
                'quantity': money(), 'net_amount': money(), 'cost_amount': money()},
      'inventory': {'snapshot_date': 'date', 'region': 'varchar', 'product_category': 'varchar', 'product': 'varchar',
                    'quantity_on_hand': money(), 'unit_cost': money(), 'inventory_value': money()},
      'expenses': {'expense_date': 'date', 'region': 'varchar', 'amount': money()},
  } -%}
  {%- set found = var('tables').get(table) -%}
  {%- if table != 'expenses' -%}{%- for name in var('level_columns') -%}{%- do columns[table].update({name: 'varchar'}) -%}{%- endfor -%}{%- endif -%}
  select
  {%- for name, type in columns[table].items() %}
    {{ fact_cell(found, name, type) }} as {{ name }},
  {%- endfor %}
    hash("the whole row") as row_hash
  from {{ source(source_name, table) if found else '(select 1 limit 0)' }} as "the whole row"
{% endmacro %}

{% macro fact_cell(found, name, type) %}
  cast({{ found.cells.get(name, 'null') if found else 'null' }} as {{ type }})
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

{% macro is_half() -%}
  {#- Whether an amount is half of all amounts, to the cent. -#}
  amount <> 0 and abs(all_amounts - 2 * amount) <= 0.01
{%- endmacro %}
