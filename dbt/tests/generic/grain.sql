{% test grain(model, columns) %}
{#- The columns are the model's grain: none of them is null and no combination comes twice. -#}
select
    {{ columns | join(', ') }},
    count(*) as n
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
    {%- for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
