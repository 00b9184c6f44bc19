{%- set carried_months = 3 -%}

with

month_ends as (

    select * from {{ ref('inventory_month_end') }}

),

calendar as (

    select * from {{ ref('domain_calendar') }} where domain = 'inventory'

),

counts as (

    select distinct
        month_ends.region,
        month_ends.ds
    from month_ends
    cross join calendar
    where month_ends.ds between calendar.first_month and calendar.last_month

),

lives as (

    select
        counts.region,
        unnest(generate_series(min(counts.ds), any_value(calendar.last_month), interval 1 month)) as ds
    from counts
    cross join calendar
    group by counts.region

),

months as (

    select
        lives.region,
        cast(lives.ds as date) as ds,
        max(counts.ds) over (partition by lives.region order by lives.ds) as counted_ds
    from lives
    left join counts on lives.region = counts.region and lives.ds = counts.ds

),

judged as (

    select
        *,
        cast(datediff('month', counted_ds, ds) as integer) as months_since_count,
        max(case when datediff('month', counted_ds, ds) > {{ carried_months }} then ds end)
            over (partition by region) as last_unknown_ds
    from months

),

used as (

    select
        region,
        ds,
        counted_ds,
        months_since_count,
        coalesce(ds > last_unknown_ds, true) as is_used,
        case
            when last_unknown_ds = (select last_month from calendar)
                then 'region ' || region || ' is left out: it was not counted in the last {{ carried_months }} months and before '
                    || '(a count of 0 says that it is empty)'
            when ds <= last_unknown_ds
                then 'region ' || region || ' is left out: it was not counted for more than {{ carried_months }} months up to '
                    || strftime(last_unknown_ds, '%Y-%m')
        end as reason
    from judged

)

select * from used
order by region, ds
