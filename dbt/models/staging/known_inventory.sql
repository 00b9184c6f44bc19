with

facts as (

    select * from {{ ref(var('source') ~ '_inventory') }}

),

known as (

    select
        snapshot_date,
        {{ called('region', ref(var('source') ~ '_inventory')) }} as region,
        {{ called('product_category', ref(var('source') ~ '_inventory')) }} as product_category,
        product,
        quantity_on_hand,
        unit_cost,
        inventory_value,
        row_hash
    from facts
    where {{ known_by_as_of('snapshot_date') }} and {{ is_no_total(['region', 'product_category', 'product']) }}

)

select
    *,
    hash((region, product_category, product, quantity_on_hand, unit_cost, inventory_value)) as value_hash
from known
