with
{% for fact_table in ('sales', 'inventory', 'expenses') %}
{{ fact_table }} as (

    select * from {{ ref('known_' ~ fact_table) }}

),
{% endfor %}
days as (
{% for fact_table in ('sales', 'inventory', 'expenses') %}
    {{ day_sums(fact_table, fact_table) | indent(2) }}
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
)

select * from days
