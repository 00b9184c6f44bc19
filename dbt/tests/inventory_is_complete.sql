-- Month by month, the counted stock of the training set and what was left out is what each region's products were last counted at, at most three
-- months before and with no full count since, to the cent, and nothing else: what is carried forward is flagged.
with region_months as (

    select distinct region, ds, last_day, is_full from {{ ref('inventory_counts') }}

),

spans as (

    select
        region,
        ds,
        greatest(
            cast(ds - interval 3 month as date), max(if(is_full, last_day, null)) over (partition by region order by ds)
        ) as first_day,
        last_day(ds) as last_day,
        is_full
    from region_months

),

counts as (

    select
        spans.ds,
        spans.region,
        spans.is_full,
        facts.product_category,
        facts.product,
        facts.snapshot_date,
        facts.quantity_on_hand,
        coalesce(inventory_value, case when quantity_on_hand = 0 then 0 else quantity_on_hand * unit_cost end) as value_at_cost
    from spans
    inner join {{ ref('stg_inventory') }} as facts
        on spans.region = facts.region
        and facts.snapshot_date between spans.first_day and spans.last_day

),

last_counts as (

    select ds, quantity_on_hand, value_at_cost from counts where is_full  -- all of one day
    union all
    select ds, quantity_on_hand, value_at_cost from counts where not is_full
    qualify rank() over (partition by region, ds, product_category, product order by snapshot_date desc) = 1

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
