with

domain_windows as (

    select * from {{ ref('domain_windows') }}

),

sales as (

    select * from {{ ref('sales_monthly') }}

),

profit as (

    select * from {{ ref('profit_monthly') }}

),

inventory as (

    select * from {{ ref('inventory_month_end') }}

),

region_months as (

    select * from {{ ref('inventory_region_months') }} where not is_used

),

months as (

    select 'sales' as domain, ds, sum(n_facts) as n_facts, sum(net_amount) as amount from sales group by all
    union all
    select 'profit' as domain, ds, sum(n_facts) as n_facts, sum(profit) as amount from profit group by all
    union all
    select 'inventory' as domain, ds, sum(n_facts) as n_facts, sum(stock) as amount from inventory group by all

),

outside as (

    select
        months.domain,
        months.ds,
        months.n_facts,
        months.amount,
        domain_windows.called || ' ' || case
            when months.ds = {{ month_of('domain_windows.first_fact') }} and first_flaw is not null then first_flaw
            when months.ds = {{ month_of('domain_windows.last_fact') }} and last_flaw is not null then last_flaw
            when months.ds < domain_windows.first_month then 'begin on ' || domain_windows.first_fact
            else 'end on ' || domain_windows.last_fact
        end as reason
    from months
    inner join domain_windows on months.domain = domain_windows.domain
    where months.ds not between domain_windows.first_month and domain_windows.last_month

),

uncounted as (

    select
        'inventory' as domain,
        region_months.ds,
        coalesce(sum(inventory.n_facts), 0) as n_facts,
        sum(inventory.stock) as amount,
        region_months.reason
    from region_months
    left join inventory
        on region_months.region = inventory.region
        and region_months.ds = inventory.ds
    group by all

),

reasons as (

    select domain, ds, reason, n_facts, amount, 'whole month' as left_out from outside
    union all
    select domain, ds, reason, n_facts, amount, 'region' as left_out from uncounted

),

left_out as (

    select
        domain,
        ds,
        string_agg(reason, '; ' order by reason) as reason,
        cast(if(any_value(left_out) = 'region', sum(n_facts), any_value(n_facts)) as bigint) as n_facts,
        cast(if(any_value(left_out) = 'region', sum(amount), any_value(amount)) as double) as amount
    from reasons
    group by domain, ds

)

select * from left_out
order by domain, ds
