{#- The same few dates every month, at most so many and so far apart when counted from the month's first or last day, are a monthly habit:
    the 15th, the second Tuesday, the last Friday. -#}
{%- set few, wandering_days = 4, 6 -%}

with

days as (

    select * from {{ ref('fact_days') }}

),

months as (

    select
        fact_table,
        {{ month_of('fact_date') }} as ds,
        count(*) as n_dates,
        max(day(fact_date)) as last_day,
        day(last_day(max(fact_date))) - max(day(fact_date)) as days_left
    from days
    group by all

),

inner_months as (  -- the first and the last may not be whole

    select * from months
    qualify ds > min(ds) over (partition by fact_table) and ds < max(ds) over (partition by fact_table)

),

habits as (

    select
        fact_table,
        count(*) >= 3
            and min(n_dates) = max(n_dates)
            and max(n_dates) <= {{ few }}
            and least(max(last_day) - min(last_day), max(days_left) - min(days_left)) <= {{ wandering_days }} as is_monthly,
        max(n_dates) as n_dates
    from inner_months
    group by fact_table

),

gaps as (

    select
        fact_table,
        datediff('day', lag(fact_date) over (partition by fact_table order by fact_date), fact_date) as gap
    from days

),

steps as (

    select
        fact_table,
        case
            when count(gap) >= 8 and bool_and(gap % 7 = 0) and median(gap) in (7, 14) then cast(median(gap) as integer)
        end as step
    from gaps
    group by fact_table

),

spans as (

    select
        days.fact_table,
        case
            when bool_and(day(days.fact_date) = 1 or days.fact_date = last_day(days.fact_date)) then 'monthly'
            when coalesce(any_value(habits.is_monthly), false) then 'monthly'
            when any_value(steps.step) is not null then 'weekly'
            else 'daily'
        end as grain,
        any_value(steps.step) as step,
        if(any_value(habits.is_monthly), any_value(habits.n_dates), 1) as n_dates,
        cast(sum(days.n_facts) as bigint) as n_facts,
        min(days.fact_date) as first_fact,
        max(days.fact_date) as last_fact
    from days
    left join habits on days.fact_table = habits.fact_table
    left join steps on days.fact_table = steps.fact_table
    group by days.fact_table

),

judged as (

    select
        spans.*,
        {{ month_of('first_fact') }} as first_seen,
        {{ month_of('last_fact') }} as last_seen,
        case
            when spans.fact_table = 'inventory' then null  -- the stock of a month's end is known once it was counted
            when grain = 'daily' and first_fact > {{ third_business_day('first_fact') }}
                then 'begin on ' || first_fact || ', after the third business day of the month'
            when grain = 'weekly' and first_fact - step >= {{ month_of('first_fact') }}
                then 'begin on ' || first_fact || ', after the month''s first week'
            when grain = 'monthly' and first_months.n_dates < spans.n_dates
                then 'begin on ' || first_fact || ', after the first of the month''s usual dates'
        end as first_flaw,
        case
            {% if var('as_of') -%}
            when last_day(last_fact) > date '{{ var("as_of") }}'
                then 'are used as of {{ var("as_of") }}, before the month had ended'
            {%- else -%}
            when grain = 'daily' and last_fact < {{ third_last_business_day('last_fact') }}
                then 'end on ' || last_fact || ', before the third-last business day of the month'
            when grain = 'weekly' and last_fact + step <= last_day(last_fact)
                then 'end on ' || last_fact || ', before the month''s last week'
            when grain = 'monthly' and last_months.n_dates < spans.n_dates
                then 'end on ' || last_fact || ', before the last of the month''s usual dates'
            {%- endif %}
        end as last_flaw
    from spans
    inner join months as first_months
        on spans.fact_table = first_months.fact_table
        and first_months.ds = {{ month_of('spans.first_fact') }}
    inner join months as last_months
        on spans.fact_table = last_months.fact_table
        and last_months.ds = {{ month_of('spans.last_fact') }}

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
