{{ config(enabled=var('source') == 'adventureworks') }}

with

balances as (

    select * from {{ source('adventureworks', 'FactProductInventory') }}

),

products as (

    select * from {{ ref('adventureworks_products') }}

),

facts as (

    select
        cast(balances.MovementDate as date) as snapshot_date,
        cast(null as varchar) as region,
        products.product_category,
        products.product,
        cast(balances.UnitsBalance as {{ money() }}) as quantity_on_hand,
        cast(balances.UnitCost as {{ money() }}) as unit_cost,
        cast(null as {{ money() }}) as inventory_value,
        hash(balances) as row_hash
    from balances
    left join products on balances.ProductKey = products.product_key

)

select * from facts
