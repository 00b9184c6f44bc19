{{ config(enabled=var('source') == 'sample') }}

with

bookings as (

    select * from {{ source('sample', 'expenses') }}

),

facts as (

    select
        cast(expense_date as date) as expense_date,
        region,
        cast(amount as {{ money() }}) as amount,
        hash(bookings) as row_hash
    from bookings

)

select * from facts
