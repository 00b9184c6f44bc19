{% macro flow_training_set(domain, monthly, amount) %}
{#- The training set of a flow (sales, profit): each series' months from its first fact to the domain's last closed month;
    a month without facts is 0 and flagged. A series all of whose facts lie in months that were left out has no rows. -#}
with

monthly as (

    select * from {{ ref(monthly) }}

),

calendar as (

    select * from {{ ref('domain_calendar') }} where domain = '{{ domain }}'

),

series as (

    select
        monthly.region,
        monthly.product_category,
        greatest(min(monthly.ds), calendar.first_month) as first_ds,
        calendar.last_month as last_ds
    from monthly
    cross join calendar
    group by monthly.region, monthly.product_category, calendar.first_month, calendar.last_month
    having bool_or(monthly.ds between calendar.first_month and calendar.last_month)

),

spine as (

    select
        region,
        product_category,
        cast(unnest(generate_series(first_ds, last_ds, interval 1 month)) as date) as ds
    from series

),

training_set as (

    select
        spine.region || '/' || spine.product_category as unique_id,
        spine.ds,
        cast(coalesce(monthly.{{ amount }}, 0) as double) as y,
        spine.region,
        spine.product_category,
        monthly.ds is null as is_imputed
    from spine
    left join monthly
        on spine.region = monthly.region
        and spine.product_category = monthly.product_category
        and spine.ds = monthly.ds

)

select * from training_set
order by unique_id, ds
{% endmacro %}
