with

facts as (

    select * from {{ ref(var('source') ~ '_sales') }}

),

known as (

    select
        order_date,
        coalesce(region, 'All') as region,
        coalesce(product_category, 'All') as product_category,
        product,
        quantity,
        net_amount,
        cost_amount
    from facts
    where {{ known_by_as_of('order_date') }}

)

select * from known
