with
{% for fact_table in ('sales', 'inventory', 'expenses') %}
known_{{ fact_table }} as (

    select * from {{ ref('known_' ~ fact_table) }}

),

{{ fact_table }}_cells as (

    select * from {{ ref('repeated_cells') }} where fact_table = '{{ fact_table }}'

),

{{ fact_table }}_numbered as (

    {{ numbered_copies('known_' ~ fact_table, fact_table ~ '_cells', fact_table, date_of(fact_table)) }}

),

{{ fact_table }}_surplus as (

    select * from {{ fact_table }}_numbered where not {{ is_counted_once() }}

),
{% endfor %}
surplus as (
{% for fact_table in ('sales', 'inventory', 'expenses') %}
    {{ day_sums(fact_table, fact_table ~ '_surplus') | indent(2) }}
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
)

select * from surplus
