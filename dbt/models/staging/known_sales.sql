with

facts as (

    select * from {{ ref(var('source') ~ '_sales') }}

),

known as (

    select
        order_date,
        {{ called('region', ref(var('source') ~ '_sales')) }} as region,
        {{ called('product_category', ref(var('source') ~ '_sales')) }} as product_category,
        product,
        quantity,
        net_amount,
        cost_amount,
        row_hash
    from facts
    where {{ known_by_as_of('order_date') }} and {{ is_no_total(['region', 'product_category', 'product']) }}

)

select
    *,
    hash((region, product_category, product, quantity, net_amount, cost_amount)) as value_hash
from known
