{%- set turns_are_habit, remembered_months = 0.25, 3 -%}
with

inventory as (

    select * from {{ ref('stg_inventory') }}

),

valued as (

    select
        *,
        {{ month_of('snapshot_date') }} as ds,
        -- nothing on hand is worth nothing, whatever it cost
        coalesce(inventory_value, case when quantity_on_hand = 0 then 0 else quantity_on_hand * unit_cost end) as value_at_cost
    from inventory

),

counts as (

    select
        region,
        product_category,
        product,
        ds,
        snapshot_date,
        count(*) as n_facts,
        sum(quantity_on_hand) as units,
        sum(value_at_cost) as value_at_cost,
        count(*) - count(value_at_cost) as n_without_value,
        count(*) over (partition by region, product_category, product, ds) as n_days
    from valued
    group by region, product_category, product, ds, snapshot_date

),

last_counts as (

    select * from counts
    qualify snapshot_date = max(snapshot_date) over (partition by region, product_category, product, ds)

),

marked as (

    select
        *,
        max(snapshot_date) over (partition by region, ds) as last_day,
        snapshot_date = max(snapshot_date) over (partition by region, ds) as is_on_last_day
    from last_counts

),

last_days as (

    select
        region,
        ds,
        count(*) as n_products,
        count(*) filter (where is_on_last_day) as n_on_last_day,
        count(*) filter (where is_on_last_day and n_days > 1) as n_counted_before
    from marked
    group by region, ds

),

region_months as (

    select
        *,
        n_on_last_day < n_products * 2 / 3
        or (  -- the last day lists others than the days before, and does so again and again
            n_on_last_day < n_products
            and n_counted_before < n_on_last_day / 2
            and avg(cast(n_on_last_day < n_products and n_counted_before < n_on_last_day / 2 as integer)) over (partition by region)
                > {{ turns_are_habit }}
        ) as is_in_turns
    from last_days

),

known_products as (

    select
        region_months.region,
        region_months.ds,
        count(distinct (marked.product_category, marked.product)) as n_known
    from region_months
    inner join marked
        on region_months.region = marked.region
        and marked.ds between region_months.ds - interval {{ remembered_months }} month and region_months.ds
    group by all

),

judged as (

    select
        region_months.*,
        case
            when region_months.is_in_turns then false
            when avg(cast(region_months.is_in_turns as integer)) over (partition by region_months.region) > {{ turns_are_habit }}
                then region_months.n_on_last_day >= known_products.n_known * 2 / 3
            else true
        end as is_full
    from region_months
    inner join known_products
        on region_months.region = known_products.region
        and region_months.ds = known_products.ds

)

select
    marked.* exclude (n_days),
    judged.is_full
from marked
inner join judged
    on marked.region = judged.region
    and marked.ds = judged.ds
order by marked.region, marked.product_category, marked.product, marked.ds
