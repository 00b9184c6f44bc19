{#- A run of days on which every row of the table, or of one region, stands two or three times. One row may well do so by chance: a run counts
    where chance would bring it about less than once in a million, judged by how many rows outside of it are repeated. -#}
{%- set chance, least_share, share_if_all, enough = '1e-6', 0.01, 0.3, 20 -%}

with

sales as (

    select * from {{ ref('known_sales') }}

),

inventory as (

    select * from {{ ref('known_inventory') }}

),

expenses as (

    select * from {{ ref('known_expenses') }}

),

lines as (

    select 'sales' as fact_table, order_date as fact_date, region, row_hash, count(*) as n, sum(net_amount) as amount
    from sales group by all
    union all
    select 'inventory' as fact_table, snapshot_date as fact_date, region, row_hash, count(*) as n, sum(quantity_on_hand) as amount
    from inventory group by all
    union all
    select 'expenses' as fact_table, expense_date as fact_date, region, row_hash, count(*) as n, sum(amount) as amount
    from expenses group by all

),

scopes as (

    select *, cast(null as varchar) as part from lines
    union all
    select *, region as part from lines

),

days as (

    select
        scopes.fact_table,
        scopes.part,
        scopes.fact_date,
        repeated.times,
        count(*) as n_lines,
        count(*) filter (where scopes.n % repeated.times = 0) as n_repeated,
        sum(scopes.n) as n_facts,
        sum(scopes.amount) as amount
    from scopes
    cross join (values (2), (3)) as repeated (times)
    group by all

),

runs as (

    select
        *,
        n_repeated = n_lines as is_repeated,
        row_number() over (partition by fact_table, part, times order by fact_date)
            - row_number() over (partition by fact_table, part, times, n_repeated = n_lines order by fact_date) as run,
        sum(n_lines) over whole as all_lines,
        sum(n_repeated) over whole as all_repeated,
        count(*) over whole as all_days,
        datediff('month', min(fact_date) over whole, max(fact_date) over whole) + 1 as all_months
    from days
    window whole as (partition by fact_table, part, times)

),

candidates as (

    select
        fact_table,
        part as region,
        times,
        min(fact_date) as first_date,
        max(fact_date) as last_date,
        sum(n_lines) as n_lines,
        any_value(all_lines) - sum(n_lines) as others,
        any_value(all_repeated) - sum(n_repeated) as others_repeated,
        any_value(all_days) <= 4 * any_value(all_months) as is_monthly,
        cast(sum(n_facts) * (times - 1) / times as bigint) as n_surplus,
        sum(amount) * (times - 1) / times as amount
    from runs
    where is_repeated
    group by fact_table, part, times, run

),

blocks as (

    select *
    from candidates
    where
        pow(if(others < {{ enough }}, {{ share_if_all }}, greatest({{ least_share }}, others_repeated / others)), n_lines) < {{ chance }}
        or (is_monthly and others >= 6 and others_repeated = 0)  -- a monthly table has no order lines that may be alike

),

largest as (

    select * from blocks
    qualify row_number() over (partition by fact_table, region, first_date order by times desc) = 1

),

found as (

    select one.* exclude (n_lines, others, others_repeated, is_monthly)
    from largest as one
    where one.region is null
        or not exists (
            select 1
            from largest as whole
            where whole.fact_table = one.fact_table
                and whole.region is null
                and whole.first_date <= one.first_date
                and one.last_date <= whole.last_date
        )

)

select * from found
order by fact_table, region nulls first, first_date
