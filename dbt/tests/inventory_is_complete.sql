-- Month by month, the counted stock of the training set and what was left out is the stock of each region's last count, to
-- the cent, and nothing else: what is carried forward is flagged.
with last_counts as (

    select
        snapshot_date,
        quantity_on_hand,
        coalesce(inventory_value, case when quantity_on_hand = 0 then 0 else quantity_on_hand * unit_cost end) as value_at_cost
    from {{ ref('stg_inventory') }}
    qualify rank() over (partition by region, strftime(snapshot_date, '%Y-%m') order by snapshot_date desc) = 1

),

facts as (

    select
        strftime(snapshot_date, '%Y-%m') as month,
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
