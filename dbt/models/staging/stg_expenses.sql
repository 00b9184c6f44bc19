with

facts as (

    select * from {{ ref(var('source') ~ '_expenses') }}

),

known as (

    select
        expense_date,
        coalesce(region, 'All') as region,
        amount
    from facts
    where {{ known_by_as_of('expense_date') }}

)

select * from known
