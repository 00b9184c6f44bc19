{% test not_null_together(model, columns) %}
{#- None of the columns is null; one scan for all of them. -#}
select *
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
