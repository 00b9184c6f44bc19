{{ config(enabled=var('source') == 'sample') }}

with

lines as (

    select * from {{ source('sample', 'sales') }}

),

facts as (

    select
        cast(order_date as date) as order_date,
        region,
        product_category,
        product,
        cast(quantity as {{ money() }}) as quantity,
        cast(net_amount as {{ money() }}) as net_amount,
        cast(cost_amount as {{ money() }}) as cost_amount,
        hash(lines) as row_hash
    from lines

)

select * from facts
