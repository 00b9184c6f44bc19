{#- How far from all others a last date must lie: more than a week, one and a half times the gap that 95 % of the gaps do not exceed, and a
    fifth more than any of the last thirteen months (a shop closes at Christmas); where dates are a month apart, more than three months.
    Behind it there are at most two dates, or a few spread thinly, as where days and months were swapped. Only the facts' own dates count,
    never the machine's clock. -#}
{%- set least_gap, times_usual, times_before, times_monthly = 7, 1.5, 1.2, 3.5 -%}
{%- set few, few_share, thinned = 2, 0.05, 4 -%}

with

dates as (

    select * from {{ ref('fact_dates') }}

),

gaps as (

    select
        *,
        datediff('day', lag(fact_date) over earlier, fact_date) as gap,
        datediff('day', lag(fact_date) over earlier, max(fact_date) over (partition by fact_table)) as days_left,
        count(*) over later as n_dates_left,
        max(n_facts) over later as most_facts_left
    from dates
    window
        earlier as (partition by fact_table order by fact_date),
        later as (partition by fact_table order by fact_date desc)

),

past as (

    select
        *,
        max(gap) over (
            partition by fact_table
            order by fact_date
            range between interval 400 day preceding and interval 1 day preceding
        ) as longest_before
    from gaps

),

habits as (

    select
        fact_table,
        count(*) as n_dates,
        median(gap) as usual_gap,
        if(count(*) >= 40, quantile_disc(gap, 0.95), 0) as long_gap,  -- of fewer it would be the stray one's own
        median(n_facts) as usual_facts
    from gaps
    group by fact_table

),

alone as (

    select
        past.fact_table,
        min(past.fact_date) as first_stray
    from past
    inner join habits on past.fact_table = habits.fact_table
    where habits.n_dates >= 12
        and past.most_facts_left <= 3 * habits.usual_facts
        and past.gap > greatest(
            {{ least_gap }},
            {{ times_usual }} * habits.long_gap,
            {{ times_before }} * coalesce(past.longest_before, 0),
            if(habits.usual_gap > 10, {{ times_monthly }} * habits.usual_gap, 0)
        )
        and (
            past.n_dates_left <= {{ few }}
            or (
                past.n_dates_left <= {{ few_share }} * habits.n_dates
                and {{ thinned }} * habits.usual_gap * past.n_dates_left <= past.days_left
            )
        )
    group by past.fact_table

),

stray as (

    select
        dates.*,
        'far behind the other dates' as reason
    from dates
    inner join alone on dates.fact_table = alone.fact_table
    where {{ 'false' if var('stray_dates') == 'keep' else 'true' }}
        and dates.fact_date >= alone.first_stray

)

select * from stray
order by fact_table, fact_date
