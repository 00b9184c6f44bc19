with

facts as (

    select * from {{ ref(var('source') ~ '_expenses') }}

),

known as (

    select
        expense_date,
        coalesce({{ renamed('region') }}, 'All') as region,  -- an expense without a region concerns all of them
        amount,
        row_hash
    from facts
    where {{ known_by_as_of('expense_date') }} and {{ is_no_total(['region']) }}

)

select
    *,
    hash((region, amount)) as value_hash
from known
