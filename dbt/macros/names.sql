{#- What regions, categories and products are called: as the facts have it, as `rename` in params/ corrects it, and where they say nothing. -#}

{% macro renamed(column) -%}
  {{ mapped(column, var('rename').get(column, {})) }}
{%- endmacro %}

{% macro country_of(region) -%}
  {#- The country of a region as `countries` in params/ states it, else the region's own name. -#}
  {{ mapped(region, var('countries')) }}
{%- endmacro %}

{% macro mapped(column, names) %}
  {%- if names -%}
    case {{ column }}
    {%- for old, new in names.items() %}
      when '{{ old | replace("'", "''") }}' then '{{ new | replace("'", "''") }}'
    {%- endfor %}
      else {{ column }}
    end
  {%- else -%}
    {{ column }}
  {%- endif -%}
{% endmacro %}

{% macro called(column, facts) %}
  {#- A name for every one of the facts: 'All' where none of them has one, 'Not stated' for those without one where others have. -#}
  coalesce({{ renamed(column) }}, if(exists (select 1 from {{ facts }} where {{ column }} is not null), 'Not stated', 'All'))
{%- endmacro %}

{% macro is_no_total(columns) %}
  {#- Leaves out the rows that `totals` in params/ says are totals of others. -#}
  {%- set dropped = [] -%}
  {%- for name, what in var('totals').items() if what == 'drop' -%}
    {%- do dropped.append("'" ~ name | replace("'", "''") ~ "'") -%}
  {%- endfor -%}
  {%- if dropped -%}
    {%- for column in columns -%}
      coalesce({{ renamed(column) }}, '{{ '' if column == 'product' else 'Not stated' }}') not in ({{ dropped | join(', ') }}){{ ' and ' if not loop.last }}
    {%- endfor -%}
  {%- else -%}
    true
  {%- endif -%}
{% endmacro %}
