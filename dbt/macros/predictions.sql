{% macro published_predictions(domain, months) %}
{#- The published forecasts of a domain's series for the next months. -#}
{{ of_the_run_in_force(domain, 'series', months, 'region, product_category, date', [
    'forecasts.ds as date', 'forecasts.region', 'forecasts.product_category', 'forecasts.predicted_value', 'forecasts.lo_80',
    'forecasts.hi_80', 'forecasts.lo_95', 'forecasts.hi_95', 'forecasts.horizon', 'forecasts.cutoff',
], [
    'overridden.predicted_value as override_value', 'overridden.lo_80 as override_lo_80', 'overridden.hi_80 as override_hi_80',
    'overridden.lo_95 as override_lo_95', 'overridden.hi_95 as override_hi_95',
    'coalesce(overridden.predicted_value, forecasts.predicted_value) as final_value', 'overridden.overridden_by',
    'overridden.override_reason',
]) }}
{% endmacro %}

{% macro predictions_by_region(domain) %}
{#- The same for the next month by region, in the columns that BI tools are given. -#}
{{ of_the_run_in_force(domain, 'region', 1, 'region, date', [
    'forecasts.ds as date', 'forecasts.region', country_of('forecasts.region') ~ ' as country', 'forecasts.predicted_value as "values"',
], ['coalesce(overridden.predicted_value, forecasts.predicted_value) as final_values']) }}
{% endmacro %}

{% macro of_the_run_in_force(domain, aggregation, months, order, columns, with_overrides) %}
{#- Columns of a domain's published forecasts up to so many months ahead, of the run in force: the one published last, though another
    may know a later month (latest_runs). Behind them what people made of them, where they did. -#}
-- depends_on: {{ ref('ml_train_' ~ domain ~ '_monthly') }}
with

forecasts as (

    select * from {{ source('ledger', 'forecasts') }}

),

runs as (

    select * from {{ ref('latest_runs') }}

),

overridden as (

    select * from {{ ref('counted_overrides') }}

),

predictions as (

    select
        {{ columns | join(',\n        ') }},
        forecasts.model_name,
        forecasts.run_id,
        forecasts.prediction_time,
        {{ with_overrides | join(',\n        ') }}
    from forecasts
    inner join runs on forecasts.run_id = runs.run_id
    left join overridden
        on forecasts.run_id = overridden.run_id
        and forecasts.aggregation = overridden.aggregation
        and forecasts.unique_id = overridden.unique_id
        and forecasts.horizon = overridden.horizon
    where forecasts.domain = '{{ domain }}'
        and forecasts.aggregation = '{{ aggregation }}'
        and forecasts.status = 'published'
        and forecasts.horizon <= {{ months }}

)

select * from predictions
order by {{ order }}
{% endmacro %}

{% macro bottom_up(relation, value) %}
{#- Sums of the series of a relation (domain, region, product_category, ds, <value>, is_imputed) over categories, regions and
    both, and on every level of `levels` in params/, beside the series themselves. Summed as decimals: sums of doubles depend on the order they are made in. -#}
    select
        domain,
        case
            when grouping(region) = 0 and grouping(product_category) = 0 then 'series'
            when grouping(region) = 0 then 'region'
            when grouping(product_category) = 0 then 'category'
            else 'total'
        end as aggregation,
        coalesce(region, 'All') || '/' || coalesce(product_category, 'All') as unique_id,
        coalesce(region, 'All') as region,
        coalesce(product_category, 'All') as product_category,
        ds,
        cast(sum(cast({{ value }} as decimal(38, 4))) as double) as {{ value }},
        bool_and(is_imputed) as is_imputed
    from {{ relation }}
    group by grouping sets (
        (domain, ds, region, product_category), (domain, ds, region), (domain, ds, product_category), (domain, ds)
    )
    {%- if var('levels') %}
    union all
    select
        found.domain,
        levels.aggregation,
        levels.node_region || '/' || levels.node_product_category as unique_id,
        levels.node_region as region,
        levels.node_product_category as product_category,
        found.ds,
        cast(sum(cast(found.{{ value }} as decimal(38, 4))) as double) as {{ value }},
        bool_and(found.is_imputed) as is_imputed
    from {{ relation }} as found
    inner join {{ ref('series_levels') }} as levels
        on found.region = levels.region
        and found.product_category = levels.product_category
    group by found.domain, levels.aggregation, levels.node_region, levels.node_product_category, found.ds
    {%- endif %}
{% endmacro %}
