{#- Measures of accuracy over the rows of a group, each as `evaluation.metrics` has it in Python (tests/test_measures.py holds them
    equal). An error is prediction - actual; what cannot be measured is null. -#}

{% macro mae(predicted, actual) -%}
  avg(abs({{ predicted }} - {{ actual }}))
{%- endmacro %}

{% macro rmse(predicted, actual) -%}
  sqrt(avg(({{ predicted }} - {{ actual }}) ** 2))
{%- endmacro %}

{% macro bias(predicted, actual) -%}
  avg({{ predicted }} - {{ actual }})
{%- endmacro %}

{% macro wape(predicted, actual) -%}
  sum(abs({{ predicted }} - {{ actual }})) / nullif(sum(abs({{ actual }})), 0)
{%- endmacro %}

{% macro mase(predicted, actual, scale) -%}
  avg(abs({{ predicted }} - {{ actual }}) / nullif({{ scale }}, 0))
{%- endmacro %}

{% macro coverage(actual, low, high) -%}
  avg(cast({{ actual }} between {{ low }} and {{ high }} as double))
{%- endmacro %}

{% macro fva(predicted, actual, naive) -%}
  avg(abs({{ naive }} - {{ actual }}) - abs({{ predicted }} - {{ actual }}))
{%- endmacro %}

{% macro masc(predicted, previous, scale) -%}
  avg(abs({{ predicted }} - {{ previous }}) / nullif({{ scale }}, 0))
{%- endmacro %}

{% macro tracking_signal(predicted, actual) -%}
  sum({{ predicted }} - {{ actual }}) / nullif(avg(abs({{ predicted }} - {{ actual }})), 0)
{%- endmacro %}
