with

inventory as (

    select * from {{ ref('stg_inventory') }}

),

last_snapshots as (

    select
        region,
        max(snapshot_date) as snapshot_date
    from inventory
    group by region, {{ month_of('snapshot_date') }}

),

counted as (

    select
        inventory.*,
        coalesce(
            inventory.inventory_value,
            case when inventory.quantity_on_hand = 0 then 0 else inventory.quantity_on_hand * inventory.unit_cost end
        ) as value_at_cost
    from inventory
    inner join last_snapshots
        on inventory.region = last_snapshots.region
        and inventory.snapshot_date = last_snapshots.snapshot_date

),

month_ends as (

    select
        region,
        product_category,
        {{ month_of('snapshot_date') }} as ds,
        snapshot_date,
        count(*) as n_facts,
        sum(quantity_on_hand) as units,
        sum(value_at_cost) as value_at_cost,
        count(*) - count(value_at_cost) as n_without_value
    from counted
    group by all

),

measured as (

    select
        region,
        product_category,
        ds,
        snapshot_date,
        n_facts,
        case when sum(n_without_value) over () = 0 then 'value at cost' else 'units' end as measure,
        cast(case when sum(n_without_value) over () = 0 then value_at_cost else units end as decimal(38, 4)) as stock
    from month_ends

)

select * from measured
order by region, product_category, ds
