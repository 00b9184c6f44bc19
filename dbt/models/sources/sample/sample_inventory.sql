{{ config(enabled=var('source') == 'sample') }}

with

counts as (

    select * from {{ source('sample', 'inventory') }}

),

facts as (

    select
        cast(snapshot_date as date) as snapshot_date,
        region,
        product_category,
        product,
        cast(quantity_on_hand as {{ money() }}) as quantity_on_hand,
        cast(unit_cost as {{ money() }}) as unit_cost,
        cast(null as {{ money() }}) as inventory_value,
        hash(counts) as row_hash
    from counts

)

select * from facts
