-- Month by month, the counted stock of the training set and what was left out is what each region's products were last counted at, at most three
-- months before and with no full count since, to the cent, and nothing else: what is carried forward is flagged.
with region_months as (

    select distinct region, ds, last_day, is_full from {{ ref('inventory_counts') }}

),

last_counts as (

    select
        region_months.ds,
        facts.quantity_on_hand,
        coalesce(inventory_value, case when quantity_on_hand = 0 then 0 else quantity_on_hand * unit_cost end) as value_at_cost
    from region_months
    inner join {{ ref('stg_inventory') }} as facts
        on region_months.region = facts.region
        and facts.snapshot_date between region_months.ds - interval 3 month and last_day(region_months.ds)
    where not exists (
        select 1
        from region_months as later
        where later.is_full
            and later.region = facts.region
            and later.last_day > facts.snapshot_date
            and later.ds <= region_months.ds
    )
    qualify rank() over (
        partition by region_months.region, region_months.ds, product_category, product order by snapshot_date desc
    ) = 1

),

facts as (

    select
        strftime(ds, '%Y-%m') as month,
        case
            when (select count(*) = count(value_at_cost) from last_counts) then sum(value_at_cost)
            else sum(quantity_on_hand)
        end as stock
    from last_counts
    group by all

),

used as (

    select
        strftime(ds, '%Y-%m') as month,
        sum(cast(y as decimal(38, 4))) as stock
    from {{ ref('ml_train_inventory_monthly') }}
    where not is_imputed
    group by all

),

left_out as (

    select
        strftime(ds, '%Y-%m') as month,
        cast(coalesce(amount, 0) as decimal(38, 4)) as stock
    from {{ ref('left_out_months') }}
    where domain = 'inventory'

)

select
    month,
    facts.stock as in_the_facts,
    used.stock as in_the_training_set,
    left_out.stock as left_out
from facts
full outer join used using (month)
full outer join left_out using (month)
where abs(coalesce(facts.stock, 0) - coalesce(used.stock, 0) - coalesce(left_out.stock, 0)) >= 0.005
