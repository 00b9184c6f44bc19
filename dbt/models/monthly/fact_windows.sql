with

days as (

    select * from {{ ref('fact_days') }}

),

spans as (

    select
        fact_table,
        case
            when bool_and(day(fact_date) = 1 or fact_date = last_day(fact_date)) then 'monthly' else 'daily'
        end as grain,
        cast(sum(n_facts) as bigint) as n_facts,
        min(fact_date) as first_fact,
        max(fact_date) as last_fact
    from days
    group by fact_table

),

judged as (

    select
        *,
        {{ month_of('first_fact') }} as first_seen,
        {{ month_of('last_fact') }} as last_seen,
        case
            when grain = 'daily' and first_fact > {{ third_business_day('first_fact') }}
                then 'begin on ' || first_fact || ', after the third business day of the month'
        end as first_flaw,
        case
            {% if var('as_of') -%}
            when last_day(last_fact) > date '{{ var("as_of") }}'
                then 'are used as of {{ var("as_of") }}, before the month had ended'
            {%- else -%}
            when grain = 'daily' and last_fact < {{ third_last_business_day('last_fact') }}
                then 'end on ' || last_fact || ', before the third-last business day of the month'
            {%- endif %}
        end as last_flaw
    from spans

),

windows as (

    select
        fact_table,
        grain,
        n_facts,
        first_fact,
        last_fact,
        first_flaw,
        last_flaw,
        cast(case when first_flaw is null then first_seen else first_seen + interval 1 month end as date) as first_month,
        cast(case when last_flaw is null then last_seen else last_seen - interval 1 month end as date) as last_month
    from judged

)

select * from windows
order by fact_table
