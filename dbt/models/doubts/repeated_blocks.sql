{#- A run of days on which every row of the table, or of a region or category in it, stands two or three times: to the last cell, or in all
    that is used of it (an export may number its rows). One row may well do so by chance: a run counts where chance would bring it about
    less than once in a million, judged by how many rows outside of it are repeated. So does a part of a day, where hardly any other row is. -#}
{%- set chance, least_share, share_if_all, enough = '1e-6', 0.01, 0.3, 20 -%}
{%- set fewest, rare_share, times_usual = 5, 0.01, 5 -%}
{%- set sums_of_days = "(fact_table, {0}fact_date), (fact_table, {0}fact_date, region), (fact_table, {0}fact_date, product_category)" -%}

with

known_days as (

    select * from {{ ref('known_days') }}

),

repeated_lines as (

    select * from {{ ref('repeated_lines') }}

),

all_days as (

    select fact_table, region, product_category, 0 as scope, fact_date, n_facts, is_worth
    from known_days
    union all
    select
        fact_table,
        region,
        product_category,
        grouping(region, product_category) as scope,
        fact_date,
        sum(n_facts) as n_facts,
        bool_or(is_worth) as is_worth
    from known_days
    group by grouping sets ({{ sums_of_days.format('') }})

),

repeated_days as (

    select
        fact_table,
        kind,
        region,
        product_category,
        grouping(region, product_category) as scope,
        fact_date,
        times,
        sum(n_copies) as n_copies,
        sum(n_repeated) as n_repeated,
        sum(n_odd) as n_odd,
        sum(n_facts) as n_facts,
        sum(amount) as amount
    from repeated_lines
    group by grouping sets ({{ sums_of_days.format('kind, times, ') }}, (fact_table, kind, times, fact_date, region, product_category))

),

suspects as (

    select distinct
        repeated_days.fact_table,
        repeated_days.kind,
        repeated_days.scope,
        repeated_days.region,
        repeated_days.product_category,
        repeated_days.times
    from repeated_days
    inner join all_days
        on repeated_days.fact_table = all_days.fact_table
        and repeated_days.scope = all_days.scope
        and repeated_days.fact_date = all_days.fact_date
        and repeated_days.region is not distinct from all_days.region
        and repeated_days.product_category is not distinct from all_days.product_category
    where repeated_days.n_repeated = all_days.n_facts - repeated_days.n_copies
        or (repeated_days.scope = 3 and repeated_days.n_repeated >= {{ fewest }})

),

days as (

    select
        suspects.*,
        all_days.fact_date,
        all_days.n_facts - coalesce(repeated_days.n_copies, 0) as n_lines,
        coalesce(repeated_days.n_repeated, 0) as n_repeated,
        coalesce(repeated_days.n_odd, 0) as n_odd,
        coalesce(repeated_days.n_facts, 0) as n_facts,
        coalesce(repeated_days.amount, 0) as amount,
        all_days.is_worth
    from suspects
    inner join all_days
        on suspects.fact_table = all_days.fact_table
        and suspects.scope = all_days.scope
        and suspects.region is not distinct from all_days.region
        and suspects.product_category is not distinct from all_days.product_category
    left join repeated_days
        on suspects.fact_table = repeated_days.fact_table
        and suspects.kind = repeated_days.kind
        and suspects.scope = repeated_days.scope
        and suspects.times = repeated_days.times
        and all_days.fact_date = repeated_days.fact_date
        and suspects.region is not distinct from repeated_days.region
        and suspects.product_category is not distinct from repeated_days.product_category

),

wholes as (

    select
        fact_table,
        kind,
        scope,
        region,
        product_category,
        times,
        sum(n_lines) as all_lines,
        sum(n_repeated) as all_repeated,
        quantile_disc(n_repeated / n_lines, 0.75) as usual_share,
        count(*) as all_days,
        datediff('month', min(fact_date), max(fact_date)) + 1 as all_months
    from days
    group by all

),

runs as (

    select
        days.*,
        wholes.* exclude (fact_table, kind, scope, region, product_category, times),
        days.n_repeated = days.n_lines as is_repeated,
        row_number() over (whole order by days.fact_date)
            - row_number() over (
                partition by
                    days.fact_table, days.kind, days.scope, days.region, days.product_category, days.times, days.n_repeated = days.n_lines
                order by days.fact_date
            ) as run
    from days
    inner join wholes
        on days.fact_table = wholes.fact_table
        and days.kind = wholes.kind
        and days.scope = wholes.scope
        and days.times = wholes.times
        and days.region is not distinct from wholes.region
        and days.product_category is not distinct from wholes.product_category
    window whole as (partition by days.fact_table, days.kind, days.scope, days.region, days.product_category, days.times)

),

candidates as (

    select
        fact_table,
        kind,
        scope,
        region,
        product_category,
        times,
        min(fact_date) as first_date,
        max(fact_date) as last_date,
        not is_repeated as is_part,
        sum(n_lines) as n_lines,
        sum(n_repeated) as n_repeated,
        sum(n_odd) as n_odd,
        any_value(usual_share) as usual_share,
        any_value(all_lines) - sum(n_lines) as others,
        any_value(all_repeated) - sum(n_repeated) as others_repeated,
        any_value(all_days) <= 4 * any_value(all_months) as is_monthly,
        cast(sum(n_facts) * (times - 1) / times as bigint) as n_surplus,
        sum(amount) * (times - 1) / times as amount,
        bool_or(is_worth) as is_worth
    from runs
    where is_repeated or (scope = 3 and n_repeated >= {{ fewest }})
    group by fact_table, kind, scope, region, product_category, times, is_repeated, run, if(is_repeated, null, fact_date)

),

blocks as (

    select *
    from candidates
    where not is_part
        and is_worth
        and (
            pow(if(others < {{ enough }}, {{ share_if_all }}, greatest({{ least_share }}, others_repeated / others)), n_lines) < {{ chance }}
            or (  -- a monthly table has no order lines that may be alike
                is_monthly and others >= 6 and others_repeated = 0 and (kind = 'row_hash' or n_lines >= 3)
            )
        )

),

parts as (

    select *
    from candidates
    where is_part
        and others >= {{ enough }}
        and usual_share <= {{ rare_share }}  -- of most days: those of other blocks tell nothing
        and n_odd <= 0.05 * n_repeated  -- where lines are alike by chance some stand three times, too
        and lgamma(n_lines + 1) - lgamma(n_repeated + 1) - lgamma(n_lines - n_repeated + 1)
        + n_repeated * ln(greatest({{ least_share }}, {{ times_usual }} * usual_share)) < ln({{ chance }})

),

largest as (

    select * from blocks
    qualify row_number() over (partition by fact_table, region, product_category, first_date order by times desc, last_date desc, kind) = 1
    union all
    select * from parts
    qualify row_number() over (partition by fact_table, first_date order by times desc, n_repeated desc, kind) = 1

),

judged as (  -- of a block what another one on these days says already

    select
        one.*,
        exists (
            select 1
            from largest as other
            inner join days
                on other.fact_table = days.fact_table
                and other.kind = days.kind
                and other.scope = days.scope
                and other.times = days.times
                and other.region is not distinct from days.region
                and other.product_category is not distinct from days.product_category
                and days.fact_date between one.first_date and one.last_date
            where other.fact_table = one.fact_table
                and (other.region = one.region or other.region is null or one.region is null)
                and (other.product_category = one.product_category or other.product_category is null or one.product_category is null)
                and other.first_date <= one.first_date
                and one.last_date <= other.last_date
                and (
                    other.first_date < one.first_date
                    or one.last_date < other.last_date
                    or (not other.is_part, other.scope) > (not one.is_part, one.scope)
                )
            group by other.kind, other.scope, other.region, other.product_category, other.times, other.first_date
            having sum(days.n_facts) * (other.times - 1) / other.times >= one.n_surplus
        ) as is_said
    from largest as one

),

found as (

    select fact_table, region, product_category, is_part, times, first_date, last_date, n_surplus, amount
    from judged
    where not is_said

)

select * from found
order by fact_table, first_date, region nulls first, product_category nulls first
