with

domain_windows as (

    select * from {{ ref('domain_windows') }}

),

inventory as (

    select * from {{ ref('inventory_month_end') }}

),

shared as (

    select
        domain,
        arg_min(grain, list_position(['daily', 'weekly', 'monthly'], grain)) as grain,  -- the finest of its tables
        cast(sum(n_facts) as bigint) as n_facts,
        min(first_fact) as first_fact,
        max(last_fact) as last_fact,
        max(first_month) as first_month,
        min(last_month) as last_month,
        case domain
            when 'sales' then 'net amount'
            when 'inventory' then (select any_value(measure) from inventory)
            else case when bool_or(fact_table = 'expenses') then 'operating profit' else 'gross profit' end
        end as measure
    from domain_windows
    group by domain

),

calendar as (

    select
        domain,
        grain,
        n_facts,
        first_fact,
        last_fact,
        case when first_month <= last_month then first_month end as first_month,
        case when first_month <= last_month then last_month end as last_month,
        cast(greatest(datediff('month', first_month, last_month) + 1, 0) as integer) as n_months,
        measure
    from shared

)

select * from calendar
order by domain
