{#- What the rows of a fact table add up to, in the columns of known_days: everything that is not asked product by product follows from it. -#}

{% macro date_of(fact_table) -%}
  {{ {'sales': 'order_date', 'inventory': 'snapshot_date', 'expenses': 'expense_date'}[fact_table] }}
{%- endmacro %}

{% macro amount_of(fact_table) -%}
  {{ {'sales': 'net_amount', 'inventory': 'quantity_on_hand', 'expenses': 'amount'}[fact_table] }}
{%- endmacro %}

{% macro category_of(fact_table) -%}
  {{ 'cast(null as varchar)' if fact_table == 'expenses' else 'product_category' }}
{%- endmacro %}

{% macro day_sums(fact_table, rows) -%}
  {%- set amount = amount_of(fact_table) -%}
  select
      '{{ fact_table }}' as fact_table,
      {{ date_of(fact_table) }} as fact_date,
      region,
      {{ category_of(fact_table) }} as product_category,
      count(*) as n_facts,
      bool_or({{ amount }} <> 0) as is_worth,
      sum({{ amount }}) as amount,
      {%- if fact_table == 'sales' %}
      sum(net_amount) filter (where product is not null) as amount_of_products,
      count(cost_amount) as n_with_cost,
      sum(cost_amount) as cost,
      sum(net_amount) filter (where cost_amount is null) as amount_without_cost
      {%- else %}
      null as amount_of_products,
      0 as n_with_cost,
      null as cost,
      null as amount_without_cost
      {%- endif %}
  from {{ rows }}
  group by all
{%- endmacro %}

{% macro standing_twice(lines) -%}
  {#- The lines of a SELECT that come more than once, as often as they do beyond the first. -#}
  select line
  from (select line, lag(line) over (order by line) as line_before from ({{ lines }}))
  where line = line_before
{%- endmacro %}
