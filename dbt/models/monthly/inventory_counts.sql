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
        lag(snapshot_date) over (partition by region, product_category, product, ds order by snapshot_date) as counted_before
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

days as (

    select
        region,
        ds,
        snapshot_date,
        count(*) as n_listed
    from counts
    group by all

),

lists as (

    select
        *,
        max(n_listed) over (partition by region, ds) as n_most,
        lag(snapshot_date) over earlier as day_before,
        lag(n_listed) over earlier as n_day_before
    from days
    window earlier as (partition by region, ds order by snapshot_date)
    qualify snapshot_date = max(snapshot_date) over (partition by region, ds)

),

region_months as (

    select
        lists.region,
        lists.ds,
        lists.n_listed as n_on_last_day,
        lists.n_listed < lists.n_most * 2 / 3
        -- or the last day does not go on with what the count before it listed
        or coalesce(count(*) filter (where marked.counted_before = lists.day_before) < lists.n_day_before / 2, false) as is_in_turns
    from lists
    inner join marked
        on lists.region = marked.region
        and lists.snapshot_date = marked.snapshot_date
    group by lists.region, lists.ds, lists.n_listed, lists.n_most, lists.day_before, lists.n_day_before

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
    marked.* exclude (counted_before),
    judged.is_full
from marked
inner join judged
    on marked.region = judged.region
    and marked.ds = judged.ds
order by marked.region, marked.product_category, marked.product, marked.ds
