{#- How far from all others a last date must lie: more than a week, and one and a half times the gap that 95 % of the gaps do not exceed. -#}
{%- set least_gap, times_usual = 7, 1.5 -%}

with

dates as (

    select * from {{ ref('fact_dates') }}

),

gaps as (

    select
        *,
        datediff('day', lag(fact_date) over earlier, fact_date) as gap,
        count(*) over (partition by fact_table order by fact_date desc) as n_dates_left
    from dates
    where fact_date <= last_day(current_date)
    window earlier as (partition by fact_table order by fact_date)

),

habits as (

    select
        fact_table,
        count(*) as n_dates,
        median(gap) as usual_gap,
        quantile_disc(gap, 0.95) as long_gap,
        median(n_facts) as usual_facts
    from gaps
    group by fact_table

),

alone as (

    select
        gaps.fact_table,
        min(gaps.fact_date) as first_stray
    from gaps
    inner join habits on gaps.fact_table = habits.fact_table
    where habits.n_dates >= 12
        and habits.usual_gap <= 10  -- where dates are a month apart one that is left out is no sign
        and gaps.n_dates_left <= 2
        and gaps.n_facts <= 3 * habits.usual_facts
        and gaps.gap > greatest({{ least_gap }}, {{ times_usual }} * habits.long_gap)
    group by gaps.fact_table

),

stray as (

    select
        dates.*,
        case
            when dates.fact_date > last_day(current_date) then 'lies in the future of the others'
            else 'lies far behind the other dates'
        end as reason
    from dates
    left join alone on dates.fact_table = alone.fact_table
    where {{ 'false' if var('stray_dates') == 'keep' else 'true' }}
        and (dates.fact_date > last_day(current_date) or dates.fact_date >= alone.first_stray)

)

select * from stray
order by fact_table, fact_date
