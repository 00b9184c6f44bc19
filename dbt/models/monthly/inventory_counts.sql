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
        count(*) - count(value_at_cost) as n_without_value
    from valued
    group by region, product_category, product, ds, snapshot_date

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

last_counts as (  -- where there is one count in the month it is the last, product by product

    select
        counts.*,
        cast(null as date) as counted_before
    from counts
    semi join lists on counts.region = lists.region and counts.ds = lists.ds and lists.day_before is null
    union all
    select
        counts.*,
        lag(counts.snapshot_date) over (
            partition by counts.region, counts.product_category, counts.product, counts.ds order by counts.snapshot_date
        ) as counted_before
    from counts
    semi join lists on counts.region = lists.region and counts.ds = lists.ds and lists.day_before is not null
    qualify counts.snapshot_date = max(counts.snapshot_date) over (
        partition by counts.region, counts.product_category, counts.product, counts.ds
    )

),

marked as (

    select
        last_counts.*,
        lists.snapshot_date as last_day,
        last_counts.snapshot_date = lists.snapshot_date as is_on_last_day
    from last_counts
    inner join lists
        on last_counts.region = lists.region
        and last_counts.ds = lists.ds

),

region_months as (

    select
        lists.region,
        lists.ds,
        lists.n_listed as n_on_last_day,
        lists.n_listed < lists.n_most * 2 / 3
        -- or the last day does not go on with what the count before it listed
        or coalesce(count(marked.region) < lists.n_day_before / 2, false) as is_in_turns
    from lists
    left join marked
        on lists.region = marked.region
        and lists.snapshot_date = marked.snapshot_date
        and lists.day_before = marked.counted_before
    group by lists.region, lists.ds, lists.n_listed, lists.n_most, lists.day_before, lists.n_day_before

),

habits as (

    select
        *,
        avg(cast(is_in_turns as integer)) over (partition by region) > {{ turns_are_habit }} as is_habit
    from region_months

),

known_products as (

    select
        habits.region,
        habits.ds,
        count(distinct (marked.product_category, marked.product)) as n_known
    from habits
    inner join marked
        on habits.region = marked.region
        and marked.ds between habits.ds - interval {{ remembered_months }} month and habits.ds
    where habits.is_habit and not habits.is_in_turns
    group by all

),

judged as (

    select
        habits.region,
        habits.ds,
        case
            when habits.is_in_turns then false
            when habits.is_habit then habits.n_on_last_day >= known_products.n_known * 2 / 3
            else true
        end as is_full
    from habits
    left join known_products
        on habits.region = known_products.region
        and habits.ds = known_products.ds

)

select
    marked.* exclude (counted_before),
    judged.is_full
from marked
inner join judged
    on marked.region = judged.region
    and marked.ds = judged.ds
