with

facts as (

    select * from {{ ref(var('source') ~ '_inventory') }}

),

known as (

    select
        snapshot_date,
        coalesce(region, 'All') as region,
        coalesce(product_category, 'All') as product_category,
        product,
        quantity_on_hand,
        unit_cost,
        inventory_value
    from facts
    where {{ known_by_as_of('snapshot_date') }}

)

select * from known
