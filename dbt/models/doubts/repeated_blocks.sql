{#- A run of days on which every row of the table, or of a region or category in it, stands two or three times: to the last cell, or in all
    that is used of it (an export may number its rows). One row may well do so by chance: a run counts where chance would bring it about
    less than once in a million, judged by how many rows outside of it are repeated. So does a part of a day, where hardly any other row is. -#}
{%- set chance, least_share, share_if_all, enough = '1e-6', 0.01, 0.3, 20 -%}
{%- set fewest, rare_share, times_usual = 5, 0.01, 5 -%}
{%- set tables = {'sales': ('order_date', 'product_category', 'net_amount'), 'inventory': ('snapshot_date', 'product_category', 'quantity_on_hand'),
    'expenses': ('expense_date', "cast(null as varchar)", 'amount')} -%}

with

{% for table in tables -%}
{{ table }} as (

    select * from {{ ref('known_' ~ table) }}

),

{% endfor -%}
lines as (
{% for table, (date_column, category, amount) in tables.items() %}
{%- for kind in ('row_hash', 'value_hash') %}
    select
        '{{ table }}' as fact_table,
        '{{ kind }}' as kind,
        {{ date_column }} as fact_date,
        region,
        {{ category }} as product_category,
        {{ kind }} as line,
        count(*) as n,
        sum({{ amount }}) as amount,
        bool_or({{ amount }} <> 0) as is_worth
    from {{ table }}
    group by all
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
),

cells as (

    select
        fact_table,
        kind,
        fact_date,
        region,
        product_category,
        count(*) as n_lines,
        bool_or(is_worth) as is_worth,
        {%- for times in (2, 3) %}
        count(*) filter (where n % {{ times }} = 0) as n_repeated_{{ times }},
        count(*) filter (where n > 1 and n % {{ times }} <> 0) as n_odd_{{ times }},
        coalesce(sum(n) filter (where n % {{ times }} = 0), 0) as n_facts_{{ times }},
        coalesce(sum(amount) filter (where n % {{ times }} = 0), 0) as amount_{{ times }}{{ ',' if not loop.last }}
        {%- endfor %}
    from lines
    group by all

),

by_times as (
{% for times in (2, 3) %}
    select
        fact_table, kind, fact_date, region, product_category, {{ times }} as times, n_lines, is_worth,
        n_repeated_{{ times }} as n_repeated, n_odd_{{ times }} as n_odd, n_facts_{{ times }} as n_facts, amount_{{ times }} as amount
    from cells
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
),

days as (

    select
        fact_table,
        kind,
        region,
        product_category,
        grouping(region, product_category) as scope,
        fact_date,
        times,
        sum(n_lines) as n_lines,
        sum(n_repeated) as n_repeated,
        sum(n_odd) as n_odd,
        sum(n_facts) as n_facts,
        sum(amount) as amount,
        bool_or(is_worth) as is_worth
    from by_times
    group by grouping sets (
        (fact_table, kind, fact_date, times),
        (fact_table, kind, fact_date, times, region),
        (fact_table, kind, fact_date, times, product_category),
        (fact_table, kind, fact_date, times, region, product_category)
    )

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
    having bool_or(n_repeated = n_lines) or (scope = 3 and max(n_repeated) >= {{ fewest }})

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
